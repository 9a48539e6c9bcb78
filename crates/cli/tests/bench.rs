//! `maobi bench`: what a script and a reader get. No figure is judged: that is for an idle machine.

mod common;

use common::{Place, lines};

#[test]
fn a_line_for_each_recipe_with_the_keys_of_the_side_by_side() {
    let place = Place::new();
    let arguments = ["bench", "softmax", "tiny-cnn", "--samples", "256", "--epochs", "3", "--threads", "2", "--json"];
    let lines = lines(&place.ok(&arguments));
    let keys = [
        "framework",
        "recipe",
        "batch_size",
        "threads",
        "isa",
        "precision",
        "samples",
        "train_samples_per_second",
        "predict_images_per_second",
        "latency_us",
        "train_gflops",
        "peak_fraction",
        "peak_rss_bytes",
    ];
    for (line, (recipe, batch, mflop)) in lines.iter().zip([("softmax", 100, 0.03136), ("tiny-cnn", 32, 0.275808)]) {
        assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
        assert_eq!((line["recipe"].as_str(), line["batch_size"].as_i64()), (Some(recipe), Some(batch)));
        assert_eq!((line["framework"].as_str(), line["precision"].as_str()), (Some("maobi"), Some("float32")));
        assert_eq!((line["threads"].as_i64(), line["samples"].as_i64()), (Some(2), Some(256)));
        let rates: Vec<f64> = line["train_samples_per_second"].as_array().unwrap().iter().map(|r| r.as_f64().unwrap()).collect();
        assert_eq!(rates.len(), 3, "one for each timed epoch");
        // The GFLOP/s are those of the median epoch.
        let mut sorted = rates.clone();
        sorted.sort_by(f64::total_cmp);
        let gflops = line["train_gflops"].as_f64().unwrap();
        assert!((gflops / (sorted[1] * mflop * 1e-3) - 1.0).abs() < 0.03, "{line}");
        for key in ["predict_images_per_second", "latency_us", "peak_fraction"] {
            assert!(line[key].as_f64().unwrap() > 0.0, "{key}: {line}");
        }
        if cfg!(target_os = "linux") {
            assert!((1_000_000..4_000_000_000i64).contains(&line["peak_rss_bytes"].as_i64().unwrap()), "{line}");
        }
    }
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_table_to_read_and_no_more_images_than_there_are() {
    let place = Place::new();
    let ran = place.run(&["bench", "tiny-cnn-strided", "--samples", "5000", "--epochs", "1"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let rows: Vec<&str> = ran.out.lines().collect();
    assert_eq!(rows.len(), 3, "{}", ran.out);
    assert!(rows[0].contains("multiply-add rate") && rows[1].starts_with("recipe") && rows[2].starts_with("tiny-cnn-strided"));
    let line = lines(&place.ok(&["bench", "softmax", "--samples", "5000", "--epochs", "1", "--json"])).remove(0);
    assert_eq!(line["samples"], common::TRAIN);
}

#[test]
fn without_data_digits_are_drawn_and_that_is_said() {
    let place = Place::new();
    for arguments in [&["--data-dir", "nowhere"][..], &[]] {
        let mut command =
            place.command(&[&["bench", "softmax", "--samples", "200", "--epochs", "1", "--json"], arguments].concat());
        let ran = common::Ran::of(command.env_remove("MAOBI_DATA_DIR").output().unwrap(), arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains("mnist is not found") && ran.err.contains("built-in digits"), "{}", ran.err);
        assert_eq!(lines(&ran.out).len(), 1);
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_measured() {
    let place = Place::new();
    let ran = place.run(&["bench", "softmax", "nope", "--samples", "200"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("nope") && ran.err.contains("tf2-cnn"), "{}", ran.err);
    let usage: [(&[&str], &str); 4] = [
        (&["--precision", "float16"], "expected float32, mixed_bfloat16, mixed_float16"),
        (&["--precision", "double"], "expected float32"),
        (&["--samples", "0"], "--samples"),
        (&["--epochs", "0"], "--epochs"),
    ];
    for (arguments, message) in usage {
        let ran = place.run(&[&["bench", "softmax"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(message), "{}", ran.err);
    }
    let help = place.ok(&["bench", "--help"]);
    for part in ["--samples", "--epochs", "--threads", "--precision", "--data-dir", "--json", "Winograd", "Exit codes: 0 "] {
        assert!(help.contains(part), "{part}:\n{help}");
    }
}
