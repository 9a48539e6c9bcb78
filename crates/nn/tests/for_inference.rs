//! `Model::for_inference` gives the same function with fewer layers.

use maobi_nn::graph::{Call, Sequential, apply};
use maobi_nn::layers::arguments::Padding;
use maobi_nn::layers::*;
use maobi_nn::{Model, Precision};
use std::sync::Arc;

/// Weights and moving averages that are all different; variances above 0.
fn stirred(mut model: Model) -> Model {
    for (w, weight) in model.weights_mut().iter_mut().enumerate() {
        let variance = weight.name == "moving_variance";
        for (i, value) in weight.values_mut().iter_mut().enumerate() {
            let wave = ((i * 7 + w * 13) as f32 * 0.37).sin();
            *value = if variance { 1.0 + 0.5 * wave } else { 0.3 * wave };
        }
    }
    model
}

/// Both answer alike: sums of a few hundred products near 1, in another order.
fn same_function(model: &Model, layers: usize) {
    let small = model.for_inference().unwrap();
    let classes: Vec<_> = small.graph().layers.iter().map(|l| l.layer.class_name()).collect();
    assert_eq!(classes.len(), layers, "{classes:?}");
    let pixels: Vec<f32> = (0..5 * 10 * 10 * 2).map(|i| ((i * i) as f32 * 0.11).cos()).collect();
    let (a, b) = (model.predict(&[&pixels]).unwrap(), small.predict(&[&pixels]).unwrap());
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert!(a.iter().any(|x| x.abs() > 1e-2));
        for (x, y) in a.iter().zip(b) {
            assert!((x - y).abs() <= 1e-5 * x.abs().max(1.0), "{x} and {y}");
        }
    }
}

#[test]
fn a_chain_of_every_kind_of_convolution() {
    let model = Sequential::new()
        .add(InputLayer::new([10, 10, 2]))
        .add(Conv2D::new(6, 3).use_bias(false))
        .add(BatchNormalization::new())
        .add(ReLU::new())
        .add(Dropout::new(0.3))
        .add(DepthwiseConv2D::new(3).depth_multiplier(2))
        .add(BatchNormalization::new().center(false).epsilon(0.01))
        .add(Activation::new("elu"))
        .add(SeparableConv2D::new(8, 3).use_bias(false))
        .add(BatchNormalization::new().scale(false))
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dropout::new(0.5))
        .add(Dense::new(7))
        .add(BatchNormalization::new())
        .add(Activation::new("softmax"))
        .build(1)
        .unwrap();
    same_function(&stirred(model), 7);
}

#[test]
fn what_others_read_too_stays() {
    let input = InputLayer::new([10, 10, 2]).input();
    let a = Conv2D::new(4, 3).call(&input).unwrap();
    let b = BatchNormalization::new().call(&a).unwrap();
    let c = ReLU::new().call(&b).unwrap();
    // The convolution is read before and after normalization, which takes no activation.
    let sum = Add::new().merge(&[&a, &c]).unwrap();
    let flat = Flatten::new().call(&sum).unwrap();
    same_function(&stirred(Model::new("branches", &[&input], &[&flat], 1).unwrap()), 6);
}

#[test]
fn an_output_in_the_middle_stays() {
    let input = InputLayer::new([10, 10, 2]).input();
    let a = Conv2D::new(4, 3).call(&input).unwrap();
    let b = BatchNormalization::new().call(&a).unwrap();
    same_function(&stirred(Model::new("two", &[&input], &[&a, &b], 1).unwrap()), 3);
}

#[test]
fn a_layer_that_is_called_twice_stays() {
    let input = InputLayer::new([10, 10, 2]).input();
    let shared: Arc<dyn Layer> = Arc::new(Conv2D::new(2, 3).padding(Padding::Same));
    let once = apply(&shared, &[&input]).unwrap();
    let twice = apply(&shared, &[&once]).unwrap();
    let normal = BatchNormalization::new().call(&twice).unwrap();
    same_function(&stirred(Model::new("twice", &[&input], &[&normal], 1).unwrap()), 3);
}

#[test]
fn a_layer_with_an_activation_of_its_own_takes_nothing() {
    let model = Sequential::new()
        .add(InputLayer::new([10, 10, 2]))
        .add(Conv2D::new(4, 3).activation("relu"))
        .add(BatchNormalization::new())
        .add(LeakyReLU::new())
        .build(1)
        .unwrap();
    same_function(&stirred(model), 4);
}

#[test]
fn layers_that_round_stay_as_they_are() {
    let mut model = Sequential::new()
        .add(InputLayer::new([10, 10, 2]))
        .add(Conv2D::new(4, 3))
        .add(BatchNormalization::new())
        .build(1)
        .unwrap();
    model.set_precision(Precision::MixedBfloat16).unwrap();
    assert_eq!(model.for_inference().unwrap().graph().layers.len(), 3);
}
