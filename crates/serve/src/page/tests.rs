//! Requests of the page through the router: what it reads, what it is taught, and who may not.

use crate::http::router;
use crate::service::Service;
use crate::{Log, Models, Options, Source};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tower::ServiceExt;

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap());

const PAGE: [(&str, &str); 3] = [("host", "localhost"), ("origin", "http://localhost"), ("sec-fetch-site", "same-origin")];

fn service(samples: Option<&Path>) -> Arc<Service> {
    let models = Models::open(vec![Source { name: "digits".into(), path: None }], Box::new(|_| Err("no files".into()))).unwrap();
    let options = Options { threads: 2, samples: samples.map(Path::to_owned), ..Options::default() };
    Arc::new(Service::new(options, models, Log::silent()).unwrap())
}

fn ask(service: &Arc<Service>, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    RUNTIME.block_on(async {
        let (parts, body) = router(Arc::clone(service)).oneshot(request).await.unwrap().into_parts();
        (parts.status, body.collect().await.unwrap().to_bytes().to_vec())
    })
}

fn request(method: &str, path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("content-type", kind);
    for (name, value) in PAGE {
        request = request.header(name, value);
    }
    request.body(body.into()).unwrap()
}

fn get(service: &Arc<Service>, path: &str) -> Value {
    let (status, bytes) = ask(service, request("GET", path, "text/plain", ""));
    assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes).unwrap()
}

fn post(service: &Arc<Service>, path: &str, body: &Value) -> (StatusCode, Value) {
    let (status, bytes) = ask(service, request("POST", path, "application/json", body.to_string()));
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// The object of an answer with pixels, and those.
fn parts((status, bytes): (StatusCode, Vec<u8>)) -> (Value, Vec<u8>) {
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[4..4 + length]).unwrap(), bytes[4 + length..].to_vec())
}

/// A 7 as a hand draws it, dark on white, 120 × 120, the given number of columns to the right.
fn seven(offset: usize, width: usize) -> Vec<u8> {
    let mut grey = vec![255u8; width * 120];
    let mut dot = |x: usize, y: usize| {
        for (dy, dx) in (0..9).flat_map(|dy| (0..9).map(move |dx| (dy, dx))) {
            grey[(y + dy) * width + x + dx + offset] = 0;
        }
    };
    (0..56).for_each(|t| dot(30 + t, 20));
    (0..76).for_each(|t| dot(86 - t * 36 / 76, 20 + t));
    grey
}

#[test]
fn a_drawing_is_read_and_looked_into() {
    let service = service(None);
    let path = "/page/look?model=digits&width=120&height=120&show=stages,maps,heat";
    let (told, pixels) = parts(ask(&service, request("POST", path, "application/octet-stream", seven(0, 120))));
    assert_eq!((told["digits"].as_str(), told["rejected"].as_bool()), (Some("7"), Some(false)), "{told}");
    let maps = told["maps"].as_array().unwrap();
    let convolutions = maps.iter().filter(|map| map["class"] == "Conv2D").count();
    assert_eq!(convolutions, 5, "each of the model in the box");
    for map in maps {
        let of = |key: &str| map[key].as_u64().unwrap() as usize;
        let shape: Vec<usize> = map["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let plane = &pixels[of("at")..of("at") + shape[0] * shape[1] * of("kept")];
        assert_eq!(plane.iter().max(), Some(&255), "{map}");
    }
    let titles: Vec<&str> = told["stages"].as_array().unwrap().iter().filter_map(|stage| stage["title"].as_str()).collect();
    assert_eq!((titles.first(), titles.last()), (Some(&"photo"), Some(&"what the network sees")));
    let heat = &pixels[told["heat"]["at"].as_u64().unwrap() as usize..][..784];
    let glyph = &pixels[told["glyphs"][0].as_u64().unwrap() as usize..][..784];
    assert!(heat.iter().zip(glyph).all(|(heat, ink)| *ink > 0 || *heat == 128), "only ink speaks");
    assert!(heat.contains(&255) || heat.contains(&1), "the strongest is at one end of the scale");
    // The same from inside.
    let path = "/page/inside?class=7&show=heat,maps";
    let (inside, again) = parts(ask(&service, request("POST", path, "application/octet-stream", glyph.to_vec())));
    assert_eq!(&again[inside["heat"]["at"].as_u64().unwrap() as usize..][..784], heat);
}

#[test]
fn two_digits_have_two_boxes() {
    let mut both = seven(0, 240);
    seven(110, 240).iter().zip(&mut both).for_each(|(from, to)| *to = (*to).min(*from));
    let request = request("POST", "/page/look?width=240&height=120", "application/octet-stream", both);
    let (told, _) = parts(ask(&service(None), request));
    assert_eq!(told["digits"], "77");
    let left: Vec<i64> = told["items"].as_array().unwrap().iter().filter_map(|item| item["box"][0].as_i64()).collect();
    // The pen is nine columns wide and blurred by a pixel or two where the ink is found.
    assert!((left[0] - 30).abs() <= 5 && (left[1] - 140).abs() <= 5, "{left:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let service = service(None);
    let look = |path: &str, body: Vec<u8>| {
        let (status, bytes) = ask(&service, request("POST", path, "application/octet-stream", body));
        (status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
    };
    for (path, body, status, says) in [
        ("/page/look?width=10&height=10", vec![0; 99], 400, "expected 100 bytes, got 99"),
        ("/page/look?width=5000&height=1", vec![0; 5000], 413, "4096 pixels a side"),
        ("/page/look?model=none", vec![0; 9], 404, "Servable not found"),
        ("/page/look?colour=red", vec![], 400, "colour: is not known"),
        ("/page/look", b"no picture".to_vec(), 400, "the picture"),
        ("/page/inside?class=3&show=heat", vec![0; 3], 400, "expected 28 × 28 bytes, got 3"),
        ("/page/inside?class=12&show=heat", vec![0; 784], 400, "expected a class below 10, got 12"),
    ] {
        let (got, text) = look(path, body);
        assert!(got == status && text.contains(says), "{path}: {got} {text}");
    }
}

#[test]
fn only_the_page_may_teach() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(Some(folder.path()));
    for path in ["/page/samples", "/page/samples/remove", "/page/tune", "/page/tune/keep", "/page/tune/undo", "/page/tune/stop"] {
        for origin in [Some("http://evil.example"), Some("null"), None] {
            let mut asked = Request::builder()
                .method("POST")
                .uri(path)
                .header("host", "localhost")
                .header("content-type", "application/json");
            if let Some(origin) = origin {
                asked = asked.header("origin", origin);
            }
            let (status, _) = ask(&service, asked.body(Body::from("{}")).unwrap());
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} from {origin:?}");
        }
        // What a form of another page could send has no such type.
        let (status, _) = ask(&service, request("POST", path, "text/plain", "{}"));
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
    }
}

/// A form with a sample.
fn form(label: &str, glyph: &[u8]) -> Request<Body> {
    let mut body = format!("--b\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\n{label}\r\n").into_bytes();
    body.extend(b"--b\r\nContent-Disposition: form-data; name=\"glyph\"; filename=\"g\"\r\n\r\n");
    body.extend(glyph);
    body.extend(b"\r\n--b--\r\n");
    request("POST", "/page/samples", "multipart/form-data; boundary=b", body)
}

/// Waits for a phase, for at most two minutes.
fn wait(service: &Arc<Service>, phases: &[&str]) -> Value {
    let began = Instant::now();
    loop {
        let told = get(service, "/page/tune");
        if phases.contains(&told["phase"].as_str().unwrap()) || began.elapsed() > Duration::from_secs(120) {
            return told;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn samples_are_kept_learnt_from_and_all_of_it_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(Some(folder.path()));
    let glyph: Vec<u8> =
        (0..784).map(|at| if (4..24).contains(&(at / 28)) && (12..16).contains(&(at % 28)) { 255 } else { 0 }).collect();
    let outputs = |service: &Arc<Service>| {
        let served = service.models.get("digits", None).unwrap();
        let scaled: Vec<f32> = glyph.iter().map(|&pixel| f32::from(pixel) / 128.0 - 0.3).collect();
        served.model().predict(&[&scaled]).unwrap().remove(0)
    };
    let first = outputs(&service);
    assert_eq!(post(&service, "/page/tune", &json!({})).0, StatusCode::OK);
    assert!(wait(&service, &["failed"])["message"].as_str().unwrap().contains("no samples yet"));
    // A bar, which is to be a 2.
    for _ in 0..3 {
        let (status, bytes) = ask(&service, form("2", &glyph));
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(ask(&service, form("x", &glyph)).0, StatusCode::BAD_REQUEST);
    assert_eq!(ask(&service, form("2", &glyph[..9])).0, StatusCode::BAD_REQUEST);
    let told = get(&service, "/page/samples");
    assert_eq!((&told["total"], &told["counts"]), (&json!(3), &json!({ "2": 3 })));
    let last = &told["latest"][0];
    let file = folder.path().join("2").join(format!("{}.png", last["id"]));
    let picture = maobi_vision::decode_file(&file, &maobi_vision::Limits::default()).unwrap();
    assert_eq!(picture.grey, glyph);
    assert_eq!(post(&service, "/page/samples/remove", last).0, StatusCode::OK);
    assert!(!file.exists());
    assert_eq!(post(&service, "/page/samples/remove", &json!({ "label": "../2", "id": 1 })).0, StatusCode::BAD_REQUEST);

    assert_eq!(post(&service, "/page/tune/undo", &json!({})).0, StatusCode::BAD_REQUEST);
    assert_eq!(post(&service, "/page/tune", &json!({ "steps": 12 })).0, StatusCode::OK);
    assert_eq!(post(&service, "/page/tune", &json!({})).0, StatusCode::CONFLICT);
    let told = wait(&service, &["done", "failed"]);
    assert_eq!((&told["phase"], &told["samples"], &told["step"]), (&json!("done"), &json!(2), &json!(12)), "{told}");
    assert!(told["before"]["held"].as_f64().unwrap() > 0.9 && told["after"]["own"].is_f64());
    assert_eq!(outputs(&service), first, "what was learnt waits for a decision");
    // A disk that takes nothing, for a while.
    let aside = folder.path().with_extension("aside");
    std::fs::rename(folder.path(), &aside).unwrap();
    std::fs::write(folder.path(), "").unwrap();
    assert_eq!(post(&service, "/page/tune/keep", &json!({})).0, StatusCode::INTERNAL_SERVER_ERROR);
    std::fs::remove_file(folder.path()).unwrap();
    std::fs::rename(&aside, folder.path()).unwrap();
    let (_, told) = post(&service, "/page/tune/keep", &json!({}));
    let written = folder.path().join("digits-finetuned.keras");
    assert_eq!((&told["phase"], &told["file"]), (&json!("kept"), &json!(written.display().to_string())));
    let taught = outputs(&service);
    assert!(taught[2] > first[2], "{} after {}", taught[2], first[2]);
    assert!(written.is_file());
    let (_, told) = post(&service, "/page/tune/undo", &json!({}));
    assert_eq!((&told["phase"], outputs(&service) == first), (&json!("undone"), true));

    // A file that was replaced since is not undone.
    let boxed = service.models.default_model().unwrap();
    assert_eq!(post(&service, "/page/tune", &json!({ "steps": 1 })).0, StatusCode::OK);
    wait(&service, &["done"]);
    assert_eq!(post(&service, "/page/tune/keep", &json!({})).0, StatusCode::OK);
    service.models.replace(boxed);
    let (status, told) = post(&service, "/page/tune/undo", &json!({}));
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(told["error"].as_str().unwrap().contains("replaced since"), "{told}");
}

#[test]
fn events_tell_each_state_once() {
    let service = service(None);
    let request = request("GET", "/page/tune/events", "text/plain", "");
    let text = RUNTIME.block_on(async {
        let mut body = router(Arc::clone(&service)).oneshot(request).await.unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        service.drain();
        // A server that stops ends them.
        assert!(tokio::time::timeout(Duration::from_secs(20), body.frame()).await.unwrap().is_none());
        String::from_utf8_lossy(&first).into_owned()
    });
    assert_eq!(text, "data: {\"phase\":\"idle\",\"undo\":false}\n\n");
}
