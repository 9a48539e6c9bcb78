//! Models as layers of other models.

use maobi_nn::graph::{Call, Graph, Part, Sequential, Submodel, apply};
use maobi_nn::layers::{Add, BatchNormalization, Concatenate, Dense, Dropout, Flatten, InputLayer};
use maobi_nn::losses::{SparseCategoricalCrossentropy, Target};
use maobi_nn::optimizers::SGD;
use maobi_nn::{Batch, Compile, Model, Program, Samples};

/// `[4, 4, 1]` to `[3]`.
fn features() -> Model {
    Sequential::new()
        .name("features")
        .add(InputLayer::new([4, 4, 1]))
        .add(Flatten::new())
        .add(Dense::new(5).activation("relu"))
        .add(BatchNormalization::new())
        .add(Dense::new(3))
        .build(7)
        .expect("builds")
}

fn classifier(features: &Model, trainable: bool) -> Model {
    Sequential::new()
        .name("classifier")
        .add(InputLayer::new([4, 4, 1]))
        .add(features.submodel().trainable(trainable))
        .add(Dropout::new(0.0))
        .add(Dense::new(2).activation("softmax"))
        .build(1)
        .expect("builds")
}

fn pixels(samples: usize) -> Vec<f32> {
    (0..samples * 16).map(|i| ((i * 7919) % 101) as f32 / 101.0).collect()
}

#[test]
fn a_submodel_computes_what_the_model_computes() {
    let features = features();
    let model = classifier(&features, true);
    let names: Vec<_> = model.graph().layers.iter().map(|layer| layer.name.as_str()).collect();
    let inner = ["features/flatten", "features/dense", "features/batch_normalization", "features/dense_1"];
    assert_eq!(names, [&["input_layer"], &inner[..], &["dropout", "dense"]].concat());
    assert_eq!(model.parts()[1].layers(), [1, 2, 3, 4]);
    assert!(matches!(&model.parts()[1], Part::Model { name, class: "sequential", .. } if name == "features"));
    // The dense layer behind it, by hand.
    let x = pixels(3);
    let inner = features.predict(&[&x]).expect("predicts").remove(0);
    let outer = model.predict(&[&x]).expect("predicts").remove(0);
    let (kernel, bias) = (model.weights()[8].values(), model.weights()[9].values());
    for (row, answer) in inner.chunks(3).zip(outer.chunks(2)) {
        let logits: Vec<f32> = (0..2).map(|o| bias[o] + (0..3).map(|i| row[i] * kernel[i * 2 + o]).sum::<f32>()).collect();
        let expected = 1.0 / (1.0 + (logits[1] - logits[0]).exp());
        assert!((answer[0] - expected).abs() < 1e-6, "{answer:?}, {expected}");
    }
}

#[test]
fn training_is_that_of_the_same_layers_without_a_submodel() {
    let features = features();
    let mut nested = classifier(&features, true);
    let mut plain = Sequential::new()
        .add(InputLayer::new([4, 4, 1]))
        .add(Flatten::new())
        .add(Dense::new(5).activation("relu"))
        .add(BatchNormalization::new())
        .add(Dense::new(3))
        .add(Dropout::new(0.0))
        .add(Dense::new(2).activation("softmax"))
        .build(1)
        .expect("builds");
    for (to, from) in plain.weights_mut().iter_mut().zip(nested.weights()) {
        to.set_values(&from.values());
    }
    let x = pixels(8);
    for model in [&mut nested, &mut plain] {
        model.compile(Compile::new(SGD::new(0.1), SparseCategoricalCrossentropy::new())).expect("compiles");
        for _ in 0..3 {
            let feed = Samples { samples: 8, inputs: &[&x] };
            let targets = [Target::Classes(&[0, 1, 0, 1, 1, 0, 1, 0])];
            model
                .train_on_batch(Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None })
                .expect("a step");
        }
    }
    for (a, b) in nested.weights().iter().zip(plain.weights()) {
        assert_eq!(*a.values(), *b.values(), "{}", a.path);
    }
    // The model that was copied stays as it was.
    assert_ne!(*features.weights()[0].values(), *nested.weights()[0].values());
}

#[test]
fn a_frozen_submodel_stays_as_it_is() {
    let features = features();
    let mut model = classifier(&features, false);
    model.compile(Compile::new(SGD::new(0.1), SparseCategoricalCrossentropy::new())).expect("compiles");
    let x = pixels(4);
    let feed = Samples { samples: 4, inputs: &[&x] };
    let targets = [Target::Classes(&[0, 1, 0, 1])];
    model.train_on_batch(Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None }).expect("a step");
    // Moving averages too, as in Keras.
    for (a, b) in model.weights().iter().zip(features.weights()) {
        assert_eq!(*a.values(), *b.values(), "{}", a.path);
    }
    let again = Model::from_json(&model.to_json(), 1).expect("reads");
    assert!(again.weights()[..8].iter().all(|weight| !weight.trainable) && again.weights()[8].trainable);
}

#[test]
fn a_submodel_that_is_called_twice_shares_its_weights() {
    let (left, right) = (InputLayer::new([4, 4, 1]).name("left").input(), InputLayer::new([4, 4, 1]).name("right").input());
    let shared = features().submodel().shared();
    let (a, b) = (apply(&shared, &[&left]).expect("applies"), apply(&shared, &[&right]).expect("applies"));
    let both = Concatenate::new().merge(&[&a, &b]).expect("applies");
    let model = Model::new("twins", &[&left, &right], &[&both], 1).expect("builds");
    assert_eq!(model.count_params(), features().count_params());
    let (x, y) = (pixels(2), vec![0.5; 32]);
    let [one, other] = [&x, &y].map(|values| features().predict(&[values]).expect("predicts").remove(0));
    let answer = model.predict(&[&x, &y]).expect("predicts").remove(0);
    assert_eq!(answer[..6], [&one[..3], &other[..3]].concat());
    // The form of Keras counts the construction of a functional model as a call, and that of a Sequential one not.
    let again = Model::from_json(&model.to_json(), 1).expect("reads");
    assert_eq!(again.to_json(), model.to_json());
}

#[test]
fn models_in_models_in_models_are_read_as_written() {
    let image = InputLayer::new([4, 4, 1]).name("image").input();
    let extra = InputLayer::new([3]).name("extra").input();
    let x = classifier(&features(), true).submodel().name("inner").call(&image).expect("applies");
    let x = Dense::new(3).call(&x).expect("applies");
    let sum = Add::new().merge(&[&x, &extra]).expect("applies");
    let middle = Model::new("middle", &[&image, &extra], &[&sum], 1).expect("builds");

    let (image, extra) = (InputLayer::new([4, 4, 1]).input(), InputLayer::new([3]).input());
    let out = middle.submodel().merge(&[&image, &extra]).expect("applies");
    let outer = Model::new("outer", &[&image, &extra], &[&out], 1).expect("builds");
    assert_eq!(outer.weights()[0].path, "middle/inner/features/dense/kernel");
    let again = Model::from_json(&outer.to_json(), 1).expect("reads");
    assert_eq!(again.to_json(), outer.to_json());
    assert_eq!((again.parts(), again.count_params()), (outer.parts(), outer.count_params()));
    assert!(outer.to_json().contains(r#""keras_history":["middle",1,0]"#) || outer.to_json().contains(r#"["middle",1,0]"#));
    assert_eq!(Program::of(&outer).outputs[0].0, "middle/add");
}

#[test]
fn what_does_not_fit_is_named() {
    let x = InputLayer::new([4, 4, 3]).input();
    let error = features().submodel().call(&x).expect_err("does not fit").to_string();
    assert_eq!(error, "layer \"features\" (Sequential): expects an input of shape (None, 4, 4, 1), got (None, 4, 4, 3)");
    let input = InputLayer::new([2]).input();
    let (a, b) = (Dense::new(1).call(&input).expect("applies"), Dense::new(2).call(&input).expect("applies"));
    let two = Model::new("two", &[&input], &[&a, &b], 1).expect("builds");
    let error = two.submodel().call(&InputLayer::new([2]).input()).expect_err("two outputs").to_string();
    assert_eq!(error, "layer \"two\" (Functional): has 2 outputs; a model in another one has one");
    let twice =
        Sequential::new().add(InputLayer::new([4, 4, 1])).add(features().submodel()).add(Dense::new(1).name("features/dense"));
    assert!(twice.build(1).expect_err("two of a name").to_string().contains("two layers are named \"features/dense\""));
}

#[test]
fn the_summary_shows_a_submodel_as_one_layer() {
    let summary = classifier(&features(), true).summary();
    assert!(summary.contains("│ features (Sequential)           │ (None, 3)              │           123 │"), "{summary}");
    assert!(!summary.contains("features/"), "{summary}");
}

#[test]
fn calls_that_double_at_each_level_are_refused() {
    let input = || InputLayer::new([2]).input();
    let mut model = Sequential::new().name("level").add(InputLayer::new([2])).add(Dense::new(2)).graph().expect("builds");
    for _ in 0..30 {
        let x = input();
        let shared = Submodel::new(model).shared();
        let once = apply(&shared, &[&x]).expect("applies");
        let twice = apply(&shared, &[&once]).expect("applies");
        model = Graph::between("level", &[&x], &[&twice]).expect("builds");
    }
    let error = Model::from_graph(model, 1).expect_err("2³⁰ calls").to_string();
    assert!(error.contains("more than 65536 calls of layers"), "{error}");
}
