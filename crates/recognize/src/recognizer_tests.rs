use super::*;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, Flatten, InputLayer};

/// A network that answers `bias` whatever it sees.
fn constant(outputs: usize, bias: &[f32]) -> Model {
    let net = Sequential::new().add(InputLayer::new([28, 28, 1])).add(Flatten::new());
    let mut model = net.add(Dense::new(outputs).activation("softmax")).build(1).unwrap();
    let [kernel, offset] = model.weights_mut() else { panic!("a Dense has two weights") };
    kernel.values_mut().fill(0.0);
    offset.values_mut().copy_from_slice(bias);
    model
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// A bar on white paper.
fn bar() -> Picture {
    let grey = (0..60 * 100).map(|i| if (26..34).contains(&(i % 60)) && (20..80).contains(&(i / 60)) { 30 } else { 240 });
    Picture::from_grey(60, 100, grey.collect()).unwrap()
}

#[test]
fn none_is_taken_out_and_the_rest_renormalised() {
    let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
    let recognizer = Recognizer::new(constant(3, &logits), Scaling::default(), names(&["a", "none", "b"]))
        .unwrap()
        .operating_point(OperatingPoint { alone: 0.5, ..OperatingPoint::default() });
    assert_eq!((recognizer.classes(), recognizer.knows_none()), (&names(&["a", "b"])[..], true));
    let reading = recognizer.recognize(&bar(), &Options::new().layout(crate::Layout::Single)).unwrap();
    let item = &reading.items[0];
    assert_eq!((reading.digits.as_str(), reading.rejected, item.digit), ("a", false, 0));
    // exp and ln of f32 are good to an ulp or two.
    assert!((item.none - 0.3).abs() < 1e-6 && (item.probability - 0.5 / 0.7).abs() < 1e-6, "{item:?}");
    assert!((reading.confidence - 0.5).abs() < 1e-6);
    assert_eq!((item.rect.width, item.rect.height, item.pixels.len()), (8, 60, 784));
}

#[test]
fn what_is_none_or_unsure_is_rejected() {
    let logits = [0.2f32.ln(), 0.6f32.ln(), 0.2f32.ln()];
    let recognizer = Recognizer::new(constant(3, &logits), Scaling::default(), names(&["a", "none", "b"])).unwrap();
    assert!(recognizer.recognize(&bar(), &Options::default()).unwrap().rejected);
    let lenient = recognizer.operating_point(OperatingPoint { none: 0.7, alone: 0.7, ..OperatingPoint::default() });
    assert!(!lenient.recognize(&bar(), &Options::default()).unwrap().rejected);
    let plain = Recognizer::new(constant(3, &[0.0; 3]), Scaling::default(), vec![]).unwrap();
    let reading = plain.recognize(&bar(), &Options::default()).unwrap();
    assert!(reading.rejected && reading.items[0].none == 0.0, "a third each is below one half");
}

#[test]
fn blank_paper_is_rejected() {
    let recognizer =
        Recognizer::new(constant(10, &[9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), Scaling::default(), vec![]).unwrap();
    let paper = Picture::from_grey(50, 50, vec![200; 2500]).unwrap();
    let reading = recognizer.recognize(&paper, &Options::default()).unwrap();
    assert!(reading.blank && reading.rejected);
}

#[test]
fn misfits_are_named() {
    let error = Recognizer::new(constant(3, &[0.0; 3]), Scaling::default(), names(&["a", "b"])).unwrap_err();
    assert_eq!(error.to_string(), "classes: expected 3 names, one for each output of the model, got 2");
    let colour = Sequential::new().add(InputLayer::new([8, 8, 3])).add(Flatten::new()).add(Dense::new(2)).build(1).unwrap();
    let error = Recognizer::new(colour, Scaling::default(), vec![]).unwrap_err();
    assert!(error.to_string().starts_with("model: expected one input of shape [height, width, 1], got"), "{error}");
    let only = Recognizer::new(constant(1, &[0.0]), Scaling::default(), names(&["none"])).unwrap_err();
    assert_eq!(only.to_string(), "classes: expected a class other than \"none\", got none");
}

#[test]
fn a_file_says_how_its_pictures_are_scaled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.keras");
    let member = br#"{"scale": 2, "offset": -1, "classes": ["x", "y", "none"]}"#;
    maobi_formats::keras::save_with(&constant(3, &[0.0; 3]), &file, &[(preprocessing::MEMBER, member)]).unwrap();
    let recognizer = Recognizer::open(&file).unwrap();
    assert_eq!((recognizer.scaling, recognizer.classes.len()), (Scaling { scale: 2.0, offset: -1.0 }, 2));
    maobi_formats::keras::save_with(&constant(3, &[0.0; 3]), &file, &[(preprocessing::MEMBER, b"{}")]).unwrap();
    let error = Recognizer::open(&file).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: its member preprocessing.json cannot be read", file.display())), "{error}");
}

#[test]
fn boxes_are_those_of_the_file_and_time_ends() {
    let recognizer = Recognizer::new(constant(10, &[0.0; 10]), Scaling::default(), vec![]).unwrap();
    let options = Options::new().layout(crate::Layout::Single);
    // As a picture of twice the size is decoded.
    let shrunk = Picture { full: (119, 200), ..bar() };
    let rect = recognizer.recognize(&shrunk, &options).unwrap().items[0].rect;
    assert_eq!((rect.y, rect.height), (40, 120));
    assert!((51..=52).contains(&rect.x) && (15..=17).contains(&rect.width), "{rect:?}");
    let late = options.until(std::time::Instant::now());
    assert!(matches!(recognizer.recognize(&bar(), &late), Err(Error::TooMuch(maobi_vision::TooMuch::Time))));
}
