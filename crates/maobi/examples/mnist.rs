//! Trains the tf2-cnn network on MNIST (found or downloaded), saves it, restores it and reads test images with it.
//!
//! `cargo run --release -p maobi --example mnist`

use maobi::data::source::{Request, Wanted, resolve};
use maobi::data::{DatasetName, Silent};
use maobi::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let found = resolve(&Request::new(Wanted::Name(DatasetName::Mnist), &Silent))?;
    let (train, test) = (Images::new(&found.splits.train), Images::new(&found.splits.test));

    let mut model = Sequential::new()
        .add(InputLayer::new([28, 28, 1]))
        .add(Conv2D::new(32, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(Conv2D::new(64, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(Conv2D::new(64, 3).activation("relu"))
        .add(Flatten::new())
        .add(Dense::new(64).activation("relu"))
        .add(Dense::new(10).activation("softmax"))
        .build(1)?;
    println!("{}", model.summary());

    model.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new()).metrics(["accuracy"])?)?;
    model.fit(&train, Fit::new().epochs(5).callback(ProgressBar::new()))?;
    println!("{:?}", model.evaluate(&test)?);

    model.save("mnist.keras")?;
    let restored = Model::load("mnist.keras")?;
    let outputs = restored.predict_examples(&test)?;
    for (i, row) in outputs[0].chunks(10).take(5).enumerate() {
        let digit = maobi::nn::metrics::arg_max(row);
        println!("test image {i}: {digit} ({:.1} %), labelled {}", 100.0 * row[digit], found.splits.test.label(i));
    }
    Ok(())
}
