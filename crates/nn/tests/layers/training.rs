//! Every layer within a model: input → layer → Flatten → Dense, mean squared error.

use super::cases::{Case, Mode, cases};
use super::formula::{cotangent, layer_input};
use maobi_nn::graph::{Call, Sequential, apply};
use maobi_nn::initializers::Constant;
use maobi_nn::layers::{Dense, Flatten, InputLayer, Layer};
use maobi_nn::losses::{MeanSquaredError, Target};
use maobi_nn::optimizers::SGD;
use maobi_nn::regularizers::{Regularizer, RegularizerFunction};
use maobi_nn::{Batch, Compile, Model, Samples, keras_object};
use std::sync::Arc;

/// Enough for several lanes and for the thread pool to be worth waking in most cases.
const SAMPLES: usize = 96;

struct Problem {
    model: Model,
    inputs: Vec<Vec<f32>>,
    targets: Vec<f32>,
}

impl Problem {
    fn new(case: Case, trainable: bool, threads: usize) -> Problem {
        let mut layer = case.layer;
        layer.base_mut().trainable = trainable;
        layer.base_mut().name = Some("under_test".into());
        let layer: Arc<dyn Layer> = Arc::from(layer);
        let entries: Vec<_> = case.inputs.iter().map(|s| InputLayer::new(s.clone()).input()).collect();
        let entries: Vec<_> = entries.iter().collect();
        let x = apply(&layer, &entries).expect("the layer builds");
        let x = Flatten::new().call(&x).expect("flattens");
        let y = Dense::new(3).call(&x).expect("dense");
        let mut model = Model::new("probe", &entries, &[&y], 5).expect("the model builds");
        model.set_threads(threads);
        model.compile(Compile::new(SGD::new(0.02), MeanSquaredError::new())).expect("compiles");
        let inputs = case.inputs.iter().enumerate().map(|(k, s)| layer_input(k, SAMPLES * s.iter().product::<usize>())).collect();
        Problem { model, inputs, targets: cotangent(SAMPLES * 3) }
    }

    fn step(&mut self) -> f64 {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let feed = Samples { samples: SAMPLES, inputs: &inputs };
        let targets = [Target::Values(&self.targets)];
        let batch = Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None };
        self.model.train_on_batch(batch).expect("a step").loss
    }

    /// (path, values) of the layer's weights.
    fn weights(&self) -> Vec<(String, Vec<f32>)> {
        let own = self.model.weights().iter().filter(|w| w.path.starts_with("under_test/"));
        own.map(|w| (w.path.clone(), w.values().to_vec())).collect()
    }
}

fn label(case: &Case) -> String {
    format!("{} {}", case.layer.class_name(), serde_json::Value::Object(case.layer.config()))
}

#[test]
fn training_lowers_the_loss_and_moves_the_weights() {
    for case in cases() {
        let (label, mode) = (label(&case), case.mode);
        let mut problem = Problem::new(case, true, 2);
        let before = problem.weights();
        let losses: Vec<f64> = (0..8).map(|_| problem.step()).collect();
        assert!(losses.iter().all(|l| l.is_finite()), "{label}: {losses:?}");
        if mode != Mode::Random {
            assert!(losses[7] < losses[0], "{label}: {losses:?}");
        }
        for ((path, old), (_, new)) in before.iter().zip(problem.weights()) {
            // The statistics of a Normalization are those of the data, whatever training does.
            let stays = label.starts_with("Normalization") && path.starts_with("under_test/");
            assert_eq!(*old == new, stays, "{label}: {path}");
        }
    }
}

#[test]
fn frozen_layers_stay_and_the_rest_learns() {
    for case in cases().into_iter().filter(|c| !c.weights.is_empty()) {
        let label = label(&case);
        let mut problem = Problem::new(case, false, 1);
        let before = problem.weights();
        let first = problem.step();
        assert_ne!(problem.step(), first, "{label}: nothing learns");
        assert_eq!(problem.weights(), before, "{label}");
    }
}

#[test]
fn bits_are_the_same_for_any_number_of_threads() {
    for index in 0..cases().len() {
        let run = |threads: usize| {
            let case = cases().swap_remove(index);
            let label = label(&case);
            let mut problem = Problem::new(case, true, threads);
            let losses: Vec<f64> = (0..3).map(|_| problem.step()).collect();
            let inputs: Vec<&[f32]> = problem.inputs.iter().map(Vec::as_slice).collect();
            let predictions = problem.model.predict(&inputs).expect("predicts");
            (label, losses, problem.weights(), predictions)
        };
        let reference = run(1);
        for threads in [2, 5] {
            assert!(run(threads) == reference, "{}: {threads} threads give other bits", reference.0);
        }
    }
}

keras_object! {
    /// Σ w⁴.
    struct Quartic("quartic") {}
}

impl RegularizerFunction for Quartic {
    fn loss(&self, w: &[f32]) -> f32 {
        w.iter().map(|w| w.powi(4)).sum()
    }

    fn add_gradient(&self, w: &[f32], g: &mut [f32]) {
        g.iter_mut().zip(w).for_each(|(g, w)| *g += 4.0 * w.powi(3));
    }
}

#[test]
fn a_penalty_of_a_user_is_found_and_trains() {
    assert!(Regularizer::from_value(&"quartic".into()).is_err());
    Regularizer::register::<Quartic>();
    assert_eq!(Regularizer::from_value(&"quartic".into()).expect("registered"), Quartic::new().into());
    let dense = Dense::new(1).use_bias(false).kernel_initializer(Constant::new(0.5)).kernel_regularizer(Quartic::new());
    let mut model = Sequential::new().add(InputLayer::new([1])).add(dense).build(1).expect("builds");
    model.compile(Compile::new(SGD::new(0.5), MeanSquaredError::new())).expect("compiles");
    let feed = Samples { samples: 1, inputs: &[&[0.0]] };
    let batch = Batch { feed: &feed, targets: &[Target::Values(&[0.0])], sample_weight: None, class_weight: None };
    // 0.5⁴, and 0.5 · 4 · 0.5³ for the step.
    assert_eq!(model.train_on_batch(batch).expect("a step").loss, 0.0625);
    assert_eq!(*model.weights()[0].values(), [0.5 - 0.25]);
}
