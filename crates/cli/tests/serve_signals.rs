//! Signals to `maobi serve`: it stops without losing a request, and reads its models again.
#![cfg(unix)]

mod common;

use common::Place;
use common::server::{PREDICT, Response, Server, blanks, request};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Sends a request; its answer, or `None` when the connection ends before the first byte of one, so that a client may send it again.
fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> Option<Response> {
    // What is written to a connection that has ended is not answered, which reading tells, too.
    let _ = stream.write_all(bytes);
    match Response::read(stream) {
        Ok(response) => Some(response),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => panic!("an answer was cut short"),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no answer in time"),
        Err(_) => None,
    }
}

#[test]
fn sigterm_answers_what_was_accepted() {
    let place = Place::new();
    let server = Server::start(&place, &["--threads", "1", "--log-format", "json"]);
    let work = request("POST", PREDICT, "", &blanks(200));
    let small = request("GET", "/v2", "", b"");
    let mut used: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
    used.iter_mut().for_each(|stream| assert_eq!(exchange(stream, &small).unwrap().status, 200));
    let mut new: Vec<TcpStream> = (0..8).map(|_| server.connect()).collect();
    let mut silent: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
    // All of it is sent before the signal: on connections that were used, and on some that the server may not have accepted yet.
    new.iter_mut().for_each(|stream| stream.write_all(&work).unwrap());
    used.iter_mut().for_each(|stream| stream.write_all(&small).unwrap());
    server.signal("-TERM");
    // What is sent after it is answered in full, or not begun.
    for stream in &mut silent {
        if let Some(answer) = exchange(stream, &small) {
            assert_eq!(answer.status, 200, "{}", answer.head);
        }
    }
    for stream in new.iter_mut().chain(&mut used) {
        assert_eq!(Response::read(stream).unwrap().status, 200);
    }
    let address = server.address.clone();
    let ran = server.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(TcpStream::connect(address).is_err());
    let events = common::lines(&ran.err);
    assert!(events.iter().any(|line| line["event"] == "stop" && line["level"] == "info"), "{}", ran.err);
}

#[test]
fn sigterm_loses_nothing_of_clients_that_ask_all_the_time() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let (asked, signalled) = (AtomicBool::new(false), AtomicBool::new(false));
    let ask = || {
        let mut stream = server.connect();
        let bytes = request("POST", PREDICT, "", &blanks(1));
        loop {
            stream.set_nodelay(true).unwrap();
            let written = stream.write_all(&bytes);
            // Read after writing: what was sent before the signal is known to be.
            let before = !signalled.load(SeqCst);
            asked.store(true, SeqCst);
            assert!(written.is_ok() || !before, "a connection ended before the signal");
            match Response::read(&mut stream) {
                Ok(answer) if answer.head.contains("connection: close") => return assert_eq!(answer.status, 200),
                Ok(answer) => assert_eq!(answer.status, 200, "{}", answer.text()),
                Err(error) => {
                    assert!(!before, "a request that was sent before the signal was not answered: {error}");
                    return assert_ne!(error.kind(), std::io::ErrorKind::InvalidData, "an answer was cut short");
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
        while !asked.load(SeqCst) {
            std::thread::yield_now();
        }
        signalled.store(true, SeqCst);
        server.signal("-TERM");
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    let ran = server.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
}

/// A network of two inputs that answers `value` whatever it sees.
fn constant(file: &Path, value: f32) {
    let mut model = Sequential::new().add(InputLayer::new([2]).name("x")).add(Dense::new(1).name("y")).build(1).unwrap();
    let [kernel, bias] = model.weights_mut() else { panic!("a Dense has two weights") };
    kernel.values_mut().fill(0.0);
    bias.values_mut().fill(value);
    maobi_formats::keras::save(&model, file).unwrap();
}

#[test]
fn sighup_reads_the_models_again_and_loses_no_request() {
    let place = Place::new();
    constant(&place.path("m.keras"), 1.0);
    // Nothing is looked at by itself. A request waits until ten have come, so that it is under way when the signal comes.
    let options = ["m.keras", "--reload-ms", "0", "--max-batch", "10", "--max-wait-us", "10000000", "--timeout-ms", "600000"];
    let options = [&options[..], &["--log-format", "json"]].concat();
    let server = Server::start(&place, &options);
    let body = |samples: usize| json!({ "instances": vec![[0, 0]; samples] }).to_string().into_bytes();
    let value = |response: &Response| response.json()["predictions"][0][0].as_f64();
    let mut waiting = server.connect();
    waiting.write_all(&request("POST", "/v1/models/m:predict", "", &body(1))).unwrap();
    let began = Instant::now();
    while server.figure("maobi_queue_depth{model=\"m\"}") < 1.0 {
        assert!(began.elapsed() < Duration::from_secs(60), "the request does not arrive");
    }
    constant(&place.path("m.keras"), 2.0);
    server.signal("-HUP");
    while server.figure("maobi_model_reloads_total{model=\"m\",result=\"ok\"}") < 1.0 {
        assert!(began.elapsed() < Duration::from_secs(120), "the models are not read again");
    }
    assert_eq!(value(&server.ask("POST", "/v1/models/m:predict", &body(10))), Some(2.0));
    let answer = Response::read(&mut waiting).unwrap();
    assert_eq!((answer.status, value(&answer)), (200, Some(1.0)), "of the model that it was sent to");
    server.signal("-TERM");
    let ran = server.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines = common::lines(&ran.err);
    assert_eq!((common::events(&lines, "hangup").len(), common::events(&lines, "reload").len()), (1, 1), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_as_shells_have_it() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    server.signal("-INT");
    assert_eq!(server.end().code, 130);
}
