//! Twenty steps of every optimizer against real Keras (fixtures/optimizers/make.py), and what must not depend on threads.

use maobi_kernels::memory::Buffer;
use maobi_kernels::pool::Pool;
use serde_json::Value;

use super::*;
use crate::regularizers::{L1L2, Regularizer};

const GOLDEN: &str = include_str!("../../../../fixtures/optimizers/trajectories.json");

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn shape(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn buffer(values: &[f32]) -> Buffer {
    let mut buffer = Buffer::new(values.len());
    buffer.get_mut().copy_from_slice(values);
    partition(&mut buffer);
    buffer
}

fn golden() -> Value {
    serde_json::from_str(GOLDEN).unwrap()
}

/// Weights and gradients of a case: its own, or those of all.
fn about<'a>(golden: &'a Value, case: &Value) -> &'a Value {
    case.get("of").map_or(golden, |own| &golden[own.as_str().unwrap()])
}

struct Run {
    optimizer: Optimizer,
    state: OptimizerState,
    values: Vec<Buffer>,
    penalty: Option<Regularizer>,
    pool: Pool,
}

impl Run {
    fn new(golden: &Value, case: &Value) -> Run {
        let optimizer = Optimizer::from_value(&case["optimizer"]).unwrap();
        let about = about(golden, case);
        let shapes: Vec<Vec<usize>> = about["shapes"].as_array().unwrap().iter().map(shape).collect();
        let names = about["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let named = names.zip(shapes.iter().map(Vec::as_slice));
        let penalty = case["penalty"].as_array().map(|factors| {
            let [l1, l2] = [0, 1].map(|i| factors[i].as_f64().unwrap() as f32);
            L1L2::new().l1(l1).l2(l2).into()
        });
        Run {
            state: OptimizerState::new(&optimizer, named),
            optimizer,
            values: about["start"].as_array().unwrap().iter().map(|w| buffer(&numbers(w))).collect(),
            penalty,
            pool: Pool::new(2),
        }
    }

    fn step(&mut self, gradients: &Value) {
        let gradients: Vec<Buffer> = gradients.as_array().unwrap().iter().map(|g| buffer(&numbers(g))).collect();
        let weights: Vec<WeightRef<'_>> = self
            .values
            .iter()
            .zip(&gradients)
            .enumerate()
            .map(|(index, (value, gradient))| WeightRef {
                value,
                gradient,
                regularizer: self.penalty.as_ref().filter(|_| index == 0),
                decay: true,
            })
            .collect();
        self.optimizer.apply(&mut self.state, &self.pool, weights.as_slice());
    }
}

/// 1e-6 of the largest value: a few roundings of f32 over twenty steps. Slots are held to the same.
fn close(name: &str, what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{name}: {what}");
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= 1e-6 * largest, "{name}: {what}[{i}] is {got:e}, Keras has {expected:e}");
    }
}

#[test]
fn twenty_steps_follow_keras() {
    let golden = golden();
    let kept = shape(&golden["kept"]);
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 25, "every optimizer with several options");
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut run = Run::new(&golden, case);
        for (step, gradients) in about(&golden, case)["gradients"].as_array().unwrap().iter().enumerate() {
            run.step(gradients);
            if let Some(at) = kept.iter().position(|kept| *kept == step + 1) {
                for (index, value) in run.values.iter().enumerate() {
                    let what = format!("weight {index} after step {}", step + 1);
                    close(name, &what, &value.whole(), &numbers(&case["weights"][at][index]));
                }
            }
        }
        assert_eq!(run.state.iterations, 20);
        let saved = case["variables"].as_array().unwrap();
        let variables = run.state.variables();
        assert_eq!(variables.len(), saved.len(), "{name}: number of variables");
        for (variable, saved) in variables.iter().zip(saved) {
            // Keras numbers nameless variables; ours is the first.
            let keras_name = saved["name"].as_str().unwrap();
            assert!(keras_name.starts_with(&variable.name), "{name}: {keras_name} is {} here", variable.name);
            assert_eq!(variable.shape, shape(&saved["shape"]), "{name}: {keras_name}");
            close(name, keras_name, &variable.values, &numbers(&saved["values"]));
        }
    }
}

#[test]
fn a_saved_state_goes_on_where_it_was() {
    let golden = golden();
    for case in golden["cases"].as_array().unwrap() {
        let steps = about(&golden, case)["gradients"].as_array().unwrap();
        let mut straight = Run::new(&golden, case);
        steps[..6].iter().for_each(|gradients| straight.step(gradients));
        let mut resumed = Run::new(&golden, case);
        resumed.values = straight.values.iter().map(|value| buffer(&value.whole())).collect();
        resumed.state.iterations = straight.state.iterations;
        resumed.state.learning_rate = straight.state.learning_rate;
        {
            let variables = straight.state.variables();
            let saved: Vec<SavedVariable<'_>> =
                variables.iter().map(|v| SavedVariable { shape: &v.shape, values: &v.values }).collect();
            resumed.state.load_variables(&saved).unwrap();
        }
        let mut cloned = Run::new(&golden, case);
        cloned.values = straight.values.iter().map(|value| buffer(&value.whole())).collect();
        cloned.state = straight.state.clone();
        for gradients in &steps[6..12] {
            straight.step(gradients);
            resumed.step(gradients);
            cloned.step(gradients);
        }
        for index in 0..straight.values.len() {
            assert_eq!(*straight.values[index].whole(), *resumed.values[index].whole(), "{}", case["name"]);
            assert_eq!(*straight.values[index].whole(), *cloned.values[index].whole(), "{}", case["name"]);
        }
    }
}

#[test]
fn variables_that_do_not_fit_are_refused_and_change_nothing() {
    let golden = golden();
    let adam = golden["cases"].as_array().unwrap().iter().find(|case| case["name"] == "adam").unwrap();
    let mut run = Run::new(&golden, adam);
    let error = run.state.load_variables(&[]).unwrap_err();
    assert_eq!(error, StateError::Count { expected: 4, got: 0 });
    let (seven, three) = ([1.0f32; 7], [1.0f32; 3]);
    let good = SavedVariable { shape: &[7], values: &seven };
    let bad = SavedVariable { shape: &[3], values: &three };
    let error = run.state.load_variables(&[good, good, bad, bad]).unwrap_err();
    assert_eq!(error.to_string(), "optimizer variable 2 (bias_momentum) has shape [3, 1], in the file [3] with 3 values");
    assert!(run.state.variables().iter().all(|variable| variable.values.iter().all(|value| *value == 0.0)));
}

#[test]
fn the_average_becomes_the_weights_at_the_end() {
    let golden = golden();
    let case = golden["cases"].as_array().unwrap().iter().find(|case| case["optimizer"]["config"]["use_ema"] == true);
    let mut run = Run::new(&golden, case.unwrap());
    golden["gradients"].as_array().unwrap().iter().for_each(|gradients| run.step(gradients));
    let empty = Buffer::new(0);
    let weights: Vec<WeightRef<'_>> =
        run.values.iter().map(|value| WeightRef { value, gradient: &empty, regularizer: None, decay: true }).collect();
    run.optimizer.finalize(&run.state, weights.as_slice());
    let variables = run.state.variables();
    assert_eq!(variables[0].name, "kernel_average");
    assert_eq!(*run.values[0].whole(), *variables[0].values);
    assert_eq!(*run.values[1].whole(), *variables[1].values);
}

#[test]
fn threads_and_the_parting_of_gradients_change_no_bit() {
    // Three chunks and a bit, off the block size; two ways of holding the gradient.
    let len = 3 * (CHUNK + 683);
    let start: Vec<f32> = (0..len).map(|i| ((i * 37 % 1_001) as f32 - 500.0) / 300.0).collect();
    let slope: Vec<f32> = (0..len).map(|i| ((i * 91 % 2_003) as f32 - 1_000.0) / 5_000.0).collect();
    let penalty = L1L2::new().l1(1e-4).l2(1e-3).into();
    let configurations: [Optimizer; 6] = [
        Adam::new(1e-2).into(),
        Adam::new(1e-2).clipnorm(0.5).ema(0.9, Some(2)).into(),
        SGD::new(1e-2).momentum(0.9).global_clipnorm(0.5).weight_decay(0.01).into(),
        RMSprop::new(1e-2).clipvalue(0.1).into(),
        Muon::new(1e-2).into(),
        Muon::new(1e-2).clipnorm(0.5).ema(0.9, Some(2)).into(),
    ];
    for optimizer in configurations {
        let run = |threads: usize, whole: bool| -> Vec<u32> {
            let (value, mut gradient) = (buffer(&start), buffer(&slope));
            if whole {
                gradient.partition(&[0, len]);
            }
            let pool = Pool::new(threads);
            let mut state = OptimizerState::new(&optimizer, [("w", [3, len / 3].as_slice())]);
            let weight = WeightRef { value: &value, gradient: &gradient, regularizer: Some(&penalty), decay: true };
            for _ in 0..3 {
                optimizer.apply(&mut state, &pool, [weight].as_slice());
            }
            value.whole().iter().map(|value| value.to_bits()).collect()
        };
        let one = run(1, false);
        assert_eq!(one, run(2, false), "{}", optimizer.class_name());
        assert_eq!(one, run(5, true), "{}", optimizer.class_name());
    }
}

#[test]
fn excluded_weights_do_not_decay() {
    let optimizer: Optimizer = SGD::new(0.5).weight_decay(0.5).into();
    let (value, gradient) = (buffer(&[1.0, -2.0]), buffer(&[0.0, 0.0]));
    let mut state = OptimizerState::new(&optimizer, [("w", [2].as_slice())]);
    let mut weight = WeightRef { value: &value, gradient: &gradient, regularizer: None, decay: false };
    optimizer.apply(&mut state, &Pool::new(1), [weight].as_slice());
    assert_eq!(*value.whole(), [1.0, -2.0]);
    weight.decay = true;
    optimizer.apply(&mut state, &Pool::new(1), [weight].as_slice());
    assert_eq!(*value.whole(), [0.75, -1.5]);
}

#[test]
fn a_gradient_that_is_no_number_is_not_hidden_by_clipping() {
    for optimizer in [Optimizer::from(SGD::new(0.5).clipnorm(1.0)), SGD::new(0.5).global_clipnorm(1.0).into()] {
        let (value, gradient) = (buffer(&[1.0, 2.0]), buffer(&[f32::NAN, 0.5]));
        let mut state = OptimizerState::new(&optimizer, [("w", [2].as_slice())]);
        let weight = WeightRef { value: &value, gradient: &gradient, regularizer: None, decay: true };
        optimizer.apply(&mut state, &Pool::new(1), [weight].as_slice());
        assert!(value.whole().iter().all(|value| value.is_nan()));
    }
}
