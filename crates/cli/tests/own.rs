//! What our own recipes need: augmentation and built-in pictures, ensembles, calibration.

mod common;

use common::{Place, TEST, lines};

/// A small network with eleven classes, few built-in pictures and augmentation.
fn tiny_with_none(place: &Place) {
    let text = place.ok(&["recipes", "show", "fast"]);
    let text = text.replace("name = \"fast\"", "name = \"tiny-none\"").replace("units = 10", "units = 11");
    let text = text.replace("labels = \"sparse\"", "labels = \"sparse\"\nbuiltin = 200\nnon_digits = 300");
    let text = text.replace("validation = \"none\"", "validation = { tail = 0.25 }");
    let text = text.replace("[training]", "[augment]\nrotation = 5\ndirt = 0.1\n\n[training]");
    std::fs::write(place.path("tiny-none.toml"), text).unwrap();
}

#[test]
fn built_in_pictures_train_a_class_of_their_own_and_calibration_writes_a_smaller_file() {
    let place = Place::new();
    tiny_with_none(&place);
    let ran = place.run(&["train", "tiny-none.toml", "--epochs", "2", "--out", "run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // 900 of MNIST's, 200 digits and 300 others.
    assert!(ran.err.contains("1,400 images to train, 300 for validation"), "{}", ran.err);
    let config = std::fs::read_to_string(place.path("run/config.toml")).unwrap();
    assert!(config.contains("\"none\"") && config.contains("rotation = 5"), "{config}");
    place.ok(&["train", "tiny-none.toml", "--epochs", "2", "--quiet", "--threads", "1", "--out", "again"]);
    assert_eq!(place.weights("run"), place.weights("again"));

    let result = &lines(&place.ok(&["calibrate", "run", "--out", "small.keras", "--json"]))[0];
    assert!(result["loss"].as_f64() <= result["loss_before"].as_f64(), "{result}");
    assert!(result["temperature"].as_f64().unwrap() > 0.1, "{result}");
    let size = |file: &str| std::fs::metadata(place.path(file)).unwrap().len();
    assert!(size("small.keras") < size("run/model.keras"));
    let accuracy = |model: &str| lines(&place.ok(&["evaluate", model, "--dataset", "mnist", "--json"]))[0]["accuracy"].clone();
    assert_eq!(accuracy("small.keras"), accuracy("run"));
    assert!(place.fails(&["calibrate", "run", "--out", "small.keras"]).contains("--force"));
    assert!(place.fails(&["calibrate", "run", "--out", "small.h5"]).contains(".keras"));

    place.ok(&["train", "softmax", "--steps", "5", "--quiet", "--out", "softmax"]);
    assert!(place.fails(&["calibrate", "softmax", "--out", "s.keras"]).contains("--dataset"));
}

#[test]
fn an_ensemble_is_one_model_and_goes_on_where_it_was() {
    let place = Place::new();
    let train = [
        "train",
        "tiny-cnn",
        "--epochs",
        "1",
        "--limit",
        "320",
        "--seed",
        "4",
        "--ensemble",
        "2",
        "--out",
        "two",
        "--json",
        "-q",
    ];
    let out = lines(&place.ok(&train));
    let tests: Vec<f64> = out.iter().filter(|e| e["event"] == "done").map(|e| e["test"]["accuracy"].as_f64().unwrap()).collect();
    assert_eq!(tests.len(), 3, "{out:?}");
    let evaluated = &lines(&place.ok(&["evaluate", "two", "--json"]))[0];
    assert_eq!((evaluated["accuracy"].as_f64(), evaluated["images"].as_u64()), (Some(tests[2]), Some(TEST as u64)));
    let seeds = |member: &str| std::fs::read_to_string(place.path(&format!("two/{member}/config.toml"))).unwrap();
    assert!(seeds("member-1").contains("seed = 4") && seeds("member-2").contains("seed = 5"));
    // Members that are complete are not trained again.
    std::fs::remove_file(place.path("two/model.keras")).unwrap();
    let again = lines(&place.ok(&train));
    assert_eq!(again.iter().filter(|e| e["event"] == "done").count(), 1, "{again:?}");
    let one = ["train", "tiny-cnn", "--epochs", "1", "--limit", "64", "-q", "--out", "one"];
    place.ok(&one);
    assert!(place.fails(&[&one[..], &["--ensemble", "2"]].concat()).contains("one network"));
}
