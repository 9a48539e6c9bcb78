//! `maobi evaluate`: on data sets, on people's own pictures, on what is no digit.

mod common;

use common::{Place, TEST, digit_picture, lines};
use image::{GrayImage, Luma};
use serde_json::Value;

/// A run that reads drawn digits well enough.
fn trained() -> Place {
    let place = Place::new();
    place.ok(&["train", "tf2-cnn", "-q", "--epochs", "8", "--out", "run"]);
    place
}

#[test]
fn data_sets_by_class_with_a_report() {
    let place = trained();
    let result = &lines(&place.ok(&["evaluate", "run", "--json", "--report", "report"]))[0];
    assert_eq!(result["images"], TEST);
    let matrix: Vec<Vec<u64>> = serde_json::from_value(result["confusion_matrix"].clone()).unwrap();
    assert_eq!((matrix.len(), matrix.iter().flatten().sum::<u64>()), (10, TEST as u64));
    let right: u64 = (0..10).map(|i| matrix[i][i]).sum();
    assert!((result["accuracy"].as_f64().unwrap() - right as f64 / TEST as f64).abs() < 1e-9);
    assert!(right > 240, "{right} of {TEST}");
    assert!(result["loss"].as_f64().unwrap() > 0.0);
    let figure = |name: &str| result[name].as_f64().unwrap();
    // Nearly all is right, so that confidence cannot be far off; and what is left after rejecting is better than all.
    assert!((0.0..0.2).contains(&figure("expected_calibration_error")) && (0.0..0.2).contains(&figure("rejected")), "{result}");
    assert!(figure("accuracy_of_those_kept") >= figure("accuracy"));
    let classes = result["per_class"].as_array().unwrap();
    assert_eq!(classes.len(), 10);
    for key in ["precision", "recall", "f1", "support"] {
        assert!(classes[0][key].is_number(), "{key}");
    }
    for file in ["confusion.png", "mistakes.png"] {
        assert!(image::open(place.path("report").join(file)).is_ok(), "{file}");
    }
    let report: Value = serde_json::from_slice(&std::fs::read(place.path("report/report.json")).unwrap()).unwrap();
    assert_eq!(report["mistakes"].as_array().unwrap().len() as u64, TEST as u64 - right);
    let train = &lines(&place.ok(&["evaluate", "run/model.keras", "--split", "train", "--json"]))[0];
    assert_eq!(train["images"], common::TRAIN);
    assert!(place.fails(&["evaluate", "run", "--split", "validation"]).contains("no validation images"));
    assert!(place.ok(&["evaluate", "run"]).contains("expected calibration error"));

    // The same images as what they are not.
    std::fs::create_dir(place.path("data/fashion-mnist")).unwrap();
    for entry in std::fs::read_dir(place.path("data/mnist")).unwrap() {
        let file = entry.unwrap();
        std::fs::copy(file.path(), place.path("data/fashion-mnist").join(file.file_name())).unwrap();
    }
    let result = &lines(&place.ok(&["evaluate", "run", "--non-digits", "fashion-mnist", "--json"]))[0];
    assert_eq!((&result["images"], result["by_folder"].as_object().unwrap().len()), (&TEST.into(), 10));
    assert!(result["rejected"].as_f64().unwrap() < 0.2, "digits of the kind that it knows: {result}");
}

#[test]
fn a_lone_model_file_knows_its_scale() {
    let place = Place::new();
    place.ok(&["train", "tiny-cnn", "-q", "--epochs", "1", "--out", "run"]);
    std::fs::create_dir(place.path("else")).unwrap();
    std::fs::copy(place.path("run/model.keras"), place.path("else/mine.keras")).unwrap();
    let inside = place.ok(&["evaluate", "run", "--json"]);
    assert_eq!(place.ok(&["evaluate", "else/mine.keras", "--json"]), inside);
    // Other pixels give other figures: the member is what makes them equal.
    assert_ne!(place.ok(&["evaluate", "else/mine.keras", "--json", "--scale", "1/255", "--offset", "0"]), inside);
    let known = String::from_utf8(place.member("else/mine.keras", "maobi/preprocessing.json")).unwrap();
    assert!(known.contains("\"offset\": -0.5") && known.contains("\"dataset\": \"mnist\""), "{known}");
}

#[test]
fn peoples_own_pictures_are_measured_by_kind() {
    let place = trained();
    let mut table = String::from("file,label,kind,certain\n");
    for index in 0..30 {
        let kind = if index % 3 == 0 { "ink" } else { "chalk" };
        let (digit, label) = digit_picture(99, index, 2, kind == "ink");
        std::fs::create_dir_all(place.path(&format!("own/{label}"))).unwrap();
        digit.save(place.path(&format!("own/{label}/{index}.png"))).unwrap();
        let certain = if index == 4 { "ambiguous" } else { "sure" };
        table += &format!("{label}/{index}.png,{label},{kind},{certain}\n");
    }
    let list = place.path("own/list.csv");
    std::fs::write(&list, &table).unwrap();
    let whole = &lines(&place.ok(&["evaluate", "run", "--photos", "own", "--json"]))[0];
    assert_eq!((&whole["images"], &whole["by_kind"]["picture"]["images"]), (&30.into(), &30.into()));
    let ran = place.run(&["evaluate", "run", "--photos", "own/list.csv", "--json", "--report", "rep"]);
    assert!(ran.code == 0 && ran.err.contains("1 left out"), "{}", ran.err);
    let result = &lines(&ran.out)[0];
    assert_eq!((&result["by_kind"]["ink"]["images"], &result["by_kind"]["chalk"]["images"]), (&10.into(), &19.into()));
    let right =
        |kind: &str| result["by_kind"][kind]["accuracy"].as_f64().unwrap() * result["by_kind"][kind]["images"].as_f64().unwrap();
    let all = result["accuracy"].as_f64().unwrap() * 29.0;
    // Whole numbers of pictures.
    assert!((right("ink") + right("chalk") - all).abs() < 1e-3 && all > 20.0, "{result}");
    for file in ["confusion.png", "mistakes.png", "report.json"] {
        assert!(place.path("rep").join(file).is_file(), "{file}");
    }
    // What `predict` says of them is what is measured.
    let read = lines(&place.ok(&["predict", "--model", "run", "own", "--json"]));
    let same = |answer: &&Value| {
        let file = answer["file"].as_str().unwrap();
        file.split(['/', '\\']).nth(1) == answer["digits"].as_str()
    };
    let share = read.iter().filter(same).count() as f64 / 30.0;
    assert!((whole["accuracy"].as_f64().unwrap() - share).abs() < 1e-9, "{share} {whole}");
    // What cannot be read, or is labelled with what the model does not know.
    std::fs::write(&list, format!("{table}none.png,3,ink,sure\n")).unwrap();
    let ran = place.run(&["evaluate", "run", "--photos", "own/list.csv"]);
    assert!(ran.code == 1 && ran.err.contains("none.png") && ran.out.contains("chalk"), "{} {}", ran.out, ran.err);
    std::fs::write(&list, format!("{table}none.png,x,ink,sure\n")).unwrap();
    assert!(place.fails(&["evaluate", "run", "--photos", "own/list.csv"]).contains("labelled \"x\""));
    std::fs::write(&list, "a,b\n").unwrap();
    let message = place.fails(&["evaluate", "run", "--photos", "own/list.csv"]);
    assert!(message.contains("columns file and label (or truth, for several digits), got a,b"), "{message}");

    // Strings: characters count, and pictures without a digit are right when they are rejected.
    GrayImage::from_pixel(30, 30, Luma([250])).save(place.path("own/blank.png")).unwrap();
    let (digit, label) = digit_picture(99, 7, 3, true);
    digit.save(place.path("own/one.png")).unwrap();
    std::fs::write(
        &list,
        format!("file,truth,kind\none.png,{label},short\none.png,{label}{label}|{label},long\nblank.png,none,empty\n"),
    )
    .unwrap();
    let result = &lines(&place.ok(&["evaluate", "run", "--photos", "own/list.csv", "--layout", "single", "--json"]))[0];
    let kinds = &result["by_kind"];
    let figure = |kind: &str, name: &str| kinds[kind][name].as_f64().unwrap();
    assert_eq!((figure("short", "exact_match"), figure("short", "character_error_rate")), (1.0, 0.0), "{result}");
    // One digit of the four characters "77\n7".
    assert_eq!((figure("long", "exact_match"), figure("long", "character_error_rate")), (0.0, 0.75));
    assert_eq!((figure("empty", "exact_match"), figure("empty", "rejected")), (1.0, 1.0));
    assert!(place.ok(&["evaluate", "run", "--photos", "own/list.csv", "--layout", "single"]).contains("char errors"));
}

#[test]
fn what_is_no_digit_should_be_rejected() {
    let place = trained();
    for (folder, value) in [("grey", 128u8), ("white", 255)] {
        std::fs::create_dir_all(place.path(&format!("junk/{folder}"))).unwrap();
        GrayImage::from_pixel(50, 40, Luma([value])).save(place.path(&format!("junk/{folder}/a.png"))).unwrap();
    }
    let (digit, _) = digit_picture(99, 1, 3, true);
    digit.save(place.path("junk/digit.png")).unwrap();
    let ran = place.run(&["evaluate", "run", "--non-digits", "junk", "--json", "--report", "rep"]);
    let result = &lines(&ran.out)[0];
    assert_eq!((ran.code, &result["images"], &result["by_folder"]["grey"]["rejected"]), (0, &3.into(), &1.0.into()));
    assert_eq!((&result["by_folder"]["junk"]["images"], &result["by_folder"]["white"]["images"]), (&1.into(), &1.into()));
    assert!((result["rejected"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    let report: Value = serde_json::from_slice(&std::fs::read(place.path("rep/report.json")).unwrap()).unwrap();
    assert!(report["mistakes"][0]["file"].as_str().unwrap().ends_with("digit.png"), "{report}");
    std::fs::write(place.path("junk/white/text.png"), "x").unwrap();
    let ran = place.run(&["evaluate", "run", "--non-digits", "junk"]);
    assert!(ran.code == 1 && ran.out.starts_with("rejected 0.6667 (2 of 3 pictures"), "{} {}", ran.out, ran.err);
}

#[test]
fn names_of_any_length_are_printed() {
    let place = Place::new();
    let seven = format!("{}/../../fixtures/pictures/seven.png", env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(seven, place.path("7.png")).unwrap();
    // A width above 65,535 cannot be formatted.
    let kind = "k".repeat(70_000);
    std::fs::write(place.path("table.csv"), format!("file,label,kind,certain\n7.png,7,{kind},sure\n")).unwrap();
    let out = place.ok(&["evaluate", "--photos", "table.csv"]);
    assert!(out.contains(&format!("{kind}    1.0000")), "{}", &out[..300]);
}
