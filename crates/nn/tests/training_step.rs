//! What a training step promises: the same bits for any number of threads, true gradients through graphs.

mod common;

use common::digits;
use maobi_nn::graph::{Call, Tensor, apply};
use maobi_nn::layers::{Add, Concatenate, Conv2D, Dense, Flatten, InputLayer};
use maobi_nn::losses::{MeanSquaredError, Target};
use maobi_nn::optimizers::SGD;
use maobi_nn::{Batch, Compile, Model, Samples};

fn numbers(n: usize, salt: u32) -> Vec<f32> {
    (0..n as u32).map(|i| ((i + salt).wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0 - 0.5).collect()
}

fn step(model: &mut Model, inputs: &[&[f32]], targets: &[Target<'_>], samples: usize) -> f64 {
    let feed = Samples { samples, inputs };
    model.train_on_batch(Batch { feed: &feed, targets, sample_weight: None, class_weight: None }).unwrap().loss
}

fn weight_bits(model: &Model) -> Vec<u32> {
    model.weights().iter().flat_map(|w| w.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>()).collect()
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let labels: Vec<u32> = (0..70).map(|i| i % 10).collect();
    let x = numbers(70 * 196, 1);
    let run = |threads| {
        let mut model = digits(3);
        model.set_threads(threads);
        // 70 samples and then 37: lanes of different sizes, and a short last batch.
        for n in [70, 37, 70, 3, 1] {
            step(&mut model, &[&x[..n * 196]], &[Target::Classes(&labels[..n])], n);
        }
        weight_bits(&model)
    };
    let one = run(1);
    for threads in [2, 5, 16] {
        assert!(run(threads) == one, "{threads} threads differ from one");
    }
}

/// Compares the model's gradients with central differences of its loss.
fn check_gradients(build: impl Fn() -> Model, inputs: &[&[f32]], target: &[f32], samples: usize) {
    let loss_of = |model: &Model| {
        let mut evaluation = model.start_evaluation().unwrap();
        let feed = Samples { samples, inputs };
        let batch = Batch { feed: &feed, targets: &[Target::Values(target)], sample_weight: None, class_weight: None };
        model.test_on_batch(&mut evaluation, batch, |_, _| {}).unwrap();
        evaluation.logs()[0].1
    };
    let mut model = build();
    step(&mut model, inputs, &[Target::Values(target)], samples);
    let gradients: Vec<Vec<f32>> = model.gradients().unwrap().iter().map(|g| g.whole().to_vec()).collect();
    let mut probe = build();
    // The loss is quadratic in f32: a step of 1e-2 keeps rounding (1e-7 / 1e-2) and curvature both below the tolerance.
    let h = 1e-2;
    for (w, gradient) in gradients.iter().enumerate() {
        for i in (0..gradient.len()).step_by(gradient.len() / 7 + 1) {
            let at = probe.weights()[w].values()[i];
            let mut moved = |d: f32| {
                probe.weights_mut()[w].values_mut()[i] = at + d;
                loss_of(&probe)
            };
            let slope = (moved(h) - moved(-h)) / f64::from(2.0 * h);
            moved(0.0);
            let got = f64::from(gradient[i]);
            let path = &probe.weights()[w].path;
            assert!((slope - got).abs() < 2e-4 + 2e-3 * slope.abs(), "{path}[{i}]: {got}, differences say {slope}");
        }
    }
}

fn compiled(model: maobi_nn::Result<Model>) -> Model {
    let mut model = model.unwrap();
    model.compile(Compile::new(SGD::new(1e-3), MeanSquaredError::new())).unwrap();
    model
}

#[test]
fn gradients_add_up_where_a_value_is_used_twice() {
    let build = || {
        let input = InputLayer::new([6, 6, 2]).input();
        let stem = Conv2D::new(4, 3).padding(maobi_nn::layers::arguments::Padding::Same).activation("tanh").call(&input).unwrap();
        let branch = Conv2D::new(4, 1).activation("tanh").call(&stem).unwrap();
        let sum = Add::new().merge(&[&branch, &stem]).unwrap();
        let twice = Add::new().merge(&[&sum, &sum]).unwrap();
        let flat = Flatten::new().call(&twice).unwrap();
        let hidden = Dense::new(5).activation("tanh").call(&flat).unwrap();
        let other = Dense::new(5).call(&flat).unwrap();
        let both = Concatenate::new().merge(&[&hidden, &other]).unwrap();
        let output = Dense::new(3).call(&both).unwrap();
        compiled(Model::new("residual", &[&input], &[&output], 5))
    };
    check_gradients(build, &[&numbers(9 * 72, 3)], &numbers(27, 4), 9);
}

#[test]
fn gradients_of_a_shared_layer_add_up() {
    let build = || {
        let (a, b) = (InputLayer::new([5, 5, 1]).input(), InputLayer::new([5, 5, 1]).input());
        let conv = Conv2D::new(3, 3).activation("tanh").shared();
        let dense = Dense::new(4).activation("tanh").shared();
        let side = |x: &Tensor| {
            let x = apply(&conv, &[x]).unwrap();
            apply(&dense, &[&Flatten::new().call(&x).unwrap()]).unwrap()
        };
        let joined = Add::new().merge(&[&side(&a), &side(&b)]).unwrap();
        let output = Dense::new(2).call(&joined).unwrap();
        compiled(Model::new("twins", &[&a, &b], &[&output], 5))
    };
    check_gradients(build, &[&numbers(8 * 25, 5), &numbers(8 * 25, 6)], &numbers(16, 7), 8);
}

/// A model of the outputs that `pick` takes of (trained, frozen), after a step of mean squared error.
fn stepped(pick: fn(&Tensor, &Tensor) -> Vec<Tensor>) -> Vec<Vec<f32>> {
    let x = InputLayer::new([6]).input();
    let trained = Dense::new(3).name("trained").call(&x).unwrap();
    let frozen = Dense::new(3).name("frozen").trainable(false).call(&x).unwrap();
    let outputs = pick(&trained, &frozen);
    let mut model = Model::new("heads", &[&x], &outputs.iter().collect::<Vec<_>>(), 2).unwrap();
    model
        .compile(Compile::new(SGD::new(0.1), MeanSquaredError::new()).losses(vec![MeanSquaredError::new(); outputs.len()]))
        .unwrap();
    let target = numbers(9 * 3, 4);
    step(&mut model, &[&numbers(9 * 6, 3)], &vec![Target::Values(&target); outputs.len()], 9);
    let trainable = model.weights().iter().zip(model.gradients().unwrap()).filter(|(w, _)| w.trainable);
    trainable.map(|(_, g)| g.whole().to_vec()).collect()
}

#[test]
fn gradients_of_repeated_and_frozen_outputs() {
    let once = stepped(|trained, _| vec![trained.clone()]);
    let doubled: Vec<Vec<f32>> = once.iter().map(|g| g.iter().map(|v| 2.0 * v).collect()).collect();
    // The same numbers added twice: exactly the double.
    assert_eq!(stepped(|trained, _| vec![trained.clone(), trained.clone()]), doubled);
    assert_eq!(stepped(|trained, frozen| vec![trained.clone(), frozen.clone()]), once);
}

#[test]
fn class_weights_that_fit_nothing_are_errors() {
    let mut model = digits(1);
    let x = numbers(2 * 196, 1);
    let mut message = |target: Target<'_>, sample_weight| {
        let feed = Samples { samples: 2, inputs: &[&x] };
        let batch = Batch { feed: &feed, targets: &[target], sample_weight, class_weight: Some(&[1.0, 2.0]) };
        model.train_on_batch(batch).map_or_else(|e| e.to_string(), |_| "trained".into())
    };
    assert_eq!(message(Target::Classes(&[3]), None), "targets: expected one row for each of 2 samples, got 1 values");
    assert_eq!(message(Target::Values(&[3.0; 3]), None), "targets: expected one row for each of 2 samples, got 3 values");
    assert_eq!(message(Target::Classes(&[1, 2]), Some(&[1.0])), "sample_weight: expected 2 values (one per sample), got 1");
    assert_eq!(message(Target::Classes(&[1, 2]), None), "trained");

    let x = InputLayer::new([2]).input();
    let (a, b) = (Dense::new(2).call(&x).unwrap(), Dense::new(2).call(&x).unwrap());
    let mut model = Model::new("two", &[&x], &[&a, &b], 1).unwrap();
    model
        .compile(Compile::new(SGD::new(0.1), MeanSquaredError::new()).losses([MeanSquaredError::new(), MeanSquaredError::new()]))
        .unwrap();
    let targets = [Target::Values(&[0.0; 2]), Target::Values(&[0.0; 2])];
    let feed = Samples { samples: 1, inputs: &[&[0.0; 2]] };
    let batch = Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: Some(&[1.0]) };
    let message = model.train_on_batch(batch).unwrap_err().to_string();
    assert_eq!(message, "class_weight: expected a model of one output (give samples weights instead), got 2 outputs");
}

#[test]
fn sizes_that_memory_cannot_hold_are_refused() {
    let message = |shape: &[usize], layer: serde_json::Value| {
        let axes: Vec<Option<usize>> = std::iter::once(None).chain(shape.iter().copied().map(Some)).collect();
        let input = serde_json::json!({ "class_name": "InputLayer", "config": { "batch_shape": axes } });
        let json = serde_json::json!({ "class_name": "Sequential", "config": { "layers": [input, layer] } });
        Model::from_json(&json.to_string(), 1).map_or_else(|e| e.to_string(), |_| "built".into())
    };
    let layer = |class: &str, config: serde_json::Value| serde_json::json!({ "class_name": class, "config": config });
    let dense = |units: u64| layer("Dense", serde_json::json!({ "units": units }));
    let conv = |kernel: u64, filters: u64, padding: &str| {
        layer("Conv2D", serde_json::json!({ "filters": filters, "kernel_size": kernel, "padding": padding }))
    };
    let image = [8, 8, 1];
    assert!(message(&[1 << 20, 1 << 20, 1 << 24], dense(1)).contains("is too large: more than 536870912 values"));
    assert!(message(&[8], dense(1 << 62)).contains("kernel of shape [8, 4611686018427387904] is too large"));
    assert!(message(&image, conv(u64::MAX / 2, 1, "same")).contains("kernel_size must be at most 65536"));
    assert!(
        message(&image, conv(1 << 16, 1 << 40, "same"))
            .contains("the kernel of shape [65536, 65536, 1, 1099511627776] is too large")
    );
    assert!(message(&image, conv(1, 1 << 30, "same")).contains("is too large"));
    assert_eq!(message(&image, conv(3, 4, "same")), "built");
    let nothing = InputLayer::new([4, 0]).input();
    assert!(Dense::new(1).call(&nothing).unwrap_err().to_string().contains("an input of shape [4, 0] has no values"));
}

#[test]
fn samples_of_the_wrong_length_name_the_input() {
    let mut model = digits(1);
    let x = numbers(2 * 196 + 1, 1);
    let mut message = |inputs: &[&[f32]]| {
        let feed = Samples { samples: 2, inputs };
        let batch = Batch { feed: &feed, targets: &[Target::Classes(&[3, 1])], sample_weight: None, class_weight: None };
        let mut evaluation = model.start_evaluation().unwrap();
        let tested = model.test_on_batch(&mut evaluation, batch, |_, _| {}).map_or_else(|e| e.to_string(), |()| "fits".into());
        let trained = model.train_on_batch(batch).map_or_else(|e| e.to_string(), |_| "fits".into());
        assert_eq!(tested, trained);
        trained
    };
    assert_eq!(message(&[&x[..392]]), "fits");
    assert_eq!(message(&[&x[..391]]), "input 0: expected 392 values (2 samples of 196), got 391 values");
    assert_eq!(message(&[&x]), "input 0: expected 392 values (2 samples of 196), got 393 values");
    assert_eq!(message(&[]), "inputs: expected 1 (one per input of the model), got 0");
}

#[test]
fn labels_out_of_range_name_the_sample() {
    let mut model = digits(1);
    let x = numbers(2 * 196, 1);
    let feed = Samples { samples: 2, inputs: &[&x] };
    let batch = Batch { feed: &feed, targets: &[Target::Classes(&[3, 10])], sample_weight: None, class_weight: None };
    let message = model.train_on_batch(batch).unwrap_err().to_string();
    assert_eq!(message, "sample 1: label 10 is not one of the 10 classes 0 to 9");
}
