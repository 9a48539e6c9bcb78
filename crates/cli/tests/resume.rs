//! Interrupted runs end as if they had never been interrupted.

mod common;

use common::Place;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

const RUN: [&str; 7] = ["train", "tf2-cnn", "--limit", "640", "--epochs", "4", "--json"];

/// Starts a run and waits for its first epoch.
fn first_epoch(place: &Place, out: &str) -> Child {
    let arguments: Vec<&str> = RUN.iter().copied().chain(["--out", out]).collect();
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("\"event\":\"epoch\""), "{line}");
    // Kept open: a closed pipe is another test's business.
    child.stdout = Some(stdout.into_inner());
    child
}

fn whole(place: &Place) -> Vec<u8> {
    let arguments: Vec<&str> = RUN.iter().copied().chain(["--out", "whole"]).collect();
    place.ok(&arguments);
    place.weights("whole")
}

#[test]
fn a_killed_run_resumes_to_the_same_bytes() {
    let place = Place::new();
    let expected = whole(&place);
    let mut child = first_epoch(&place, "killed");
    // The backup comes right after the epoch's line; killed before it, the run would start over, to the same end.
    let backup = place.path("killed/backup/backup.keras");
    for _ in 0..1000 {
        if backup.is_file() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(backup.is_file());
    // What there is can be looked at meanwhile.
    place.ok(&["evaluate", "killed", "--json"]);
    let err = place.fails(&["train", "--resume", "--out", "killed", "--batch-size", "9"]);
    assert!(err.contains("--batch-size") && err.contains("makes it 9"), "{err}");
    let err = place.fails(&["train", "tiny-cnn", "--resume", "--out", "killed"]);
    assert!(err.contains("tiny-cnn") && err.contains("tf2-cnn"), "{err}");
    assert!(place.fails(&["train", "--resume", "--out", "killed", "--seed", "2"]).contains("--seed 2 contradicts"));
    place.ok(&["train", "--resume", "--out", "killed", "--threads", "3"]);
    assert_eq!(place.weights("killed"), expected);
    let figures = |run: &str| -> Vec<String> {
        let text = std::fs::read_to_string(place.path(run).join("history.csv")).unwrap();
        text.lines().map(|line| line.split(',').take(3).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(figures("killed"), figures("whole"));
    // Once more changes nothing.
    let ran = place.run(&["train", "--resume", "--out", "killed"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("complete already"), "{}", ran.err);
    assert_eq!(place.weights("killed"), expected);
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let place = Place::new();
    let expected = whole(&place);
    let child = first_epoch(&place, "stopped");
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.lines().last().unwrap().contains("\"event\":\"interrupted\""), "{out}");
    place.ok(&["train", "--resume", "--out", "stopped", "-q"]);
    assert_eq!(place.weights("stopped"), expected);
}

/// By steps, with Adam, and checkpoints of TensorFlow 1 on the way.
const BY_STEPS: &str = r#"
name = "small"
input_shape = [28, 28, 1]
[data]
dataset = "mnist"
scale = "1/255"
validation = "none"
labels = "sparse"
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 16
activation = "relu"
[[layers]]
type = "Dropout"
rate = 0.5
[[layers]]
type = "Dense"
units = 10
activation = "softmax"
[training]
optimizer = { type = "Adam", learning_rate = 0.01 }
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
batch_size = 32
steps = 30
[[callbacks]]
type = "ModelCheckpoint"
filepath = "Model/model.ckpt-{step}"
variable_names = "variables"
save_freq = 10
max_to_keep = 2
"#;

#[test]
fn runs_by_steps_go_on_from_a_checkpoint_of_tensorflow() {
    let place = Place::new();
    std::fs::write(place.path("small.toml"), BY_STEPS).unwrap();
    place.ok(&["train", "small.toml", "--limit", "200", "--out", "whole"]);
    let expected = place.weights("whole");
    let list = std::fs::read_to_string(place.path("whole/Model/checkpoint")).unwrap();
    assert_eq!(list.matches("model.ckpt-").count(), 3, "{list}");
    assert!(list.starts_with("model_checkpoint_path: \"model.ckpt-30\"\n") && !list.contains("model.ckpt-10"), "{list}");
    assert!(!place.path("whole/Model/model.ckpt-10.index").exists() && place.path("whole/Model/model.ckpt-20.index").is_file());
    // As a crash after step 20 left it in releases without the full state of training: checkpoints and nothing else.
    place.ok(&["train", "small.toml", "--limit", "200", "--steps", "20", "--out", "crashed"]);
    std::fs::remove_file(place.path("crashed/model.keras")).unwrap();
    std::fs::remove_file(place.path("crashed/training.json")).unwrap();
    // It can be looked at meanwhile: as a run, by its checkpoint, by the checkpoint's folder.
    let answers: Vec<String> = ["crashed", "crashed/Model/model.ckpt-20", "crashed/Model"]
        .iter()
        .map(|model| place.ok(&["evaluate", model, "--json"]))
        .collect();
    let accuracy = |text: &String| common::lines(text).last().unwrap()["accuracy"].clone();
    assert!(accuracy(&answers[0]).is_number() && answers.iter().all(|a| accuracy(a) == accuracy(&answers[0])), "{answers:?}");
    let ran = place.run(&["train", "--steps", "30", "--out", "crashed"]);
    assert!(ran.code == 0 && ran.err.contains("model.ckpt-20 at step 20"), "{}", ran.err);
    assert!(ran.err.contains("checkpoints only, without the full state of training"), "{}", ran.err);
    assert_eq!(place.weights("crashed"), expected);
}

/// A run by steps with everything that is hard to go on with: momentum, averages of weights, float16 with a scale that soon changes, batch
/// normalization, an epoch that does not end where checkpoints are, checkpoints of three kinds, curves for TensorBoard.
const HARD: &str = r#"
name = "hard"
input_shape = [28, 28, 1]
[data]
dataset = "mnist"
scale = "1/255"
validation = "none"
labels = "sparse"
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 16
activation = "relu"
[[layers]]
type = "BatchNormalization"
[[layers]]
type = "Dropout"
rate = 0.5
[[layers]]
type = "Dense"
units = 10
activation = "softmax"
[training]
optimizer = OPTIMIZER
precision = "PRECISION"
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
batch_size = 16
steps = 203
log_every = 7
evaluate_every = 35
[[callbacks]]
type = "ModelCheckpoint"
filepath = "Model/model.ckpt-{step}"
save_freq = 10
max_to_keep = 3
[[callbacks]]
type = "ModelCheckpoint"
filepath = "ckpt/cp-{step}.ckpt"
save_weights_only = true
save_freq = 20
[[callbacks]]
type = "ModelCheckpoint"
filepath = "checkpoints/{step:04d}.keras"
save_freq = 50
[[callbacks]]
type = "CSVLogger"
filename = "epochs.csv"
[[callbacks]]
type = "TensorBoard"
update_freq = 3
"#;

const OPTIMIZERS: [(&str, &str); 3] = [
    (r#"{ type = "SGD", learning_rate = 0.02, momentum = 0.9, use_ema = true, ema_momentum = 0.9 }"#, "float32"),
    (r#"{ type = "SGD", learning_rate = 0.02, use_ema = true, ema_momentum = 0.9 }"#, "mixed_bfloat16"),
    (
        r#"{ type = "LossScaleOptimizer", initial_scale = 4194304.0, dynamic_growth_steps = 9, inner_optimizer = { type = "Nadam", learning_rate = 0.002 } }"#,
        "mixed_float16",
    ),
];

fn write_hard(place: &Place, number: usize) {
    let (optimizer, precision) = OPTIMIZERS[number];
    std::fs::write(place.path("hard.toml"), HARD.replace("OPTIMIZER", optimizer).replace("PRECISION", precision)).unwrap();
}

/// Every file of a run folder. Times are left out: those of TensorBoard's events and of epochs.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::<String, Vec<u8>>::new(), vec![folder.to_path_buf()]);
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains("tfevents") {
                let events = files.entry(format!("{}/events", at.file_name().unwrap().to_str().unwrap())).or_default();
                events.extend(events_of(&std::fs::read(&path).unwrap()));
            } else if name == "config.toml" {
                // The options name the folder itself, and what was given when it went on.
                let mut config: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
                config["run"].as_table_mut().unwrap().remove("options");
                files.insert(name, config.to_string().into_bytes());
            } else if name == "last.keras" {
                files.insert(name, common::member_of(&path, "model.weights.h5"));
            } else if name == "training.json" {
                let mut training: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                // Seconds of epochs, and the names of TensorBoard's files, which have the time in them.
                training["history"] = serde_json::Value::Null;
                training["states"]["TensorBoard:0"] = serde_json::Value::Null;
                files.insert(name, training.to_string().into_bytes());
            } else if !name.ends_with(".tmp") {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The events of a file without their first field, the time: a tag of one byte and eight more.
fn events_of(bytes: &[u8]) -> Vec<u8> {
    let (mut rest, mut events) = (bytes, Vec::new());
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        events.extend_from_slice(&rest[12 + 9..12 + length]);
        rest = &rest[16 + length..];
    }
    events
}

#[track_caller]
fn assert_same_files(place: &Place, run: &str, other: &str) {
    let (one, other) = (files(&place.path(run)), files(&place.path(other)));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{name} differs in {run}");
    }
}

#[test]
fn killed_runs_by_steps_leave_the_same_files() {
    for number in 0..OPTIMIZERS.len() {
        let place = Place::new();
        write_hard(&place, number);
        let run = |out| ["train", "hard.toml", "--limit", "200", "--threads", "2", "--json", "--out", out];
        place.ok(&run("whole"));
        assert!(
            place.path("whole/checkpoints/0203.keras").is_file()
                && (place.path("whole/training.json").is_file() || place.path("whole/last.keras").is_file())
        );
        let mut kills = 0;
        for session in 0..12 {
            let mut child = place.command(&run("killed")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            // Killed at another moment each time: after so many lines.
            let stdout = BufReader::new(child.stdout.take().unwrap());
            let last = stdout.lines().take(1 + session * 5 % 7).last();
            child.kill().unwrap();
            kills += usize::from(child.wait().unwrap().code().is_none());
            assert!(last.is_some());
        }
        assert!(kills > 2, "{kills}");
        place.ok(&run("killed"));
        assert_same_files(&place, "killed", "whole");
        let history = std::fs::read_to_string(place.path("killed/history.csv")).unwrap();
        assert_eq!(history.lines().count(), 1 + 203 / 7, "{history}");
    }
}

#[test]
fn a_finished_run_by_steps_goes_further_to_the_same_bytes() {
    let place = Place::new();
    write_hard(&place, 0);
    place.ok(&["train", "hard.toml", "--limit", "200", "--out", "whole"]);
    place.ok(&["train", "hard.toml", "--limit", "200", "--steps", "97", "--out", "further"]);
    let ran = place.run(&["train", "--steps", "203", "--out", "further"]);
    assert!(ran.code == 0 && ran.err.contains("going on from step 97"), "{}", ran.err);
    for file in ["model.keras", "history.csv", "curves.png", "epochs.csv", "checkpoints/0203.keras", "ckpt/cp-200.ckpt.index"] {
        let read = |run: &str| std::fs::read(place.path(run).join(file)).unwrap();
        assert!(read("further") == read("whole"), "{file}");
    }
    let ran = place.run(&["train", "--steps", "203", "--out", "further"]);
    assert!(ran.code == 0 && ran.err.contains("training is complete already"), "{}", ran.err);
    // As a kill after the last backup leaves it.
    let expected = files(&place.path("further"));
    std::fs::create_dir(place.path("further/backup")).unwrap();
    std::fs::rename(place.path("further/last.keras"), place.path("further/backup/backup.keras")).unwrap();
    std::fs::remove_file(place.path("further/model.keras")).unwrap();
    place.ok(&["train", "--resume", "--out", "further"]);
    assert!(files(&place.path("further")) == expected);
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_a_run_by_steps_changes_nothing() {
    let place = Place::new();
    write_hard(&place, 2);
    let run = |out| ["train", "hard.toml", "--limit", "200", "--threads", "2", "--json", "--out", out];
    place.ok(&run("whole"));
    let mut child = place.command(&run("stopped")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    place.ok(&["train", "--resume", "--out", "stopped", "--threads", "2"]);
    assert_same_files(&place, "stopped", "whole");
}

#[test]
fn a_checkpoint_that_is_never_due_is_saved_at_the_end_and_said() {
    let place = Place::new();
    let by_epochs = BY_STEPS.replace("steps = 30", "epochs = 2").replace("save_freq = 10", "save_freq = 1000");
    std::fs::write(place.path("small.toml"), by_epochs).unwrap();
    let ran = place.run(&["train", "small.toml", "--limit", "200", "--out", "run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("ModelCheckpoint save_freq = 1000 is more than the 14 steps of this run"), "{}", ran.err);
    assert!(place.path("run/Model/model.ckpt-14.index").is_file());
}

#[test]
fn there_must_be_something_to_resume() {
    let place = Place::new();
    assert!(place.fails(&["train", "--resume"]).contains("no unfinished run"));
    assert!(place.fails(&["train", "--resume", "--out", "data"]).contains("no config.toml"));
}
