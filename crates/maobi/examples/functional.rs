//! A model with two inputs, a shared layer, a merge and two outputs, trained on made-up numbers.
//!
//! `cargo run --release -p maobi --example functional`

use maobi::nn::graph::apply;
use maobi::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let left = InputLayer::new([8]).name("left").input();
    let right = InputLayer::new([8]).name("right").input();
    // The same weights look at both inputs.
    let shared = Dense::new(16).activation("relu").name("shared").shared();
    let joined = Concatenate::new().merge(&[&apply(&shared, &[&left])?, &apply(&shared, &[&right])?])?;
    let larger = Dense::new(1).activation("sigmoid").name("larger").call(&joined)?;
    let sum = Dense::new(1).name("sum").call(&joined)?;
    let mut model = Model::new("compare", &[&left, &right], &[&larger, &sum], 1)?;
    println!("{}", model.summary());

    let samples = 2048;
    let number = |i: usize| ((i * 2654435761) % 1000) as f32 / 1000.0;
    let a: Vec<f32> = (0..samples * 8).map(number).collect();
    let b: Vec<f32> = (0..samples * 8).map(|i| number(i + 77_777)).collect();
    let total = |x: &[f32], i: usize| x[i * 8..(i + 1) * 8].iter().sum::<f32>();
    let is_larger: Vec<f32> = (0..samples).map(|i| f32::from(total(&a, i) > total(&b, i))).collect();
    let sums: Vec<f32> = (0..samples).map(|i| total(&a, i) + total(&b, i)).collect();
    let data = Arrays::new(samples, vec![&a, &b], vec![Targets::Values(is_larger), Targets::Values(sums)])?;

    let how = Compile::new(Adam::new(1e-2), BinaryCrossentropy::new())
        .losses([Loss::from(BinaryCrossentropy::new()), MeanSquaredError::new().into()]);
    model.compile(how.loss_weights([1.0, 0.1]))?;
    let history = model.fit(&data, Fit::new().epochs(10).validation_split(0.2))?;
    for name in ["loss", "larger_loss", "val_sum_loss"] {
        println!("{name}: {:.4?}", history.get(name));
    }
    Ok(())
}
