//! Trains the tf2-cnn network on MNIST (found or downloaded), saves it, restores it and reads test images with it.
//!
//! `cargo run --release -p maobi --example mnist`

use maobi::prelude::*;

fn main() -> maobi::Result<()> {
    let mnist = maobi::data::mnist()?;
    let (train, test) = (Images::new(&mnist.train), Images::new(&mnist.test));

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
    for (i, digit) in outputs[0].argmax().into_iter().take(5).enumerate() {
        println!("test image {i}: {digit} ({:.1} %), labeled {}", 100.0 * outputs[0].row(i)[digit], mnist.test.label(i));
    }
    Ok(())
}
