//! What layers tell the formats that hold a computation.

use super::cases::{Mode, cases};
use maobi_nn::graph::{Sequential, apply};
use maobi_nn::layers::{Activation, Built, InputLayer, Layer, Shape};
use maobi_nn::program::{Function, Operation};
use maobi_nn::{Model, Program, keras_layer};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Classes that ONNX and SavedModel refuse by name.
const REFUSED: [&str; 4] = ["Dot", "GroupNormalization", "Normalization", "UnitNormalization"];

#[test]
fn every_layer_has_operations_or_is_listed_as_refused() {
    // Refused whatever their arguments are; a Softmax over another axis than the last is refused too.
    let (mut refused, mut known) = (BTreeSet::new(), BTreeSet::new());
    for case in cases() {
        let layer: Arc<dyn Layer> = Arc::from(case.layer);
        let class = layer.class_name();
        let inputs: Vec<_> = case.inputs.iter().map(|shape| InputLayer::new(shape.clone()).input()).collect();
        let inputs: Vec<_> = inputs.iter().collect();
        let output = apply(&layer, &inputs).expect("applies");
        let model = Model::new("one", &inputs, &[&output], 1).expect("builds");
        let program = Program::of(&model);
        let other = program.steps.iter().any(|step| matches!(step.what, Operation::Other(_)));
        if other { &mut refused } else { &mut known }.insert(class);
        // What draws random numbers does so in training alone.
        assert!(case.mode != Mode::Random || layer.acts_only_in_training(), "{class}");
        assert!(!layer.acts_only_in_training() || program.steps.is_empty(), "{class}");
        assert_eq!(program.shapes[program.outputs[0].1], case.output, "{class}");
    }
    let refused: Vec<_> = refused.difference(&known).copied().collect();
    assert_eq!(refused, REFUSED);
}

#[test]
fn activations_stand_by_themselves() {
    let of = |name: &str| {
        let model = Sequential::new().add(InputLayer::new([3])).add(Activation::new(name)).build(1).unwrap();
        Program::of(&model).steps.into_iter().map(|step| step.what).collect::<Vec<_>>()
    };
    assert_eq!(of("linear"), []);
    assert_eq!(of("softmax"), [Operation::Softmax]);
    assert_eq!(of("relu6"), [Operation::Apply(Function::Relu { max_value: Some(6.0), negative_slope: 0.0, threshold: 0.0 })]);
    for name in ["leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign"]
    {
        assert!(matches!(of(name)[..], [Operation::Apply(_)]), "{name}");
    }
}

keras_layer! {
    /// Passes its input on.
    struct Secret("secret") {}
}

impl Layer for Secret {
    fn build(&self, _: &[Shape]) -> Result<Built, String> {
        Ok(Built::default())
    }
}

#[test]
fn a_layer_without_operations_is_named() {
    let model = Sequential::new().add(InputLayer::new([3])).add(Secret::new().name("s")).build(1).unwrap();
    let program = Program::of(&model);
    let Operation::Other(why) = &program.steps[0].what else { panic!("{program:?}") };
    assert!(why.starts_with("layer \"s\" (Secret): has no counterpart in this format"), "{why}");
    assert_eq!(program.outputs, [("s".to_string(), 1)]);
}
