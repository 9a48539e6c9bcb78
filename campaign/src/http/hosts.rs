//! Requests under a foreign name, and text that would forge lines of a log.

use super::wire::{PREDICT, exchange, pictures, sound};
use super::{Attack, Server};
use crate::seeded::Random;

/// The attacks.
pub const ATTACKS: &[Attack] =
    &[Attack { name: "foreign hosts", run: foreign }, Attack { name: "forged log lines", run: forged }];

/// A browser that was tricked by a name server sends the name of the attacker as `Host` (DNS rebinding).
fn foreign(server: &Server, random: &mut Random) -> Result<(), String> {
    let port = server.address.port();
    let body = String::from_utf8_lossy(&pictures(1, 0.5)).into_owned();
    let routes = [
        ("GET", "/", ""),
        ("GET", "/v1/models", ""),
        ("GET", "/v1/models/digits", ""),
        ("GET", "/v2", ""),
        ("GET", "/v2/models/digits", ""),
        ("GET", "/metrics", ""),
        ("GET", "/openapi.json", ""),
        ("GET", "/page/models", ""),
        ("POST", PREDICT, &body),
        ("POST", "/v1/recognize", "x"),
    ];
    let hosts = ["evil.example", "evil.example.", "127.0.0.1.evil.example", "[::1].evil.example", "localhost.evil.example"];
    for (method, path, body) in routes {
        let host = random.pick(&hosts);
        let bytes = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answers = sound(path, exchange(server.address, bytes.as_bytes(), 1, false))?;
        if !matches!(answers[0].status, 400 | 403 | 421) {
            return Err(format!("{method} {path} under the host {host}: status {}", answers[0].status));
        }
    }
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}"), "LocalHost".into()] {
        let bytes = format!("GET /v2 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answers = sound(&host, exchange(server.address, bytes.as_bytes(), 1, false))?;
        if answers[0].status != 200 {
            return Err(format!("under the host {host}: status {}", answers[0].status));
        }
    }
    Ok(())
}

/// The log must hold one line of JSON for each of these and nothing that the client invented; [`super::server::wrong_in_log`] checks the
/// lines themselves.
fn forged(server: &Server, random: &mut Random) -> Result<(), String> {
    let texts = [
        "\n{\"event\":\"forged\"}",
        "\r\n{\"event\":\"forged\"}",
        "\u{1b}[2J\u{1b}]0;forged\u{7}",
        "\u{202e}forged",
        "\",\"event\":\"forged",
    ];
    for _ in 0..10 {
        let text = random.pick(&texts);
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], "\\n");
        let requests = [
            format!("GET /{escaped} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
            format!("GET /v1/models/{escaped} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
            format!(
                "POST /v1/recognize?{escaped}={escaped} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            ),
            format!("GET /no HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {quoted}\r\nConnection: close\r\n\r\n"),
        ];
        for request in &requests {
            let answers = exchange(server.address, request.as_bytes(), usize::MAX, true).map_err(|error| error.to_string())?;
            if let Some(wrong) = answers.iter().find_map(super::wire::Answer::wrong) {
                return Err(format!("{wrong}, for {}", request.lines().next().unwrap_or_default().escape_debug()));
            }
        }
    }
    let events = server.log();
    let forged = events.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    match forged.into_iter().find(|line| line["event"] == "forged") {
        Some(line) => Err(format!("a client wrote this line of the log: {line}")),
        None => Ok(()),
    }
}
