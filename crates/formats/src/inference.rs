//! What the formats that hold a computation instead of layers share; the computation itself is [`maobi_nn::program`].

use maobi_nn::Program;
use maobi_nn::{Model, Precision};

/// What of the model inference does not have, in words.
pub(crate) fn notes(model: &Model) -> Vec<String> {
    let graph = model.graph();
    let mut notes = Vec::new();
    let left: Vec<&str> =
        graph.layers.iter().filter(|entry| entry.layer.acts_only_in_training()).map(|entry| entry.name.as_str()).collect();
    if !left.is_empty() {
        notes.push(format!("{}: nothing but training knows these layers, the file holds inference", left.join(", ")));
    }
    if model.compiled().is_some() {
        notes.push("optimizer, losses and metrics: the file holds inference".to_string());
    }
    if (0..graph.layers.len()).any(|layer| graph.precision_of(layer) != Precision::Float32) {
        notes.push("the mixed precision policy: the file computes in float32 throughout".to_string());
    }
    notes
}

/// A BatchNormalization as x · scale + shift, per channel; computed in f64.
pub(crate) fn scale_and_shift(
    program: &Program<'_>,
    [gamma, beta]: [Option<usize>; 2],
    [mean, variance]: [usize; 2],
    epsilon: f64,
) -> (Vec<f32>, Vec<f32>) {
    let values = |array: usize| -> Vec<f64> { program.arrays[array].values().iter().map(|v| f64::from(*v)).collect() };
    let count = program.arrays[mean].len();
    let or = |array: Option<usize>, default: f64| array.map_or_else(|| vec![default; count], values);
    let scale: Vec<f64> = or(gamma, 1.0).iter().zip(values(variance)).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift = or(beta, 0.0).iter().zip(values(mean)).zip(&scale).map(|((b, m), s)| (b - m * s) as f32).collect();
    (scale.iter().map(|s| *s as f32).collect(), shift)
}
