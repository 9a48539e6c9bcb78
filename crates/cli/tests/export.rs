//! `maobi export`, and every format as MODEL.

mod common;

use common::{Place, TEST, lines};
use maobi_formats::format::FORMATS;
use serde_json::Value;

/// Correct answers and loss of a model on the test set; `more` says what the file does not.
fn evaluate(place: &Place, model: &str, more: &[&str]) -> (f64, f64) {
    let arguments = [&["evaluate", model, "--dataset", "mnist", "--json"], more].concat();
    let result = &lines(&place.ok(&arguments))[0];
    assert_eq!(result["images"], TEST, "{model}");
    (result["accuracy"].as_f64().unwrap(), result["loss"].as_f64().unwrap_or(f64::NAN))
}

#[test]
fn a_model_answers_the_same_from_every_format() {
    let place = Place::new();
    place.ok(&["train", "tiny-cnn", "-q", "--epochs", "1", "--out", "run"]);
    let (accuracy, _) = evaluate(&place, "run", &[]);
    for format in FORMATS {
        let name = format.name();
        let out = format!("out/m{}", format.extensions().first().copied().unwrap_or_default());
        let ran = place.run(&["export", "run", "--to", name, "--out", &out, "--force", "--json"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        let said = &lines(&ran.out)[0];
        assert_eq!((&said["file"], &said["format"], &said["from"]), (&out.as_str().into(), &name.into(), &"keras".into()));
        let notes: Vec<String> = serde_json::from_value(said["not_carried_over"].clone()).unwrap();
        assert!(notes.iter().all(|note| ran.err.contains(note)), "{name}: {}", ran.err);
        match name {
            // The network alone, and what is only written.
            "json" => assert!(place.ok(&["summary", &out]).contains("conv2d")),
            "saved-model" => assert!(place.fails(&["evaluate", &out]).contains("SavedModel"), "{name}"),
            _ => {
                // Scaling travels where the format has a place for it; weights alone need their network.
                let network = notes.iter().any(|note| note.contains("only its weights"));
                if network {
                    let refused = place.fails(&["evaluate", &out]);
                    assert!(refused.contains("--network") && refused.contains("holds weights alone"), "{name}: {refused}");
                }
                let scaling = notes.iter().any(|note| note.contains("preprocessing.json"));
                let more: &[&str] = match (network, scaling) {
                    (true, _) => &["--network", "tiny-cnn"],
                    (false, true) => &["--scale", "1/255", "--offset", "-0.5"],
                    (false, false) => &[],
                };
                assert_eq!(evaluate(&place, &out, more).0, accuracy, "{name}");
            }
        }
    }
}

#[test]
fn what_is_there_is_kept_and_names_say_the_format() {
    let place = Place::new();
    place.ok(&["train", "softmax", "-q", "--limit", "256", "--epochs", "1", "--out", "run"]);
    assert_eq!(place.ok(&["export", "run", "--out", "a.h5"]), "wrote a.h5 (h5, from keras)\n");
    let before = std::fs::read(place.path("a.h5")).unwrap();
    assert!(place.fails(&["export", "run", "--out", "a.h5"]).contains("--force"));
    assert_eq!(std::fs::read(place.path("a.h5")).unwrap(), before);
    // From one format to the next, beside the model's own name.
    assert_eq!(place.ok(&["export", "a.h5", "--to", "keras"]), "wrote a.keras (keras, from h5)\n");
    let weights = |file: &str| evaluate(&place, file, &["--scale", "1/255", "--offset", "0"]);
    assert_eq!(weights("a.keras"), weights("a.h5"));
    let unknown = place.fails(&["export", "run", "--out", "a.xyz"]);
    assert!(unknown.contains("a.xyz") && unknown.contains(".onnx"), "{unknown}");
    assert_eq!(place.run(&["export", "run", "--to", "caffe"]).code, 2);
    assert_eq!(place.run(&["export", "run"]).code, 2);
    std::fs::write(place.path("text.onnx"), "hello").unwrap();
    assert!(place.fails(&["evaluate", "text.onnx"]).contains("text.onnx"));
}

#[test]
fn weights_find_their_network_in_a_run_folder_a_recipe_and_a_file() {
    let place = Place::new();
    place.ok(&["train", "softmax", "-q", "--limit", "256", "--epochs", "1", "--out", "run"]);
    place.ok(&["export", "run", "--to", "weights.h5", "--out", "run/w.weights.h5"]);
    place.ok(&["export", "run", "--to", "weights.h5", "--out", "w.weights.h5"]);
    place.ok(&["export", "run", "--to", "json", "--out", "net.json"]);
    let whole = evaluate(&place, "run", &[]);
    assert_eq!(evaluate(&place, "run/w.weights.h5", &[]).0, whole.0);
    // A recipe also says what it is trained on.
    let alone = &lines(&place.ok(&["evaluate", "w.weights.h5", "--network", "softmax", "--json"]))[0];
    assert_eq!(alone["accuracy"].as_f64(), Some(whole.0));
    for network in ["softmax", "net.json", "run"] {
        assert_eq!(evaluate(&place, "w.weights.h5", &["--network", network]).0, whole.0, "{network}");
    }
    let misfit = place.fails(&["evaluate", "w.weights.h5", "--network", "tiny-cnn"]);
    assert!(misfit.contains("do not fit") && misfit.contains("conv2d"), "{misfit}");
    let value: Value = serde_json::from_slice(&std::fs::read(place.path("net.json")).unwrap()).unwrap();
    assert_eq!(value["class_name"], "Sequential");
}

#[test]
fn training_begins_with_the_weights_of_any_file() {
    let place = Place::new();
    place.ok(&["train", "tiny-cnn", "-q", "--limit", "320", "--epochs", "1", "--out", "first"]);
    // The same first step from each of them: what differs is whether the optimizer goes on, too.
    let mut ends = Vec::new();
    for weights in ["first", "first/cnn.h5", "first/model.keras"] {
        let out = format!("from-{}", ends.len());
        let more = ["train", "tiny-cnn", "-q", "--limit", "320", "--epochs", "1", "--weights", weights, "--out", &out];
        place.ok(&more);
        ends.push(place.weights(&out));
    }
    assert_eq!(ends[0], ends[2]);
    place.ok(&["train", "tiny-cnn", "-q", "--limit", "320", "--epochs", "1", "--out", "anew"]);
    assert!(ends.iter().all(|end| *end != place.weights("anew") && *end != place.weights("first")));
    let misfit = place.fails(&["train", "softmax", "-q", "--weights", "first/cnn.h5"]);
    assert!(misfit.contains("cnn.h5") && misfit.contains("do not fit"), "{misfit}");
    let hint = place.fails(&["train", "first/cnn.h5"]);
    assert!(hint.contains("--weights first/cnn.h5"), "{hint}");
}
