//! Loss trajectories against numbers that real Keras produced: the same weights, the same batches, 20 steps.
//!
//! Goldens and the script that made them: `fixtures/parity` at the root of the repository.

use maobi_nn::losses::{SparseCategoricalCrossentropy, Target};
use maobi_nn::optimizers::Optimizer;
use maobi_nn::{Batch, Compile, Model, Precision, Samples};
use maobi_train::Recipe;
use serde_json::Value;
use std::path::Path;

/// The bar for trajectories; Keras in f64 and in f32 differ by less than a tenth of it over 20 steps.
const TOLERANCE: f64 = 1e-4;

fn fixture(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/parity").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// `fixtures/parity/formula.py`, whose text explains it.
fn hashed(stream: u32, i: u32) -> u32 {
    let mut h = i.wrapping_mul(2654435761).wrapping_add(stream.wrapping_mul(40503).wrapping_add(12345));
    for (shift, factor) in [(16, 0x85EB_CA6B), (13, 0xC2B2_AE35)] {
        h ^= h >> shift;
        h = h.wrapping_mul(factor);
    }
    h ^ (h >> 16)
}

fn unit(stream: u32, i: u32) -> f32 {
    (hashed(stream, i) >> 8) as f32 / 16_777_216.0
}

fn signed(stream: u32, i: u32) -> f32 {
    2.0 * unit(stream, i) - 1.0
}

fn set_weights(model: &mut Model) {
    for (k, weight) in model.weights_mut().iter_mut().enumerate() {
        let (name, shape) = (weight.name, weight.shape.clone());
        let limit = match shape.as_slice() {
            [.., fan_in, fan_out] => {
                let receptive: usize = shape[..shape.len() - 2].iter().product();
                (6.0 / (receptive * (fan_in + fan_out)) as f64).sqrt() as f32
            }
            _ => 0.05,
        };
        for (i, w) in weight.values_mut().iter_mut().enumerate() {
            let (k, i) = (k as u32, i as u32);
            *w = match name {
                "moving_variance" => 0.5 + unit(k, i),
                "gamma" => 1.0 + 0.05 * signed(k, i),
                _ => limit * signed(k, i),
            };
        }
    }
}

fn label(sample: u32) -> u32 {
    hashed(3000, sample) % 10
}

fn image(sample: u32, scale: f32, offset: f32, out: &mut [f32]) {
    let label = label(sample);
    let centre = (6 + 8 * (label / 5), 4 + 5 * (label % 5));
    for (i, x) in out.iter_mut().enumerate() {
        let (row, column) = (i as u32 / 28, i as u32 % 28);
        let noise = hashed(3001, sample * 784 + row * 28 + column) % 64;
        let distance = row.abs_diff(centre.0) + column.abs_diff(centre.1);
        let pixel = noise + if distance <= 5 { 160 - 24 * distance } else { 0 };
        *x = pixel as f32 * scale + offset;
    }
}

/// Trains as the script did and returns the losses.
fn trajectory(model: &mut Model, scale: f32, offset: f32, batch_size: usize, steps: usize) -> Vec<f64> {
    (0..steps)
        .map(|step| {
            let first = (step * batch_size) as u32;
            let mut x = vec![0.0; batch_size * 784];
            for (s, out) in x.chunks_exact_mut(784).enumerate() {
                image(first + s as u32, scale, offset, out);
            }
            let labels: Vec<u32> = (0..batch_size as u32).map(|s| label(first + s)).collect();
            let inputs: [&[f32]; 1] = [&x];
            let feed = Samples { samples: batch_size, inputs: &inputs };
            let targets = [Target::Classes(&labels)];
            let batch = Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None };
            model.train_on_batch(batch).unwrap().loss
        })
        .collect()
}

fn assert_same(name: &str, ours: &[f64], keras: &Value) {
    let keras: Vec<f64> = keras.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert_eq!(ours.len(), keras.len(), "{name}");
    for (step, (a, b)) in ours.iter().zip(&keras).enumerate() {
        assert!(
            (a - b).abs() <= TOLERANCE * b.abs(),
            "{name}, step {step}: {a} here, {b} in Keras\nours {ours:?}\nkeras {keras:?}"
        );
    }
}

/// The recipe with dropout off, as the goldens have it.
fn without_dropout(name: &str) -> Recipe {
    let mut recipe = Recipe::builtin(name).unwrap();
    for (class, config) in &mut recipe.layers {
        if class == "Dropout" {
            config.insert("rate".into(), 0.0.into());
        }
    }
    recipe
}

fn check_recipe(name: &str) {
    let golden = fixture(&format!("recipes/{name}.json"));
    let case = &golden["cases"][0];
    let recipe = without_dropout(name);
    let mut model = recipe.model(1).unwrap();
    set_weights(&mut model);
    assert_eq!(model.count_params() as u64, case["parameters"].as_u64().unwrap(), "{name}");
    let steps = case["steps"].as_u64().unwrap() as usize;
    let batch_size = case["batch_size"].as_u64().unwrap() as usize;
    let losses = trajectory(&mut model, recipe.data.scale, recipe.data.offset, batch_size, steps);
    assert_same(name, &losses, &case["losses"]);
    for (weight, golden) in model.weights().iter().zip(case["weights"].as_array().unwrap()) {
        let (sum, expected): (f64, f64) =
            (weight.values().iter().map(|w| f64::from(w.abs())).sum(), golden["abs_sum"].as_f64().unwrap());
        // Near-ties in pooling windows move single weights by more than they move the loss.
        assert!((sum - expected).abs() <= 10.0 * TOLERANCE * expected, "{name} {}: {sum} here, {expected} in Keras", weight.path);
    }
}

macro_rules! recipes {
    ($($test:ident = $name:literal),+ $(,)?) => {
        $(#[test] fn $test() { check_recipe($name); })+

        #[test]
        fn every_recipe_has_a_test() {
            let tested = [$($name),+];
            for name in Recipe::names() {
                assert!(tested.contains(&name), "{name} has no parity test");
            }
        }
    };
}

recipes! {
    tf2_cnn = "tf2-cnn",
    keras_lenet = "keras-lenet",
    tiny_cnn = "tiny-cnn",
    tiny_cnn_deep = "tiny-cnn-deep",
    tiny_cnn_dropout = "tiny-cnn-dropout",
    tiny_cnn_dense = "tiny-cnn-dense",
    tiny_cnn_strided = "tiny-cnn-strided",
    deep_cnn = "deep-cnn",
    softmax = "softmax",
    tf1_cnn = "tf1-cnn",
    mnist_convnet = "mnist-convnet",
    fast = "fast",
    best = "best",
    digits = "digits",
}

/// The first loss is Keras' to f32's own rounding: every cast is in its place, for float32 itself is 1e-5 (bfloat16) or 1e-4 off it. The
/// second, after one step, is five times as near as float32 is. From then on Keras' rounded weight gradients, ours not, drive the
/// trajectories apart as they do Keras' own: its mixed losses part from its float32 ones by up to 4 % (of 0.1 where they are smaller).
#[test]
fn mixed_policies() {
    let golden = fixture("mixed.json");
    let batch_size = golden["batch_size"].as_u64().unwrap() as usize;
    let steps = golden["steps"].as_u64().unwrap() as usize;
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let policy: Precision = case["policy"].as_str().unwrap().parse().unwrap();
        let mut model = Model::from_config(&case["model"], 1).unwrap();
        assert_eq!(model.precision(), policy);
        let optimizer = Optimizer::from_value(&case["optimizer"]).unwrap();
        model.compile(Compile::new(optimizer, SparseCategoricalCrossentropy::new())).unwrap();
        set_weights(&mut model);
        let losses = trajectory(&mut model, 1.0 / 255.0, 0.0, batch_size, steps);
        let (second, later) = match policy {
            Precision::Float32 => (1e-6, TOLERANCE),
            Precision::MixedBfloat16 => (1e-4, 0.05),
            Precision::MixedFloat16 => (2e-5, 0.05),
        };
        for (step, (a, b)) in losses.iter().zip(case["losses"].as_array().unwrap()).enumerate() {
            let b = b.as_f64().unwrap();
            let allowed = [1e-6, second].get(step).copied().unwrap_or(later) * b.abs().max(0.1);
            assert!((a - b).abs() <= allowed, "{policy}, step {step}: {a} here, {b} in Keras\n{losses:?}\n{}", case["losses"]);
        }
        if let Some(factor) = model.optimizer_state_ref().unwrap().loss_scale {
            let keras = (case["dynamic_scale"].as_f64().unwrap() as f32, case["step_counter"].as_u64().unwrap());
            assert_eq!((factor.scale, factor.step_counter), keras);
        }
    }
}

#[test]
fn every_optimizer() {
    let golden = fixture("optimizers.json");
    let recipe = Recipe::builtin("tiny-cnn").unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut how = recipe.compile();
        how.optimizer = Optimizer::from_value(&case["optimizer"]).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut model = recipe.model(1).unwrap();
        model.compile(how).unwrap();
        set_weights(&mut model);
        let batch_size = golden["batch_size"].as_u64().unwrap() as usize;
        let steps = golden["steps"].as_u64().unwrap() as usize;
        let losses = trajectory(&mut model, recipe.data.scale, recipe.data.offset, batch_size, steps);
        assert_same(name, &losses, &case["losses"]);
    }
}
