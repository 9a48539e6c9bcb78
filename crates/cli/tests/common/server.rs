//! `maobi serve` as its clients meet it: the real binary, asked over TCP.

use super::{Place, Ran};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A server of its own, killed when the test is over.
pub struct Server {
    child: Child,
    pub address: String,
    pub first: String,
}

impl Server {
    pub fn start(place: &Place, arguments: &[&str]) -> Server {
        Self::run(place.command(&[&["serve", "--addr", "127.0.0.1:0"], arguments].concat()))
    }

    /// With so many kilobytes of address space.
    #[cfg(unix)]
    pub fn limited(place: &Place, kilobytes: u64, arguments: &[&str]) -> Server {
        let plain = place.command(&[]);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("ulimit -v {kilobytes}; exec \"$0\" serve --addr 127.0.0.1:0 \"$@\"")]);
        command.arg(plain.get_program()).args(arguments).current_dir(place.dir.path());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self::run(command)
    }

    fn run(mut command: std::process::Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.trim_end().rsplit("http://").next().unwrap().to_owned();
        Server { child, address, first: first.trim_end().to_owned() }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// The only value of a figure.
    pub fn figure(&self, name: &str) -> f64 {
        let text = self.ask("GET", "/metrics", b"").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// A request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> Response {
        let mut stream = self.connect();
        stream.write_all(&request(method, path, "", body)).unwrap();
        Response::read(&mut stream).unwrap()
    }

    pub fn get(&self, path: &str) -> Value {
        let response = self.ask("GET", path, b"");
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json()
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended; what it said.
    #[cfg(unix)]
    pub fn end(mut self) -> Ran {
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().expect("ended by itself");
        Ran { code, out: String::new(), err }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// Reads one answer. An end before its first byte is [`std::io::ErrorKind::UnexpectedEof`], one within it
    /// [`std::io::ErrorKind::InvalidData`].
    pub fn read(stream: &mut TcpStream) -> std::io::Result<Response> {
        let mut bytes = Vec::new();
        let mut part = [0; 65536];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length =
                    head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
                if bytes.len() >= end + 4 + length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return Ok(Response { status, head, body: bytes[end + 4..end + 4 + length].to_vec() });
                }
            }
            match stream.read(&mut part) {
                Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
                _ if !bytes.is_empty() => return Err(std::io::ErrorKind::InvalidData.into()),
                Ok(_) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads one answer and nothing behind it.
    pub fn read_one(stream: &mut TcpStream) -> std::io::Result<Response> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(Response { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

pub const PREDICT: &str = "/v1/models/digits:predict";

/// A body for the model in the box: so many blank pictures.
pub fn blanks(count: usize) -> Vec<u8> {
    let picture = vec![vec![[0]; 28]; 28];
    json!({ "instances": vec![picture; count] }).to_string().into_bytes()
}
