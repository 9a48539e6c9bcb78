//! Explicit options win or are refused; nothing that a user says is ignored.

mod common;

use common::{Place, digit_picture, events, lines};

/// A small run of `tiny-cnn`.
fn small_run(place: &Place, out: &str) {
    place.ok(&["train", "tiny-cnn", "--limit", "96", "--epochs", "1", "--quiet", "--out", out]);
}

fn config(place: &Place, run: &str) -> String {
    std::fs::read_to_string(place.path(run).join("config.toml")).unwrap()
}

/// Ends with 2 and a message that has all parts.
fn refused(place: &Place, arguments: &[&str], parts: &[&str]) {
    let err = place.misused(arguments);
    parts.iter().for_each(|part| assert!(err.contains(part), "{arguments:?} lacks {part}: {err}"));
}

#[test]
fn the_learning_rate_wins_over_that_of_the_weights() {
    let place = Place::new();
    small_run(&place, "run");
    let rate = |arguments: &[&str]| {
        let common = ["train", "tiny-cnn", "--weights", "run/model.keras", "--limit", "96", "--epochs", "1", "--json", "--quiet"];
        let out = lines(&place.ok(&[&common[..], arguments].concat()));
        events(&out, "epoch")[0]["learning_rate"].as_f64().unwrap()
    };
    assert_eq!(rate(&["--out", "a"]) as f32, 0.001);
    assert_eq!(rate(&["--learning-rate", "0.0625", "--out", "b"]), 0.0625);
    // The same anew, by its config.toml.
    place.ok(&["train", "b/config.toml", "--quiet", "--out", "c"]);
    assert_eq!(place.weights("b"), place.weights("c"));
}

#[test]
fn a_config_trains_the_same_anew() {
    let place = Place::new();
    let options = ["--seed", "9", "--limit", "96", "--epochs", "2", "--batch-size", "16", "--precision", "mixed_bfloat16"];
    let start = ["train", "tiny-cnn", "--dataset", "builtin", "--quiet", "--out", "run"];
    place.ok(&[&start[..], &options].concat());
    let ran = place.run(&["train", "run/config.toml", "--out", "again"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("run/config.toml records --seed 9 --dataset builtin --limit 96"), "{}", ran.err);
    assert_eq!(place.weights("run"), place.weights("again"));
    // What the command line says wins.
    place.ok(&["train", "run/config.toml", "--limit", "64", "--dataset", "mnist", "--quiet", "--out", "other"]);
    assert!(config(&place, "other").contains("limit = 64") && config(&place, "other").contains("dataset = \"mnist\""));
    // An ensemble is one again.
    place.ok(&["train", "tiny-cnn", "--limit", "96", "--epochs", "1", "--ensemble", "2", "--quiet", "--out", "e"]);
    place.ok(&["train", "e/config.toml", "--quiet", "--out", "f"]);
    assert_eq!(place.weights("e"), place.weights("f"));
    refused(&place, &["train", "e/config.toml", "--weights", "run/model.keras"], &["--ensemble", "--weights"]);
}

#[test]
fn only_mnist_falls_back_to_drawn_digits() {
    let place = Place::new();
    let text = place.ok(&["recipes", "show", "tiny-cnn"]);
    let named = |name: &str| {
        std::fs::write(place.path("mine.toml"), text.replace("dataset = \"mnist\"", &format!("dataset = \"{name}\""))).unwrap();
    };
    named("mnits");
    for arguments in [&["train", "mine.toml"][..], &["train", "tiny-cnn", "--dataset", "mnits"], &["bench", "mine.toml"]] {
        let err = place.fails(arguments);
        for part in ["mnits: not found", "Did you mean mnist?", "mnist, fashion-mnist, builtin"] {
            assert!(err.contains(part), "{arguments:?} lacks {part}: {err}");
        }
    }
    named("fashion-mnist");
    assert!(place.fails(&["train", "mine.toml"]).contains("fashion-mnist"));
    std::fs::remove_dir_all(place.path("data")).unwrap();
    let ran = place.run(&["train", "tiny-cnn", "--limit", "96", "--epochs", "1"]);
    assert!(ran.code == 0 && ran.err.contains("uses the built-in digits"), "{}", ran.err);
}

#[test]
fn paths_in_a_recipe_are_relative_to_it() {
    let place = Place::new();
    std::fs::create_dir(place.path("mine")).unwrap();
    std::fs::rename(place.path("data/mnist"), place.path("mine/digits")).unwrap();
    let text = place.ok(&["recipes", "show", "tiny-cnn"]).replace("dataset = \"mnist\"", "dataset = \"digits/\"");
    std::fs::write(place.path("mine/mine.toml"), text).unwrap();
    place.ok(&["train", "mine/mine.toml", "--limit", "96", "--epochs", "1", "--quiet", "--out", "run"]);
    let absolute = place.path("mine/digits").display().to_string();
    assert_eq!(config(&place, "run").matches(&absolute).count(), 3, "{}", config(&place, "run"));
    // And so the run goes on from anywhere.
    let run = place.path("run").display().to_string();
    let arguments = ["train", "--resume", "--epochs", "2", "--quiet", "--out", &run];
    let output = place.command(&arguments).current_dir(place.path("mine")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // On the command line a path is relative to the working directory.
    place.ok(&["train", "mine/mine.toml", "--dataset", "mine/digits", "--limit", "96", "--epochs", "1", "-q", "--out", "other"]);
}

#[test]
fn a_model_is_an_argument_or_an_option() {
    let place = Place::new();
    small_run(&place, "run");
    let same = |by_argument: &[&str], by_option: &[&str]| {
        let (a, b) = (place.ok(by_argument), place.ok(by_option));
        assert_eq!(a, b, "{by_option:?}");
    };
    same(&["evaluate", "run"], &["evaluate", "--model", "run"]);
    same(&["summary", "run"], &["summary", "--model", "run"]);
    // As the page and the README have it.
    place.ok(&["evaluate", "--model", "run", "--report", "run/report"]);
    assert!(place.path("run/report/report.json").is_file());
    same(
        &["export", "run", "--to", "onnx", "--out", "a.onnx", "--force"],
        &["export", "--model", "run", "--to", "onnx", "--out", "a.onnx", "--force"],
    );
    same(
        &["calibrate", "run", "--dataset", "mnist", "--out", "a.keras", "--force"],
        &["calibrate", "-m", "run", "--dataset", "mnist", "--out", "a.keras", "--force"],
    );
    std::fs::create_dir_all(place.path("own/3")).unwrap();
    digit_picture(1, 3, 4, true).0.save(place.path("own/3/a.png")).unwrap();
    let tune = ["--replay", "mnist", "--steps", "1", "--hold-out", "0", "--force", "--json"];
    let ran = place.run(&[&["finetune", "--model", "run", "own", "--out", "tuned.keras"][..], &tune].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("run/model.keras"), "{}", ran.out);
    for both in [
        &["evaluate", "run", "--model", "run"][..],
        &["export", "run", "--model", "run", "--to", "onnx"],
        &["calibrate", "run", "--model", "run", "--out", "b.keras"],
        &["summary", "run", "--model", "run"],
        &["finetune", "run", "own", "--model", "run"],
    ] {
        refused(&place, both, &["--model"]);
    }
    for neither in [&["summary"][..], &["calibrate", "--out", "b.keras"], &["export", "--to", "onnx"]] {
        refused(&place, neither, &["MODEL"]);
    }
    // A model among the pictures.
    refused(&place, &["predict", "run/model.keras"], &["--model run/model.keras"]);
    refused(&place, &["predict", "run", "a.png"], &["--model run"]);
}

#[test]
fn what_a_run_that_goes_on_cannot_use_is_refused() {
    let place = Place::new();
    let text = place.ok(&["recipes", "show", "softmax"]);
    std::fs::write(place.path("steps.toml"), &text).unwrap();
    place.ok(&["train", "steps.toml", "--steps", "10", "--quiet", "--out", "steps"]);
    small_run(&place, "run");
    let fails = |arguments: &[&str], parts: &[&str]| {
        let err = place.fails(arguments);
        parts.iter().for_each(|part| assert!(err.contains(part), "{arguments:?} lacks {part}: {err}"));
    };
    fails(&["train", "--steps", "20", "--out", "steps", "--weights", "run/model.keras"], &["--weights", "new weights"]);
    fails(&["train", "--resume", "--epochs", "2", "--out", "steps"], &["--epochs 2 contradicts", "steps"]);
    fails(&["train", "--resume", "--steps", "20", "--out", "run"], &["--steps 20 contradicts", "epochs"]);
    fails(&["train", "--resume", "--limit", "95", "--out", "run"], &["--limit 95 contradicts", "96"]);
    fails(&["train", "--resume", "--batch-size", "8", "--out", "run"], &["--batch-size contradicts"]);
    // More steps are recorded.
    place.ok(&["train", "--steps", "20", "--quiet", "--out", "steps"]);
    assert!(config(&place, "steps").contains("steps = 20"));
    // A recipe that is named again and has changed.
    std::fs::write(
        place.path("steps.toml"),
        text.replace("batch_size", "log_every = 7\nbatch_size").replace("log_every = 100", ""),
    )
    .unwrap();
    fails(&["train", "steps.toml", "--steps", "30", "--out", "steps"], &["steps.toml", "training differs"]);
    // Weights that have done all the steps.
    let weights = ["train", "softmax", "--weights", "steps/model.keras", "--steps", "15"];
    fails(&weights, &["trained for 20 steps already", "larger --steps"]);
}

#[test]
fn options_that_have_no_effect_are_refused() {
    let place = Place::new();
    small_run(&place, "run");
    digit_picture(1, 3, 4, true).0.save(place.path("a.png")).unwrap();
    std::fs::create_dir_all(place.path("own/3")).unwrap();
    std::fs::copy(place.path("a.png"), place.path("own/3/a.png")).unwrap();
    for (arguments, parts) in [
        (&["train", "--dataset", "builtin", "--data-dir", "data"][..], &["--data-dir", "builtin"][..]),
        (&["train", "--dataset", "own", "--data-dir", "data"], &["--data-dir", "own"]),
        (&["evaluate", "run", "--dataset", "builtin", "--data-dir", "data"], &["--data-dir", "builtin"]),
        (&["data", "info", "builtin", "--data-dir", "data"], &["--data-dir", "builtin"]),
        (&["evaluate", "run", "--layout", "single"], &["--layout", "--photos"]),
        (&["evaluate", "run", "--preprocess", "none"], &["--preprocess", "--photos"]),
        (&["evaluate", "--photos", "own", "--data-dir", "data"], &["--data-dir", "--photos"]),
        (&["evaluate", "--non-digits", "own", "--split", "train"], &["--split", "--non-digits"]),
        (&["evaluate", "--non-digits", "own", "--data-dir", "data"], &["--data-dir", "own"]),
        (&["predict", "--network", "tiny-cnn", "a.png"], &["--network", "--model"]),
        (&["evaluate", "--network", "tiny-cnn"], &["--network", "--model"]),
        (&["predict", "--scale", "1", "a.png"], &["--scale", "model in the box"]),
        (&["predict", "--csv", "-", "--json", "a.png"], &["--csv -", "--json"]),
        (&["predict", "--csv", "-", "--top", "3", "a.png"], &["--top 3", "--csv -"]),
        (&["finetune", "run", "own", "--layout", "line"], &["--layout", "folder"]),
        (&["summary", "tiny-cnn", "--network", "tiny-cnn"], &["--network", "tiny-cnn"]),
    ] {
        refused(&place, arguments, parts);
    }
}
