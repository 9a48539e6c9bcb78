//! Run folders: one writer, no leftovers, starting anew, going further.

mod common;

use common::{Place, events, lines};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};

/// Files of a folder, hidden ones too, in order.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A run that goes on until it is killed, past its first epoch.
fn long_run(place: &Place, out: &str) -> Child {
    let arguments = ["train", "tiny-cnn", "--limit", "320", "--epochs", "1000000", "--json", "--quiet", "--out", out];
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("\"event\":\"epoch\""), "{line}");
    // Kept open and read, so that the run does not wait for anybody.
    std::thread::spawn(move || stdout.into_inner().read_to_end(&mut Vec::new()));
    child
}

/// A recipe with these lines changed, as `NAME.toml`.
fn recipe(place: &Place, name: &str, from: &str, to: &str) {
    let text = place.ok(&["recipes", "show", "tiny-cnn"]);
    assert!(text.contains(from), "{from}");
    std::fs::write(place.path(name), text.replace(from, to)).unwrap();
}

#[test]
fn a_second_run_in_the_folder_is_refused_until_the_first_is_gone() {
    let place = Place::new();
    let mut child = long_run(&place, "run");
    let process = format!("process {}", child.id());
    for arguments in [
        &["train", "--resume", "--out", "run"][..],
        &["train", "tiny-cnn", "--out", "run", "--overwrite"],
        &["train", "tiny-cnn", "--out", "run"],
    ] {
        let err = place.fails(arguments);
        assert!(err.contains(&process) && err.contains("is training in this folder, since ") && err.contains("--out"), "{err}");
    }
    // What only reads needs no lock.
    place.ok(&["summary", "run/config.toml"]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(place.path("run/.lock").is_file());
    // Temporary files of the killed process, and others that are none of the run's business.
    let temporary = ["run/.model.keras.1-0.tmp", "run/backup/.backup.keras.0123456789abcdef.tmp"];
    let others = ["run/.mine.keras.1-0.tmp", "run/.tmp"];
    for name in temporary.iter().chain(&others) {
        std::fs::write(place.path(name), "x").unwrap();
    }
    let epochs: usize = std::fs::read_to_string(place.path("run/history.csv")).unwrap().lines().count();
    let ran = place.run(&["train", "--resume", "--out", "run", "--epochs", &(epochs + 2).to_string()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains(&format!("taken over from {process}")) && ran.err.contains("killed"), "{}", ran.err);
    assert_eq!(
        names(&place.path("run")),
        [".mine.keras.1-0.tmp", ".tmp", "cnn.h5", "config.toml", "curves.png", "history.csv", "model.keras", "training.json"]
    );
}

#[test]
fn a_start_that_fails_leaves_nothing_behind() {
    let place = Place::new();
    recipe(&place, "callback.toml", "[training]", "[[callbacks]]\ntype = \"EarlyStop\"\n\n[training]");
    recipe(&place, "monitor.toml", "[training]", "[[callbacks]]\ntype = \"EarlyStopping\"\nmonitor = \"val_f1\"\n\n[training]");
    recipe(&place, "classes.toml", "units = 10", "units = 7");
    std::fs::write(place.path("bad.keras"), "hello").unwrap();
    std::fs::create_dir(place.path("empty")).unwrap();
    let before = names(place.dir.path());
    for start in [
        &["train", "tiny-cnn", "--weights", "bad.keras"][..],
        &["train", "tiny-cnn", "--weights", "none.keras"],
        &["train", "tiny-cnn", "--dataset", "none"],
        &["train", "callback.toml"],
        &["train", "monitor.toml"],
        &["train", "classes.toml"],
        &["train", "monitor.toml", "--ensemble", "2"],
        &["train", "monitor.toml", "--resume"],
    ] {
        if !start.contains(&"--resume") {
            place.fails(start);
        }
        for out in ["new/run", "empty"] {
            place.fails(&[start, &["--out", out]].concat());
        }
        assert_eq!(names(place.dir.path()), before, "{start:?}");
        assert_eq!(names(&place.path("empty")), [""; 0], "{start:?}");
    }
}

#[test]
fn overwrite_starts_anew_and_removes_only_what_the_run_wrote() {
    let place = Place::new();
    recipe(&place, "old.toml", "[training]", "[[callbacks]]\ntype = \"CSVLogger\"\nfilename = \"log/old.csv\"\n\n[training]");
    let small = ["--limit", "320", "--epochs", "2", "--quiet", "--out", "run"];
    place.ok(&[&["train", "old.toml"][..], &small].concat());
    assert!(place.path("run/log/old.csv").is_file());
    std::fs::write(place.path("run/notes.txt"), "mine").unwrap();
    std::fs::write(place.path("run/log/notes.txt"), "mine").unwrap();
    let err = place.fails(&[&["train", "tiny-cnn"][..], &small].concat());
    assert!(err.contains("--resume --out run") && err.contains("--overwrite"), "{err}");
    // While the new run cannot start, the old one stays as it is.
    let old = (names(&place.path("run")), place.weights("run"));
    recipe(&place, "monitor.toml", "[training]", "[[callbacks]]\ntype = \"EarlyStopping\"\nmonitor = \"val_f1\"\n\n[training]");
    for bad in [&["train", "monitor.toml"][..], &["train", "tiny-cnn", "--weights", "none.keras"]] {
        place.fails(&[bad, &small, &["--overwrite"]].concat());
        assert_eq!((names(&place.path("run")), place.weights("run")), old);
        assert!(place.path("run/log/old.csv").is_file());
    }
    let ran = place.run(&[&["train", "tiny-cnn", "--seed", "5", "--overwrite"][..], &small].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    place.ok(&["train", "tiny-cnn", "--seed", "5", "--limit", "320", "--epochs", "2", "--quiet", "--out", "new"]);
    assert_eq!(place.weights("run"), place.weights("new"));
    assert_eq!(names(&place.path("run/log")), ["notes.txt"]);
    assert_eq!(
        names(&place.path("run")),
        ["cnn.h5", "config.toml", "curves.png", "history.csv", "log", "model.keras", "notes.txt", "training.json"]
    );
    // A folder with a model that is not a run's is left alone.
    std::fs::create_dir(place.path("other")).unwrap();
    std::fs::write(place.path("other/model.keras"), "mine").unwrap();
    for flags in [&["--quiet"][..], &["--overwrite"], &["--resume"]] {
        let err = place.fails(&[&["train", "tiny-cnn", "--out", "other"][..], flags].concat());
        assert!(err.contains("no config.toml"), "{err}");
    }
    assert_eq!(std::fs::read_to_string(place.path("other/model.keras")).unwrap(), "mine");
    // Wrong usage.
    assert_eq!(place.run(&["train", "--overwrite"]).code, 2);
    assert_eq!(place.run(&["train", "--overwrite", "--resume", "--out", "run"]).code, 2);
}

#[test]
fn an_ensemble_is_overwritten_with_its_members() {
    let place = Place::new();
    let small = ["train", "tiny-cnn", "--limit", "96", "--quiet", "--out", "e"];
    place.ok(&[&small[..], &["--ensemble", "3", "--epochs", "1"]].concat());
    place.ok(&[&small[..], &["--ensemble", "2", "--epochs", "1", "--seed", "7", "--overwrite"]].concat());
    assert!(!place.path("e/member-3").exists());
    assert!(std::fs::read_to_string(place.path("e/member-1/config.toml")).unwrap().contains("seed = 7"));
    // Called again, it goes on: here to more epochs. Other options contradict it.
    assert!(place.fails(&[&small[..], &["--ensemble", "2", "--seed", "8"]].concat()).contains("--seed 8 contradicts"));
    place.ok(&[&small[..], &["--ensemble", "2", "--epochs", "2"]].concat());
    let history = std::fs::read_to_string(place.path("e/member-2/history.csv")).unwrap();
    assert_eq!(history.lines().count(), 3, "{history}");
}

#[test]
fn resume_starts_a_run_where_there_is_none() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    for out in ["empty", "missing"] {
        let arguments = ["train", "tiny-cnn", "--limit", "96", "--epochs", "1", "--resume", "--out", out];
        let ran = place.run(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains(&format!("{out}: holds no run yet, so a new one starts")), "{}", ran.err);
        // The same command again goes on with it.
        let ran = place.run(&arguments);
        assert!(ran.code == 0 && ran.err.contains("complete already"), "{}", ran.err);
    }
    assert!(place.fails(&["train", "--resume"]).contains("no unfinished run"));
}

/// Trains 5 epochs at once, and 2 epochs that go on to 5.
fn goes_further(place: &Place, what: &str) {
    let train = |arguments: &[&str]| {
        let ran = place.run(&[&["train", what, "--limit", "320"][..], arguments].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.err
    };
    train(&["--epochs", "5", "--out", "whole"]);
    train(&["--epochs", "2", "--out", "parts"]);
    let short = place.weights("parts");
    train(&["--resume", "--epochs", "3", "--out", "parts"]);
    train(&["--resume", "--epochs", "5", "--out", "parts"]);
    assert_ne!(place.weights("parts"), short);
    assert_eq!(place.weights("parts"), place.weights("whole"));
    let figures = |run: &str| -> Vec<String> {
        let text = std::fs::read_to_string(place.path(run).join("history.csv")).unwrap();
        text.lines().map(|line| line.split(',').take(5).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(figures("parts"), figures("whole"));
    assert_eq!(names(&place.path("parts")), names(&place.path("whole")));
    let config = std::fs::read_to_string(place.path("parts/config.toml")).unwrap();
    assert!(config.contains("epochs = 5") && !config.contains("epochs = 2"), "{config}");
}

#[test]
fn a_finished_run_goes_further_to_the_same_bytes() {
    let place = Place::new();
    goes_further(&place, "tiny-cnn");
    let err = place.fails(&["train", "--resume", "--epochs", "4", "--out", "parts"]);
    assert!(err.contains("--epochs 4") && err.contains("has trained 5 epochs already"), "{err}");
    let ran = place.run(&["train", "--resume", "--epochs", "5", "--out", "parts"]);
    assert!(ran.code == 0 && ran.err.contains("complete already"), "{}", ran.err);
    // Another model in its place is noticed.
    std::fs::copy(place.path("parts/model.keras"), place.path("kept.keras")).unwrap();
    place.ok(&["calibrate", "parts", "--dataset", "mnist", "--out", "parts/model.keras", "--force"]);
    let err = place.fails(&["train", "--resume", "--epochs", "9", "--out", "parts"]);
    assert!(err.contains("is not the model that this run ended with"), "{err}");
}

/// `model.keras` holds averages of the weights, so that the weights of the last step have to be kept beside it.
#[test]
fn a_finished_run_with_averaged_weights_goes_further_to_the_same_bytes() {
    let place = Place::new();
    recipe(&place, "ema.toml", "optimizer = ", "optimizer = { type = \"Adam\", use_ema = true, ema_momentum = 0.9 } #");
    goes_further(&place, "ema.toml");
    assert!(place.path("parts/last.keras").is_file() && !place.path("parts/training.json").exists());
}

#[test]
fn callbacks_go_further_with_what_they_remember() {
    let place = Place::new();
    let callbacks = "[[callbacks]]\ntype = \"CSVLogger\"\nfilename = \"log.csv\"\n\n\
        [[callbacks]]\ntype = \"ReduceLROnPlateau\"\nmonitor = \"loss\"\nmin_delta = 10.0\npatience = 2\nfactor = 0.5\n\n\
        [[callbacks]]\ntype = \"BackupAndRestore\"\nsave_freq = 3\n\n[training]";
    recipe(&place, "mine.toml", "[training]", callbacks);
    goes_further(&place, "mine.toml");
    let log = |run: &str| std::fs::read_to_string(place.path(run).join("log.csv")).unwrap();
    assert_eq!(log("parts"), log("whole"));
    assert!(log("whole").lines().last().unwrap().contains(",0.0005"), "{}", log("whole"));
}

#[test]
fn what_ends_a_run_early_ends_a_longer_one_there_too() {
    let place = Place::new();
    let stop = "[[callbacks]]\ntype = \"EarlyStopping\"\nmonitor = \"loss\"\nmin_delta = 10.0\n\n[training]";
    recipe(&place, "stop.toml", "[training]", stop);
    for (epochs, out) in [("2", "at-its-end"), ("9", "before")] {
        let out =
            lines(&place.ok(&["train", "stop.toml", "--limit", "96", "--epochs", epochs, "--json", "--quiet", "--out", out]));
        assert_eq!(events(&out, "epoch").len(), 2);
    }
    for out in ["at-its-end", "before"] {
        let err = place.fails(&["train", "--resume", "--epochs", "12", "--out", out]);
        assert!(err.contains("ended this run after epoch 2"), "{err}");
    }
}

#[test]
fn a_schedule_that_is_at_its_end_is_remarked() {
    let place = Place::new();
    let schedule = "optimizer = { type = \"Adam\", learning_rate = { type = \"CosineDecay\", initial_learning_rate = 0.001, decay_steps = 6 } } #";
    recipe(&place, "cosine.toml", "optimizer = ", schedule);
    place.ok(&["train", "cosine.toml", "--limit", "96", "--epochs", "2", "--quiet", "--out", "run"]);
    let ran = place.run(&["train", "--resume", "--epochs", "3", "--out", "run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("from epoch 3 on the rate is 0, so that nothing is learned any more"), "{}", ran.err);
}

#[test]
fn other_data_and_another_instruction_set_are_noticed() {
    let place = Place::new();
    place.ok(&["train", "tiny-cnn", "--limit", "96", "--epochs", "1", "--quiet", "--out", "run"]);
    let config = |run: &str| std::fs::read_to_string(place.path(run).join("config.toml")).unwrap();
    let text = config("run");
    for part in
        ["data_hash = \"", "isa = \"", "[run.options]", "limit = 96", "epochs = 1", "quiet = true", "recipe = \"tiny-cnn\""]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another instruction set goes on, with a warning, and is recorded.
    let arguments = ["train", "--resume", "--epochs", "2", "--out", "run"];
    let output = place.command(&arguments).env("MAOBI_ISA", "scalar").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let scalar = text.contains("isa = \"scalar\"");
    assert_eq!((output.status.code(), err.contains("began with the instruction set ")), (Some(0), !scalar), "{err}");
    assert_eq!(config("run").contains("then_isa = [\"scalar\"]"), !scalar);
    // One pixel of one image, then one label.
    for (file, at) in [("train-images-idx3-ubyte", 16 + 300), ("t10k-labels-idx1-ubyte", 8 + 7)] {
        let path = place.path("data/mnist").join(file);
        let bytes = std::fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        changed[at] = if changed[at] == 1 { 2 } else { 1 };
        std::fs::write(&path, changed).unwrap();
        let err = place.fails(&["train", "--resume", "--epochs", "3", "--out", "run"]);
        assert!(err.contains("images or labels of mnist are not those") && err.contains("put it back"), "{err}");
        std::fs::write(&path, bytes).unwrap();
    }
    let ran = place.run(&["train", "--resume", "--epochs", "3", "--out", "run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}
