//! Requests through the router, as the network would bring them: every route, every kind of refusal, and anything at all.

#[path = "http_tests/bounds.rs"]
mod bounds;
#[path = "http_tests/document.rs"]
mod document;

use crate::http::router;
use crate::service::Service;
use crate::{Log, Models, Options, Source};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tower::ServiceExt;

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap());

/// The model in the box, named `digits`.
static DIGITS: LazyLock<Arc<Service>> = LazyLock::new(|| service(Options { threads: 2, ..Options::default() }));

fn service(options: Options) -> Arc<Service> {
    let models = Models::open(vec![Source { name: "digits".into(), path: None }], Box::new(|_| Err("no files".into()))).unwrap();
    Arc::new(Service::new(options, models, Log::silent()).unwrap())
}

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answered {
    fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{}: {e}: {text}", self.status))
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().expect("an error").to_owned()
    }
}

async fn send(router: Router, request: Request<Body>) -> Answered {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    Answered { status: parts.status, headers: parts.headers, bytes }
}

fn ask_of(service: &Arc<Service>, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    RUNTIME.block_on(send(router(Arc::clone(service)), request.body(body.into()).unwrap()))
}

fn ask(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answered {
    ask_of(&DIGITS, method, path, headers, body)
}

fn get(path: &str) -> Answered {
    ask("GET", path, &[], "")
}

fn post(path: &str, body: &Value) -> Answered {
    ask("POST", path, &[("content-type", "application/json")], body.to_string())
}

/// Where a seven has ink.
fn is_ink(x: u32, y: u32) -> bool {
    ((y == 6 || y == 7) && (7..20).contains(&x)) || ((8..22).contains(&y) && (x + (y - 8) / 2).abs_diff(19) < 2)
}

/// A seven, as the network sees it.
fn seven() -> Vec<f32> {
    let served = DIGITS.models.default_model().unwrap();
    let recognizer = served.recognizer().unwrap();
    let grey = (0..140 * 140).map(|i| if is_ink(i % 140 / 5, i / 700) { 30 } else { 235 }).collect();
    let picture = maobi_vision::Picture::from_grey(140, 140, grey).unwrap();
    let reading = recognizer.recognize(&picture, &maobi_recognize::Options::default()).unwrap();
    let scaling = recognizer.scaling();
    reading.items[0].pixels.iter().map(|&pixel| f32::from(pixel) * scaling.scale + scaling.offset).collect()
}

/// `[28, 28, 1]` as lists of lists.
fn nested(values: &[f32]) -> Value {
    values.chunks(28).map(|row| row.iter().map(|v| json!([v])).collect::<Value>()).collect()
}

fn best(row: &Value) -> usize {
    let values: Vec<f64> = serde_json::from_value(row.clone()).unwrap();
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap()
}

fn png(width: u32, height: u32, shade: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let picture = image::GrayImage::from_fn(width, height, |x, y| image::Luma([shade(x, y)]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn picture() -> Vec<u8> {
    png(140, 140, |x, y| if is_ink(x / 5, y / 5) { 30 } else { 235 })
}

#[test]
fn tf_serving_predicts_by_rows_and_columns() {
    let body = json!({ "instances": [nested(&seven()), nested(&[0.0; 784])] });
    let rows = post("/v1/models/digits:predict", &body);
    assert_eq!((rows.status, &rows.headers["content-type"]), (StatusCode::OK, &"application/json".parse().unwrap()));
    let predictions = &rows.json()["predictions"];
    assert_eq!((predictions.as_array().unwrap().len(), best(&predictions[0])), (2, 7));
    let columns = post("/v1/models/digits/versions/1:predict", &json!({ "inputs": body["instances"] })).json();
    // One by one or together: other kernels, the same sums in another order.
    for (a, b) in columns["outputs"].as_array().unwrap().iter().zip(predictions.as_array().unwrap()) {
        for (a, b) in a.as_array().unwrap().iter().zip(b.as_array().unwrap()) {
            assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn tf_serving_tells_status_and_metadata() {
    let available = json!({ "version": "1", "state": "AVAILABLE", "status": { "error_code": "OK", "error_message": "" } });
    for path in ["/v1/models/digits", "/v1/models/digits/versions/1"] {
        assert_eq!(get(path).json(), json!({ "model_version_status": [available] }));
    }
    let metadata = get("/v1/models/digits/metadata").json();
    assert_eq!(metadata["model_spec"], json!({ "name": "digits", "signature_name": "", "version": "1" }));
    let signature = &metadata["metadata"]["signature_def"]["signature_def"]["serving_default"];
    assert_eq!(signature["method_name"], "tensorflow/serving/predict");
    let input = signature["inputs"].as_object().unwrap().values().next().unwrap();
    let sizes: Vec<&str> =
        input["tensor_shape"]["dim"].as_array().unwrap().iter().map(|dim| dim["size"].as_str().unwrap()).collect();
    assert_eq!((sizes, &input["dtype"]), (vec!["-1", "28", "28", "1"], &json!("DT_FLOAT")));
    assert_eq!(get("/v1/models/digits/versions/1/metadata").json(), metadata);
    let listed = &get("/v1/models").json()["models"][0];
    assert_eq!(
        (&listed["name"], &listed["versions"], &listed["reads_pictures"]),
        (&json!("digits"), &json!(["1"]), &json!(true))
    );
}

#[test]
fn tf_serving_refuses_in_its_own_words() {
    for (method, path, status, message) in [
        ("GET", "/v1/models/none", 404, "Could not find any versions of model none"),
        ("GET", "/v1/models/digits/versions/9", 404, "Could not find version 9 of model digits"),
        ("GET", "/v1/models/digits/versions/x", 400, "Failed to convert version: x to numeric."),
        ("POST", "/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"),
        ("POST", "/v1/models/digits/versions/9:predict", 404, "Servable not found for request: Specific(digits, 9)"),
        ("POST", "/v1/models/digits:predict", 400, "JSON Parse error: The document is empty"),
        ("POST", "/v1/models/digits:train", 400, "Malformed request: POST /v1/models/digits:train; expected digits:predict"),
        (
            "POST",
            "/v1/models/digits:classify",
            400,
            "Expected classify signature method_name; this model has predict only, use :predict",
        ),
        ("GET", "/v1/models/digits:predict", 405, "this path takes POST; see /openapi.json"),
        ("POST", "/v1/models/digits", 405, "this path takes GET, HEAD; see /openapi.json"),
        (
            "POST",
            "/v1/models/digits/labels/new:predict",
            400,
            "Unrecognized servable version label: new; versions are asked for by their numbers",
        ),
    ] {
        let answer = ask(method, path, &[], "");
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, message), "{method} {path}");
    }
    let one = |value: &str| {
        let mut values = seven();
        values[0] = 0.25;
        let text = json!({ "instances": [nested(&values)] }).to_string().replacen("0.25", value, 1);
        ask("POST", "/v1/models/digits:predict", &[], text)
    };
    for value in ["NaN", "Infinity", "1e999", "\"1\"", "null", "[0.0]", "{}", "0.0,0.0", ""] {
        assert_eq!(one(value).status, StatusCode::BAD_REQUEST, "{value}");
    }
    // Finite, but not what comes out.
    assert!(one("3e38").status == StatusCode::OK || one("3e38").error().contains("NaN or infinite"));
}

#[test]
fn v2_tells_about_itself_and_its_models() {
    assert_eq!(get("/v2").json()["name"], "maobi");
    assert_eq!(
        (get("/v2/health/live").json(), get("/v2/health/ready").json()),
        (json!({ "live": true }), json!({ "ready": true }))
    );
    let model = get("/v2/models/digits").json();
    assert_eq!(
        (&model["name"], &model["versions"], &model["inputs"][0]["datatype"]),
        (&json!("digits"), &json!(["1"]), &json!("FP32"))
    );
    assert_eq!(model["inputs"][0]["shape"], json!([-1, 28, 28, 1]));
    assert_eq!(get("/v2/models/digits/versions/1").json(), model);
    assert_eq!(get("/v2/models/digits/versions/1/ready").json(), json!({ "name": "digits", "ready": true }));
    assert_eq!(get("/v2/models/none").error(), "Request for unknown model: 'none' is not found");
    assert_eq!(get("/v2/models/digits/versions/2/ready").status, StatusCode::NOT_FOUND);
    assert_eq!(get("/v2/models/digits/versions/x").status, StatusCode::BAD_REQUEST);
    assert_eq!(get("/v2/models/digits/infer").status, StatusCode::METHOD_NOT_ALLOWED);
}

/// Names of the model's input and output.
fn tensor_names() -> (String, String) {
    let model = get("/v2/models/digits").json();
    let name = |list: &str| model[list][0]["name"].as_str().unwrap().to_owned();
    (name("inputs"), name("outputs"))
}

#[test]
fn v2_infers_from_text_and_bytes_alike() {
    let (input, output) = tensor_names();
    let seven = seven();
    let head = json!({ "name": input, "shape": [1, 28, 28, 1], "datatype": "FP32" });
    let with = |key: &str, value: Value| {
        let mut head = head.clone();
        head[key] = value;
        head
    };
    let flat = post("/v2/models/digits/infer", &json!({ "id": "a\"b", "inputs": [with("data", json!(seven))] })).json();
    assert_eq!(
        (&flat["id"], &flat["model_name"], &flat["outputs"][0]["name"]),
        (&json!("a\"b"), &json!("digits"), &json!(output))
    );
    assert_eq!(best(&flat["outputs"][0]["data"]), 7);
    let nested = json!({ "inputs": [with("data", json!([nested(&seven)]))], "outputs": [{ "name": output }] });
    assert_eq!(post("/v2/models/digits/versions/1/infer", &nested).json()["outputs"], flat["outputs"]);

    let text = json!({ "inputs": [with("parameters", json!({ "binary_data_size": 4 * 784 }))], "parameters": { "binary_data_output": true } }).to_string();
    let bytes: Vec<u8> = seven.iter().flat_map(|v| v.to_le_bytes()).collect();
    let length = text.len().to_string();
    let answer = ask(
        "POST",
        "/v2/models/digits/infer",
        &[("inference-header-content-length", &length)],
        [text.as_bytes(), &bytes].concat(),
    );
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let length: usize = answer.headers["inference-header-content-length"].to_str().unwrap().parse().unwrap();
    let (head, tail) = answer.bytes.split_at(length);
    let head: Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], tail.len());
    let values: Vec<f32> = tail.chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap())).collect();
    let told: Vec<f32> = serde_json::from_value(flat["outputs"][0]["data"].clone()).unwrap();
    assert_eq!(values, told);
}

#[test]
fn v2_refuses_with_reasons() {
    let (input, _) = tensor_names();
    let infer = |shape: Value, datatype: &str, data: Value, outputs: Value| {
        let body =
            json!({ "inputs": [{ "name": input, "shape": shape, "datatype": datatype, "data": data }], "outputs": outputs });
        post("/v2/models/digits/infer", &body)
    };
    for (answer, message) in [
        (infer(json!([1, 784]), "FP32", json!(seven()), json!([])), "unexpected shape for input"),
        (infer(json!([0, 28, 28, 1]), "FP32", json!([]), json!([])), "unexpected shape for input"),
        (infer(json!([1, 28, 28, 1]), "BYTES", json!(seven()), json!([])), "datatype 'BYTES' is not read"),
        (infer(json!([1, 28, 28, 1]), "FP32", json!([1]), json!([])), "data: has 1 values"),
        (infer(json!([1, 28, 28, 1]), "UINT8", json!(seven()), json!([])), "expected a whole number"),
        (infer(json!([u64::MAX, u64::MAX]), "FP32", json!([1]), json!([])), "astronomical"),
        (infer(json!([1, 28, 28, 1]), "FP32", json!(seven()), json!([{ "name": "z" }])), "unexpected inference output 'z'"),
        (post("/v2/models/digits/infer", &json!({ "inputs": [] })), "is missing"),
        (post("/v2/models/digits/infer", &json!({})), "inputs: are missing"),
        (
            ask("POST", "/v2/models/digits/infer", &[("inference-header-content-length", "-1")], "{}"),
            "expected a number of bytes",
        ),
    ] {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.error().contains(message), "{} has not {message}", answer.error());
    }
}

#[test]
fn pictures_are_read_from_bodies_and_forms() {
    let picture = picture();
    let body = ask("POST", "/v1/recognize?top=3", &[("content-type", "image/png")], picture.clone());
    let read = body.json();
    assert_eq!((&read["digits"], &read["rejected"], &read["model"]), (&json!("7"), &json!(false), &json!("digits")), "{read}");
    assert_eq!((read["others"].as_array().unwrap().len(), read["items"][0]["box"].as_array().unwrap().len()), (2, 4));
    let form = [
        b"--X\r\nContent-Disposition: form-data; name=\"top\"\r\n\r\n3\r\n--X\r\nContent-Disposition: form-data; name=\"image\"; filename=\"7.png\"\r\nContent-Type: image/png\r\n\r\n".as_slice(),
        &picture,
        b"\r\n--X--\r\n",
    ]
    .concat();
    let mut form = ask("POST", "/v1/recognize", &[("content-type", "multipart/form-data; boundary=X")], form).json();
    assert_eq!(form["file"].take(), "7.png");
    form.as_object_mut().unwrap().remove("file");
    assert_eq!(form, read);
}

#[test]
fn what_is_no_picture_is_refused() {
    let png = [("content-type", "image/png")];
    for (answer, status, message) in [
        (ask("POST", "/v1/recognize", &png, ""), 400, "empty"),
        (ask("POST", "/v1/recognize", &png, "words"), 400, "not a picture"),
        (ask("POST", "/v1/recognize", &png, picture()[..60].to_vec()), 400, "damaged or cut short"),
        (ask("POST", "/v1/recognize", &[("content-type", "text/plain")], "7"), 415, "is no picture; expected image/"),
        (ask("POST", "/v1/recognize", &[("content-encoding", "gzip")], "7"), 415, "without Content-Encoding"),
        (ask("POST", "/v1/recognize?layout=page", &png, picture()), 400, "layout: expected auto"),
        (ask("POST", "/v1/recognize?model=none", &png, picture()), 404, "Servable not found"),
        (ask("POST", "/v1/recognize", &[("content-type", "multipart/form-data")], ""), 400, "names no boundary"),
        (
            ask("POST", "/v1/recognize", &[("content-type", "multipart/form-data; boundary=X")], "--X--\r\n"),
            400,
            "expected one file",
        ),
        (ask("GET", "/v1/recognize", &[], ""), 405, "see /openapi.json"),
    ] {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.error());
        assert!(answer.error().contains(message), "{} has not {message}", answer.error());
    }
}

#[test]
fn every_answer_has_an_identity_and_every_error_is_json() {
    assert_eq!(ask("GET", "/v2", &[("x-request-id", "a-1")], "").headers["x-request-id"], "a-1");
    let (first, second) = (get("/nowhere"), ask("GET", "/v2", &[("x-request-id", "a b")], ""));
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
    assert_eq!(
        (first.status, first.error().as_str()),
        (StatusCode::NOT_FOUND, "there is nothing at /nowhere; what there is: /openapi.json")
    );
    let method = ask("DELETE", "/v2", &[], "");
    assert_eq!((method.status, &method.headers["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD".parse().unwrap()));
    assert_eq!(method.error(), "DELETE is not for /v2; see /openapi.json");
    assert_eq!(get("/v2/models/%ff").status, StatusCode::BAD_REQUEST);
    assert!(get("/v2/models/%ff").error().starts_with("the path cannot be read"));
}

#[test]
fn pages_of_others_ask_only_where_they_may() {
    let origin = [("origin", "http://a.example"), ("access-control-request-method", "POST")];
    let closed = ask("GET", "/v2", &origin, "");
    assert!(!closed.headers.contains_key("access-control-allow-origin"));
    assert_eq!(ask("OPTIONS", "/v1/recognize", &origin, "").status, StatusCode::METHOD_NOT_ALLOWED);
    let open = service(Options { threads: 1, cors: vec!["http://a.example".into()], ..Options::default() });
    let preflight = ask_of(&open, "OPTIONS", "/v1/recognize", &origin, "");
    assert_eq!(
        (preflight.status, &preflight.headers["access-control-allow-origin"]),
        (StatusCode::NO_CONTENT, &"http://a.example".parse().unwrap())
    );
    let other = ask_of(&open, "GET", "/v2", &[("origin", "http://b.example")], "");
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    let any = service(Options { threads: 1, cors: vec!["*".into()], ..Options::default() });
    assert_eq!(ask_of(&any, "GET", "/v2", &origin, "").headers["access-control-allow-origin"], "*");
}
