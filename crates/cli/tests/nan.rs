//! NaN anywhere ends with a sentence and exit code 1, and no good model is replaced.

mod common;

use common::{Place, digit_picture};
use maobi_formats::keras;
use std::path::PathBuf;

/// Two dense layers and no validation.
const RECIPE: &str = r#"
name = "mine"
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 16
activation = "relu"
[[layers]]
type = "Dense"
units = 10
activation = "softmax"
[training]
optimizer = { type = "SGD", learning_rate = 0.1 }
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
batch_size = 100
"#;

/// A place with that recipe, ending in `more`, as mine.toml.
fn place(more: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.path("mine.toml"), format!("{RECIPE}{more}")).unwrap();
    place
}

/// A copy of the model in `run` with a weight that is NaN.
fn spoilt(place: &Place, run: &str) -> PathBuf {
    let loaded = keras::load(&place.path(run).join("model.keras"), 0).unwrap();
    let mut model = loaded.model;
    let bias = model.weights().iter().rposition(|weight| weight.name == "bias").unwrap();
    model.weights_mut()[bias].values_mut()[2] = f32::NAN;
    let extras: Vec<(&str, &[u8])> = loaded.extras.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    keras::save_with(&model, &place.path("bad.keras"), &extras).unwrap();
    place.path("bad.keras")
}

fn bytes(place: &Place, file: &str) -> Vec<u8> {
    std::fs::read(place.path(file)).unwrap()
}

#[test]
fn the_last_step_of_a_run_by_steps_does_not_replace_the_model() {
    let rates = r#"optimizer = { type = "SGD", learning_rate = { type = "PiecewiseConstantDecay", boundaries = [3], values = [1e-6, 3e38] } }"#;
    let place = place("");
    let hidden = "[[layers]]\ntype = \"Dense\"\nunits = 16\nactivation = \"relu\"\n";
    let text = RECIPE
        .replace(hidden, "")
        .replace("optimizer = { type = \"SGD\", learning_rate = 0.1 }", rates)
        .replace("[training]", "[data]\nscale = 1\n[training]");
    std::fs::write(place.path("mine.toml"), text).unwrap();
    place.ok(&["train", "mine.toml", "--steps", "4", "-q", "--out", "run"]);
    let good = bytes(&place, "run/model.keras");
    let err = place.fails(&["train", "mine.toml", "--steps", "5", "-q", "--out", "run"]);
    for part in ["weight kernel of layer \"dense", " holds ", "at step 5 (epoch 1)", "Lower the learning rate (it is 3e38)"] {
        assert!(err.contains(part), "{part}: {err}");
    }
    assert!(bytes(&place, "run/model.keras") == good);
}

#[test]
fn a_test_that_gives_nan_is_no_success() {
    // One step: its loss is a number and so are the weights after it, but what they give is not.
    let place = place("epochs = 1");
    let err = place.fails(&["train", "mine.toml", "--limit", "100", "--learning-rate", "1e25", "-q", "--out", "run"]);
    assert!(err.contains("the loss on the test set is ") && err.contains("--learning-rate"), "{err}");
    assert!(!place.path("run/model.keras").exists() && place.path("run/backup/backup.keras").is_file());
}

#[test]
fn validation_and_terminate_on_nan_end_a_run_with_the_sentence() {
    let place = place(
        "epochs = 3\n[[callbacks]]\ntype = \"TerminateOnNaN\"\n[[callbacks]]\ntype = \"ModelCheckpoint\"\nfilepath = \"{epoch}.keras\"",
    );
    let train = |limit: &str, rate: &str, out: &str| {
        place.fails(&["train", "mine.toml", "--limit", limit, "--learning-rate", rate, "-q", "--out", out])
    };
    let err = train("500", "1e25", "run");
    assert!(err.contains("the loss is ") && err.contains("(epoch 1)") && !err.contains("kept"), "{err}");
    assert!(!place.path("run/model.keras").exists() && !place.path("run/1.keras").exists());
    let text = format!("{RECIPE}epochs = 3").replace("[training]", "[data]\nvalidation = { tail = 0.5 }\n[training]");
    std::fs::write(place.path("mine.toml"), text).unwrap();
    let err = train("100", "1e25", "other");
    assert!(err.contains("val_loss is ") && err.contains(" at step 1 (epoch 1): training has diverged"), "{err}");
    assert!(!err.contains("kept") && !place.path("other/model.keras").exists());
}

#[test]
fn a_model_with_nan_is_refused_wherever_it_is_used() {
    let place = place("epochs = 1\n[data]\nvalidation = { tail = 0.1 }");
    place.ok(&["train", "mine.toml", "-q", "--out", "run"]);
    spoilt(&place, "run");
    for class in 0..10u64 {
        std::fs::create_dir_all(place.path(&format!("own/{class}"))).unwrap();
        let index = (0..).find(|&index| digit_picture(1, index, 1, true).1 == class).unwrap();
        digit_picture(1, index, 4, true).0.save(place.path(&format!("own/{class}/a.png"))).unwrap();
    }
    let cases: [&[&str]; 6] = [
        &["evaluate", "bad.keras"],
        &["predict", "--model", "bad.keras", "own/1/a.png"],
        &["calibrate", "bad.keras", "--out", "new.keras"],
        &["finetune", "bad.keras", "own", "--out", "new.keras", "--force"],
        &["train", "mine.toml", "--weights", "bad.keras", "--out", "new"],
        &["serve", "bad.keras", "--addr", "127.0.0.1:0"],
    ];
    for arguments in cases {
        let err = place.fails(arguments);
        let sentence = "bad.keras: weight bias of layer \"dense_1\" holds NaN (value 3 of 10): its training has diverged";
        assert!(err.contains(sentence), "{arguments:?}: {err}");
        assert!(!place.path("new.keras").exists() && !place.path("new").exists(), "{arguments:?}");
    }
    let ran = place.run(&["export", "bad.keras", "--to", "onnx", "--out", "bad.onnx"]);
    assert_eq!((ran.code, place.path("bad.onnx").is_file()), (0, true), "{}", ran.err);
    assert!(ran.err.contains("warning: bad.keras: weight bias of layer \"dense_1\" holds NaN (value 3 of 10)"), "{}", ran.err);
    place.ok(&["summary", "bad.keras"]);
    // Finite weights whose answers are not: the figures say so instead of counting NaN as an answer.
    let huge = ["--scale", "1e38"];
    let run = |arguments: &[&str]| place.fails(&[arguments, &huge[..]].concat());
    assert!(run(&["evaluate", "run"]).contains("its loss on mnist test is "), "{}", run(&["evaluate", "run"]));
    assert!(
        run(&["predict", "--model", "run", "own/1/a.png"])
            .contains("own/1/a.png: the network's outputs for this picture are NaN or infinite")
    );
    let err = run(&["finetune", "run", "own", "--out", "new.keras", "--force"]);
    assert!(err.contains("outputs for this picture are NaN or infinite") && !place.path("new.keras").exists(), "{err}");
}

#[test]
fn an_ensemble_with_a_member_of_nan_is_not_made() {
    let place = place("epochs = 1");
    let arguments = ["train", "mine.toml", "--ensemble", "2", "--limit", "200", "-q", "--out", "both"];
    place.ok(&arguments);
    let good = bytes(&place, "both/model.keras");
    std::fs::rename(spoilt(&place, "both/member-2"), place.path("both/member-2/model.keras")).unwrap();
    let err = place.fails(&arguments);
    assert!(err.contains("member-2/model.keras: weight bias of layer \"dense_1\" holds NaN"), "{err}");
    assert!(bytes(&place, "both/model.keras") == good);
}

#[test]
fn a_run_goes_on_from_an_older_checkpoint_when_the_newest_is_nan() {
    let place =
        place("steps = 4\n[[callbacks]]\ntype = \"ModelCheckpoint\"\nfilepath = \"checkpoints/{step}.keras\"\nsave_freq = 2");
    place.ok(&["train", "mine.toml", "-q", "--out", "run"]);
    std::fs::rename(spoilt(&place, "run"), place.path("run/model.keras")).unwrap();
    std::fs::copy(place.path("run/model.keras"), place.path("run/checkpoints/4.keras")).unwrap();
    // As earlier releases left it: checkpoints and nothing else.
    std::fs::remove_file(place.path("run/training.json")).unwrap();
    let ran = place.run(&["train", "mine.toml", "--steps", "4", "--out", "run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("holds NaN") && ran.err.contains("going on from run/checkpoints/2.keras at step 2"), "{}", ran.err);
    place.ok(&["evaluate", "run"]);
}

#[test]
fn data_and_network_have_as_many_classes_however_labels_are_written() {
    let place = place("");
    for class in ["ant", "bee", "cat"] {
        std::fs::create_dir_all(place.path(&format!("own/{class}"))).unwrap();
        for index in 0..5 {
            digit_picture(2, index, 1, false).0.save(place.path(&format!("own/{class}/{index}.png"))).unwrap();
        }
    }
    let one_hot = RECIPE
        .replace("sparse_categorical_crossentropy", "categorical_crossentropy")
        .replace("[training]", "[data]\nlabels = \"one-hot\"\n[training]");
    for text in [RECIPE.to_owned(), one_hot.clone()] {
        std::fs::write(place.path("mine.toml"), format!("{text}epochs = 1")).unwrap();
        let err = place.fails(&["train", "mine.toml", "--dataset", "own", "-q", "--out", "run"]);
        assert!(err.contains("own has 3 classes, the network 10 outputs. Set units = 3"), "{err}");
        assert!(!place.path("run/model.keras").exists());
        // A trained network is not measured on, or adapted to, classes that are not its own.
        let run = format!("of-{}", text.len());
        place.ok(&["train", "mine.toml", "--limit", "100", "-q", "--out", &run]);
        let err = place.fails(&["evaluate", &run, "--dataset", "own"]);
        assert!(err.contains("own test has 3 classes (ant, bee, cat), the network 10 outputs (0, 1, 2"), "{err}");
        let err = place.fails(&["calibrate", &run, "--dataset", "own", "--out", "x.keras"]);
        assert!(err.contains("has 3 classes") && !place.path("x.keras").exists(), "{err}");
        let err = place.fails(&["finetune", &run, "own", "--replay", "own", "--out", "x.keras"]);
        assert!(err.contains("own") && !place.path("x.keras").exists(), "{err}");
    }
    // Only the training images hold the class `none`, but every one-hot row has its column.
    let text = one_hot.replace("units = 10", "units = 11").replace("[data]", "[data]\nnon_digits = 50\nvalidation = \"test\"");
    std::fs::write(place.path("mine.toml"), format!("{text}epochs = 1")).unwrap();
    place.ok(&["train", "mine.toml", "--limit", "300", "-q", "--out", "none"]);
    assert!(place.ok(&["evaluate", "none"]).contains("loss "));
}
