//! Help texts, exit codes, and what goes wrong.

mod common;

use common::Place;
use std::io::Read;
use std::process::Stdio;

#[test]
fn help_names_every_flag_and_shows_examples() {
    let place = Place::new();
    let flags: [(&[&str], &[&str]); 13] = [
        (&[], &["train", "evaluate", "predict", "summary", "recipes", "data", "self-test", "completions", "MAOBI_DATA_DIR"]),
        (
            &["train"],
            &[
                "--dataset",
                "--data-dir",
                "--out",
                "--epochs",
                "--steps",
                "--batch-size",
                "--learning-rate",
                "--seed",
                "--threads",
                "--limit",
                "--resume",
                "--json",
                "--quiet",
                "tf2-cnn",
            ],
        ),
        (
            &["evaluate"],
            &[
                "--dataset",
                "--photos",
                "--non-digits",
                "--data-dir",
                "--split",
                "--report",
                "--layout",
                "--scale",
                "--offset",
                "--json",
            ],
        ),
        (&["finetune"], &["[MODEL] <DIR|FILE.csv>", "--out", "--replay", "--hold-out", "--steps", "--seed", "--force", "--json"]),
        (
            &["predict"],
            &[
                "--model",
                "--preprocess",
                "--layout",
                "--top",
                "--scale",
                "--offset",
                "--json",
                "--csv",
                "--explain",
                "auto",
                "invert",
                "threshold",
            ],
        ),
        (&["summary"], &["RECIPE|MODEL"]),
        (&["recipes"], &["show"]),
        (&["data"], &["list", "download", "info", "preview"]),
        (&["data", "preview"], &["--out", "--count", "--split", "--data-dir"]),
        (&["data", "info"], &["--data-dir", "--json"]),
        (&["bench"], &["--samples", "--epochs", "--threads", "--precision", "--data-dir", "--json"]),
        (&["self-test"], &["--json"]),
        (&["completions"], &["bash", "zsh", "fish"]),
    ];
    for (command, parts) in flags {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = place.ok(&arguments);
        for part in parts.iter().chain(&["Examples:", "Exit codes: 0 "]) {
            assert!(help.contains(part), "{command:?} lacks {part}:\n{help}");
        }
    }
    assert!(place.ok(&["--version"]).starts_with("maobi 0."));
}

#[test]
fn wrong_usage_is_2() {
    let place = Place::new();
    let cases: [&[&str]; 11] = [
        &["train", "--epochs", "0"],
        &["train", "--epochs", "1", "--steps", "1"],
        &["train", "--learning-rate", "0"],
        &["train", "--learning-rate", "nan"],
        &["train", "--batch-size", "0"],
        &["train", "--threads", "0"],
        &["train", "--limit", "-1"],
        &["predict", "--model", "x"],
        &["predict", "--model", "x", "a.png", "--preprocess", "magic"],
        &["finetune"],
        &["frobnicate"],
    ];
    for arguments in cases {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let place = Place::new();
    let fails = |arguments: &[&str], parts: &[&str]| {
        let err = place.fails(arguments);
        for part in parts {
            assert!(err.contains(part), "{arguments:?} lacks {part}: {err}");
        }
    };
    fails(&["train", "nope"], &["no such recipe", "tf2-cnn", ".toml"]);
    fails(&["train", "none.toml"], &["none.toml"]);
    fails(&["train", "--dataset", "none"], &["none: not found", "builtin"]);
    fails(&["evaluate", "none"], &["no such model file", "maobi train"]);
    fails(&["summary", "none"], &["none"]);
    fails(&["recipes", "show", "none"], &["tf2-cnn"]);
    fails(&["data", "download", "builtin"], &["needs no download"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    fails(&["evaluate", "empty"], &["neither model.keras nor a checkpoint"]);
    fails(&["train", "--dataset", "empty"], &["empty"]);
    std::fs::write(place.path("notes.txt"), "hello").unwrap();
    fails(&["evaluate", "notes.txt"], &["is no model file", ".keras"]);
    fails(&["train", "--dataset", "notes.txt"], &["notes.txt"]);
    std::fs::write(place.path("x.keras"), "hello").unwrap();
    fails(&["predict", "--model", "x.keras", "a.png"], &["x.keras"]);
    fails(&["train", "--out", "notes.txt"], &["notes.txt"]);
    // A recipe with a slip in it.
    let text = place.ok(&["recipes", "show", "tiny-cnn"]);
    let mine = |from: &str, to: &str| std::fs::write(place.path("mine.toml"), text.replace(from, to)).unwrap();
    mine("\"accuracy\"", "\"acuracy\"");
    fails(&["train", "mine.toml"], &["acuracy", "known"]);
    mine("28, 28, 1", "32, 32, 3");
    fails(&["train", "mine.toml"], &["28 × 28 × 1", "32 × 32 × 3", "input_shape = [28, 28, 1]"]);
    mine("units = 10", "units = 7");
    fails(&["train", "mine.toml"], &["10 classes", "7 outputs", "units = 10"]);
    mine("validation = \"test\"", "validation = { head = 5000 }");
    fails(&["train", "mine.toml"], &["5,000", "1,200", "head = 120"]);
    mine("Conv2D", "Conv2Dd");
    fails(&["train", "mine.toml"], &["Conv2Dd"]);
    // A loss that diverges.
    fails(&["train", "tiny-cnn", "--learning-rate", "1e30", "--out", "nan"], &["loss is", "learning rate"]);
    // Labels out of range, and a data file cut short.
    let labels = place.path("data/mnist/train-labels-idx1-ubyte");
    let mut bytes = std::fs::read(&labels).unwrap();
    bytes[8] = 200;
    std::fs::write(&labels, &bytes).unwrap();
    fails(&["train", "tiny-cnn"], &["train-labels", "200"]);
    std::fs::write(&labels, &bytes[..bytes.len() - 10]).unwrap();
    fails(&["train", "tiny-cnn"], &["train-labels", "cut short"]);
}

#[test]
fn unscaled_and_inverted_pixels_are_warned_of() {
    let place = Place::new();
    let text = place.ok(&["recipes", "show", "tiny-cnn"]);
    std::fs::write(place.path("raw.toml"), text.replace("scale = \"1/255\"", "scale = 1").replace("offset = -0.5", "offset = 0"))
        .unwrap();
    let images = place.path("data/mnist/train-images-idx3-ubyte");
    let mut bytes = std::fs::read(&images).unwrap();
    bytes[16..].iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    std::fs::write(&images, bytes).unwrap();
    let ran = place.run(&["train", "raw.toml", "--limit", "64", "--epochs", "1", "-q"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("pixels from 0 to 255") && ran.err.contains("looks inverted"), "{}", ran.err);
}

#[test]
fn a_model_file_cut_short_is_refused() {
    let place = Place::new();
    place.ok(&["train", "tiny-cnn", "--limit", "64", "--epochs", "1", "-q", "--out", "run"]);
    let bytes = std::fs::read(place.path("run/model.keras")).unwrap();
    for share in [1, 3, 7] {
        std::fs::write(place.path("cut.keras"), &bytes[..bytes.len() * share / 8]).unwrap();
        assert!(place.fails(&["evaluate", "cut.keras"]).contains("cut.keras"));
    }
    assert!(place.ok(&["summary", "run"]).contains("Conv2D"));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let place = Place::new();
    let mut child =
        place.command(&["recipes", "show", "deep-cnn"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn data_is_listed_shown_and_drawn() {
    let place = Place::new();
    let list = place.ok(&["data", "list"]);
    assert!(
        list.contains("(MAOBI_DATA_DIR)") && list.contains("maobi data download fashion-mnist") && list.contains("always there")
    );
    let info = place.ok(&["data", "info", "mnist"]);
    assert!(info.contains("train: 1,200 images of 28 × 28 × 1") && info.contains("test: 300"), "{info}");
    place.ok(&["data", "preview", "mnist", "--count", "12", "--out", "sheet.png"]);
    assert!(image::open(place.path("sheet.png")).is_ok());
    assert!(place.ok(&["completions", "bash"]).contains("maobi"));
    assert!(place.ok(&["recipes"]).contains("mnist-convnet"));
}
