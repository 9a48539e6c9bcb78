//! Who holds a lock: the text of the lock file.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// Longest text that is read.
const MAX_BYTES: u64 = 4096;

/// A process, so that it can be told from others with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Number of the process. In containers it is often 1.
    pid: u32,
    /// Name of the machine or container.
    host: String,
    /// When the process started, in the system's own count: a later process of the same number has another one.
    #[serde(default)]
    started: Option<String>,
    /// Which start of the machine.
    #[serde(default)]
    boot: Option<String>,
    /// Within which processes the number is unique: a container has its own.
    #[serde(default)]
    namespace: Option<String>,
}

impl Owner {
    /// This process.
    pub fn this() -> Owner {
        let pid = std::process::id();
        Owner { pid, host: host(), started: started(pid), boot: boot(), namespace: namespace() }
    }

    /// What a lock file says; `None` when it says nothing that can be understood.
    pub fn read(file: &mut File) -> Option<Owner> {
        let mut text = String::new();
        file.rewind().ok()?;
        file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        toml::from_str(&text).ok()
    }

    /// Writes the text of a lock file.
    pub fn write(&self, file: &mut File) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())
    }

    /// Whether the process may still run. True where that cannot be known: on another machine, in another container.
    pub fn may_run(&self) -> bool {
        let here = Owner::this();
        if self.host != here.host {
            return true;
        }
        if self.boot.is_some() && here.boot.is_some() && self.boot != here.boot {
            return false;
        }
        if self.namespace != here.namespace || self.started.is_none() {
            return true;
        }
        started(self.pid) == self.started
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The file may hold anything: a terminal gets plain characters only.
        let host: String = self.host.chars().filter(|c| !c.is_control()).take(64).collect();
        write!(f, "process {} on {host}", self.pid)
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn host() -> String {
    let variable = |name| std::env::var(name).ok().filter(|host| !host.is_empty());
    let host = read("/proc/sys/kernel/hostname").or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"));
    host.unwrap_or_else(|| "this machine".to_owned())
}

fn boot() -> Option<String> {
    read("/proc/sys/kernel/random/boot_id")
}

fn namespace() -> Option<String> {
    std::fs::read_link("/proc/self/ns/pid").ok().map(|link| link.display().to_string())
}

/// The start time of a process: the 22nd field of `/proc/PID/stat`. `None` where there is no such process, or no `/proc`.
fn started(pid: u32) -> Option<String> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    // The second field is the name in parentheses, which may hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_from_a_file() {
        let mut file = tempfile::tempfile().unwrap();
        let owner = Owner::this();
        file.write_all(&[b'x'; 1000]).unwrap();
        owner.write(&mut file).unwrap();
        assert_eq!(Owner::read(&mut file), Some(owner));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_reused_number_is_another_process() {
        let this = Owner::this();
        assert!(this.may_run());
        assert!(!Owner { started: Some("1".into()), ..this.clone() }.may_run(), "same number, other start");
        assert!(!Owner { boot: Some("before".into()), ..this.clone() }.may_run(), "the machine was started again");
        assert!(!Owner { pid: u32::MAX - 1, ..this.clone() }.may_run(), "no such process");
        // Nothing can be known of processes in other places.
        assert!(Owner { namespace: Some("pid:[1]".into()), started: Some("1".into()), ..this.clone() }.may_run());
        assert!(Owner { host: "other".into(), started: Some("1".into()), ..this }.may_run());
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let owner = Owner { host: "a\u{1b}[2Jb".into(), ..Owner::this() };
        assert!(!owner.to_string().contains('\u{1b}'));
    }
}
