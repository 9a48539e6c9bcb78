//! Interrupted runs end as if they had never been interrupted.

mod common;

use common::Place;
use std::io::{BufRead, BufReader};
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
    // As a crash after step 20 leaves it: no model.keras.
    place.ok(&["train", "small.toml", "--limit", "200", "--steps", "20", "--out", "crashed"]);
    std::fs::remove_file(place.path("crashed/model.keras")).unwrap();
    // It can be looked at meanwhile: as a run, by its checkpoint, by the checkpoint's folder.
    let answers: Vec<String> = ["crashed", "crashed/Model/model.ckpt-20", "crashed/Model"]
        .iter()
        .map(|model| place.ok(&["evaluate", model, "--json"]))
        .collect();
    let accuracy = |text: &String| common::lines(text).last().unwrap()["accuracy"].clone();
    assert!(accuracy(&answers[0]).is_number() && answers.iter().all(|a| accuracy(a) == accuracy(&answers[0])), "{answers:?}");
    let ran = place.run(&["train", "--steps", "30", "--out", "crashed"]);
    assert!(ran.code == 0 && ran.err.contains("model.ckpt-20 at step 20"), "{}", ran.err);
    assert_eq!(place.weights("crashed"), expected);
}

#[test]
fn there_must_be_something_to_resume() {
    let place = Place::new();
    assert!(place.fails(&["train", "--resume"]).contains("no unfinished run"));
    assert!(place.fails(&["train", "--resume", "--out", "data"]).contains("no config.toml"));
}
