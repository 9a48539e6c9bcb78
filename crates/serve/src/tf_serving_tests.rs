use super::*;
use crate::models::{Models, Source};
use crate::served::Served;
use maobi_nn::Model;
use maobi_nn::graph::{Call, Sequential};
use maobi_nn::layers::{Concatenate, Dense, InputLayer};

fn served(model: Model) -> Served {
    Served::new("m".into(), 3, model, None, Arc::default()).unwrap()
}

/// One input `x` of two values, one output.
fn one() -> Served {
    served(Sequential::new().add(InputLayer::new([2]).name("x")).add(Dense::new(2).name("y")).build(1).unwrap())
}

/// Inputs `a` of one value and `b` of two, outputs `p` and `q`.
fn two() -> Served {
    let (a, b) = (InputLayer::new([1]).name("a").input(), InputLayer::new([2]).name("b").input());
    let joined = Concatenate::new().merge(&[&a, &b]).unwrap();
    let (p, q) = (Dense::new(1).name("p").call(&joined).unwrap(), Dense::new(2).name("q").call(&joined).unwrap());
    served(Model::new("m", &[&a, &b], &[&p, &q], 1).unwrap())
}

fn error(text: &str, served: &Served) -> String {
    parse(text.as_bytes(), served).unwrap_err()
}

#[test]
fn rows_and_columns_hold_the_same() {
    let one = one();
    let rows =
        parse(br#"{"instances": [[1, 2], [3, 4]], "signature_name": "serving_default", "more": {"a": [1]}}"#, &one).unwrap();
    assert_eq!(rows, Parsed { inputs: vec![vec![1.0, 2.0, 3.0, 4.0]], samples: 2, rows: true });
    for text in [
        r#"{"instances": [{"x": [1, 2]}, {"x": [3, 4]}]}"#,
        r#"{"inputs": [[1, 2], [3, 4]]}"#,
        r#"{"inputs": {"x": [[1, 2], [3, 4]]}}"#,
    ] {
        assert_eq!(parse(text.as_bytes(), &one).unwrap().inputs, rows.inputs, "{text}");
    }
    let two = two();
    let rows = parse(br#"{"instances": [{"b": [2, 3], "a": [1]}, {"a": [4], "b": [5, 6]}]}"#, &two).unwrap();
    assert_eq!(rows.inputs, [vec![1.0, 4.0], vec![2.0, 3.0, 5.0, 6.0]]);
    assert_eq!(parse(br#"{"inputs": {"b": [[2, 3], [5, 6]], "a": [[1], [4]]}}"#, &two).unwrap().inputs, rows.inputs);
}

#[test]
fn errors_are_worded_as_clients_know_them() {
    let (one, two) = (one(), two());
    for (text, message) in [
        ("", "JSON Parse error: The document is empty"),
        ("[1]", "JSON Parse error: expected an object, got '[' at offset: 0"),
        ("{}", "Missing 'inputs' or 'instances' key"),
        (
            r#"{"instances": [[1,2]], "inputs": [[1,2]]}"#,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
        ),
        (r#"{"instances": []}"#, "No values in 'instances' array"),
        (r#"{"inputs": []}"#, "No values in 'inputs'"),
        (r#"{"signature_name": 1}"#, "Not formatted correctly. 'signature_name' key must be a string value."),
        (r#"{"signature_name": "s"}"#, "Serving signature name: \"s\" not found in signature def"),
        (r#"{"instances": [[1,2],{"x":[1,2]}]}"#, "Expecting value/list but got object at item 1 of input list"),
        (
            r#"{"instances": [{"z":[1,2]}]}"#,
            "Failed to process element: 0 of 'instances' list. Error: JSON object: does not have named input: z",
        ),
        (
            r#"{"instances": [[1,2],[1]]}"#,
            "Failed to process element: 1 of 'instances' list. Error: Encountered list at unexpected size: 1 at level: 0 expected size: 2 at offset: 24",
        ),
        (r#"{"instances": [[1,2]]} x"#, "JSON Parse error: expected the end, got 'x' at offset: 23"),
    ] {
        assert_eq!(error(text, &one), message, "{text}");
    }
    assert!(error(r#"{"instances": [[1]]}"#, &two).starts_with("instances is a plain list, but expecting list of objects"));
    assert!(error(r#"{"instances": [{"a": [1]}]}"#, &two).contains("keys must be equal to: a,b"));
    assert!(error(r#"{"inputs": [[1]]}"#, &two).starts_with("inputs is a plain value/list"));
    assert_eq!(error(r#"{"inputs": {"a": [[1]]}}"#, &two), "Missing named input: b in 'inputs' object.");
    assert_eq!(
        error(r#"{"inputs": {"a": [[1]], "b": [[1,2],[3,4]]}}"#, &two),
        "Expecting as many samples for each input but got: 2 for b"
    );
    assert_eq!(error(r#"{"inputs": {"a": [[1]], "a": [[1]]}}"#, &two), "input a is there twice");
}

#[test]
fn answers_have_the_form_of_the_question() {
    let text = |served: &Served, outputs: &[Vec<f32>], rows| String::from_utf8(answer(served, outputs, 2, rows)).unwrap();
    let (one, two) = (one(), two());
    let single = [vec![1.0, 2.5, 3.0, 4.0]];
    assert_eq!(text(&one, &single, true), r#"{"predictions": [[1.0,2.5],[3.0,4.0]]}"#);
    assert_eq!(text(&one, &single, false), r#"{"outputs": [[1.0,2.5],[3.0,4.0]]}"#);
    let both = [vec![7.0, 8.0], vec![1.0, 2.0, 3.0, 4.0]];
    assert_eq!(text(&two, &both, true), r#"{"predictions": [{"p":[7.0],"q":[1.0,2.0]},{"p":[8.0],"q":[3.0,4.0]}]}"#);
    assert_eq!(text(&two, &both, false), r#"{"outputs": {"p":[[7.0],[8.0]],"q":[[1.0,2.0],[3.0,4.0]]}}"#);
}

#[test]
fn a_source_without_a_path_is_the_model_in_the_box() {
    let models = Models::open(vec![Source { name: "digits".into(), path: None }], Box::new(|_| Err(String::new()))).unwrap();
    assert_eq!(models.default_model().unwrap().inputs[0].shape, [28, 28, 1]);
}
