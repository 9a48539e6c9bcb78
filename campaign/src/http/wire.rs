//! HTTP as hostile clients write it: bytes to send, and the bytes of the answer.

use serde_json::Value;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a client waits for an answer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head, in lower case.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// What is wrong with it, whatever was asked: a status that is the server's fault, or an error that is not JSON.
    pub fn wrong(&self) -> Option<String> {
        let error = || serde_json::from_slice::<Value>(&self.body).is_ok_and(|body| body["error"].is_string());
        let text = String::from_utf8_lossy(&self.body).chars().take(120).collect::<String>();
        match self.status {
            500..=502 | 506.. => Some(format!("status {}: {text}", self.status)),
            400.. if !error() => Some(format!("status {} without {{\"error\": …}}: '{text}'", self.status)),
            _ => None,
        }
    }
}

/// A connection.
pub fn connect(address: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A request with a body.
pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Sends bytes on a connection of their own and reads to its end or until `count` answers are there. `half` closes the sending side
/// first. A server may answer and close before it has read everything.
pub fn exchange(address: SocketAddr, bytes: &[u8], count: usize, half: bool) -> io::Result<Vec<Answer>> {
    let mut stream = connect(address, PATIENCE)?;
    let sent = stream.write_all(bytes);
    if half {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let answers = read(&mut stream, count, PATIENCE);
    match (sent, answers) {
        (_, Ok(answers)) => Ok(answers),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// Reads `count` answers, or as many as come before the connection ends.
pub fn read(stream: &mut TcpStream, count: usize, patience: Duration) -> io::Result<Vec<Answer>> {
    let (mut bytes, mut answers, mut part) = (Vec::new(), Vec::new(), [0; 16384]);
    let began = Instant::now();
    loop {
        while let Some((answer, length)) = first(&bytes) {
            answers.push(answer);
            bytes.drain(..length);
        }
        if answers.len() >= count {
            return Ok(answers);
        }
        if began.elapsed() > patience {
            return Err(ErrorKind::TimedOut.into());
        }
        match stream.read(&mut part) {
            Ok(0) => return Ok(answers),
            Ok(n) => bytes.extend_from_slice(&part[..n]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(answers),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first answer of some bytes, and its length.
fn first(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return first(&bytes[end..]).map(|(answer, length)| (answer, end + length));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok()).unwrap_or(0);
    let body = bytes.get(end..end + length)?.to_vec();
    Some((Answer { status, head, body }, end + length))
}

/// Asks for a path.
pub fn get(address: SocketAddr, path: &str, patience: Duration) -> io::Result<Answer> {
    let mut stream = connect(address, patience)?;
    stream.write_all(&request("GET", path, "Connection: close\r\n", b""))?;
    let answers = read(&mut stream, 1, patience)?;
    answers.into_iter().next().ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

/// A body for the built-in model: so many pictures of one shade.
pub fn pictures(count: usize, shade: f32) -> Vec<u8> {
    let row = vec![format!("[{shade}]"); 28].join(",");
    let picture = format!("[{}]", vec![format!("[{row}]"); 28].join(","));
    format!("{{\"instances\":[{}]}}", vec![picture; count].join(",")).into_bytes()
}

/// What the built-in model is asked.
pub const PREDICT: &str = "/v1/models/digits:predict";

/// What an honest client gets: the answer to a prediction.
pub fn honest(address: SocketAddr) -> Result<Vec<u8>, String> {
    let body = pictures(1, 0.25);
    let answers = exchange(address, &request("POST", PREDICT, "Connection: close\r\n", &body), 1, false);
    match answers.map_err(|error| error.to_string())?.into_iter().next() {
        Some(answer) if answer.status == 200 => Ok(answer.body),
        Some(answer) => Err(format!("status {}", answer.status)),
        None => Err("no answer".into()),
    }
}

/// All answers must be sound, and one at least must have come.
pub fn sound(what: &str, answers: io::Result<Vec<Answer>>) -> Result<Vec<Answer>, String> {
    let answers = answers.map_err(|error| format!("{what}: {error}"))?;
    match answers.iter().find_map(Answer::wrong) {
        Some(wrong) => Err(format!("{what}: {wrong}")),
        None if answers.is_empty() => Err(format!("{what}: the connection was closed without an answer")),
        None => Ok(answers),
    }
}
