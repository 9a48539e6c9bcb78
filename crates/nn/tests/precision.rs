//! Keras' mixed dtype policies: training, rounding, loss scaling, and their place in the configuration.

mod common;

use common::digits;
use maobi_nn::graph::{Call, Sequential};
use maobi_nn::layers::{Add, Conv2D, Dense, Flatten, InputLayer, Softmax};
use maobi_nn::losses::{MeanSquaredError, SparseCategoricalCrossentropy, Target};
use maobi_nn::optimizers::{Adam, LossScale, Optimizer, SGD};
use maobi_nn::{Batch, Compile, Model, Precision, Samples};

const SAMPLES: usize = 60;

/// Pictures of 14 × 14 pixels with a bright block that tells the label.
fn pictures() -> (Vec<f32>, Vec<u32>) {
    let labels: Vec<u32> = (0..SAMPLES as u32).map(|i| i * 7 % 10).collect();
    let mut x: Vec<f32> =
        (0..SAMPLES as u32 * 196).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0 * 0.3).collect();
    for (picture, &label) in x.chunks_exact_mut(196).zip(&labels) {
        let at = (label / 5 * 7 * 14 + label % 5 * 2) as usize;
        picture[at..at + 3].fill(1.0);
        picture[at + 14..at + 17].fill(1.0);
    }
    (x, labels)
}

fn step(model: &mut Model) -> f64 {
    let (x, labels) = pictures();
    let feed = Samples { samples: SAMPLES, inputs: &[&x] };
    let batch = Batch { feed: &feed, targets: &[Target::Classes(&labels)], sample_weight: None, class_weight: None };
    model.train_on_batch(batch).unwrap().loss
}

fn weight_bits(model: &Model) -> Vec<u32> {
    model.weights().iter().flat_map(|w| w.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>()).collect()
}

/// `digits` under a policy; `optimizer` instead of its own where given.
fn under(precision: Precision, optimizer: Option<Optimizer>) -> Model {
    let mut model = digits(3);
    let mut how = model.compiled().unwrap().clone();
    model.set_precision(precision).unwrap();
    how.optimizer = optimizer.unwrap_or(how.optimizer);
    model.compile(how).unwrap();
    model
}

#[test]
fn every_policy_learns_as_well() {
    let losses = Precision::ALL.map(|precision| {
        let mut model = under(precision, None);
        (0..60).map(|_| step(&mut model)).collect::<Vec<f64>>()
    });
    let last = losses.each_ref().map(|l| l[50..].iter().sum::<f64>() / 10.0);
    assert!(last[0] < 0.1 * losses[0][0], "float32 does not learn: {:?}", losses[0]);
    for (precision, (losses, last32)) in Precision::ALL.iter().zip(losses.iter().zip([last[0]; 3])) {
        // The first loss shows the rounding of one forward pass: some layers' 2⁻⁸ (2⁻¹¹ in float16) of logits about 1.
        assert!((losses[0] - 2.3).abs() < 1.0, "{precision}: {}", losses[0]);
        let own = losses[50..].iter().sum::<f64>() / 10.0;
        assert!(own < last32 + 0.05, "{precision} ends at {own}, float32 at {last32}");
    }
    assert!((losses[0][0] - losses[1][0]).abs() < 0.02 && losses[0][0] != losses[1][0]);
    assert!((losses[0][0] - losses[2][0]).abs() < 0.0025 && losses[0][0] != losses[2][0]);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    for precision in [Precision::MixedBfloat16, Precision::MixedFloat16] {
        let run = |threads| {
            let mut model = under(precision, None);
            model.set_threads(threads);
            (0..3).for_each(|_| {
                step(&mut model);
            });
            weight_bits(&model)
        };
        assert!(run(1) == run(3), "{precision}");
    }
}

/// Whether all values survive cutting the lower half of their bits off, as bfloat16 does.
fn are_bfloat16(values: &[f32]) -> bool {
    values.iter().all(|v| v.to_bits() & 0xFFFF == 0)
}

#[test]
fn outputs_are_rounded_and_weights_and_probabilities_are_not() {
    let (x, _) = pictures();
    let build = |end: bool| {
        let chain =
            Sequential::new().add(InputLayer::new([14, 14, 1])).add(Conv2D::new(3, 3)).add(Flatten::new()).add(Dense::new(10));
        let mut model = if end { chain.add(Softmax::new()) } else { chain }.build(1).unwrap();
        model.set_precision(Precision::MixedBfloat16).unwrap();
        model
    };
    let logits = build(false);
    assert!(are_bfloat16(&logits.predict(&[&x]).unwrap()[0]));
    assert!(!are_bfloat16(&logits.weights()[0].values()));
    assert!(!are_bfloat16(&build(true).predict(&[&x]).unwrap()[0]));
    // A layer of its own policy in the middle, and one input that two policies read.
    let input = InputLayer::new([14, 14, 1]).input();
    let mixed = Dense::new(4).call(&input).unwrap();
    let plain = Dense::new(4).dtype(Precision::Float32).call(&input).unwrap();
    let sum = Add::new().dtype(Precision::Float32).merge(&[&mixed, &plain]).unwrap();
    let mut model = Model::new("two", &[&input], &[&mixed, &plain, &sum], 1).unwrap();
    let before = model.predict(&[&x]).unwrap();
    model.set_precision(Precision::MixedBfloat16).unwrap();
    let outputs = model.predict(&[&x]).unwrap();
    assert!(are_bfloat16(&outputs[0]) && !are_bfloat16(&outputs[2]));
    assert!(outputs[1] == before[1], "what computes in float32 does so as before");
    // Back again: nothing is left of it.
    model.set_precision(Precision::Float32).unwrap();
    assert!(model.predict(&[&x]).unwrap() == before);
}

#[test]
fn an_overflow_halves_the_loss_scale_and_skips_the_step() {
    let how = LossScale { initial_scale: 2f32.powi(40), dynamic_growth_steps: 2000 };
    let mut model = under(Precision::MixedFloat16, Some(SGD::new(0.01).momentum(0.9).loss_scale(how).into()));
    let trained = |model: &Model| {
        let weights = model.weights().iter().filter(|w| w.trainable);
        weights.flat_map(|w| w.values().to_vec()).map(f32::to_bits).collect::<Vec<u32>>()
    };
    let before = trained(&model);
    let scaled = step(&mut model);
    assert!(scaled.is_finite() && scaled < 10.0, "the loss that is told is not scaled: {scaled}");
    assert!(trained(&model) == before);
    let state = model.optimizer_state_ref().unwrap();
    let factor = state.loss_scale.unwrap();
    assert_eq!((factor.scale, factor.step_counter, state.iterations), (2f32.powi(39), 0, 0));
    assert!(state.variables().iter().all(|v| v.values.iter().all(|x| *x == 0.0)), "momentum has seen nothing");
    for _ in 0..40 {
        step(&mut model);
    }
    let state = model.optimizer_state_ref().unwrap();
    assert!(state.iterations > 10 && trained(&model) != before, "the scale never became small enough");
    assert!(model.weights().iter().all(|w| w.values().iter().all(|v| v.is_finite())));
}

#[test]
fn the_loss_scale_grows_after_good_steps() {
    let how = LossScale { initial_scale: 8.0, dynamic_growth_steps: 3 };
    let mut model = under(Precision::MixedFloat16, Some(SGD::new(0.01).loss_scale(how).into()));
    let scales: Vec<f32> = (0..7)
        .map(|_| {
            step(&mut model);
            model.optimizer_state_ref().unwrap().loss_scale.unwrap().scale
        })
        .collect();
    assert_eq!(scales, [8.0, 8.0, 16.0, 16.0, 16.0, 32.0, 32.0]);
}

#[test]
fn gradients_that_are_never_finite_are_an_error_in_the_end() {
    let how = LossScale { initial_scale: 1.0, dynamic_growth_steps: 3 };
    let mut model = Sequential::new().add(InputLayer::new([1])).add(Dense::new(1)).build(1).unwrap();
    model.compile(Compile::new(SGD::new(0.01).loss_scale(how), MeanSquaredError::new())).unwrap();
    let batch = |model: &mut Model| {
        let feed = Samples { samples: 1, inputs: &[&[f32::INFINITY]] };
        let targets = [Target::Values(&[0.0])];
        model.train_on_batch(Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None })
    };
    // The inverse of a scale below 2^-126 would be infinite, and would make finite gradients infinite.
    assert!((0..126).all(|_| batch(&mut model).is_ok()));
    let message = batch(&mut model).unwrap_err().to_string();
    assert!(
        message.starts_with("gradients: expected finite numbers at some loss scale") && message.contains("learning rate"),
        "{message}"
    );
    assert!(model.check_finite().is_ok());
}

#[test]
fn float16_scales_the_loss_by_itself_and_others_do_not() {
    let scale = |precision| under(precision, None).compiled().unwrap().optimizer.base().loss_scale;
    assert_eq!(scale(Precision::MixedFloat16), Some(LossScale::default()));
    assert_eq!((scale(Precision::Float32), scale(Precision::MixedBfloat16)), (None, None));
    let mut model = digits(1);
    model.set_precision(Precision::MixedBfloat16).unwrap();
    assert!(model.compiled().is_none(), "a policy comes before compile");
}

#[test]
fn policies_are_part_of_the_configuration() {
    let chain = || {
        Sequential::new()
            .add(InputLayer::new([4, 4, 1]))
            .add(Conv2D::new(2, 3))
            .add(Flatten::new())
            .add(Dense::new(3))
            .add(Softmax::new().dtype(Precision::Float32))
    };
    let mut model = chain().build(1).unwrap();
    model.set_precision(Precision::MixedFloat16).unwrap();
    let config: serde_json::Value = serde_json::from_str(&model.to_json()).unwrap();
    let names: Vec<&str> =
        (1..5).filter_map(|i| config.pointer(&format!("/config/layers/{i}/config/dtype/config/name"))?.as_str()).collect();
    assert_eq!(names, ["mixed_float16", "mixed_float16", "mixed_float16", "float32"]);
    assert_eq!(config["config"]["layers"][0]["config"]["dtype"], "float32");
    let mut back = Model::from_json(&model.to_json(), 1).unwrap();
    assert_eq!((back.precision(), back.to_json()), (Precision::MixedFloat16, model.to_json()));
    back.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new())).unwrap();
    assert!(back.compiled().unwrap().optimizer.base().loss_scale.is_some());
    // A functional model does not tell its policy: its layers do, and tensors between them have the dtype they make.
    let input = InputLayer::new([4]).input();
    let hidden = Dense::new(3).call(&input).unwrap();
    let output = Dense::new(2).dtype(Precision::Float32).call(&hidden).unwrap();
    let mut model = Model::new("functional", &[&input], &[&output], 1).unwrap();
    model.set_precision(Precision::MixedBfloat16).unwrap();
    let config: serde_json::Value = serde_json::from_str(&model.to_json()).unwrap();
    let tensor = |layer: usize| &config["config"]["layers"][layer]["inbound_nodes"][0]["args"][0]["config"]["dtype"];
    assert_eq!((tensor(1).as_str(), tensor(2).as_str()), (Some("float32"), Some("bfloat16")));
    let back = Model::from_json(&model.to_json(), 1).unwrap();
    assert_eq!((back.precision(), back.to_json()), (Precision::MixedBfloat16, model.to_json()));
}
