//! Heads and chunks that are not valid HTTP, or that two programs may read differently.

use super::wire::{PREDICT, exchange, pictures, sound};
use super::{Attack, Server};
use crate::seeded::Random;

/// The attacks.
pub const ATTACKS: &[Attack] = &[
    Attack { name: "malformed heads", run: malformed },
    Attack { name: "requests within requests", run: smuggled },
    Attack { name: "malformed chunks", run: chunks },
    Attack { name: "random bytes", run: noise },
];

/// Heads that are complete and wrong; each must get a 4xx with an error in JSON.
fn malformed(server: &Server, random: &mut Random) -> Result<(), String> {
    let long = "x".repeat(80_000);
    let many: String = (0..300).map(|n| format!("X-{n}: y\r\n")).collect();
    let heads = [
        "GET\r\n\r\n".to_owned(),
        "GET /\r\n\r\n".into(),
        "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".into(),
        "GET  /  HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
        "G\u{1}T / HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost localhost\r\n\r\n".into(),
        "GET / HTTP/1.1\r\n: localhost\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: localhost\r\nA B: c\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: \u{0}\r\n\r\n".into(),
        "GET /\u{1b}[31m HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nA: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n".into(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n".into(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n".into(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
    ];
    for _ in 0..8 {
        let head = random.pick(&heads);
        let shown: String = head.escape_debug().to_string().chars().take(60).collect();
        let answers = sound(&shown, exchange(server.address, head.as_bytes(), usize::MAX, true))?;
        if !answers.iter().all(|answer| (400..500).contains(&answer.status) || answer.status == 505) {
            return Err(format!("{shown}: status {}", answers[0].status));
        }
    }
    Ok(())
}

/// Requests that a proxy may cut elsewhere than we do: nothing behind them may be taken for a request.
fn smuggled(server: &Server, random: &mut Random) -> Result<(), String> {
    let inner = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let heads = [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", inner.len() + 5),
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n".into(),
        "Content-Length: 5\r\nContent-Length: 6\r\n".into(),
        "Content-Length: 5, 6\r\n".into(),
        "Content-Length: +5\r\n".into(),
        "Content-Length : 5\r\n".into(),
        "Transfer-Encoding: xchunked\r\n".into(),
        "Transfer-Encoding: chunked, identity\r\n".into(),
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n".into(),
        "Transfer-Encoding : chunked\r\n".into(),
        "Transfer-Encoding:\r\n chunked\r\n".into(),
    ];
    for _ in 0..8 {
        let head = random.pick(&heads);
        let bytes = format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n0\r\n\r\n{inner}");
        let answers =
            sound(&head.trim_end().escape_debug().to_string(), exchange(server.address, bytes.as_bytes(), usize::MAX, true))?;
        let found = answers.iter().any(|answer| String::from_utf8_lossy(&answer.body).contains("/smuggled"));
        if found {
            return Err(format!("{}: what follows was taken for a request", head.trim_end().escape_debug()));
        }
    }
    Ok(())
}

/// Chunked bodies with mistakes.
fn chunks(server: &Server, random: &mut Random) -> Result<(), String> {
    let endless = format!("1;{}\r\nx\r\n", "e".repeat(40_000));
    let trailers: String = (0..2000).map(|n| format!("T-{n}: v\r\n")).collect();
    let bodies = [
        "x\r\n".to_owned(),
        "-1\r\nx\r\n".into(),
        "fffffffffffffffff\r\nx\r\n".into(),
        "ffffffffffffffff\r\nx\r\n".into(),
        "2\r\nabc\r\n0\r\n\r\n".into(),
        "2\nab\n0\n\n".into(),
        "2\r\nab".into(),
        "0x2\r\nab\r\n0\r\n\r\n".into(),
        format!("0\r\n{trailers}\r\n"),
        endless.repeat(4),
    ];
    for _ in 0..6 {
        let body = random.pick(&bodies);
        let shown: String = body.escape_debug().to_string().chars().take(40).collect();
        let bytes = format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        let answers = sound(&format!("chunks {shown}"), exchange(server.address, bytes.as_bytes(), usize::MAX, true))?;
        if answers[0].status < 400 {
            return Err(format!("chunks {shown}: status {}", answers[0].status));
        }
    }
    Ok(())
}

/// A good request with some bytes changed, and random bytes. The server may close without an answer, but a wrong answer is a failure.
fn noise(server: &Server, random: &mut Random) -> Result<(), String> {
    let good = super::wire::request("POST", PREDICT, "Content-Type: application/json\r\n", &pictures(1, 0.5));
    for round in 0..20 {
        let mut bytes = good.clone();
        if round % 4 == 0 {
            bytes = (0..random.below(2000)).map(|_| random.any() as u8).collect();
        }
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len().min(200));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.any() as u8;
            }
        }
        let answers = exchange(server.address, &bytes, usize::MAX, true).map_err(|error| format!("random bytes: {error}"))?;
        if let Some(wrong) = answers.iter().find_map(super::wire::Answer::wrong) {
            let shown: String = String::from_utf8_lossy(&bytes).escape_debug().to_string().chars().take(200).collect();
            return Err(format!("{wrong}, for {shown}"));
        }
    }
    Ok(())
}
