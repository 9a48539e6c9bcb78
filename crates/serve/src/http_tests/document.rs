//! The OpenAPI document against the routes, and anything at all against both.

use super::*;
use proptest::prelude::*;

const DOCUMENT: &str = include_str!("../openapi.json");
/// Every path of the document with its methods.
fn documented() -> Vec<(String, Vec<String>)> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths.iter().map(|(path, methods)| (path.clone(), methods.as_object().unwrap().keys().cloned().collect())).collect()
}

#[test]
fn the_document_says_what_the_routes_do() {
    assert_eq!(get("/openapi.json").json()["info"]["version"], env!("CARGO_PKG_VERSION"));
    let real = |path: &str| path.replace("{model}", "digits").replace("{version}", "1");
    for (path, methods) in documented() {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let answer = ask(method, &real(&path), &[], "");
            let known = methods.contains(&method.to_lowercase());
            assert_eq!(answer.status == StatusCode::METHOD_NOT_ALLOWED, !known, "{method} {path}: {}", answer.status);
            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
            if !known {
                assert!(answer.headers.contains_key("allow"), "{method} {path}");
            }
        }
    }
    // And every route is in the document.
    let source = include_str!("../http.rs");
    let routes: Vec<&str> = source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(routes.len() >= 18, "{routes:?}");
    for route in routes.iter().filter(|route| !route.contains("/labels/")) {
        assert!(documented().iter().any(|(path, _)| path == route), "{route} is not in the document");
    }
}

#[test]
fn no_route_answers_under_a_name_of_the_public_dns() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let own = ["/", "/page/static/main.js", "/page/models", "/page/runs", "/page/samples", "/page/tune", "/nowhere"];
    let own = own.into_iter().map(|path| (path.to_owned(), vec!["get".to_owned()]));
    for (path, methods) in documented().into_iter().chain(own) {
        for method in methods {
            let real = path.replace("{model}", "digits").replace("{version}", "1");
            for host in ["evil.example", "evil.example:8501", "[::1].evil.example", "127.0.0.1.evil.example"] {
                let refused = ask(&method.to_uppercase(), &real, &[("host", host)], "");
                assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{method} {real} for {host}");
                assert!(refused.error().contains("start it with --host"), "{}", refused.error());
            }
            let known = &document["paths"][&path][&method]["responses"];
            assert!(known.is_null() || known.get("421").is_some(), "{method} {path} may answer 421");
        }
    }
    let named = service(Options { threads: 1, hosts: vec!["digits.example".into()], ..Options::default() });
    assert_eq!(ask_of(&named, "GET", "/v2", &[("host", "digits.example:8501")], "").status, StatusCode::OK);
}

#[test]
fn statuses_are_among_those_of_the_document() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let bodies: [&[u8]; 4] = [b"", b"{}", b"\xff\xfe", br#"{"instances": [1], "inputs": []}"#];
    for (path, methods) in documented() {
        for method in methods {
            for (model, version) in [("digits", "1"), ("none", "1"), ("digits", "7"), ("digits", "x")] {
                for body in bodies {
                    let real = path.replace("{model}", model).replace("{version}", version);
                    let answer = ask(&method.to_uppercase(), &real, &[("content-type", "image/png")], body);
                    let responses = &document["paths"][&path][&method]["responses"];
                    let status = answer.status.as_str();
                    assert!(responses.get(status).is_some(), "{method} {real}: {status} is not in the document");
                    let kind = answer.headers["content-type"].to_str().unwrap();
                    let kind = kind.split(';').next().unwrap();
                    assert!(responses[status]["content"].get(kind).is_some(), "{method} {real}: {status} of type {kind}");
                }
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|v| json!(v)),
        any::<f64>().prop_map(|v| json!(v)),
        any::<i64>().prop_map(|v| json!(v)),
        "[a-z\"\\\\]{0,6}".prop_map(|v| json!(v)),
        Just(json!("digits")),
        Just(json!(vec![0.5; 784])),
        Just(json!([1, 28, 28, 1])),
    ];
    let keys = "instances|inputs|outputs|signature_name|id|name|shape|datatype|data|parameters|binary_data_size|input_layer|x";
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((keys, inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_that_is_sent_is_our_fault(value in any_json(), bytes: Vec<u8>, cut in 0usize..400, length in 0usize..400) {
        let text = value.to_string().into_bytes();
        let cut = text[..cut.min(text.len())].to_vec();
        let length = length.to_string();
        for body in [text, cut, bytes] {
            for path in ["/v1/models/digits:predict", "/v2/models/digits/infer", "/v1/recognize"] {
                for headers in [&[("content-type", "application/octet-stream")][..], &[("inference-header-content-length", length.as_str())]] {
                    let answer = ask("POST", path, headers, body.clone());
                    prop_assert!(!answer.status.is_server_error(), "{path}: {}: {}", answer.status, answer.error());
                    prop_assert!(answer.status.is_success() || !answer.error().is_empty());
                }
            }
        }
    }
}
