//! Clients of `maobi serve` that mean no good: they do not read, send no HTTP, or come under another name.

mod common;

use common::Place;
use common::server::{PREDICT, Response, Server, blanks, request};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use serde_json::json;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Waits for what becomes true in the end.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn clients_that_pipeline_and_never_read_cost_little_and_are_given_up() {
    const CLIENTS: usize = 100;
    let place = Place::new();
    let server = Server::limited(&place, 2_000_000, &["--read-timeout-ms", "4000"]);
    let resident = || server.figure("process_resident_memory_bytes");
    server.ask("GET", "/openapi.json", b"");
    let before = resident();
    // Small requests with large answers: 64 KB of them ask for some 20 MB.
    let one = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
    let many = one.repeat((64 << 10) / one.len());
    let mut streams: Vec<TcpStream> = (0..CLIENTS).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.set_nonblocking(true).unwrap();
        // As much as the server takes.
        let _ = stream.write(&many);
    }
    until("the server reads them", || server.figure("maobi_connections") >= CLIENTS as f64);
    let mut most: f64 = 0.0;
    until("who reads nothing is given up", || {
        most = most.max(resident());
        server.figure("maobi_connections") < 2.0
    });
    assert!(most - before < CLIENTS as f64 * 200_000.0, "{} KB each", (most - before) / 1e3 / CLIENTS as f64);
    until("all memory is given back", || server.figure("maobi_memory_held_bytes") < 70_000.0);
}

#[test]
fn large_answers_count_until_they_are_read() {
    let place = Place::new();
    let net = Sequential::new().add(InputLayer::new([1])).add(Dense::new(1000));
    maobi_formats::keras::save(&net.build(1).unwrap(), &place.path("m.keras")).unwrap();
    let server = Server::start(&place, &["m.keras", "--memory-mb", "60", "--max-body-mb", "1"]);
    // Two million values: 40 MB are counted while they are computed, and the text until it is sent.
    let body = json!({ "instances": vec![[1]; 2000] }).to_string().into_bytes();
    let bytes = request("POST", "/v1/models/m:predict", "", &body);
    let mut unread: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
    unread.iter_mut().for_each(|stream| stream.write_all(&bytes).unwrap());
    let refused = || server.figure("maobi_rejected_total{reason=\"memory_full\"}");
    until("some are refused", || refused() >= 1.0 && server.figure("maobi_requests_in_flight") < 2.0);
    assert!(server.figure("maobi_memory_held_bytes") <= 60e6);
    assert_eq!(server.get("/v2/health/live"), json!({ "live": true }));
    let answers: Vec<Response> = unread.iter_mut().map(|stream| Response::read(stream).unwrap()).collect();
    let whole = answers.iter().filter(|answer| answer.status == 200).collect::<Vec<_>>();
    assert!(!whole.is_empty() && whole.len() < 4, "{} of 4", whole.len());
    for answer in &answers {
        match answer.status {
            200 => assert_eq!(answer.json()["predictions"].as_array().unwrap().len(), 2000),
            _ => assert!(answer.status == 503 && answer.head.contains("retry-after: 1"), "{}", answer.head),
        }
    }
    drop(unread);
    until("all memory is given back", || server.figure("maobi_memory_held_bytes") < 200_000.0);
    assert_eq!(server.ask("POST", "/v1/models/m:predict", &body).status, 200);
}

#[test]
fn what_is_no_http_is_answered_in_json() {
    let place = Place::new();
    let server = Server::start(&place, &["--log", "all", "--log-format", "json"]);
    let head = |rest: &str| format!("POST /v1/models/digits:predict HTTP/1.1\r\nHost: localhost\r\n{rest}").into_bytes();
    let long = |count: usize| "a".repeat(count);
    let cases: Vec<(Vec<u8>, u16)> = vec![
        (b"nonsense\r\n\r\n".to_vec(), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client\r\n\r\n".to_vec(), 400),
        (b"GET /v2 HTTP/3.0\r\nHost: localhost\r\n\r\n".to_vec(), 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 505),
        (b"GET /v2\r\n\r\n".to_vec(), 400),
        (b"G@T /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 400),
        (b"GET /\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 400),
        (b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n".to_vec(), 400),
        (b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nA: \0\r\n\r\n".to_vec(), 400),
        (b"GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(), 400),
        (b"GET /v2 HTTP/1.1\r\nConnection: close\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(), 400),
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", long(40_000)).into_bytes(), 414),
        (format!("GET /v2 HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n", long(40_000)).into_bytes(), 431),
        (head(&"A: b\r\n".repeat(200)), 431),
        (head("Content-Length: x\r\n\r\n"), 400),
        (head("Content-Length: -1\r\n\r\n"), 400),
        (head("Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 400),
        (head("Content-Length: 99999999999999999999999\r\n\r\n"), 400),
        (head("Content-Length: 9999999999999\r\n\r\nab"), 413),
        (head("Transfer-Encoding: gzip\r\n\r\n"), 400),
        (head("Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 400),
        (head("Transfer-Encoding: chunked\r\n\r\n-1\r\nab"), 400),
        (head("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab"), 400),
        (head("Transfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n"), 400),
    ];
    for (bytes, status) in &cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(90)]).into_owned();
        // Alone, and behind a request that is answered first.
        for before in [&b""[..], b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
            // Of heads that arrive together the server does not know which line was too long.
            if !before.is_empty() && matches!(status, 414 | 431) {
                continue;
            }
            let mut stream = server.connect();
            let _ = stream.write_all(&[before, bytes].concat());
            if !before.is_empty() {
                assert_eq!(Response::read_one(&mut stream).unwrap().status, 200, "{shown:?}");
            }
            let answer = Response::read_one(&mut stream).unwrap_or_else(|e| panic!("{shown:?}: {e}"));
            let told = answer.text().chars().take(200).collect::<String>();
            assert_eq!(answer.status, *status, "{shown:?}: {told}");
            assert!(answer.head.contains("content-type: application/json"), "{shown:?}: {}", answer.head);
            assert!(answer.json()["error"].as_str().is_some_and(|text| text.len() > 10), "{shown:?}: {told}");
            assert!(answer.head.contains("x-request-id: "), "{shown:?}: {}", answer.head);
            // Nothing behind it, and no reset that could take it away.
            assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "{shown:?}");
        }
    }
    // A head that ends in the middle.
    let mut stream = server.connect();
    stream.write_all(b"GET /v2 HT").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Response::read(&mut stream).unwrap().status, 400);
    // A connection without a request is not answered.
    let mut stream = server.connect();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(Response::read(&mut stream).is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof));
    assert_eq!(server.get("/v2/health/live"), json!({ "live": true }));
    let refused = server.ask("GET", "/metrics", b"").text();
    let line = "maobi_responses_total{protocol=\"other\",status=\"505\"} 4";
    assert!(refused.lines().any(|found| found == line), "{refused}");
    #[cfg(unix)]
    {
        server.signal("-TERM");
        let lines = common::lines(&server.end().err);
        assert!(lines.iter().any(|line| line["event"] == "request" && line["status"] == 431), "{lines:?}");
    }
}

#[test]
fn a_client_that_ends_its_side_after_its_requests_gets_every_answer() {
    let place = Place::new();
    // Each batch waits for others, so that the end of the requests arrives long before their answers.
    let server = Server::start(&place, &["--max-wait-us", "100000"]);
    let one = request("POST", PREDICT, "", &blanks(1));
    for count in [1, 3] {
        let mut stream = server.connect();
        stream.write_all(&one.repeat(count)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        for which in 0..count {
            let answer = Response::read_one(&mut stream).unwrap_or_else(|error| panic!("answer {which} of {count}: {error}"));
            assert_eq!(answer.status, 200);
        }
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
    // A body that is cut off is refused.
    let mut stream = server.connect();
    stream.write_all(&one[..one.len() - 1]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Response::read_one(&mut stream).unwrap().status, 400);
}

#[test]
fn a_client_that_goes_on_after_it_was_refused_is_read_for_no_longer_than_a_body() {
    let place = Place::new();
    let server = Server::start(&place, &["--max-body-mb", "1"]);
    let mut stream = server.connect();
    stream.write_all(format!("POST {PREDICT} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = [b"100000\r\n", &[b' '; 1 << 20][..], b"\r\n"].concat();
    // The bodies of two requests, and what the buffers of both ends take.
    let sent = (0..1000).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 40, "{sent} MB");
    // A body of the largest size, refused by its head only, is sent whole, and its answer can be read.
    let mut stream = server.connect();
    let refused = request("POST", "/v1/models/none:predict", "", &[b' '; 1_000_000]);
    stream.write_all(&refused).unwrap();
    assert_eq!(Response::read_one(&mut stream).unwrap().status, 404);
}

#[test]
fn other_names_are_refused_unless_an_option_allows_them() {
    let place = Place::new();
    let options = ["--host", "digits.example", "--cors", "https://page.example", "--log", "all", "--log-format", "json"];
    let server = Server::start(&place, &options);
    let status = |head: &str| {
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).unwrap();
        Response::read(&mut stream).unwrap().status
    };
    for (host, expected) in [
        (server.address.as_str(), 200),
        ("localhost:1", 200),
        ("pi.local", 200),
        ("[::1]:8501", 200),
        ("digits.example", 200),
        ("page.example:8501", 200),
        ("evil.example", 421),
        ("[::1].evil.example", 421),
        ("a.digits.example", 421),
    ] {
        for path in ["/", "/v2/health/live", "/v1/models", "/metrics", "/page/models"] {
            assert_eq!(status(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")), expected, "{path} of {host}");
        }
    }
    // Probes of old: without a host.
    assert_eq!(status("GET /v2/health/live HTTP/1.0\r\n\r\n"), 200);
    // What is sent cannot forge a line of the log.
    assert_eq!(status("GET /v2/%0a HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\"b\\c\r\n\r\n"), 404);
    let wrong = place.run(&["serve", "--host", "http://digits.example"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("expected a name such as digits.example"), "{}", wrong.err);
    #[cfg(unix)]
    {
        server.signal("-TERM");
        let lines = common::lines(&server.end().err);
        assert!(lines.iter().any(|line| line["status"] == 421), "{lines:?}");
        assert!(lines.iter().any(|line| line["id"] == "a\"b\\c"), "{lines:?}");
    }
}
