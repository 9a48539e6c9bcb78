//! Bodies that are too large, cut off or nested too deeply, and values that are not numbers.

use super::wire::{self, PREDICT, exchange, pictures, request, sound};
use super::{Attack, Server};
use crate::seeded::Random;
use std::io::Write;

/// The attacks.
pub const ATTACKS: &[Attack] = &[
    Attack { name: "truncated bodies", run: truncated },
    Attack { name: "huge bodies", run: huge },
    Attack { name: "deep JSON", run: deep },
    Attack { name: "invalid numbers", run: numbers },
    Attack { name: "many large bodies at once", run: many },
];

fn refused(what: &str, answers: std::io::Result<Vec<wire::Answer>>) -> Result<(), String> {
    let answers = sound(what, answers)?;
    match answers.iter().find(|answer| answer.status < 400) {
        Some(answer) => Err(format!("{what}: status {}", answer.status)),
        None => Ok(()),
    }
}

fn truncated(server: &Server, random: &mut Random) -> Result<(), String> {
    let whole = request("POST", PREDICT, "", &pictures(4, 0.5));
    let head = whole.len() - pictures(4, 0.5).len();
    for _ in 0..10 {
        let length = head + random.below(whole.len() - head);
        refused("a body that is cut off", exchange(server.address, &whole[..length], 1, true))?;
    }
    Ok(())
}

fn huge(server: &Server, _random: &mut Random) -> Result<(), String> {
    for length in ["33000000000", "18446744073709551615"] {
        let head = format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{{");
        refused("an announced body", exchange(server.address, head.as_bytes(), 1, false))?;
    }
    // Chunks without an end: the server must stop to take them.
    let mut stream = wire::connect(server.address, wire::PATIENCE).map_err(|error| error.to_string())?;
    let head = format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).map_err(|error| error.to_string())?;
    let chunk = [b"100000\r\n", &[b' '; 1 << 20][..], b"\r\n"].concat();
    let taken = (0..400).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    if taken == 400 {
        return Err("the server took 400 MB of one body".into());
    }
    Ok(())
}

fn deep(server: &Server, random: &mut Random) -> Result<(), String> {
    let depth = 1000 + random.below(200_000);
    let opened = "[".repeat(depth);
    let objects = "{\"a\":".repeat(depth);
    let bodies = [
        (PREDICT, format!("{{\"instances\":{opened}")),
        (PREDICT, format!("{{\"other\":{objects}1")),
        (PREDICT, opened.clone()),
        ("/v2/models/digits/infer", format!("{{\"parameters\":{opened}")),
        ("/v2/models/digits/infer", format!("{{\"inputs\":[{{\"name\":\"x\",\"data\":{opened}")),
        ("/page/samples/remove", objects),
    ];
    for (path, body) in &bodies {
        let headers = "Origin: http://localhost\r\nContent-Type: application/json\r\n";
        refused("deep JSON", exchange(server.address, &request("POST", path, headers, body.as_bytes()), 1, false))?;
    }
    Ok(())
}

fn numbers(server: &Server, _random: &mut Random) -> Result<(), String> {
    let digits = "9".repeat(100_000);
    for number in ["NaN", "Infinity", "-Infinity", "1e999", "nan", "null", "\"1\"", "0x1", "1e", "--1", "1_000", &digits] {
        let body = String::from_utf8_lossy(&pictures(1, 0.5)).replacen("0.5", number, 1);
        let what = number.chars().take(20).collect::<String>();
        refused(&what, exchange(server.address, &request("POST", PREDICT, "", body.as_bytes()), 1, false))?;
    }
    let shape = r#""shape":[1,28,28,1],"datatype":"FP32","parameters":{"binary_data_size":3136}"#;
    let text = format!(r#"{{"inputs":[{{"name":"input","{}}}]}}"#, &shape[1..]);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let body = [text.as_bytes(), &value.to_le_bytes().repeat(784)].concat();
        let headers = format!("Inference-Header-Content-Length: {}\r\n", text.len());
        refused("binary NaN", exchange(server.address, &request("POST", "/v2/models/digits/infer", &headers, &body), 1, false))?;
    }
    Ok(())
}

/// Forty bodies of 20 MB, sent at the same time: what the server has no memory for, it refuses.
fn many(server: &Server, _random: &mut Random) -> Result<(), String> {
    let body = pictures(4000, 0.5);
    let bytes = request("POST", PREDICT, "Connection: close\r\n", &body);
    let address = server.address;
    let ask = || -> Result<u16, String> {
        // A server that refuses early closes while it is sent to, and its answer may be lost with the connection.
        match exchange(address, &bytes, 1, false) {
            Ok(answers) if answers.is_empty() => Ok(0),
            Ok(answers) => sound("a large body", Ok(answers)).map(|answers| answers[0].status),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset) => Ok(0),
            Err(error) => Err(format!("a large body: {error}")),
        }
    };
    let statuses: Vec<Result<u16, String>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..40).map(|_| scope.spawn(ask)).collect();
        clients.into_iter().map(|client| client.join().unwrap_or_else(|_| Err("a client failed".into()))).collect()
    });
    for status in statuses {
        let status = status?;
        if ![0, 200, 413, 503, 504].contains(&status) {
            return Err(format!("a large body: status {status}"));
        }
    }
    Ok(())
}
