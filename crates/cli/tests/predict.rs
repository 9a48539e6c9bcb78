//! `maobi predict`: pictures in, answers out.

mod common;

use common::{Place, Ran, digit_picture, lines};
use image::{GrayImage, Luma, RgbImage};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;
use std::sync::OnceLock;

/// A folder with a run that reads drawn digits well enough, and `pictures/` of twenty digits, large and dark on white.
fn trained() -> &'static (Place, Vec<u64>) {
    static PLACE: OnceLock<(Place, Vec<u64>)> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Place::new();
        place.ok(&["train", "tf2-cnn", "-q", "--epochs", "8", "--out", "run"]);
        std::fs::create_dir(place.path("pictures")).unwrap();
        let save = |index| {
            let (picture, label) = digit_picture(77, index, 4, true);
            picture.save(place.path(&format!("pictures/{index}.png"))).unwrap();
            label
        };
        let labels = (0..20).map(save).collect();
        (place, labels)
    })
}

fn answers(arguments: &[&str]) -> Vec<Value> {
    lines(&trained().0.ok(&[&["predict", "--model", "run", "--json"], arguments].concat()))
}

#[test]
fn digits_are_read_in_natural_order() {
    let labels = &trained().1;
    let answers = answers(&["pictures"]);
    assert_eq!(answers.len(), 20);
    assert!(answers[2]["file"].as_str().unwrap().ends_with("2.png") && answers[10]["file"].as_str().unwrap().ends_with("10.png"));
    let right = |(answer, label): &(&Value, &u64)| answer["digits"].as_str() == Some(label.to_string().as_str());
    let read = answers.iter().zip(labels).filter(right).count();
    assert!(read >= 15, "{read} of 20");
    for answer in &answers {
        assert_eq!((&answer["blank"], answer["items"].as_array().map(Vec::len)), (&Value::Bool(false), Some(1)), "{answer}");
        let item = &answer["items"][0];
        let row: Vec<f64> = serde_json::from_value(item["probabilities"].clone()).unwrap();
        // Ten f32 of a softmax.
        assert!(row.len() == 10 && (row.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        let best = row.iter().copied().fold(0.0, f64::max);
        assert_eq!((item["probability"].as_f64(), row[item["digit"].as_u64().unwrap() as usize]), (Some(best), best));
        assert_eq!((&answer["confidence"], &answer["digit"]), (&item["probability"], &item["digit"]));
        let side: Vec<u64> = serde_json::from_value(item["box"].clone()).unwrap();
        // A digit of 20 pixels, drawn four times as large.
        assert!(side[0] + side[2] <= 112 && side[1] + side[3] <= 112 && (70..=90).contains(&side[2].max(side[3])), "{side:?}");
        assert!(answer["others"][0]["confidence"].as_f64().unwrap() <= best);
    }
}

#[test]
fn without_a_model_there_is_one_in_the_box() {
    let place = Place::new();
    let right = |dark: bool| {
        let read = |index| {
            let (picture, label) = digit_picture(78, index, 5, dark);
            picture.save(place.path("own.png")).unwrap();
            let answer = &lines(&place.ok(&["predict", "own.png", "--json"]))[0];
            assert_eq!(answer["items"][0]["probabilities"].as_array().map(Vec::len), Some(10), "{answer}");
            answer["digits"].as_str() == Some(label.to_string().as_str()) && answer["rejected"] == false
        };
        (0..10).filter(|&index| read(index)).count()
    };
    assert!(right(true) + right(false) >= 18);
    // Crossed lines are no digit.
    let lines_across = GrayImage::from_fn(120, 120, |x, y| Luma([if x % 24 < 4 || y % 24 < 4 { 20 } else { 240 }]));
    lines_across.save(place.path("grid.png")).unwrap();
    let out = place.ok(&["predict", "grid.png"]);
    assert!(out.starts_with("grid.png: rejected: "), "{out}");
    assert!(place.misused(&["predict", "own.png", "--scale", "1"]).contains("model in the box"));
}

#[test]
fn a_line_a_picture_with_a_second_guess() {
    let place = &trained().0;
    let out = place.ok(&["predict", "--model", "run/model.keras", "pictures/0.png", "--preprocess", "invert"]);
    assert!(out.starts_with("pictures/0.png: ") && out.matches(" %)").count() == 2 && out.contains(", or "), "{out}");
    let out = place.ok(&["predict", "--model", "run", "pictures/0.png", "--top", "4"]);
    assert_eq!(out.matches(" %)").count(), 4, "{out}");
    assert_eq!(place.ok(&["predict", "--model", "run", "pictures/0.png", "--top", "1"]).matches(" %)").count(), 1);
    let (picture, _) = digit_picture(77, 0, 1, false);
    picture.save(place.path("small.png")).unwrap();
    // A picture of MNIST's own form is taken as it is.
    assert_eq!(
        answers(&["small.png"])[0]["items"][0]["probabilities"],
        answers(&["small.png", "--preprocess", "none"])[0]["items"][0]["probabilities"]
    );
}

#[test]
fn patterns_tables_and_standard_input() {
    let place = &trained().0;
    // Not expanded by a shell: there is none here.
    let out = place.ok(&["predict", "--model", "run", "pictures/1?.png", "--csv", "out.csv"]);
    assert_eq!(out.lines().count(), 10, "{out}");
    let table = std::fs::read_to_string(place.path("out.csv")).unwrap();
    let printed = place.ok(&["predict", "--model", "run", "pictures/1?.png", "--csv", "-"]);
    assert_eq!(table, printed);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows.len(), rows[0]), (11, "file,digits,confidence,rejected,blank,second,second_confidence"));
    assert!(rows[1].starts_with("pictures/10.png,") && rows[10].starts_with("pictures/19.png,"), "{table}");
    assert!(place.misused(&["predict", "--model", "run", "pictures/1.png", "--csv", "-", "--json"]).contains("--csv -"));

    // A pipe that is held open, by its name, too: so the shell hands over <(command).
    let names: &[&str] = if cfg!(target_os = "linux") { &["-", "/dev/stdin", "/dev/fd/0"] } else { &["-"] };
    for name in names {
        let arguments = ["predict", "--model", "run", name, "--json"];
        let mut child =
            place.command(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&std::fs::read(place.path("pictures/3.png")).unwrap()).unwrap();
        let piped = &lines(&Ran::of(child.wait_with_output().unwrap(), &arguments).out)[0];
        assert_eq!((&piped["file"], &piped["items"]), (&Value::from(*name), &answers(&["pictures/3.png"])[0]["items"]));
    }
}

#[test]
fn pictures_that_break_a_decoder_hold_up_nothing() {
    let place = Place::new();
    std::fs::create_dir(place.path("many")).unwrap();
    // More than are read ahead, on any number of threads.
    let damaged = include_bytes!("../../../fixtures/vision/plte-of-4-bytes.png");
    for index in 0..200 {
        let file = place.path(&format!("many/{index}.png"));
        match index % 4 {
            0 => GrayImage::from_pixel(28, 28, Luma([255])).save(file).unwrap(),
            _ => std::fs::write(file, damaged).unwrap(),
        }
    }
    let ran = place.run(&["predict", "many", "--json"]);
    assert_eq!((ran.code, lines(&ran.out).len()), (1, 50), "{}", ran.err);
    let errors: Vec<&str> = ran.err.lines().collect();
    assert_eq!(errors.len(), 150, "{}", ran.err);
    assert!(errors[0].starts_with("error: many/1.png: the PNG is damaged or cut short (the decoder failed: "), "{}", errors[0]);
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused() {
    let place = Place::new();
    assert!(std::process::Command::new("mkfifo").arg(place.path("pipe.png")).status().unwrap().success());
    let ran = place.run(&["predict", "pipe.png", "/dev/zero"]);
    assert_eq!(ran.code, 1);
    let expected = "error: pipe.png: is a named pipe, not a picture file; give the path of a file, or - to read standard input\n\
                    error: /dev/zero: is a device, not a picture file; give the path of a file, or - to read standard input\n";
    assert_eq!(ran.err, expected);
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_done() {
    let place = &trained().0;
    std::fs::create_dir_all(place.path("bad/bare")).unwrap();
    let bad = |name: &str| place.path(&format!("bad/{name}"));
    std::fs::write(bad("text.png"), "no picture").unwrap();
    std::fs::write(bad("nothing.png"), "").unwrap();
    let mut long = Vec::new();
    GrayImage::new(100_000, 1).write_to(&mut std::io::Cursor::new(&mut long), image::ImageFormat::Png).unwrap();
    std::fs::write(bad("long.png"), &long).unwrap();
    // A bomb: a few bytes that announce 2.5 thousand million pixels, all of them black. Width and height follow the chunk's name.
    let crc = |bytes: &[u8]| {
        let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
    };
    let mut bomb = long.clone();
    bomb[16..20].copy_from_slice(&50_000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&50_000u32.to_be_bytes());
    let sum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    std::fs::write(bad("bomb.png"), &bomb).unwrap();
    let whole = std::fs::read(place.path("pictures/2.png")).unwrap();
    std::fs::write(bad("cut.png"), &whole[..whole.len() / 2]).unwrap();

    let files =
        ["pictures/1.png", "bad/text.png", "bad/nothing.png", "bad/long.png", "bad/bomb.png", "bad/cut.png", "bad/none.png"];
    let more = ["bad/bare", "bad/*.gif", "pictures/2.png"];
    let ran = place.run(&[&["predict", "--model", "run"], &files[..], &more[..]].concat());
    assert_eq!((ran.code, ran.out.lines().count()), (1, 2), "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("pictures/1.png: ") && ran.out.contains("pictures/2.png: "), "{}", ran.out);
    for (name, reason) in [
        ("text.png", "text"),
        ("nothing.png", "is empty"),
        ("long.png", "the limit for a side"),
        ("bomb.png", "50000×50000"),
        ("cut.png", "damaged"),
        ("none.png", "cannot be read"),
        ("bare", "no pictures"),
        ("*.gif", "no file has such a name"),
    ] {
        let told: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error: bad/") && line.contains(name)).collect();
        assert!(told.len() == 1 && told[0].contains(reason), "{name}: {}", ran.err);
    }
}

#[test]
fn blank_pictures_are_said_to_be() {
    let place = &trained().0;
    GrayImage::from_pixel(40, 40, Luma([255])).save(place.path("blank.png")).unwrap();
    let out = place.ok(&["predict", "--model", "run", "blank.png"]);
    assert_eq!(out, "blank.png: rejected: blank, there is no ink on it\n");
    let answer = &answers(&["blank.png"])[0];
    assert_eq!((&answer["rejected"], &answer["blank"]), (&Value::Bool(true), &Value::Bool(true)));
}

#[test]
fn how_a_picture_was_read_is_drawn() {
    let place = &trained().0;
    place.ok(&["predict", "--model", "run", "pictures/4.png", "--explain", "why.png"]);
    let drawn = image::open(place.path("why.png")).unwrap();
    assert!(drawn.width() > 500 && drawn.height() > 300, "{}×{}", drawn.width(), drawn.height());
    assert!(place.fails(&["predict", "--model", "run", "pictures", "--explain", "why.png"]).contains("got 20 pictures"));
}

#[cfg(unix)]
#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let place = &trained().0;
    let arguments = ["predict", "--model", "run", "pictures", "pictures", "pictures", "--json"];
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap(), &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn classes_with_names_are_told_by_name_in_color_too() {
    let place = Place::new();
    for (class, color) in [("leaf", [20u8, 160, 30]), ("rose", [200, 20, 40])] {
        for index in 0..12u8 {
            std::fs::create_dir_all(place.path(&format!("set/{class}"))).unwrap();
            let picture = RgbImage::from_pixel(8, 8, image::Rgb(color.map(|c| c.saturating_add(index * 3))));
            picture.save(place.path(&format!("set/{class}/{index}.png"))).unwrap();
        }
    }
    let recipe = place.ok(&["recipes", "show", "softmax"]);
    let recipe = recipe
        .replace("units = 10", "units = 2")
        .replace("[28, 28, 1]", "[8, 8, 3]")
        .replace("dataset = \"mnist\"", "dataset = \"set\"");
    std::fs::write(place.path("mine.toml"), recipe).unwrap();
    place.ok(&["train", "mine.toml", "-q", "--dataset", "set", "--steps", "200", "--out", "colors"]);
    let answers = lines(&place.ok(&["predict", "--model", "colors", "set", "--json"]));
    assert_eq!(answers.len(), 24);
    assert!(
        answers.iter().all(|answer| answer["file"].as_str().unwrap().contains(answer["digits"].as_str().unwrap())),
        "{answers:?}"
    );
    assert_eq!((&answers[20]["class"], &answers[20]["digit"]), (&"rose".into(), &1.into()));
    let out = place.ok(&["predict", "--model", "colors", "set/leaf/1.png"]);
    assert!(out.starts_with("set/leaf/1.png: leaf (") && out.contains("or rose ("), "{out}");
    assert!(place.fails(&["predict", "--model", "colors", "set", "--preprocess", "invert"]).contains("takes color"));
    let from_stdin = ["predict", "--model", "colors", "-"];
    let picture = std::fs::File::open(place.path("set/rose/1.png")).unwrap();
    let ran = Ran::of(place.command(&from_stdin).stdin(picture).output().unwrap(), &from_stdin);
    assert!(ran.out.starts_with("-: rose ("), "{} {}", ran.out, ran.err);
}
