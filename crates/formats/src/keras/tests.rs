//! Round trips, refusals, and files that were cut or changed.

use super::*;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Dropout, Flatten, InputLayer, MaxPooling2D};
use maobi_nn::losses::{SparseCategoricalCrossentropy, Target};
use maobi_nn::optimizers::schedules::OneCycle;
use maobi_nn::optimizers::{Adam, LossScale, Optimizer, RMSprop, SGD};
use maobi_nn::{Batch, Compile, Precision, Samples};

fn network(classes: usize, seed: u64) -> Model {
    Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(2, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(classes).activation("softmax"))
        .build(seed)
        .unwrap()
}

fn images(samples: usize) -> Vec<f32> {
    (0..samples * 64).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect()
}

fn train(model: &mut Model, steps: usize) -> Vec<f64> {
    let x = images(12);
    let labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
    let feed = Samples { samples: 12, inputs: &[&x] };
    let targets = [Target::Classes(&labels)];
    let batch = Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None };
    (0..steps).map(|_| model.train_on_batch(batch).unwrap().loss).collect()
}

fn compiled(optimizer: impl Into<Optimizer>, seed: u64) -> Model {
    let mut model = network(3, seed);
    model.compile(Compile::new(optimizer, SparseCategoricalCrossentropy::new()).metrics(["accuracy"]).unwrap()).unwrap();
    model
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.weights().iter().map(|w| w.values().to_vec()).collect()
}

#[test]
fn mixed_training_goes_on_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    // Steps are skipped at first, and the scale grows in between; the rate is a schedule that Keras does not know.
    let how = LossScale { initial_scale: 2f32.powi(36), dynamic_growth_steps: 3 };
    let plain: Optimizer = Adam::new(OneCycle::new(0.01, 40)).into();
    let scaled = || plain.clone().loss_scale(how);
    for (precision, optimizer) in [(Precision::MixedFloat16, scaled()), (Precision::MixedBfloat16, plain.clone())] {
        let path = folder.path().join("model.keras");
        let fresh = |seed: u64| {
            let mut model = network(3, seed);
            model.set_precision(precision).unwrap();
            model.compile(Compile::new(optimizer.clone(), SparseCategoricalCrossentropy::new())).unwrap();
            model
        };
        let mut model = fresh(5);
        train(&mut model, 20);
        let state = model.optimizer_state_ref().unwrap();
        assert_eq!(state.iterations < 20, state.loss_scale.is_some(), "{precision}: {} steps", state.iterations);
        save(&model, &path).unwrap();
        let mut loaded = load(&path, 5).unwrap();
        assert_eq!((loaded.notes.as_slice(), loaded.model.precision()), ([].as_slice(), precision));
        assert_eq!(loaded.model.compiled().unwrap().optimizer, optimizer);
        let mut into = fresh(99);
        into.set_seed(5);
        load_into(&mut into, &path).unwrap();
        for other in [&loaded.model, &into] {
            assert_eq!(other.optimizer_state_ref().unwrap().loss_scale, model.optimizer_state_ref().unwrap().loss_scale);
        }
        let losses = train(&mut model, 9);
        assert_eq!(train(&mut loaded.model, 9), losses);
        assert_eq!(train(&mut into, 9), losses);
    }
}

#[test]
fn a_loss_scale_that_is_not_there_or_not_wanted_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.keras");
    let plain: Optimizer = SGD::new(0.1).momentum(0.9).into();
    let scaled = plain.clone().loss_scale(LossScale::default());
    for (saved, wanted) in [(plain.clone(), scaled.clone()), (scaled, plain)] {
        let mut model = compiled(saved, 5);
        train(&mut model, 4);
        save(&model, &path).unwrap();
        let mut into = compiled(wanted, 5);
        load_into(&mut into, &path).unwrap();
        let slots =
            |m: &Model| m.optimizer_state_ref().unwrap().variables().iter().map(|v| v.values.to_vec()).collect::<Vec<_>>();
        assert_eq!((weights(&into), slots(&into)), (weights(&model), slots(&model)));
    }
}

#[test]
fn training_goes_on_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let optimizers: [Optimizer; 3] =
        [Adam::new(1e-2).amsgrad(true).into(), SGD::new(0.1).momentum(0.9).ema(0.9, Some(3)).into(), RMSprop::new(1e-3).into()];
    for (i, optimizer) in optimizers.into_iter().enumerate() {
        let path = folder.path().join(format!("{i}.keras"));
        let mut model = compiled(optimizer, 5);
        train(&mut model, 4);
        save_with(&model, &path, &[("state.json", b"{}".as_slice())]).unwrap();
        let mut loaded = load(&path, 5).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new());
        assert_eq!(loaded.extras, [("state.json".to_string(), b"{}".to_vec())]);
        assert_eq!(weights(&loaded.model), weights(&model));
        let compile = |m: &Model| m.compiled().map(|how| (how.optimizer.clone(), how.losses.clone(), how.metrics.clone()));
        assert_eq!(compile(&loaded.model), compile(&model));
        let mut into = compiled(model.compiled().unwrap().optimizer.clone(), 99);
        into.set_seed(5);
        assert_eq!(load_into(&mut into, &path).unwrap(), loaded.extras);
        let losses = train(&mut model, 3);
        assert_eq!(train(&mut loaded.model, 3), losses);
        assert_eq!(train(&mut into, 3), losses);
    }
}

#[test]
fn a_schedule_that_keras_has_not_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.keras");
    let mut model = compiled(Adam::new(OneCycle::new(0.01, 50)), 5);
    train(&mut model, 4);
    save(&model, &path).unwrap();
    let mut loaded = load(&path, 5).unwrap();
    assert_eq!(loaded.notes, Vec::<String>::new());
    assert_eq!(loaded.model.compiled().unwrap().optimizer, model.compiled().unwrap().optimizer);
    assert_eq!(train(&mut loaded.model, 3), train(&mut model, 3));
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let mut model = compiled(Adam::new(1e-2), 5);
    train(&mut model, 2);
    let bytes = to_archive(&model, &[]).unwrap();
    assert_eq!(to_archive(&model, &[]).unwrap(), bytes);
    let archive = Archive::open(Path::new("m"), bytes, KIND).unwrap();
    assert_eq!(archive.names(), [METADATA, CONFIG, WEIGHTS]);
}

#[test]
fn misfits_are_all_named_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.keras");
    let mut other = Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(2, 5).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dense::new(4))
        .build(1)
        .unwrap();
    save(&compiled(Adam::new(1e-3), 5), &path).unwrap();
    let before = weights(&other);
    let message = load_into(&mut other, &path).unwrap_err().to_string();
    assert!(message.contains("the weights do not fit the network (nothing was changed)"), "{message}");
    for line in [
        "layer \"conv2d\", kernel (/layers/conv2d/vars/0): expected shape [5, 5, 1, 2], found [3, 3, 1, 2]",
        "layer \"dense\", kernel (/layers/dense/vars/0): expected shape [8, 4], found [18, 3]",
        "layer \"dense\", bias (/layers/dense/vars/1): expected shape [4], found [3]",
    ] {
        assert!(message.contains(line), "{message}");
    }
    assert_eq!(weights(&other), before);
    // The optimizer's slots fit or all stays as it was.
    let mut model = compiled(Adam::new(1e-3).amsgrad(true), 6);
    let before = weights(&model);
    let message = load_into(&mut model, &path).unwrap_err().to_string();
    assert!(message.contains("optimizer: 18 slot variables expected, the file has 14 variables in all"), "{message}");
    assert_eq!(weights(&model), before);
}

#[test]
fn another_optimizer_loads_the_weights_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.keras");
    let mut model = compiled(Adam::new(1e-3), 5);
    train(&mut model, 2);
    save(&model, &path).unwrap();
    let mut sgd = compiled(SGD::new(0.5), 6);
    load_into(&mut sgd, &path).unwrap();
    assert_eq!(weights(&sgd), weights(&model));
    assert_eq!((sgd.optimizer_state_ref().unwrap().iterations, sgd.optimizer_state_ref().unwrap().learning_rate), (0, 0.5));
}

/// The archive of `model` with its config changed.
fn with_config(model: &Model, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut archive = Archive::open(Path::new("m"), to_archive(model, &[]).unwrap(), KIND).unwrap();
    let mut config = config(Path::new("m"), &mut archive).unwrap();
    change(&mut config);
    let weights = archive.take(WEIGHTS).unwrap();
    archive::write(&[(CONFIG.into(), config.to_string().into_bytes()), (WEIGHTS.into(), weights)]).unwrap()
}

#[test]
fn what_is_unknown_is_noted() {
    let model = compiled(Adam::new(1e-3), 5);
    let open = |change: &dyn Fn(&mut Value)| load_bytes(Path::new("m.keras"), with_config(&model, change), 1).unwrap();
    let custom = open(&|c| c["compile_config"]["loss"] = json!("my_loss"));
    assert!(custom.model.compiled().is_none());
    assert!(custom.notes[0].starts_with("not compiled: unknown loss \"my_loss\""), "{:?}", custom.notes);
    let custom = open(&|c| c["compile_config"]["optimizer"] = json!({"class_name": "Lamb", "config": {}}));
    assert!(custom.notes[0].starts_with("not compiled: unknown optimizer \"Lamb\""), "{:?}", custom.notes);
    let custom = open(&|c| c["compile_config"]["metrics"] = json!(["accuracy", "my_metric"]));
    assert!(custom.notes[0].starts_with("a metric was left out: unknown metric \"my_metric\""), "{:?}", custom.notes);
    assert_eq!(custom.model.compiled().unwrap().metrics[0].len(), 1);
    let other = open(&|c| c["compile_config"]["optimizer"]["config"]["amsgrad"] = json!(true));
    assert!(other.notes[0].starts_with("optimizer state not restored: "), "{:?}", other.notes);
    assert_eq!(weights(&other.model), weights(&model));
}

#[test]
fn refusals_name_file_and_member() {
    let message = |bytes: Vec<u8>| load_bytes(Path::new("m.keras"), bytes, 1).unwrap_err().to_string();
    assert_eq!(message(b"GIF89a".to_vec()), "m.keras: expected a .keras file (a ZIP archive), got something else");
    let empty = archive::write(&[("a".into(), vec![1])]).unwrap();
    assert_eq!(message(empty), "m.keras: config.json: not in the archive");
    let text = archive::write(&[(CONFIG.into(), b"{".to_vec())]).unwrap();
    assert!(message(text).starts_with("m.keras: config.json is not JSON: "));
    let model = compiled(Adam::new(1e-3), 5);
    let layer = message(with_config(&model, |c| c["config"]["layers"][1]["class_name"] = json!("Conv9D")));
    assert!(layer.starts_with("m.keras: ") && layer.contains("Conv9D"), "{layer}");
    for name in ["", "../x", ".x", "a b"] {
        assert!(to_archive(&model, &[(name, b"")]).unwrap_err().contains("a name of letters"), "{name}");
    }
    assert!(to_archive(&model, &[("a", b""), ("a", b"")]).unwrap_err().contains("given twice"));
}

#[test]
fn cut_and_changed_files_are_errors() {
    let mut model = compiled(Adam::new(1e-3), 5);
    train(&mut model, 1);
    let whole = to_archive(&model, &[("a", b"123")]).unwrap();
    let open = |bytes: Vec<u8>| load_bytes(Path::new("m.keras"), bytes, 1);
    open(whole.clone()).unwrap();
    for cut in (0..whole.len()).step_by(13) {
        assert!(open(whole[..cut].to_vec()).is_err(), "cut to {cut} bytes");
    }
    // A flipped bit may fall where nothing is lost (a time, a comment): what counts is that nothing panics and that whatever loads
    // has the weights that were saved, for every member carries a checksum.
    let expected = weights(&model);
    let mut random = 1u32;
    for _ in 0..2000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut bytes = whole.clone();
        let at = random as usize % bytes.len();
        bytes[at] ^= 1 << (random >> 29);
        if let Ok(loaded) = open(bytes) {
            assert_eq!(weights(&loaded.model), expected, "bit flipped in byte {at}");
        }
    }
}
