//! What a training step promises: the same bits for any number of threads, true gradients through graphs.

use maobi_nn::graph::{Call, Sequential, Tensor, apply};
use maobi_nn::layers::{Add, BatchNormalization, Concatenate, Conv2D, Dense, Dropout, Flatten, InputLayer, MaxPooling2D};
use maobi_nn::losses::{Loss, Target};
use maobi_nn::optimizers::{Adam, Sgd};
use maobi_nn::{Batch, Compile, Model, Samples};

fn numbers(n: usize, salt: u32) -> Vec<f32> {
    (0..n as u32).map(|i| ((i + salt).wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0 - 0.5).collect()
}

fn step(model: &mut Model, inputs: &[&[f32]], targets: &[Target<'_>], samples: usize) -> f64 {
    let feed = Samples { samples, inputs };
    model.train_on_batch(Batch { feed: &feed, targets, sample_weight: None, class_weight: None }).unwrap().loss
}

fn digits(seed: u64) -> Model {
    let mut model = Sequential::new()
        .add(InputLayer::new([14, 14, 1]))
        .add(Conv2D::new(8, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(Conv2D::new(20, 3).activation("gelu"))
        .add(BatchNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(33).activation("relu"))
        .add(Dropout::new(0.3))
        .add(Dense::new(10).activation("softmax"))
        .build(seed)
        .unwrap();
    let how = Compile::new(Adam::new(1e-2), Loss::sparse_categorical_crossentropy()).metrics(["accuracy"]).unwrap();
    model.compile(how).unwrap();
    model
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
    model.compile(Compile::new(Sgd::new(1e-3), Loss::MeanSquaredError)).unwrap();
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

#[test]
fn labels_out_of_range_name_the_sample() {
    let mut model = digits(1);
    let x = numbers(2 * 196, 1);
    let feed = Samples { samples: 2, inputs: &[&x] };
    let batch = Batch { feed: &feed, targets: &[Target::Classes(&[3, 10])], sample_weight: None, class_weight: None };
    let message = model.train_on_batch(batch).unwrap_err().to_string();
    assert_eq!(message, "sample 1: label 10 is not one of the 10 classes 0 to 9");
}
