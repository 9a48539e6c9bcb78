//! Training under constraints, against real Keras (`fixtures/constraints/make.py`).

use maobi_nn::constraints::{MaxNorm, MinMaxNorm, NonNeg, UnitNorm};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Conv2D, Dense, Flatten, InputLayer};
use maobi_nn::losses::{MeanSquaredError, Target};
use maobi_nn::optimizers::{Adam, Optimizer, SGD};
use maobi_nn::{Batch, Compile, Model, Samples, serde_json};

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| (((i * 37 + seed * 11) * 13 % 128) as f32 - 64.0) / 64.0).collect()
}

fn network() -> Model {
    let mut model = Sequential::new()
        .add(InputLayer::new([4, 4, 1]))
        .add(Conv2D::new(2, 3).kernel_constraint(MaxNorm::new().max_value(0.75).axis([0, 1, 2])).bias_constraint(NonNeg::new()))
        .add(Flatten::new())
        .add(
            Dense::new(3)
                .kernel_constraint(UnitNorm::new())
                .bias_constraint(MinMaxNorm::new().min_value(0.1).max_value(0.5).rate(0.25)),
        )
        .build(1)
        .unwrap();
    for (k, weight) in model.weights_mut().iter_mut().enumerate() {
        let values = numbers(weight.len(), k);
        weight.set_values(&values);
    }
    model
}

#[test]
fn steps_are_those_of_keras() {
    let golden = include_str!("../../../fixtures/constraints/constraints.json");
    let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
    let floats =
        |value: &serde_json::Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
    let cases: [(&str, Optimizer); 2] =
        [("sgd", SGD::new(0.05).momentum(0.9).into()), ("adam_ema", Adam::new(0.01).ema(0.9, Some(4)).into())];
    let (x, y) = (numbers(8 * 16, 5), numbers(8 * 3, 6));
    for (name, optimizer) in cases {
        for threads in [1, 2] {
            let mut model = network();
            model.set_threads(threads);
            model.compile(Compile::new(optimizer.clone(), MeanSquaredError::new())).unwrap();
            for (step, expected) in floats(&golden[name]["losses"]).into_iter().enumerate() {
                let feed = Samples { samples: 8, inputs: &[&x] };
                let batch = Batch { feed: &feed, targets: &[Target::Values(&y)], sample_weight: None, class_weight: None };
                let loss = model.train_on_batch(batch).unwrap().loss;
                // f32 on both sides, twelve steps of sums in another order.
                assert!((loss - expected).abs() < 1e-5 * expected, "{name}, step {step}: {loss}, Keras {expected}");
            }
            for (weight, expected) in model.weights().iter().zip(golden[name]["weights"].as_array().unwrap()) {
                for (value, expected) in weight.values().iter().zip(floats(expected)) {
                    assert!((f64::from(*value) - expected).abs() < 2e-6, "{name}, {}: {value}, Keras {expected}", weight.path);
                }
            }
        }
    }
}

#[test]
fn a_constraint_survives_the_files_form_and_one_that_does_not_fit_is_named() {
    let model = network();
    let again = Model::from_json(&model.to_json(), 1).unwrap();
    assert_eq!(again.to_json(), model.to_json());
    assert_eq!(again.weights()[0].constraint, Some(MaxNorm::new().max_value(0.75).axis([0, 1, 2]).into()));
    let wrong = Sequential::new().add(InputLayer::new([4])).add(Dense::new(2).bias_constraint(UnitNorm::new().axis(1))).build(1);
    let message = wrong.expect_err("does not fit").to_string();
    assert_eq!(message, "layer \"dense\" (Dense): bias: UnitNorm: axis 1 is out of range for a weight of shape [2]");
}
