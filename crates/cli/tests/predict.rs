//! `maobi evaluate` and `maobi predict`.

mod common;

use common::{Place, TEST, lines};
use image::GrayImage;
use maobi_data::builtin;

/// A run that reads drawn digits well enough.
fn trained() -> Place {
    let place = Place::new();
    place.ok(&["train", "tf2-cnn", "-q", "--epochs", "8", "--out", "run"]);
    place
}

#[test]
fn reports_and_answers() {
    let place = trained();
    // Evaluation: shapes and sums.
    let result = &lines(&place.ok(&["evaluate", "run", "--json", "--report", "report"]))[0];
    assert_eq!(result["images"], TEST);
    let matrix: Vec<Vec<u64>> = serde_json::from_value(result["confusion_matrix"].clone()).unwrap();
    assert_eq!((matrix.len(), matrix.iter().flatten().sum::<u64>()), (10, TEST as u64));
    let right: u64 = (0..10).map(|i| matrix[i][i]).sum();
    assert!((result["accuracy"].as_f64().unwrap() - right as f64 / TEST as f64).abs() < 1e-9);
    assert!(right > 240, "{right} of {TEST}");
    assert!(result["loss"].as_f64().unwrap() > 0.0);
    let classes = result["per_class"].as_array().unwrap();
    assert_eq!(classes.len(), 10);
    for key in ["precision", "recall", "f1", "support"] {
        assert!(classes[0][key].is_number(), "{key}");
    }
    for file in ["confusion.png", "mistakes.png"] {
        assert!(image::open(place.path("report").join(file)).is_ok(), "{file}");
    }
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(place.path("report/report.json")).unwrap()).unwrap();
    assert_eq!(report["mistakes"].as_array().unwrap().len() as u64, TEST as u64 - right);
    let train = &lines(&place.ok(&["evaluate", "run/model.keras", "--split", "train", "--json"]))[0];
    assert_eq!(train["images"], common::TRAIN);
    assert!(place.fails(&["evaluate", "run", "--split", "validation"]).contains("no validation images"));

    // Prediction: digits as pictures, large and dark on white.
    std::fs::create_dir(place.path("pictures")).unwrap();
    let mut labels = Vec::new();
    for index in 0..20 {
        let (pixels, label) = builtin::digit(77, index);
        let digit = GrayImage::from_fn(112, 112, |x, y| image::Luma([255 - pixels[(y / 4 * 28 + x / 4) as usize]]));
        digit.save(place.path(&format!("pictures/{index}.png"))).unwrap();
        labels.push(u64::from(label));
    }
    let answers = lines(&place.ok(&["predict", "--model", "run", "pictures", "--json"]));
    assert_eq!(answers.len(), 20);
    // Files come in natural order.
    assert!(answers[2]["file"].as_str().unwrap().ends_with("2.png") && answers[10]["file"].as_str().unwrap().ends_with("10.png"));
    let read = answers.iter().zip(&labels).filter(|(answer, label)| answer["digit"] == **label).count();
    assert!(read >= 15, "{read} of 20");
    let row: Vec<f64> = serde_json::from_value(answers[0]["probabilities"].clone()).unwrap();
    // Ten f32 of a softmax.
    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    assert_eq!(answers[0]["probability"].as_f64().unwrap(), row.iter().copied().fold(0.0, f64::max));

    let out = place.ok(&["predict", "--model", "run/model.keras", "pictures/0.png", "--top", "3", "--preprocess", "invert"]);
    assert!(out.starts_with("pictures/0.png: ") && out.matches(" %)").count() == 3, "{out}");

    // One bad picture among good ones.
    std::fs::write(place.path("bad.png"), "no picture").unwrap();
    std::fs::create_dir(place.path("empty")).unwrap();
    let ran = place.run(&["predict", "--model", "run", "bad.png", "pictures/1.png", "none.png", "empty"]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 1), "{} {}", ran.out, ran.err);
    for name in ["bad.png", "none.png", "empty"] {
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    GrayImage::from_pixel(40, 40, image::Luma([255])).save(place.path("blank.png")).unwrap();
    assert!(place.run(&["predict", "--model", "run", "blank.png"]).err.contains("there is no ink"));
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
        let (pixels, label) = builtin::digit(99, index);
        let kind = if index % 3 == 0 { "ink" } else { "chalk" };
        let value = |x: u32, y: u32| pixels[(y / 2 * 28 + x / 2) as usize];
        let digit = GrayImage::from_fn(56, 56, |x, y| image::Luma([if kind == "ink" { 255 - value(x, y) } else { value(x, y) }]));
        std::fs::create_dir_all(place.path(&format!("own/{label}"))).unwrap();
        digit.save(place.path(&format!("own/{label}/{index}.png"))).unwrap();
        let certain = if index == 4 { "ambiguous" } else { "sure" };
        table += &format!("{label}/{index}.png,{label},{kind},{certain}\n");
    }
    std::fs::write(place.path("own/list.csv"), &table).unwrap();
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
    assert!(place.path("rep/mistakes.png").is_file());
    // What cannot be read, or is labelled with what the model does not know.
    std::fs::write(place.path("own/list.csv"), format!("{table}none.png,3,ink,sure\n")).unwrap();
    let ran = place.run(&["evaluate", "run", "--photos", "own/list.csv"]);
    assert!(ran.code == 1 && ran.err.contains("none.png") && ran.out.contains("chalk"), "{} {}", ran.out, ran.err);
    std::fs::write(place.path("own/list.csv"), format!("{table}none.png,x,ink,sure\n")).unwrap();
    assert!(place.fails(&["evaluate", "run", "--photos", "own/list.csv"]).contains("labelled \"x\""));
    std::fs::write(place.path("own/list.csv"), "a,b\n").unwrap();
    assert!(place.fails(&["evaluate", "run", "--photos", "own/list.csv"]).contains("columns file and label, got a,b"));
}
