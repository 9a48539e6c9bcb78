//! What the layers' own tests share.

use super::{Layer, Shape};
use crate::op::{Forward, Random};
use maobi_kernels::pool::Pool;

/// The output for one sample in inference; each input is its shape and values. For layers without weights.
pub(super) fn forward(layer: &dyn Layer, inputs: &[(&[usize], &[f32])]) -> Vec<f32> {
    run(layer, inputs, false, 1)
}

/// The output in training under `seed`.
pub(super) fn forward_training(layer: &dyn Layer, inputs: &[(&[usize], &[f32])], seed: u64) -> Vec<f32> {
    run(layer, inputs, true, seed)
}

/// Holds an augmentation to its promises: only training changes images, each on its own, from the run's seed or from its own.
pub(super) fn check_augmentation(layer: &dyn Layer, seeded: &dyn Layer) {
    let x: Vec<f32> = (0..36).chain(0..36).map(|v| v as f32).collect();
    let train = |layer: &dyn Layer, seed| forward_training(layer, &[(&[6, 6, 1], &x)], seed);
    assert_eq!(forward(layer, &[(&[6, 6, 1], &x)]), x);
    let y = train(layer, 1);
    assert_ne!(y[..36], x[..36]);
    assert_ne!(y[..36], y[36..], "two samples were changed alike");
    assert_eq!(y, train(layer, 1));
    assert_ne!(y, train(layer, 2));
    assert_eq!(train(seeded, 1), train(seeded, 2));
}

fn run(layer: &dyn Layer, inputs: &[(&[usize], &[f32])], training: bool, seed: u64) -> Vec<f32> {
    let shapes: Vec<Shape> = inputs.iter().map(|(s, _)| s.to_vec()).collect();
    let built = layer.build(&shapes).expect("the layer builds");
    let mut values: Vec<Vec<f32>> = inputs.iter().map(|(_, v)| v.to_vec()).collect();
    let samples = values[0].len() / shapes[0].iter().product::<usize>();
    let pool = Pool::new(1);
    for (op, step) in built.steps.iter().enumerate() {
        let mut output = vec![f32::NAN; samples * step.output.iter().product::<usize>()];
        let inputs: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
        step.op.forward(Forward {
            samples,
            first: 0,
            training,
            random: Random { seed, step: 0, op: op as u64 },
            inputs: &inputs,
            weights: &[],
            packed: &[],
            output: &mut output,
            saved: &mut vec![0.0; step.op.saved_len(samples)],
            scratch: &mut vec![0.0; step.op.scratch_len()],
            pool: &pool,
        });
        values = vec![output];
    }
    values.swap_remove(0)
}
