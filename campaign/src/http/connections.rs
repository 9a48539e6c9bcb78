//! Clients that do not read, read slowly, send slowly or break off, and very many clients.

use super::wire::{self, PREDICT, connect, pictures, read, request, sound};
use super::{Attack, Server};
use crate::seeded::Random;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The attacks.
pub const ATTACKS: &[Attack] = &[
    Attack { name: "100 pipelining connections that never read", run: never_read },
    Attack { name: "slow readers", run: slow_readers },
    Attack { name: "slow senders", run: slow_senders },
    Attack { name: "half-closed connections", run: half_closed },
    Attack { name: "2,000 connections", run: thousands },
    Attack { name: "connections that break off", run: broken },
];

fn open(server: &Server, count: usize) -> Result<Vec<TcpStream>, String> {
    let one = |_| connect(server.address, wire::PATIENCE).map_err(|error| format!("a connection: {error}"));
    (0..count).map(one).collect()
}

/// 64 KB of requests for the largest answer on each of 100 connections, and nothing is ever read. They are held for five seconds.
fn never_read(server: &Server, _random: &mut Random) -> Result<(), String> {
    let one = request("GET", "/openapi.json", "", b"");
    let bytes = one.repeat(65_536 / one.len());
    let mut streams = open(server, 100)?;
    for stream in &mut streams {
        stream.set_nonblocking(true).map_err(|error| error.to_string())?;
    }
    let mut sent = vec![0; streams.len()];
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) && server.ended().is_none() {
        for (stream, sent) in streams.iter_mut().zip(&mut sent) {
            // What the server does not take, it is not sent.
            *sent += stream.write(&bytes[*sent % bytes.len()..]).unwrap_or(0);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A byte now and then of a long row of answers.
fn slow_readers(server: &Server, _random: &mut Random) -> Result<(), String> {
    let bytes = request("GET", "/openapi.json", "", b"").repeat(100);
    let mut streams = open(server, 50)?;
    for stream in &mut streams {
        stream.set_nonblocking(true).map_err(|error| error.to_string())?;
        let _ = stream.write(&bytes);
    }
    let mut byte = [0; 1];
    for _ in 0..60 {
        streams.iter_mut().for_each(|stream| drop(stream.read(&mut byte)));
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Two hundred requests that come byte by byte.
fn slow_senders(server: &Server, random: &mut Random) -> Result<(), String> {
    let bytes = request("POST", PREDICT, "", &pictures(1, 0.5));
    let mut streams = open(server, 200)?;
    let start = random.below(100);
    streams.iter_mut().for_each(|stream| drop(stream.write(&bytes[..start])));
    for at in start..start + 60 {
        streams.iter_mut().for_each(|stream| drop(stream.write(&bytes[at..=at])));
        std::thread::sleep(Duration::from_millis(30));
    }
    // One of them was only slow: it gets its answer.
    let mut one = streams.swap_remove(0);
    one.write_all(&bytes[start + 60..]).map_err(|error| format!("a slow sender: {error}"))?;
    match sound("a slow sender", read(&mut one, 1, wire::PATIENCE))?[0].status {
        200 => Ok(()),
        status => Err(format!("a slow sender: status {status}")),
    }
}

/// A client that has sent its request and closes its side still reads.
fn half_closed(server: &Server, _random: &mut Random) -> Result<(), String> {
    let bytes = request("POST", PREDICT, "", &pictures(1, 0.5)).repeat(3);
    for _ in 0..10 {
        let answers = sound("a half-closed connection", wire::exchange(server.address, &bytes, 3, true))?;
        if answers.len() != 3 || answers.iter().any(|answer| answer.status != 200) {
            return Err(format!("a half-closed connection got {} answers of 3", answers.len()));
        }
    }
    Ok(())
}

/// Two thousand connections, half of them with half a head.
fn thousands(server: &Server, _random: &mut Random) -> Result<(), String> {
    allow_files(5000);
    let mut streams = open(server, 2000)?;
    for (index, stream) in streams.iter_mut().enumerate() {
        if index % 2 == 0 {
            let _ = stream.write(b"GET /v2 HTTP/1.1\r\nHost: local");
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    // Those with half a head are answered once the rest comes.
    for stream in streams.iter_mut().step_by(40) {
        stream.write_all(b"host\r\n\r\n").map_err(|error| format!("one of 2,000 connections: {error}"))?;
        let answers = sound("one of 2,000 connections", read(stream, 1, wire::PATIENCE))?;
        if answers[0].status != 200 {
            return Err(format!("one of 2,000 connections: status {}", answers[0].status));
        }
    }
    Ok(())
}

/// Raises the limit on open files as far as the system lets it; the connections that cannot be opened then say so.
fn allow_files(wanted: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.map(|current| current.max(limit.maximum.unwrap_or(wanted).min(wanted)));
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Clients that go at every moment of a request.
fn broken(server: &Server, random: &mut Random) -> Result<(), String> {
    let bytes = request("POST", PREDICT, "", &pictures(2, 0.5));
    for round in 0..200 {
        let mut stream = connect(server.address, wire::PATIENCE).map_err(|error| error.to_string())?;
        let _ = stream.write_all(&bytes[..random.below(bytes.len() + 1)]);
        if round % 3 == 0 {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}
