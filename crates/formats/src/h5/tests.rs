//! Round trips, refusals, and files that were cut or changed.

use super::*;
use crate::weights_h5;
use maobi_nn::graph::{Call, Sequential};
use maobi_nn::layers::arguments::Padding;
use maobi_nn::layers::*;
use maobi_nn::losses::{Huber, SparseCategoricalCrossentropy, Target};
use maobi_nn::optimizers::schedules::{CosineDecay, OneCycle};
use maobi_nn::optimizers::{Adam, Nadam, Optimizer, RMSprop, SGD};
use maobi_nn::regularizers::L2;
use maobi_nn::{Batch, Precision, Samples};

fn network(seed: u64) -> Model {
    Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(2, 3).activation("relu").kernel_regularizer(L2::new().l2(1e-3)))
        .add(MaxPooling2D::new(2))
        .add(BatchNormalization::new())
        .add(LeakyReLU::new())
        .add(Flatten::new())
        .add(Dense::new(3).activation("softmax"))
        .build(seed)
        .unwrap()
}

/// A branch, a shared layer, two outputs.
fn graph(seed: u64) -> Model {
    let image = InputLayer::new([6, 6, 2]).name("image").input();
    let short = Conv2D::new(4, 1).name("short").call(&image).unwrap();
    let long = Conv2D::new(4, 3).padding(Padding::Same).call(&image).unwrap();
    let long = BatchNormalization::new().trainable(false).call(&long).unwrap();
    let sum = Add::new().merge(&[&short, &long]).unwrap();
    let shared = Conv2D::new(4, 3).padding(Padding::Same).name("twice").shared();
    let twice = maobi_nn::graph::apply(&shared, &[&maobi_nn::graph::apply(&shared, &[&sum]).unwrap()]).unwrap();
    let class = Dense::new(3).activation("softmax").name("class").call(&GlobalMaxPooling2D::new().call(&twice).unwrap()).unwrap();
    let value = Dense::new(1).name("value").call(&GlobalAveragePooling2D::new().call(&sum).unwrap()).unwrap();
    Model::new("graph", &[&image], &[&class, &value], seed).unwrap()
}

fn compiled(optimizer: impl Into<Optimizer>, seed: u64) -> Model {
    let mut model = network(seed);
    model.compile(Compile::new(optimizer, SparseCategoricalCrossentropy::new()).metrics(["accuracy"]).unwrap()).unwrap();
    model
}

fn train(model: &mut Model, steps: usize) -> Vec<f64> {
    let x: Vec<f32> = (0..12 * 64).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
    let labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
    let feed = Samples { samples: 12, inputs: &[&x] };
    let targets = [Target::Classes(&labels)];
    let batch = Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None };
    (0..steps).map(|_| model.train_on_batch(batch).unwrap().loss).collect()
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.weights().iter().map(|w| w.values().to_vec()).collect()
}

#[test]
fn whole_models_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.h5");
    let mut model = graph(5);
    let loss = SparseCategoricalCrossentropy::new();
    let two = Compile::new(Adam::new(0.003), loss.clone())
        .losses([Loss::from(loss), Huber::new().delta(2.0).into()])
        .loss_weights([1.0, 0.25]);
    model.compile(two).unwrap();
    let mut mixed = network(4);
    mixed.set_precision(Precision::MixedBfloat16).unwrap();
    for model in [&model, &compiled(SGD::new(0.1), 5), &network(3), &mixed] {
        let notes = save(model, &path).unwrap();
        assert_eq!(notes.len(), usize::from(model.compiled().is_some()), "{notes:?}");
        let first = std::fs::read(&path).unwrap();
        save(model, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert_eq!(crate::format::detect(&path).unwrap().name(), "h5");
        let loaded = load(&path, 1).unwrap();
        assert_eq!((loaded.model.to_json(), loaded.model.precision()), (model.to_json(), model.precision()));
        assert_eq!(weights(&loaded.model), weights(model));
        let how = |m: &Model| m.compiled().map(|how| (how.optimizer.clone(), how.losses.clone(), how.metrics.clone()));
        assert_eq!(how(&loaded.model), how(model));
        assert_eq!(loaded.notes.is_empty(), model.compiled().is_none(), "{:?}", loaded.notes);
    }
}

#[test]
fn training_goes_on_bit_for_bit_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.h5");
    let optimizers: [Optimizer; 4] = [
        Adam::new(1e-2).amsgrad(true).into(),
        SGD::new(0.1).momentum(0.9).ema(0.9, Some(3)).into(),
        RMSprop::new(1e-3).momentum(0.5).centered(true).into(),
        Nadam::new(CosineDecay::new(0.01, 50)).into(),
    ];
    for optimizer in optimizers {
        let mut model = compiled(optimizer, 5);
        train(&mut model, 4);
        save_with(&model, &path, Options::default().optimizer_variables(true)).unwrap();
        let mut loaded = load(&path, 5).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new());
        assert_eq!(train(&mut loaded.model, 3), train(&mut model, 3));
    }
    // A rate that a callback lowered is the rate that is written.
    let mut model = compiled(Adam::new(1e-2), 5);
    model.optimizer_state_mut().unwrap().learning_rate = 0.125;
    save(&model, &path).unwrap();
    assert_eq!(load(&path, 5).unwrap().model.optimizer_state_ref().unwrap().learning_rate, 0.125);
    let one_cycle = compiled(Adam::new(OneCycle::new(0.01, 50)), 5);
    assert!(save(&one_cycle, &path).unwrap()[0].contains("the rate of the moment"));
    assert!(load(&path, 5).unwrap().model.compiled().is_some());
}

#[test]
fn weights_alone_in_every_layout() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let model = graph(5);
    save_weights(&model, &at("old.h5")).unwrap();
    weights_h5::save(&model, &at("new.h5")).unwrap();
    save(&model, &at("whole.h5")).unwrap();
    let loaders: [fn(&mut Model, &Path) -> Result<()>; 2] = [load_weights, weights_h5::load];
    for name in ["old.h5", "new.h5", "whole.h5"] {
        for load in loaders {
            let mut other = graph(6);
            load(&mut other, &at(name)).unwrap();
            assert_eq!(weights(&other), weights(&model), "{name}");
        }
    }
    for name in ["old.h5", "new.h5"] {
        let message = load(&at(name), 1).unwrap_err().to_string();
        assert!(message.contains("holds weights alone, without the network"), "{message}");
    }
}

#[test]
fn misfits_are_all_named_and_change_nothing() {
    let bytes = to_bytes(legacy::weights_only(&network(1))).unwrap();
    let mut other = Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(2, 5))
        .add(BatchNormalization::new().scale(false))
        .add(Flatten::new())
        .add(Dense::new(4))
        .build(1)
        .unwrap();
    let before = weights(&other);
    let message = load_weights_bytes(&mut other, Path::new("m.h5"), bytes.clone()).unwrap_err().to_string();
    for line in [
        "layer \"batch_normalization\" (\"batch_normalization\"): expected 3 variables, found 4",
        "layer \"conv2d\", kernel (/conv2d/conv2d/kernel:0): expected shape [5, 5, 1, 2], found [3, 3, 1, 2]",
        "layer \"dense\", kernel (/dense/dense/kernel:0): expected shape [32, 4], found [18, 3]",
        "layer \"dense\", bias (/dense/dense/bias:0): expected shape [4], found [3]",
    ] {
        assert!(message.contains(line), "{message}");
    }
    assert_eq!(message.matches("expected ").count(), 4, "{message}");
    let mut short = Sequential::new().add(InputLayer::new([2])).add(Dense::new(4)).build(1).unwrap();
    let message = load_weights_bytes(&mut short, Path::new("m.h5"), bytes).unwrap_err().to_string();
    assert!(message.contains("1 layers have weights (dense), in the file 3 (conv2d, batch_normalization, dense)"), "{message}");
    assert_eq!(weights(&other), before);
}

/// A whole model's file with other texts in it.
fn with_config(model: &str, training: Option<&str>) -> Vec<u8> {
    let mut root = Group::default();
    root.text("keras_version", "1.2.2");
    root.text("model_config", model);
    if let Some(training) = training {
        root.text("training_config", training);
    }
    legacy::write(&mut root, &network(1), false).unwrap();
    to_bytes(root).unwrap()
}

#[test]
fn what_is_not_understood_is_said() {
    let open = |bytes| load_bytes(Path::new("m.h5"), bytes, 1);
    let config = config::from_keras_3(&network(1).graph().to_config()).to_string();
    let message = |bytes| open(bytes).unwrap_err().to_string();
    assert!(message(with_config("{", None)).starts_with("m.h5: model_config is not JSON: "));
    let unknown = message(with_config(&config.replace("\"Flatten\"", "\"Lambda\""), None));
    assert!(unknown.starts_with("m.h5: a file of Keras 1.2.2: ") && unknown.contains("Lambda"), "{unknown}");
    assert!(unknown.ends_with("load it with Keras 2 and save it again"), "{unknown}");
    let old = r#"{"optimizer_config": {"class_name": "Adam", "config": {"lr": 0.002, "decay": 0.0, "epsilon": 1e-8}}, "loss": "mse",
        "metrics": ["accuracy", "mine"], "sample_weight_mode": null, "loss_weights": null}"#;
    let loaded = open(with_config(&config, Some(old))).unwrap();
    assert_eq!(loaded.model.compiled().unwrap().optimizer, Adam::new(0.002).epsilon(1e-8).into());
    assert!(loaded.notes[0].starts_with("a metric was left out: unknown metric \"mine\""), "{:?}", loaded.notes);
    let empty = to_bytes(Group::default()).unwrap();
    assert!(message(empty).contains("an HDF5 file, but none of Keras"));
    assert!(message(b"GIF89a".to_vec()).contains("not an HDF5 file"));
}

#[test]
fn cut_and_changed_files_never_panic() {
    let mut model = compiled(Adam::new(1e-3), 5);
    train(&mut model, 1);
    let (whole, _) = whole_model(&model, Options { optimizer_variables: true }).unwrap();
    let open = |bytes: Vec<u8>| load_bytes(Path::new("m.h5"), bytes, 1);
    open(whole.clone()).unwrap();
    for cut in (0..whole.len()).step_by(101) {
        open(whole[..cut].to_vec()).unwrap_err();
    }
    let mut random = 7u32;
    for _ in 0..1000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut bytes = whole.clone();
        let at = (random >> 4) as usize % bytes.len();
        bytes[at] ^= 1 << (random >> 29);
        let _ = open(bytes);
    }
}
