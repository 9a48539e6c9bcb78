//! A layer of your own: `Scale` multiplies every channel by a factor that it learns. It is trained, saved and read again, and formats
//! that hold a computation name it in their error.
//!
//! `cargo run --release -p maobi --example custom_layer`

use maobi::nn::keras_layer;
use maobi::nn::layers::{Built, Shape, WeightSpec, register_layer};
use maobi::nn::op::{Backward, Forward, Op};
use maobi::prelude::*;

keras_layer! {
    /// x · factor, one factor a channel: any shape `[batch, …, channels]`, weight `factor` `[channels]`.
    pub struct Scale("scale") {
        /// Initial factors; ones by default.
        factor_initializer: Initializer = Ones::new().into(),
    }
}

impl Layer for Scale {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [shape] = inputs else { return Err(format!("takes one input, got {}", inputs.len())) };
        let Some(&channels) = shape.last() else { return Err("expects at least one axis after the batch".into()) };
        let weights = vec![WeightSpec::new("factor", vec![channels], &self.factor_initializer, None)];
        Ok(Built { weights, steps: vec![] }.then(ScaleOp { channels }, vec![0], shape.clone()))
    }
}

#[derive(Debug)]
struct ScaleOp {
    channels: usize,
}

impl Op for ScaleOp {
    fn forward(&self, c: Forward<'_>) {
        let rows = c.inputs[0].chunks_exact(self.channels).zip(c.output.chunks_exact_mut(self.channels));
        for (x, y) in rows {
            for ((y, x), factor) in y.iter_mut().zip(x).zip(c.weights[0]) {
                *y = x * factor;
            }
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let rows = || c.d_output.chunks_exact(self.channels).enumerate();
        if let Some(dx) = &mut c.d_inputs[0] {
            for (row, dy) in rows() {
                for ((dx, dy), factor) in dx[row * self.channels..].iter_mut().zip(dy).zip(c.weights[0]) {
                    *dx = dy * factor;
                }
            }
        }
        if let Some(gradient) = &mut c.d_weights[0] {
            if !gradient.accumulate {
                gradient.data.fill(0.0);
            }
            for (row, dy) in rows() {
                for ((sum, dy), x) in gradient.data.iter_mut().zip(dy).zip(&c.inputs[0][row * self.channels..]) {
                    *sum += dy * x;
                }
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // From here on files and recipes that name the class `Scale` are understood.
    register_layer::<Scale>();

    let splits = maobi::data::builtin_digits(640, 100)?;
    let (train, test) = (Images::new(&splits.train), Images::new(&splits.test));

    let mut model = Sequential::new()
        .add(InputLayer::new([28, 28, 1]))
        .add(Conv2D::new(8, 3).activation("relu"))
        .add(Scale::new().name("volume"))
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dense::new(10).activation("softmax"))
        .build(1)?;
    model.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new()))?;
    let history = model.fit(&train, Fit::new().epochs(2).batch_size(32))?;
    println!("loss: {:.4?}", history.get("loss"));
    println!("factors: {:.4?}", &*model.layer_weights(2)[0].values());

    let folder = std::env::temp_dir().join(format!("maobi-custom-layer-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    model.save(folder.join("digits.keras"))?;
    let restored = Model::load(folder.join("digits.keras"))?;
    assert_eq!(restored.predict_examples(&test)?, model.predict_examples(&test)?);
    println!("read again: the same predictions");

    // A layer that `Layer::operations` describes can be exported; this one leaves it out.
    match model.save(folder.join("digits.onnx")) {
        Ok(()) => println!("exported"),
        Err(error) => println!("not exported: {error}"),
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
