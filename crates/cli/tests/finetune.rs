//! `maobi finetune`: a model learns a hand that it reads badly.

mod common;

use common::{Place, digit_picture, lines};
use image::imageops;
use serde_json::Value;

/// A folder with a run, and `own/`: threes, fours and sevens as in a mirror, forty of each.
fn place() -> Place {
    let place = Place::new();
    place.ok(&["train", "tf2-cnn", "-q", "--epochs", "6", "--out", "run"]);
    let mut count = [0; 10];
    for index in 0..400 {
        let (picture, label) = digit_picture(31, index, 3, true);
        if [3, 4, 7].contains(&label) {
            count[label as usize] += 1;
            std::fs::create_dir_all(place.path(&format!("own/{label}"))).unwrap();
            imageops::flip_horizontal(&picture).save(place.path(&format!("own/{label}/{index}.png"))).unwrap();
        }
    }
    assert_eq!((count[3], count[4], count[7]), (40, 40, 40));
    place
}

#[test]
fn a_model_learns_a_hand_and_keeps_what_it_knew() {
    let place = place();
    let before = std::fs::read(place.path("run/model.keras")).unwrap();
    let result = &lines(&place.ok(&["finetune", "run", "own", "--json"]))[0];
    assert_eq!(result["model"], "run-finetuned.keras");
    assert_eq!((&result["own"]["learnt_from"], &result["own"]["held_out"]), (&96.into(), &24.into()));
    let figure = |part: &str, name: &str| result[part][name].as_f64().unwrap();
    // Mirrored digits are new to it, and contradict some of what it knows: it goes only part of the way.
    assert!(figure("own", "accuracy_before") < 0.4 && figure("own", "accuracy_after") > 0.55, "{result}");
    assert!(figure("replay", "accuracy_after") > figure("replay", "accuracy_before") - 0.011, "{result}");
    assert_eq!(result["replay"]["dataset"], "mnist");
    assert_eq!(std::fs::read(place.path("run/model.keras")).unwrap(), before, "the old file stays as it is");
    // The new file is a model like any other, with what it knows about pictures.
    let said = |file: &str| -> Value { serde_json::from_slice(&place.member(file, "maobi/preprocessing.json")).unwrap() };
    assert_eq!(said("run-finetuned.keras"), said("run/model.keras"));
    let measured = &lines(&place.ok(&["evaluate", "run-finetuned.keras", "--photos", "own", "--json"]))[0];
    assert!(measured["accuracy"].as_f64().unwrap() > 0.55, "{measured}");

    // The same seed gives the same weights, under the next free name; text says what was reached.
    let out = place.ok(&["finetune", "run", "own"]);
    assert!(
        out.contains("own pictures, held out") && out.contains(" -> ") && out.contains("wrote run-finetuned-2.keras"),
        "{out}"
    );
    let weights = |file: &str| place.member(file, "model.weights.h5");
    assert_eq!(weights("run-finetuned.keras"), weights("run-finetuned-2.keras"));
    assert!(place.fails(&["finetune", "run", "own", "--out", "run/model.keras"]).contains("is there already"));
    assert!(place.fails(&["finetune", "run", "own", "--out", "mine.onnx"]).contains(".keras"));
}

#[test]
fn a_model_that_got_worse_is_not_written() {
    let place = place();
    // A rate at which everything is forgotten.
    let wild = ["finetune", "run", "own", "--steps", "30", "--learning-rate", "0.2", "--out", "wild.keras"];
    let message = place.fails(&wild);
    assert!(
        message.contains("was not written") && message.contains("--force") && !place.path("wild.keras").exists(),
        "{message}"
    );
    let forced = place.run(&[&wild[..], &["--force"]].concat());
    assert!(forced.code == 0 && forced.err.contains("warning: it reads") && place.path("wild.keras").exists(), "{}", forced.err);
}

#[test]
fn pictures_that_cannot_be_learnt_from_are_told() {
    let place = place();
    std::fs::write(place.path("own/3/text.png"), "x").unwrap();
    std::fs::write(place.path("own/list.csv"), "file,truth\n3/text.png,3\nnowhere.png,4\n").unwrap();
    let message = place.fails(&["finetune", "run", "own/list.csv"]);
    assert!(message.contains("3/text.png") && message.contains("none of its pictures can be learnt from"), "{message}");
    let (digit, label) = digit_picture(31, 0, 3, true);
    digit.save(place.path("own/one.png")).unwrap();
    std::fs::write(place.path("own/list.csv"), format!("file,truth\none.png,{label}\none.png,12345\none.png,none\n")).unwrap();
    let ran = place.run(&["finetune", "run", "own/list.csv", "--steps", "1", "--force", "--out", "one.keras"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for part in
        ["its label has 5 digits, 1 digits were found", "which the network has no output for", "too few pictures to hold any out"]
    {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    assert!(place.path("one.keras").exists());
    assert!(place.fails(&["finetune", "run", "nowhere"]).contains("nowhere"));
}
