//! One contract for every layer, called by itself.

use super::cases::{Case, Mode, cases};
use super::chain::Chain;
use super::formula::{cotangent, layer_input, weight};
use maobi_kernels::pool::Pool;
use maobi_nn::graph::apply;
use maobi_nn::layers::registry::{UnknownKeys, from_config, known};
use maobi_nn::layers::{InputLayer, Layer};
use maobi_nn::object::to_snake_case;
use std::sync::Arc;

const SAMPLES: usize = 3;

/// Runs `check` on every case, naming the case that fails.
fn each(check: impl Fn(&Case)) {
    for case in cases() {
        let label = label(&case);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&case)));
        assert!(outcome.is_ok(), "failed for {label}");
    }
}

fn label(case: &Case) -> String {
    format!("{} {:?} of {:?}", case.layer.class_name(), serde_json::Value::Object(case.layer.config()).to_string(), case.inputs)
}

fn inputs(case: &Case, samples: usize) -> Vec<Vec<f32>> {
    case.inputs.iter().enumerate().map(|(k, s)| layer_input(k, samples * s.iter().product::<usize>())).collect()
}

fn weights(case: &Case) -> Vec<Vec<f32>> {
    case.weights.iter().enumerate().map(|(k, (name, shape))| weight(k, name, shape)).collect()
}

fn chain(case: &Case, training: bool) -> Chain {
    Chain::new(&*case.layer, &case.inputs, SAMPLES, training)
}

#[test]
fn every_class_of_the_registry_has_a_case() {
    let covered: Vec<_> = cases().iter().map(|c| c.layer.class_name()).collect();
    let missing: Vec<_> = known().into_iter().filter(|class| *class != "InputLayer" && !covered.contains(class)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}: add one to cases.rs");
    let unknown: Vec<_> = covered.iter().filter(|class| !known().contains(class)).collect();
    assert!(unknown.is_empty(), "not in the registry: {unknown:?}");
}

#[test]
fn shapes_are_as_stated() {
    each(|case| {
        let built = case.layer.build(&case.inputs).expect("builds");
        let output = built.steps.last().map_or(case.inputs[0].clone(), |s| s.output.clone());
        assert_eq!(output, case.output);
        let weights: Vec<_> = built.weights.iter().map(|w| (w.name, w.shape.clone())).collect();
        assert_eq!(weights, case.weights);
        assert!(built.steps.iter().all(|s| s.weights.iter().all(|&w| w < weights.len())));
    });
}

#[test]
fn configs_survive_a_round_trip() {
    each(|case| {
        let class = case.layer.class_name();
        let mut config = case.layer.config();
        config.insert("name".into(), "mine".into());
        config.insert("trainable".into(), false.into());
        let again = from_config(class, &config, UnknownKeys::Refuse).expect("its own config is understood");
        assert_eq!(again.config(), case.layer.config());
        assert_eq!(again.default_name(), to_snake_case(class), "Keras' name of a layer");
        assert_eq!((again.class_name(), again.base().name.as_deref(), again.base().trainable), (class, Some("mine"), false));
        config.insert("batch_input_shape".into(), serde_json::json!([null, 1]));
        config.insert("a_key_of_the_future".into(), serde_json::Value::Null);
        assert_eq!(from_config(class, &config, UnknownKeys::Ignore).expect("other keys are skipped").config(), again.config());
        let error = from_config(class, &config, UnknownKeys::Refuse).expect_err("a typing error").to_string();
        assert!(error.contains("a_key_of_the_future") && error.contains("\"mine\""), "{error}");
    });
}

#[test]
fn numbers_do_not_depend_on_threads_or_on_how_samples_are_grouped() {
    each(|case| {
        let (inputs, weights) = (inputs(case, SAMPLES), weights(case));
        let dy = cotangent(SAMPLES * case.output.iter().product::<usize>());
        let run = |threads: usize, group: usize| {
            let mut chain = chain(case, true);
            chain.pool = Pool::new(threads);
            chain.group = group;
            let trace = chain.forward(&inputs, &weights);
            let gradients = chain.backward(&trace, &weights, &dy, None);
            (trace.output().to_vec(), gradients.inputs, gradients.weights)
        };
        let reference = run(1, SAMPLES);
        let finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
        assert!(finite(&reference.0), "the output has places that were not written");
        assert!(reference.1.iter().chain(&reference.2).all(|v| finite(v)), "a gradient has places that were not written");
        for threads in [2, 5] {
            assert!(run(threads, SAMPLES) == reference, "{threads} threads give other numbers");
        }
        let (output, d_inputs, d_weights) = run(1, 1);
        assert!((&output, &d_inputs) == (&reference.0, &reference.1), "samples one by one give other numbers");
        for (one, all) in d_weights.iter().flatten().zip(reference.2.iter().flatten()) {
            // Sums of a few dozen terms in another order.
            assert!((one - all).abs() <= 1e-5 * (1.0 + all.abs()), "weight gradients one by one: {one} against {all}");
        }
    });
}

#[test]
fn weight_gradients_are_added_on_request() {
    each(|case| {
        let (inputs, weights, chain) = (inputs(case, SAMPLES), weights(case), chain(case, true));
        let dy = cotangent(SAMPLES * case.output.iter().product::<usize>());
        let trace = chain.forward(&inputs, &weights);
        let fresh = chain.backward(&trace, &weights, &dy, None).weights;
        let added = chain.backward(&trace, &weights, &dy, Some(2.0)).weights;
        for (a, f) in added.iter().flatten().zip(fresh.iter().flatten()) {
            // The order of additions differs, around a start of 2.
            assert!((a - f - 2.0).abs() <= 1e-5 * (1.0 + f.abs()), "{a} is not 2 + {f}");
        }
    });
}

#[test]
fn inference_is_training_where_keras_makes_no_difference() {
    each(|case| {
        let (inputs, weights) = (inputs(case, SAMPLES), weights(case));
        let output = |training: bool| chain(case, training).forward(&inputs, &weights).output().to_vec();
        assert_eq!(output(true) == output(false), case.mode == Mode::Same);
        if case.mode == Mode::Random {
            assert_eq!(output(false), inputs[0], "inference passes through");
            let mut other = chain(case, true);
            other.seed += 1;
            assert_ne!(other.forward(&inputs, &weights).output(), output(true), "another seed draws other numbers");
        }
    });
}

/// Central differences of Σ output · cotangent: the sum in f64 over f32 outputs is good to some 10⁻⁶, hence slopes to 10⁻⁴ with steps of
/// 0.01 and 10⁻³ with steps of 0.002; third derivatives add about as much to the former. Where a kink (relu, maximum) lies even within
/// the short step, the slopes of the two sides differ and the gradient must lie between them; few places may need that.
#[test]
fn gradients_are_slopes() {
    const STEPS: [f32; 2] = [0.01, 0.002];
    each(|case| {
        let (inputs, weights, chain) = (inputs(case, SAMPLES), weights(case), chain(case, true));
        let dy = cotangent(SAMPLES * case.output.iter().product::<usize>());
        let loss = |values: &[Vec<f32>]| -> f64 {
            let (inputs, weights) = values.split_at(inputs.len());
            chain.forward(inputs, weights).output().iter().zip(&dy).map(|(y, d)| f64::from(*y) * f64::from(*d)).sum()
        };
        let trace = chain.forward(&inputs, &weights);
        let gradients = chain.backward(&trace, &weights, &dy, None);
        let gradients: Vec<_> = gradients.inputs.iter().chain(&gradients.weights).collect();
        let mut values: Vec<_> = inputs.iter().chain(&weights).cloned().collect();
        let here = loss(&values);
        let (mut places, mut kinks) = (0, 0);
        for (k, gradient) in gradients.into_iter().enumerate() {
            // Moving averages have no gradient.
            for (i, &gradient) in gradient.iter().enumerate() {
                let tolerance = 3e-3 * (1.0 + f64::from(gradient.abs()));
                let gradient = f64::from(gradient);
                let mut slopes = |step: f32| {
                    let start = values[k][i];
                    let sides = [step, -step].map(|step| {
                        values[k][i] = start + step;
                        (loss(&values) - here) / f64::from(values[k][i] - start)
                    });
                    values[k][i] = start;
                    sides
                };
                places += 1;
                let central = |sides: [f64; 2]| (0.5 * (sides[0] + sides[1]) - gradient).abs() < tolerance;
                if STEPS.into_iter().any(|step| central(slopes(step))) {
                    continue;
                }
                kinks += 1;
                let [a, b] = slopes(STEPS[1]);
                let (low, high) = (a.min(b), a.max(b));
                let between = high - low > 2.0 * tolerance && gradient > low - tolerance && gradient < high + tolerance;
                assert!(between, "array {k}, place {i}: gradient {gradient}, slopes {low} and {high}");
            }
        }
        assert!(20 * kinks <= places, "{kinks} of {places} places look like kinks");
    });
}

#[test]
fn a_wrong_input_is_refused_with_the_layers_name() {
    let mut refusing: Vec<&str> = Vec::new();
    for mut case in cases() {
        let Some(wrong) = case.wrong.take() else { continue };
        let class = case.layer.class_name();
        case.layer.base_mut().name = Some("the_odd_one".into());
        let layer: Arc<dyn Layer> = Arc::from(case.layer);
        let tensors: Vec<_> = wrong.iter().map(|s| InputLayer::new(s.clone()).input()).collect();
        let error = apply(&layer, &tensors.iter().collect::<Vec<_>>()).expect_err(class).to_string();
        assert!(error.starts_with(&format!("layer \"the_odd_one\" ({class}): ")), "{error}");
        // What came: the shape, the count or the argument that does not fit.
        assert!(error.contains("(None") || error.contains("got") || error.contains("needs"), "{error}");
        refusing.push(class);
    }
    let any_shape = ["Activation", "Dropout", "ELU", "Flatten", "GaussianNoise", "InputLayer", "LeakyReLU", "ReLU", "Rescaling"];
    let silent: Vec<_> = known().into_iter().filter(|c| !refusing.contains(c) && !any_shape.contains(c)).collect();
    assert!(silent.is_empty(), "no wrong input is tried on {silent:?}");
}

#[test]
fn an_input_layer_takes_shapes_only() {
    let config = serde_json::json!({"batch_shape": [null, 2, 3], "name": "image", "sparse": false, "ragged": false});
    let layer = from_config("InputLayer", config.as_object().expect("an object"), UnknownKeys::Ignore).expect("parses");
    assert_eq!(layer.config()["batch_shape"], serde_json::json!([null, 2, 3]));
    assert!(layer.build(&[]).expect("builds").steps.is_empty());
    assert!(layer.build(&[vec![2, 3]]).expect_err("an input").contains("takes no input"));
}
