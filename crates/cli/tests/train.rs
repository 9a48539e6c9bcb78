//! `maobi train`: results, run folder, data that is not there, runs by steps.

mod common;

use common::{Place, TEST, events, lines};

#[test]
fn epochs_are_told_as_json_and_the_run_folder_explains_itself() {
    let place = Place::new();
    let out = lines(&place.ok(&["train", "tiny-cnn", "--epochs", "2", "--json", "--quiet", "--seed", "3", "--out", "run"]));
    let epochs = events(&out, "epoch");
    assert_eq!(epochs.len(), 2);
    for (i, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["epoch"], i + 1);
        for key in ["loss", "accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second"] {
            assert!(epoch[key].is_f64(), "{key} in {epoch}");
        }
    }
    let done = out.last().unwrap();
    assert_eq!((&done["event"], &done["run"], &done["test"]["images"]), (&"done".into(), &"run".into(), &TEST.into()));
    // The test set is the validation set here, and the model was read back from its file.
    assert_eq!(done["test"]["accuracy"], epochs[1]["val_accuracy"]);
    assert!(done["test"]["accuracy"].as_f64().unwrap() > 0.5, "{done}");
    assert_eq!(done["first_predictions"].as_array().unwrap().len(), 5);
    let config = std::fs::read_to_string(place.path("run/config.toml")).unwrap();
    for part in ["seed = 3", "maobi = ", "isa = ", "threads = ", "dataset = \"mnist\"", "epochs = 2", "found_at = "] {
        assert!(config.contains(part), "{part}: {config}");
    }
    let history = std::fs::read_to_string(place.path("run/history.csv")).unwrap();
    assert_eq!(
        (history.lines().count(), history.starts_with("epoch,loss,accuracy,val_loss,val_accuracy")),
        (3, true),
        "{history}"
    );
    assert!(std::fs::read(place.path("run/curves.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(place.path("run/cnn.h5").is_file() && !place.path("run/backup").exists());
    // The weights alone are a model too, inside their run.
    let accuracy = |model: &str| lines(&place.ok(&["evaluate", model, "--json"]))[0]["accuracy"].clone();
    assert_eq!(accuracy("run/cnn.h5"), done["test"]["accuracy"]);
    // A run is not written over, and its config is a recipe.
    assert!(place.fails(&["train", "tiny-cnn", "--out", "run"]).contains("--resume --out run"));
    place.ok(&["train", "run/config.toml", "--seed", "3", "--quiet", "--out", "again"]);
    assert_eq!(place.weights("run"), place.weights("again"));
}

#[test]
fn plain_output_and_numbered_folders() {
    let place = Place::new();
    for n in 1..=2 {
        let ran = place.run(&["train", "tiny-cnn", "--limit", "96", "--epochs", "1"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains("epoch 1/1: loss ") && ran.err.contains("images/s"), "{}", ran.err);
        assert!(ran.out.contains("test: loss ") && ran.out.contains("first 5 test images: "), "{}", ran.out);
        assert!(ran.out.contains(&format!("run folder: runs/tiny-cnn-{n}")), "{}", ran.out);
    }
}

#[test]
fn without_data_and_network_the_built_in_digits_do() {
    let place = Place::new();
    std::fs::remove_dir_all(place.path("data")).unwrap();
    let ran = place.run(&["train", "softmax", "--steps", "20"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("uses the built-in digits"), "{}", ran.err);
    assert!(ran.out.contains("test: accuracy 0.") && ran.out.contains("of builtin"), "{}", ran.out);
    // Who asks for MNIST gets MNIST or an error that says what to put where.
    let err = place.fails(&["train", "softmax", "--dataset", "mnist"]);
    assert!(err.contains("train-images-idx3-ubyte") && err.contains("MAOBI_DATA_DIR"), "{err}");
    assert!(place.fails(&["train", "softmax", "--data-dir", "here"]).contains("here"));
}

#[test]
fn runs_by_steps_go_on_from_where_they_are() {
    let place = Place::new();
    let steps = |n: &str, out: &str| lines(&place.ok(&["train", "tf1-small.toml", "--steps", n, "--json", "-q", "--out", out]));
    let text = place.ok(&["recipes", "show", "softmax"]);
    let text = text.replace("log_every = 100", "log_every = 5\nevaluate_every = 10");
    std::fs::write(place.path("tf1-small.toml"), text).unwrap();
    let first = steps("10", "run");
    assert_eq!(events(&first, "step").iter().map(|e| e["step"].as_u64().unwrap()).collect::<Vec<_>>(), [5, 10]);
    assert!(events(&first, "step")[0]["loss"].is_f64());
    assert_eq!(events(&first, "evaluation")[0]["images"], TEST);
    let second = steps("20", "run");
    assert_eq!(events(&second, "step").iter().map(|e| e["step"].as_u64().unwrap()).collect::<Vec<_>>(), [15, 20]);
    assert_eq!(second.last().unwrap()["global_step"], 20);
    let whole = steps("20", "whole");
    assert_eq!(place.weights("run"), place.weights("whole"));
    assert_eq!(second.last().unwrap()["test"], whole.last().unwrap()["test"]);
    let again = steps("20", "run");
    assert!(events(&again, "step").is_empty());
    let history = std::fs::read_to_string(place.path("run/history.csv")).unwrap();
    let column: Vec<&str> = history.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(column, ["step", "5", "10", "15", "20"]);
    assert!(place.ok(&["evaluate", "run"]).contains("global_step 20, loss "));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let place = Place::new();
    for threads in ["1", "2", "5"] {
        let out = format!("t{threads}");
        place.ok(&[
            "train",
            "tf2-cnn",
            "--seed",
            "7",
            "--limit",
            "320",
            "--epochs",
            "2",
            "--threads",
            threads,
            "-q",
            "--out",
            &out,
        ]);
    }
    assert_eq!(place.weights("t1"), place.weights("t2"));
    assert_eq!(place.weights("t1"), place.weights("t5"));
}

/// Networks that take more than the process may have end with a sentence, before any memory is taken and before there is a run folder.
#[cfg(target_os = "linux")]
#[test]
fn too_large_networks_and_batches_are_refused_before_memory_is_taken() {
    let place = Place::new();
    let recipe = place.ok(&["recipes", "show", "tiny-cnn-dense"]);
    let wider = recipe.replace("units = 64", "units = 200000");
    let zoom = "[[layers]]\ntype = \"UpSampling2D\"\nsize = 40\n\n[[layers]]\ntype = \"GlobalMaxPooling2D\"\n\n[[layers]]\ntype = \"Flatten\"";
    let zoomed = recipe.replacen("[[layers]]\ntype = \"Flatten\"", zoom, 1).replace("batch_size = 32", "batch_size = 1000000");
    for (name, text, parts) in [
        ("wide", wider, ["needs 4.", "for the optimizer", "the largest layer is \"dense\"", "fewer units"]),
        (
            "zoomed",
            zoomed,
            ["for a batch of 1200", "the largest layer is \"up_sampling2d\"", "smaller batch_size", " GB more memory"],
        ),
    ] {
        let file = format!("{name}.toml");
        std::fs::write(place.path(&file), text).unwrap();
        let mut limited = std::process::Command::new("sh");
        // `command` knows the binary, its arguments and its surroundings.
        let command = place.command(&["train", &file, "--out", name, "--threads", "2"]);
        limited.args(["-c", "ulimit -v 3000000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
        limited.current_dir(&place.dir);
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(key, value),
                None => limited.env_remove(key),
            };
        }
        let ran = common::Ran::of(limited.output().unwrap(), &[&file]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        for part in parts.into_iter().chain(["left under the limit of the process (ulimit -v)"]) {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
        assert!(!place.path(name).exists(), "{name}: a run folder was left");
    }
    // Beyond what is supported at all, whatever the machine has.
    for (from, to) in [
        ("units = 64", "units = 4000000000"),
        ("filters = 8", "filters = 4000000000"),
        ("pool_size = [2, 2]", "pool_size = 4000000000"),
        ("kernel_size = [3, 3]", "kernel_size = 4000000000"),
        ("input_shape = [28, 28, 1]", "input_shape = [4000000000, 28, 1]"),
    ] {
        std::fs::write(place.path("huge.toml"), recipe.replace(from, to)).unwrap();
        let message = place.fails(&["train", "huge.toml", "--out", "huge"]);
        assert!(message.contains("4000000000"), "{message}");
        assert!(place.fails(&["summary", "huge.toml"]).contains("4000000000"));
    }
}

/// What is no file is not read as a recipe, and nobody waits for it.
#[cfg(unix)]
#[test]
fn a_fifo_is_no_recipe() {
    let place = Place::new();
    assert!(std::process::Command::new("mkfifo").arg(place.path("pipe.toml")).status().unwrap().success());
    let message = place.fails(&["train", "pipe.toml"]);
    assert!(message.contains("pipe.toml") && message.contains("it is a FIFO (named pipe), not a file"), "{message}");
    assert!(place.fails(&["evaluate", "pipe.toml"]).contains("FIFO"));
    std::os::unix::fs::symlink("/dev/zero", place.path("zero.npz")).unwrap();
    let message = place.fails(&["train", "tiny-cnn", "--dataset", "zero.npz"]);
    assert!(message.contains("it is a device, not a file"), "{message}");
}
