use super::*;
use maobi_nn::layers::registry;

#[test]
fn every_activation_has_a_function() {
    for name in
        ["relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid", "hard_sigmoid", "tanh", "softplus"]
    {
        // A name that Keras has twice is kept under the first.
        let kept = maobi_nn::activations::Activation::from(name);
        assert!(Function::named(kept.name()).is_some(), "{name}");
    }
    assert_eq!(Function::named("softmax"), None);
}

#[test]
fn every_layer_class_is_known() {
    let source = include_str!("lower.rs");
    for class in registry::known() {
        let known = TRAINING_ONLY.contains(&class) || class == "InputLayer" || source.contains(&format!("\"{class}\""));
        assert!(known, "{class} has no operation and is not refused by name: add it to lower.rs");
    }
}
