//! The network that several test programs train.

use maobi_nn::graph::Sequential;
use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Dropout, Flatten, InputLayer, MaxPooling2D};
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_nn::optimizers::Adam;
use maobi_nn::{Compile, Model};

/// Ten classes of pictures of 14 × 14 pixels; a layer of every kind that has a scope, a state or random numbers of its own.
pub fn digits(seed: u64) -> Model {
    let mut model = Sequential::new()
        .add(InputLayer::new([14, 14, 1]))
        .add(Conv2D::new(8, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(Conv2D::new(20, 3).activation("gelu"))
        .add(BatchNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(33).activation("relu"))
        .add(Dropout::new(0.3))
        .add(Dense::new(10).activation("softmax"))
        .build(seed)
        .unwrap();
    let how = Compile::new(Adam::new(1e-2), SparseCategoricalCrossentropy::new()).metrics(["accuracy"]).unwrap();
    model.compile(how).unwrap();
    model
}
