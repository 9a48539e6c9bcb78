use super::*;
use crate::tensorflow::saver_names::own_names;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Conv2D, Dense, Flatten, InputLayer};
use maobi_nn::losses::{SparseCategoricalCrossentropy, Target};
use maobi_nn::model::Compile;
use maobi_nn::optimizers::{Adadelta, Adam, Lion, Optimizer, SGD};
use maobi_nn::{Batch, Samples};
use proptest::prelude::*;
use tempfile::tempdir;

/// Two convolutions whose weights have shapes of their own, and two dense layers of one shape.
fn network(seed: u64) -> Model {
    Sequential::new()
        .add(InputLayer::new([4, 4, 1]))
        .add(Conv2D::new(2, 3).name("first"))
        .add(Flatten::new())
        .add(Dense::new(8).name("second"))
        .add(Dense::new(8).name("third"))
        .build(seed)
        .unwrap()
}

fn compiled(seed: u64, optimizer: impl Into<Optimizer>) -> Model {
    let mut model = network(seed);
    model.compile(Compile::new(optimizer, SparseCategoricalCrossentropy::new().from_logits(true))).unwrap();
    model
}

fn trained(optimizer: impl Into<Optimizer>) -> Model {
    let mut model = compiled(1, optimizer);
    let images: Vec<f32> = (0..2 * 16).map(|i| (i % 7) as f32 / 7.0).collect();
    for _ in 0..3 {
        let feed = Samples { samples: 2, inputs: &[&images] };
        let targets = [Target::Classes(&[0, 7])];
        model.train_on_batch(Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None }).unwrap();
    }
    model
}

fn values(model: &Model) -> Vec<Vec<f32>> {
    model.weights().iter().map(|w| w.values().to_vec()).collect()
}

fn slots_of(model: &Model) -> Vec<Vec<f32>> {
    model.optimizer_state_ref().unwrap().variables().iter().map(|v| v.values.to_vec()).collect()
}

#[test]
fn names_are_those_of_tensorflow() {
    let model = network(1);
    let layers = ["conv2d/kernel", "conv2d/bias", "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"];
    assert_eq!(layer_names(&model), layers);
    assert_eq!(variable_names(&model), ["Variable", "Variable_1", "Variable_2", "Variable_3", "Variable_4", "Variable_5"]);
}

#[test]
fn state_comes_back_under_each_habit_of_names() {
    let folder = tempdir().unwrap();
    let model = trained(Adam::new(0.01));
    for (number, names) in [layer_names(&model), variable_names(&model), own_names(&model)].into_iter().enumerate() {
        let path = folder.path().join(format!("model.ckpt-{number}"));
        assert_eq!(save(&model, &path, &names).unwrap(), Vec::<String>::new());
        let mut other = compiled(2, Adam::new(0.01));
        assert_eq!(load_into(&mut other, &path).unwrap(), Vec::<String>::new());
        assert_eq!((values(&other), slots_of(&other)), (values(&model), slots_of(&model)));
        assert_eq!(other.optimizer_state_ref().unwrap().iterations, 3);
        let bundle = Bundle::open(&path).unwrap();
        // 0.9 and 0.999 to the fourth.
        assert_eq!(bundle.floats("beta1_power").unwrap(), [0.6561]);
        assert!((bundle.floats("beta2_power").unwrap()[0] - 0.996_006).abs() < 1e-6);
        assert!(bundle.has(&format!("{}/Adam_1", names[5])));
    }
}

#[test]
fn averages_of_weights_come_back_and_begin_with_the_weights_where_the_file_has_none() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.ckpt-3");
    let model = trained(Adam::new(0.01).ema(0.9, None));
    assert_eq!(save(&model, &path, &layer_names(&model)).unwrap(), Vec::<String>::new());
    assert!(Bundle::open(&path).unwrap().has("dense/kernel/ExponentialMovingAverage"));
    let mut other = compiled(2, Adam::new(0.01).ema(0.9, None));
    assert_eq!(load_into(&mut other, &path).unwrap(), Vec::<String>::new());
    assert_eq!((values(&other), slots_of(&other)), (values(&model), slots_of(&model)));
    // The averages are the first of the slots. Were they zeros at step 3, they would soon take the place of the weights.
    let plain = trained(Adam::new(0.01));
    save(&plain, &path, &layer_names(&plain)).unwrap();
    let notes = load_into(&mut other, &path).unwrap();
    assert!(notes.len() == 1 && notes[0].contains("optimizer state not restored, only its global step"), "{notes:?}");
    assert_eq!(slots_of(&other)[..6], values(&plain));
    assert_eq!(other.optimizer_state_ref().unwrap().iterations, 3);
}

#[test]
fn momentum_is_tensorflow_s() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.ckpt-3");
    let model = trained(SGD::new(0.25).momentum(0.9));
    save(&model, &path, &layer_names(&model)).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    // A rate that is a power of two leaves the bits.
    let ours = &slots_of(&model)[0];
    assert_eq!(bundle.floats("conv2d/kernel/Momentum").unwrap(), ours.iter().map(|v| v * -4.0).collect::<Vec<f32>>());
    let mut other = compiled(2, SGD::new(0.25).momentum(0.9));
    load_into(&mut other, &path).unwrap();
    assert_eq!(slots_of(&other), slots_of(&model));
}

#[test]
fn what_tensorflow_does_not_know_is_told() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.ckpt-3");
    let model = trained(Lion::new(0.01));
    let notes = save(&model, &path, &layer_names(&model)).unwrap();
    assert_eq!(notes, ["the state of the optimizer Lion: TensorFlow 1 has no such variables"]);
    let mut other = compiled(2, Adadelta::new(0.01));
    let notes = load_into(&mut other, &path).unwrap();
    assert!(notes[0].contains("only its global step: \"conv2d/kernel/Adadelta\" is not in the file"), "{notes:?}");
    assert_eq!((values(&other), other.optimizer_state_ref().unwrap().iterations), (values(&model), 3));
    assert!(save(&model, &path, &[]).unwrap_err().to_string().contains("0 names for 6 weights"));
    let same = vec!["x".to_string(); 6];
    assert!(save(&model, &path, &same).unwrap_err().to_string().contains("both be called \"x\""));
}

/// A file of variables by name, and what becomes of it.
fn read(variables: &[(&str, &[usize])]) -> Result<Vec<Vec<f32>>, String> {
    let mut writer = Writer::default();
    for (number, (name, shape)) in variables.iter().enumerate() {
        writer.floats(name, shape, &vec![number as f32; shape.iter().product()]).unwrap();
    }
    let (index, data) = writer.to_bytes();
    let mut model = network(1);
    load_bytes(&mut model, Path::new("m"), &index, vec![data.to_vec()]).map_err(|e| e.to_string())?;
    Ok(values(&model))
}

#[test]
fn other_names_are_matched_where_there_is_no_doubt() {
    // Numbered where they are of one shape, anything where they are the only one.
    let mut there: Vec<(&str, &[usize])> = vec![
        ("weight/wd1", &[3, 3, 1, 2]),
        ("weight/wd1/Adam", &[3, 3, 1, 2]),
        ("bias/bd1", &[2]),
        ("fc/w", &[8, 8]),
        ("fc/b", &[8]),
        ("fc_1/w", &[8, 8]),
        ("fc_1/b", &[8]),
        ("fc_1/b/ExponentialMovingAverage", &[8]),
        ("beta1_power", &[]),
        ("scale", &[]),
    ];
    let firsts: Vec<f32> = read(&there).unwrap().iter().map(|v| v[0]).collect();
    assert_eq!(firsts, [0.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    // The tenth comes after the second.
    there[3].0 = "Variable_2";
    there[5].0 = "Variable_10";
    assert_eq!(read(&there).unwrap()[2][0], 3.0);
    there[3].0 = "wd2";
    there[5].0 = "out";
    let message = read(&there).unwrap_err();
    assert!(message.contains("second/kernel, third/kernel (shape [8, 8]): could be any of"), "{message}");
    assert!(message.contains("the file has bias/bd1 [2], fc/b [8]"), "{message}");
    there.remove(2);
    assert!(read(&there).unwrap_err().contains("first/bias: no variable of shape [2]"));
}

#[test]
fn the_caller_may_know_the_names() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.ckpt");
    let model = network(1);
    let names: Vec<String> = ["wc1", "bc1", "wd1", "bd1", "out", "bout"].map(String::from).to_vec();
    save(&model, &path, &names).unwrap();
    let mut other = network(2);
    assert!(load_into(&mut other, &path).unwrap_err().to_string().contains("could be any of"));
    load_named(&mut other, &path, &names).unwrap();
    assert_eq!(values(&other), values(&model));
    let message = load_named(&mut other, &path, &names[..5]).unwrap_err().to_string();
    assert!(message.contains("layer \"third\", bias: not in the file"), "{message}");
}

proptest! {
    #[test]
    fn cut_and_changed_files_change_nothing(in_index in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>()) {
        let model = compiled(1, Adam::new(0.01));
        let (writer, _) = write(&model, &variable_names(&model)).unwrap();
        let (mut index, mut data) = { let (index, data) = writer.to_bytes(); (index, data.to_vec()) };
        let bytes = if in_index { &mut index } else { &mut data };
        let at = at.index(bytes.len());
        match cut {
            true => bytes.truncate(at),
            false => bytes[at] ^= 1 << bit,
        }
        let mut other = network(2);
        let before = values(&other);
        if load_bytes(&mut other, Path::new("m"), &index, vec![data]).is_err() {
            prop_assert_eq!(values(&other), before);
        }
    }
}
