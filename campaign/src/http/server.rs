//! The server that is attacked.

use crate::process;
use anyhow::{Context as _, Result, bail};
use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Address space that a server may take, in kilobytes.
const ADDRESS_SPACE_KB: u64 = 2_000_000;
/// How long memory may take to come back: connections that do not read are given up after 30 s.
const REST: Duration = Duration::from_secs(45);

/// A running server; killed when dropped.
pub struct Server {
    child: RefCell<Child>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it writes to stderr.
    log: PathBuf,
}

impl Server {
    /// Starts `maobi serve` in `folder` on a port that the system chooses.
    pub fn start(maobi: &Path, folder: &Path, arguments: &[&str]) -> Result<Server> {
        std::fs::create_dir_all(folder)?;
        let log = folder.join("server.log");
        let script = format!("ulimit -v {ADDRESS_SPACE_KB}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(maobi).args(["serve", "--addr", "127.0.0.1:0", "--log-format", "json"]).args(arguments);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        command.env("RUST_BACKTRACE", "0").env("XDG_DATA_HOME", folder);
        let mut child = command.spawn().context("sh cannot be started")?;
        let mut line = String::new();
        let out = child.stdout.take().context("no stdout")?;
        BufReader::new(out).read_line(&mut line)?;
        match line.trim_end().rsplit("http://").next().and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Server { child: RefCell::new(child), address, log }),
            None => {
                process::kill_group(&mut child);
                let _ = child.wait();
                bail!("maobi serve did not start: {}", std::fs::read_to_string(&log).unwrap_or_default())
            }
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<(), String> {
        process::signal(&self.child.borrow(), signal).map_err(|error| error.to_string())
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<String> {
        let status = self.child.borrow_mut().try_wait();
        status.map_or_else(|error| Some(error.to_string()), |status| status.map(|status| status.to_string()))
    }

    /// Waits for its end.
    pub fn wait(&self, limit: Duration) -> Result<std::process::ExitStatus, String> {
        match process::wait(&mut self.child.borrow_mut(), limit) {
            Ok((status, false)) => Ok(status),
            Ok((_, true)) => Err(format!("the server did not end within {:.0} s", limit.as_secs_f64())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Its resident memory, in megabytes.
    pub fn memory_mb(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that was, in megabytes.
    pub fn peak_mb(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.borrow().id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kb| kb / 1024)
    }

    /// Waits until it takes no more memory than that.
    pub fn rests(&self, most_mb: u64) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let now = self.memory_mb();
            if now <= most_mb {
                return Ok(());
            }
            if began.elapsed() > REST {
                return Err(format!(
                    "the server still takes {now} MB {:.0} s after the attack, expected {most_mb}",
                    REST.as_secs_f64()
                ));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What is in its log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Ends it; its log.
    pub fn stop(self) -> String {
        let _ = self.child.borrow_mut().kill();
        let _ = self.child.borrow_mut().wait();
        self.log()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.borrow_mut().kill();
        let _ = self.child.borrow_mut().wait();
    }
}

/// What is wrong with a log of JSON lines: panics, control characters, lines that are not JSON.
pub fn wrong_in_log(log: &str) -> Option<String> {
    log.lines().find_map(|line| {
        let panics = ["panicked at", "stack backtrace", "memory allocation of"].into_iter().any(|sign| line.contains(sign));
        let object = serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object());
        let clean = !line.chars().any(char::is_control);
        (panics || !object || !clean)
            .then(|| format!("a line of the log: {}", line.escape_debug().to_string().chars().take(200).collect::<String>()))
    })
}
