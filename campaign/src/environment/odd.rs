//! Odd paths: what is no plain file, has an odd name, leads nowhere or round in circles.

use anyhow::{Context as _, Result};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// An odd path.
pub struct Odd {
    /// Its name in ids.
    pub name: &'static str,
    /// Whether it leads outside of the folder, so that nothing may be written there.
    pub outside: bool,
    make: fn(&Path) -> Result<OsString>,
}

/// All of them.
pub const ODD: &[Odd] = &[
    inside("fifo", |folder| node(folder, FileType::Fifo, 0)),
    inside("socket", |folder| {
        // The name stays after the listener is gone.
        UnixListener::bind(folder.join("socket"))?;
        Ok("socket".into())
    }),
    inside("device-zero", |folder| node(folder, FileType::CharacterDevice, makedev(1, 5))),
    inside("device-null", |folder| node(folder, FileType::CharacterDevice, makedev(1, 3))),
    inside("device-full", |folder| node(folder, FileType::CharacterDevice, makedev(1, 7))),
    inside("device-random", |folder| node(folder, FileType::CharacterDevice, makedev(1, 9))),
    inside("empty-file", |folder| {
        std::fs::write(folder.join("empty"), "")?;
        Ok("empty".into())
    }),
    inside("empty-folder", |folder| {
        std::fs::create_dir(folder.join("hollow"))?;
        Ok("hollow".into())
    }),
    inside("link-to-itself", |folder| {
        std::os::unix::fs::symlink("loop", folder.join("loop"))?;
        Ok("loop".into())
    }),
    inside("link-to-nothing", |folder| {
        std::os::unix::fs::symlink("nothing", folder.join("dangling"))?;
        Ok("dangling".into())
    }),
    inside("folder-in-circles", |folder| {
        std::fs::create_dir(folder.join("circle"))?;
        std::os::unix::fs::symlink("..", folder.join("circle/up"))?;
        Ok("circle".into())
    }),
    inside("nothing", |_| Ok("nothing".into())),
    inside("below-a-file", |_| Ok("model.keras/below".into())),
    inside("no-name", |_| Ok("".into())),
    inside("name-of-300-bytes", |_| Ok("x".repeat(300).into())),
    inside("path-of-4000-bytes", |_| Ok("a/".repeat(2000).into())),
    inside("path-of-5000-bytes", |_| Ok("a/".repeat(2500).into())),
    inside("not-utf-8", |folder| {
        let name = OsStr::from_bytes(b"m\xFF\xFEdel.keras");
        std::fs::copy(folder.join("model.keras"), folder.join(name))?;
        Ok(name.to_owned())
    }),
    inside("control-characters", |folder| {
        let name = "m\x1b[2J\n\rdel.keras";
        std::fs::copy(folder.join("model.keras"), folder.join(name))?;
        Ok(name.into())
    }),
    inside("like-an-option", |_| Ok("--".into())),
    outside("proc-mem", |_| Ok("/proc/self/mem".into())),
    outside("proc-folder", |_| Ok("/proc/self/fdinfo".into())),
    outside("terminal", |_| Ok("/dev/tty".into())),
    outside("stdin", |_| Ok("/dev/stdin".into())),
];

const fn inside(name: &'static str, make: fn(&Path) -> Result<OsString>) -> Odd {
    Odd { name, outside: false, make }
}

const fn outside(name: &'static str, make: fn(&Path) -> Result<OsString>) -> Odd {
    Odd { name, outside: true, make }
}

impl Odd {
    /// Makes it in `folder`; returns the path that the program is given, relative to `folder`.
    pub fn make(&self, folder: &Path) -> Result<OsString> {
        (self.make)(folder).with_context(|| format!("{} cannot be made here", self.name))
    }
}

fn node(folder: &Path, kind: FileType, device: u64) -> Result<OsString> {
    mknodat(CWD, folder.join("node"), kind, Mode::from_raw_mode(0o666), device)?;
    Ok("node".into())
}
