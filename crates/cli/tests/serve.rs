//! `maobi serve` as programs and people meet it: the real binary, asked over TCP.

mod common;

use common::server::{PREDICT, Response, Server, blanks, request};
use common::{Place, digit_picture};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, Flatten, InputLayer};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A network of two inputs that answers `value` whatever it sees.
fn constant(file: &Path, value: f32) {
    let net = Sequential::new().add(InputLayer::new([2]).name("x")).add(Flatten::new()).add(Dense::new(1).name("y"));
    let mut model = net.build(1).unwrap();
    let [kernel, bias] = model.weights_mut() else { panic!("a Dense has two weights") };
    kernel.values_mut().fill(0.0);
    bias.values_mut().fill(value);
    // A file is there in full or not at all: written aside, renamed.
    maobi_formats::keras::save(&model, file).unwrap();
}

#[test]
fn the_model_in_the_box_answers_programs_and_people() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    assert_eq!(server.first, format!("maobi serves digits at http://{}", server.address));
    assert_eq!(server.get("/v1/models/digits")["model_version_status"][0]["state"], "AVAILABLE");
    assert_eq!(server.get("/v2/health/ready"), json!({ "ready": true }));
    let predicted = server.ask("POST", PREDICT, &blanks(2)).json();
    assert_eq!(predicted["predictions"].as_array().unwrap().len(), 2);

    // The same object as on the command line.
    let (picture, _) = digit_picture(7, 1, 6, true);
    picture.save(place.path("own.png")).unwrap();
    let mut told: Value = serde_json::from_str(&place.ok(&["predict", "own.png", "--json"])).unwrap();
    let mut stream = server.connect();
    stream
        .write_all(&request(
            "POST",
            "/v1/recognize",
            "Content-Type: image/png\r\n",
            &std::fs::read(place.path("own.png")).unwrap(),
        ))
        .unwrap();
    let mut read = Response::read(&mut stream).unwrap().json();
    told.as_object_mut().unwrap().shift_remove("file");
    for key in ["model", "version"] {
        read.as_object_mut().unwrap().shift_remove(key);
    }
    // A prediction takes one thread here and all of them there.
    let text = |value: &Value| (value["digits"].clone(), value["items"][0]["box"].clone(), value["rejected"].clone());
    assert_eq!(text(&read), text(&told));
    assert_eq!(read.as_object().unwrap().keys().collect::<Vec<_>>(), told.as_object().unwrap().keys().collect::<Vec<_>>());

    // One connection serves many requests, an error among them.
    let mut stream = server.connect();
    for (path, status) in [("/v2", 200), ("/nowhere", 404), ("/openapi.json", 200), ("/metrics", 200)] {
        stream.write_all(&request("GET", path, "", b"")).unwrap();
        assert_eq!(Response::read(&mut stream).unwrap().status, status, "{path}");
    }
    stream.write_all(&request("GET", "/metrics", "", b"")).unwrap();
    let metrics = Response::read(&mut stream).unwrap().text();
    let line = "maobi_responses_total{protocol=\"tf_serving\",status=\"200\"} 2";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
}

#[test]
fn many_models_by_name_and_version() {
    let place = Place::new();
    for version in [1, 2, 10] {
        std::fs::create_dir_all(place.path(&format!("many/{version}"))).unwrap();
        constant(&place.path(&format!("many/{version}/model.keras")), version as f32);
    }
    constant(&place.path("single.keras"), 0.5);
    let server = Server::start(&place, &["many", "single.keras", "other=single.keras"]);
    assert!(server.first.starts_with("maobi serves many, single, other at "), "{}", server.first);
    let value = |path: &str| server.ask("POST", path, br#"{"instances": [[0, 0]]}"#).json()["predictions"][0][0].as_f64();
    assert_eq!(value("/v1/models/many:predict"), Some(10.0));
    assert_eq!(value("/v1/models/many/versions/2:predict"), Some(2.0));
    assert_eq!((value("/v1/models/single:predict"), value("/v1/models/other:predict")), (Some(0.5), Some(0.5)));
    assert_eq!(server.get("/v2/models/many")["versions"], json!(["1", "2", "10"]));
    let refused = server.ask("POST", "/v1/recognize?model=single", b"x");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("model single reads no pictures"), "{}", refused.text());
}

#[test]
fn a_file_that_is_replaced_takes_over_without_a_request_lost() {
    let place = Place::new();
    let file = place.path("m.keras");
    constant(&file, 1.0);
    let server = Server::start(&place, &["m.keras", "--reload-ms", "20"]);
    let mut stream = server.connect();
    let mut value = || {
        stream.write_all(&request("POST", "/v1/models/m:predict", "", br#"{"instances": [[0, 0]]}"#)).unwrap();
        let response = Response::read(&mut stream).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["predictions"][0][0].as_f64().unwrap()
    };
    assert_eq!(value(), 1.0);
    constant(&file, 2.0);
    let began = Instant::now();
    while value() != 2.0 {
        assert!(began.elapsed() < Duration::from_secs(60), "the new file is not served");
    }
    std::fs::write(&file, "no model").unwrap();
    let failed =
        || server.ask("GET", "/metrics", b"").text().contains("maobi_model_reloads_total{model=\"m\",result=\"failed\"} 1");
    while !failed() {
        assert!(began.elapsed() < Duration::from_secs(120), "the bad file is not noticed");
    }
    assert_eq!(value(), 2.0);
}

#[test]
fn beyond_what_it_can_bear_it_says_when_to_come_again() {
    let place = Place::new();
    let server = Server::start(&place, &["--threads", "1", "--max-batch", "8", "--queue", "2"]);
    // Each of them is work for a while; two may wait.
    let body = request("POST", PREDICT, "", &blanks(400));
    let mut streams: Vec<TcpStream> = (0..12).map(|_| server.connect()).collect();
    streams.iter_mut().for_each(|stream| stream.write_all(&body).unwrap());
    let answers: Vec<Response> = streams.iter_mut().map(|stream| Response::read(stream).unwrap()).collect();
    let refused: Vec<&Response> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty() && refused.len() < 12, "{} of 12", refused.len());
    for answer in &answers {
        assert!(answer.status == 200 || answer.head.contains("retry-after: 1"), "{}", answer.head);
    }
    assert_eq!(server.ask("POST", PREDICT, &blanks(1)).status, 200);
}

#[test]
fn a_slow_client_holds_up_nobody() {
    let place = Place::new();
    let server = Server::start(&place, &["--threads", "1", "--read-timeout-ms", "400"]);
    let whole = request("POST", PREDICT, "", &blanks(1));
    // Half a head, half a body; many of them.
    let mut heads: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    heads.iter_mut().for_each(|stream| stream.write_all(&whole[..20]).unwrap());
    let mut bodies: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    bodies.iter_mut().for_each(|stream| stream.write_all(&whole[..whole.len() / 2]).unwrap());
    assert_eq!(server.ask("POST", PREDICT, &blanks(1)).status, 200);
    for stream in &mut bodies {
        let response = Response::read(stream).unwrap();
        assert_eq!((response.status, response.text().as_str()), (408, "{\"error\":\"the body took more than 0.4 s\"}"));
    }
    for stream in &mut heads {
        // A head that does not come is no request, so there is no answer.
        assert!(Response::read(stream).is_err());
    }
}

#[test]
fn what_cannot_be_served_is_said_before_it_listens() {
    let place = Place::new();
    std::fs::write(place.path("bad.keras"), "x").unwrap();
    constant(&place.path("m.keras"), 1.0);
    assert!(place.fails(&["serve", "bad.keras"]).contains("bad.keras"));
    assert!(place.fails(&["serve", "none.keras"]).contains("none.keras: there is no such model file or folder"));
    assert!(place.fails(&["serve", "a/b=m.keras"]).contains("'a/b' cannot be a model's name"));
    assert!(place.fails(&["serve", "m.keras", "m=m.keras"]).contains("two models are called 'm'"));
    assert!(place.fails(&["serve", "m.keras", "--addr", "nowhere"]).contains("--addr nowhere: expected HOST:PORT"));
    let server = Server::start(&place, &["m.keras"]);
    assert!(place.fails(&["serve", "m.keras", "--addr", &server.address]).contains("cannot be listened at"));
}
