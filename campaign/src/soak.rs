//! The kind `soak`: a server under load while its model file is replaced, while it receives a signal, and while clients send three times
//! as many requests as it can answer.

use crate::context::Context;
use crate::http::server::{self, Server};
use crate::http::wire::{self, Answer, connect, read, request, sound};
use crate::http::{Outcome, REMAINS_MB, under_attack};
use crate::kind::{Kind, Short};
use crate::report::{Failure, Report};
use crate::seeded::Random;
use anyhow::Result;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use rustix::process::Signal;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The kind.
pub const KIND: Kind = Kind {
    name: "soak",
    about: "load while the model is replaced, while a signal arrives, and with three times as many requests as the server can answer",
    share: 20,
    short: Short { trials: 4, seconds: 10 },
    run,
};

type Scenario = fn(&Context, &Path, Duration, &mut Random, &mut Report) -> Result<Option<String>>;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("a model file replaced under load", replaced),
    ("SIGTERM under load", terminated),
    ("SIGHUP under load", reloaded),
    ("three times its capacity", overloaded),
];

fn run(context: &Context) -> Result<Report> {
    let mut report = context.report();
    // A long run gives most of its time to the scenarios that need it.
    let each = context
        .limits
        .time
        .map_or(Duration::from_secs(5), |time| (time / 4).clamp(Duration::from_secs(2), Duration::from_secs(600)));
    for (number, seed) in context.seeds(8).enumerate() {
        let index = if context.only.is_some() { (seed % 4) as usize } else { number % 4 };
        // The id of a trial names its scenario.
        let seed = seed - seed % 4 + index as u64;
        let (name, scenario) = SCENARIOS[index];
        let folder = context.scratch.join(seed.to_string());
        std::fs::create_dir_all(&folder)?;
        match scenario(context, &folder, each, &mut Random::new(seed), &mut report)? {
            None => {
                report.pass(name);
                let _ = std::fs::remove_dir_all(&folder);
            }
            Some(reason) => {
                report.fail(Failure { row: name.into(), reason, repeat: context.repeat(seed), kept: Some(folder) });
            }
        }
    }
    Ok(report)
}

/// Notes what was measured and returns what was wrong, also with the log.
fn judged(report: &mut Report, outcome: Outcome, server: Server) -> Option<String> {
    report.figure("slowest answer of /v2/health/live, s", outcome.slowest.as_secs_f64());
    report.figure("most memory of a server, MB", outcome.peak_mb as f64);
    outcome.wrong.or_else(|| server::wrong_in_log(&server.stop()))
}

/// A network of two inputs that answers `value` whatever it sees.
fn constant(file: &Path, value: f32) -> Result<()> {
    let mut model = Sequential::new().add(InputLayer::new([2]).name("x")).add(Dense::new(1).name("y")).build(1)?;
    for (index, weight) in model.weights_mut().iter_mut().enumerate() {
        weight.values_mut().fill(if index == 1 { value } else { 0.0 });
    }
    Ok(maobi_formats::keras::save(&model, file)?)
}

const CONSTANT: &str = "/v1/models/m:predict";

/// The answer of a constant network.
fn value(answer: &Answer) -> Option<f64> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    body["predictions"][0][0].as_f64()
}

/// Good and hostile files take each other's place while eight clients ask. Every request is answered by a good one.
fn replaced(
    context: &Context,
    folder: &Path,
    each: Duration,
    random: &mut Random,
    report: &mut Report,
) -> Result<Option<String>> {
    let file = folder.join("m.keras");
    constant(&file, 1.0)?;
    let good = std::fs::read(&file)?;
    let server = Server::start(&context.maobi, folder, &["m.keras", "--reload-ms", "20"])?;
    let address = server.address;
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let client = || -> Result<(), String> {
        let mut stream = connect(address, wire::PATIENCE).map_err(|error| error.to_string())?;
        while !stop.load(Relaxed) {
            let bytes = request("POST", CONSTANT, "", br#"{"instances": [[0, 0]]}"#);
            stream.write_all(&bytes).map_err(|error| format!("a request was lost: {error}"))?;
            let answers = sound("a request during a replacement", read(&mut stream, 1, wire::PATIENCE))?;
            match (answers[0].status, value(&answers[0])) {
                (200, Some(1.0 | 2.0 | 3.0)) => asked.fetch_add(1, Relaxed),
                (status, value) => return Err(format!("a request during a replacement: status {status}, {value:?}")),
            };
        }
        Ok(())
    };
    let swap = |random: &mut Random| -> Result<()> {
        match random.below(5) {
            0 => std::fs::write(&file, "no model")?,
            1 => std::fs::write(&file, &good[..random.below(good.len())])?,
            2 => constant(&file, f32::NAN)?,
            3 => {
                let mut damaged = good.clone();
                (0..8).for_each(|_| damaged[random.below(good.len())] = random.any() as u8);
                // Damage that goes unnoticed could answer anything; a file that is cut as well never loads.
                damaged.truncate(good.len() - 30);
                std::fs::write(&file, damaged)?;
            }
            _ => constant(&file, 1.0 + random.below(2) as f32)?,
        }
        Ok(())
    };
    let mut swaps = 0;
    let mut failed = Ok(());
    let wrong = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(client)).collect();
        let began = Instant::now();
        while began.elapsed() < each && failed.is_ok() {
            failed = swap(random);
            swaps += 1;
            std::thread::sleep(Duration::from_millis(60));
        }
        stop.store(true, Relaxed);
        let done = clients.into_iter().map(|client| client.join().unwrap_or_else(|_| Err("a client failed".into())));
        done.filter_map(Result::err).next()
    });
    failed?;
    report.passes("requests during replacements", asked.load(Relaxed));
    report.passes("replacements", swaps);
    constant(&file, 3.0)?;
    let began = Instant::now();
    let mut last = None;
    while wrong.is_none() && began.elapsed() < Duration::from_secs(60) && last != Some(3.0) {
        let bytes = request("POST", CONSTANT, "Connection: close\r\n", br#"{"instances": [[0, 0]]}"#);
        last = wire::exchange(address, &bytes, 1, false)?.first().and_then(value);
    }
    let stale = (wrong.is_none() && last != Some(3.0)).then(|| "the last good file is not served within 60 s".to_owned());
    Ok(wrong.or(stale).or_else(|| server::wrong_in_log(&server.stop())))
}

/// Clients whose requests the server has taken when the signal comes.
fn accepted(address: SocketAddr, count: usize) -> Result<Vec<std::net::TcpStream>, String> {
    let bytes = request("POST", wire::PREDICT, "", &wire::pictures(100, 0.5));
    let one = |_| {
        let mut stream = connect(address, wire::PATIENCE).map_err(|error| error.to_string())?;
        stream.write_all(&bytes).map_err(|error| format!("a request before the signal: {error}"))?;
        Ok(stream)
    };
    (0..count).map(one).collect()
}

/// Reads one answer from each connection; every status must be 200.
fn all_answered(what: &str, streams: &mut [std::net::TcpStream]) -> Result<(), String> {
    for stream in streams {
        let answers = sound(what, read(stream, 1, wire::PATIENCE))?;
        if answers[0].status != 200 {
            return Err(format!("{what}: status {}", answers[0].status));
        }
    }
    Ok(())
}

/// Requests that were sent in full before the signal are answered, and the server ends with code 0.
fn terminated(
    context: &Context,
    folder: &Path,
    _each: Duration,
    random: &mut Random,
    report: &mut Report,
) -> Result<Option<String>> {
    let server = Server::start(&context.maobi, folder, &["--threads", "1"])?;
    let count = 4 + random.below(12);
    let attempt = || -> Result<(), String> {
        let mut streams = accepted(server.address, count)?;
        server.signal(Signal::TERM)?;
        all_answered("a request before SIGTERM", &mut streams)?;
        let status = server.wait(Duration::from_secs(60))?;
        if status.success() { Ok(()) } else { Err(format!("after SIGTERM the server ended with {status}")) }
    };
    let wrong = attempt().err();
    report.passes("requests before a signal", count as u64);
    Ok(wrong.or_else(|| server::wrong_in_log(&server.log())))
}

/// SIGHUP ends nothing: requests before it and after it are answered.
fn reloaded(
    context: &Context,
    folder: &Path,
    _each: Duration,
    random: &mut Random,
    report: &mut Report,
) -> Result<Option<String>> {
    let server = Server::start(&context.maobi, folder, &[])?;
    let count = 4 + random.below(12);
    let outcome = under_attack(&server, REMAINS_MB, |server| {
        for _ in 0..5 {
            let mut streams = accepted(server.address, count)?;
            server.signal(Signal::HUP)?;
            all_answered("a request before SIGHUP", &mut streams)?;
        }
        Ok(())
    });
    report.passes("requests before a signal", 5 * count as u64);
    Ok(judged(report, outcome, server))
}

/// Pictures of a request of the overload: enough that the server works longer on one than the client.
const HEAVY: usize = 64;

/// Measures what the server can do, then asks for three times as much. Each request gets an answer, 200 or 503 or 504.
fn overloaded(
    context: &Context,
    folder: &Path,
    each: Duration,
    _random: &mut Random,
    report: &mut Report,
) -> Result<Option<String>> {
    let server = Server::start(&context.maobi, folder, &["--queue", "32", "--timeout-ms", "2000"])?;
    let bytes = request("POST", wire::PREDICT, "", &wire::pictures(HEAVY, 0.5));
    let address = server.address;
    let mut tally = [0; 3];
    let outcome = under_attack(&server, REMAINS_MB, |_| {
        let alone = load(address, &bytes, 4, Duration::from_secs(1), None)?;
        let capacity = alone[0] as f64;
        tally = load(address, &bytes, 96, each, Some(3.0 * capacity.max(1.0)))?;
        Ok(())
    });
    let [answered, busy, late] = tally;
    report.passes("requests of an overload, answered", answered);
    report.passes("requests of an overload, refused with 503", busy);
    report.passes("requests of an overload, 504", late);
    Ok(judged(report, outcome, server))
}

/// Asks for that long from `clients` connections, `rate` requests a second in all or as many as go: answers of 200, 503 and 504.
fn load(address: SocketAddr, bytes: &[u8], clients: usize, time: Duration, rate: Option<f64>) -> Result<[u64; 3], String> {
    let counts = [const { AtomicU64::new(0) }; 3];
    let began = Instant::now();
    let turns = AtomicU64::new(0);
    let client = || -> Result<(), String> {
        let mut stream = connect(address, wire::PATIENCE).map_err(|error| format!("a connection under load: {error}"))?;
        while began.elapsed() < time {
            if let Some(rate) = rate {
                let due = Duration::from_secs_f64(turns.fetch_add(1, Relaxed) as f64 / rate);
                std::thread::sleep(due.saturating_sub(began.elapsed()).min(time));
            }
            stream.write_all(bytes).map_err(|error| format!("a request under load: {error}"))?;
            let answers = sound("a request under load", read(&mut stream, 1, wire::PATIENCE))?;
            let place = match answers[0].status {
                200 => 0,
                503 => 1,
                504 => 2,
                status => return Err(format!("a request under load: status {status}")),
            };
            counts[place].fetch_add(1, Relaxed);
            if answers[0].head.contains("connection: close") {
                stream = connect(address, wire::PATIENCE).map_err(|error| format!("a connection under load: {error}"))?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|client| client.join().unwrap_or_else(|_| Err("a client failed".into())))
    })?;
    Ok(counts.map(AtomicU64::into_inner))
}
