//! The kind `http`: hostile clients against the real server, which may take 2 GB of address space.
//!
//! Each trial starts a server of its own, lets one attack run, and asks all the while whether the server lives. Afterwards an honest
//! client must get the same answer as before, memory must have come back, and the log must hold whole lines only.

mod bodies;
mod connections;
mod heads;
mod hosts;
mod images;
pub mod probe;
pub mod server;
pub mod wire;

use crate::context::Context;
use crate::kind::{Kind, Short};
use crate::report::{Failure, Report};
use crate::seeded::Random;
use anyhow::Result;
use probe::Probe;
use server::Server;
use std::time::Duration;

/// The kind.
pub const KIND: Kind = Kind {
    name: "http",
    about: "malformed requests, slow clients, large pictures and forged hosts against the server",
    share: 15,
    short: Short { trials: 8, seconds: 10 },
    run,
};

/// One way to attack a server.
pub struct Attack {
    /// Its name in the table.
    pub name: &'static str,
    /// Runs it; an error is what the server did wrong.
    pub run: fn(&Server, &mut Random) -> Result<(), String>,
}

/// The most memory that a server may take while it is attacked, in megabytes.
const MOST_MB: u64 = 1000;
/// What may remain of it once the attack is over, above what it took before, in megabytes: allocators keep some.
pub const REMAINS_MB: u64 = 200;
/// The same after pictures: the allocator may keep all that `--picture-memory-mb` allows by default for the next ones.
const PICTURES_REMAIN_MB: u64 = 512;

/// All attacks, with what may remain of the memory after each.
fn attacks() -> Vec<(&'static Attack, u64)> {
    let others = [heads::ATTACKS, bodies::ATTACKS, hosts::ATTACKS, connections::ATTACKS].into_iter().flatten();
    let others = others.map(|attack| (attack, REMAINS_MB));
    others.chain(images::ATTACKS.iter().map(|attack| (attack, PICTURES_REMAIN_MB))).collect()
}

fn run(context: &Context) -> Result<Report> {
    let mut report = context.report();
    let attacks = attacks();
    let (mut slowest, mut largest) = (Duration::ZERO, 0);
    for seed in context.seeds(attacks.len() as u64 * 2) {
        let (attack, remains) = attacks[(seed % attacks.len() as u64) as usize];
        let server = Server::start(&context.maobi, &context.scratch.join(seed.to_string()), &[])?;
        let outcome = under_attack(&server, remains, |server| (attack.run)(server, &mut Random::new(seed)));
        slowest = slowest.max(outcome.slowest);
        largest = largest.max(outcome.peak_mb);
        let log = server.stop();
        let wrong = outcome.wrong.or_else(|| server::wrong_in_log(&log));
        match wrong {
            None => {
                report.pass(attack.name);
                let _ = std::fs::remove_dir_all(context.scratch.join(seed.to_string()));
            }
            Some(reason) => report.fail(Failure {
                row: attack.name.into(),
                reason,
                repeat: context.repeat(seed),
                kept: Some(context.scratch.join(seed.to_string())),
            }),
        }
    }
    report.figure("slowest answer of /v2/health/live, s", slowest.as_secs_f64());
    report.figure("most memory of a server, MB", largest as f64);
    Ok(report)
}

/// How an attack ended.
pub struct Outcome {
    /// What was wrong, if anything.
    pub wrong: Option<String>,
    /// The slowest answer of the probe.
    pub slowest: Duration,
    /// The most memory, in megabytes.
    pub peak_mb: u64,
}

/// Runs an attack on a server, with everything that must hold during and after it; `remains` megabytes may stay with the server.
pub fn under_attack(server: &Server, remains: u64, attack: impl FnOnce(&Server) -> Result<(), String>) -> Outcome {
    let before = match wire::honest(server.address) {
        Ok(answer) => answer,
        Err(error) => {
            return Outcome { wrong: Some(format!("before the attack: {error}")), slowest: Duration::ZERO, peak_mb: 0 };
        }
    };
    let resting = server.memory_mb();
    let probe = Probe::start(server.address);
    let attacked = attack(server);
    let probed = probe.end();
    let peak_mb = server.peak_mb();
    let wrong = [
        server.ended().map(|how| format!("the server ended: {how}")),
        attacked.err(),
        probed.wrong(),
        (peak_mb > MOST_MB).then(|| format!("the server took {peak_mb} MB")),
        wire::honest(server.address).map_or_else(
            |error| Some(format!("an honest client after the attack: {error}")),
            |after| (after != before).then(|| "an honest client gets another answer after the attack".to_owned()),
        ),
        server.rests(resting + remains).err(),
    ];
    Outcome { wrong: wrong.into_iter().flatten().next(), slowest: probed.slowest(), peak_mb }
}
