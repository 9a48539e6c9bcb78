//! How much memory this process may still take: too large a file or network is an error with a sentence before anything is allocated,
//! not an allocation that fails or a process that the system ends.

use std::fmt;

/// Sizes below which [`check_room`] does not ask.
const SMALL: u64 = 16 << 20;

/// As [`check`], for one of many small parts: up to 16 MiB are not worth asking the system.
///
/// # Errors
/// As [`check`].
pub fn check_room(what: &str, bytes: u64) -> Result<(), String> {
    if bytes > SMALL { check(what, bytes) } else { Ok(()) }
}

/// An error unless `bytes` more can be taken; `what` is the subject of its sentence, such as "the file".
///
/// # Errors
/// A sentence with what is needed and what there is.
pub fn check(what: &str, bytes: u64) -> Result<(), String> {
    match available().filter(|available| available.bytes < bytes) {
        None => Ok(()),
        Some(available) => Err(format!("{what} needs {} of memory, and there are {available}", show(bytes))),
    }
}

/// A size as people read it, such as "3.2 GB"; decimal, as disks and `ulimit` have it.
pub fn show(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{size:.1} {unit}") }
}

/// Memory that may still be taken, and what bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// In bytes.
    pub bytes: u64,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Machine,
    #[cfg(target_os = "linux")]
    Group,
    #[cfg(target_os = "linux")]
    AddressSpace,
}

impl fmt::Display for Available {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.bound {
            Bound::Machine => "on this machine",
            #[cfg(target_os = "linux")]
            Bound::Group => "in this container or control group",
            #[cfg(target_os = "linux")]
            Bound::AddressSpace => "under the limit of the process (ulimit -v)",
        };
        write!(f, "{} left {bound}", show(self.bytes))
    }
}

/// The least of what the machine has left, of what the limits of the control groups leave, and of what `ulimit -v` leaves. `None` where
/// none of them can be read.
#[cfg(target_os = "linux")]
pub fn available() -> Option<Available> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    linux::available(&read)
}

/// What no small machine has: on this system the memory that is left is not asked for.
#[cfg(not(target_os = "linux"))]
pub fn available() -> Option<Available> {
    Some(Available { bytes: 64 << 30, bound: Bound::Machine })
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Available, Bound};

    /// Reads a file of the system; `None` where it is not there.
    type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

    pub(super) fn available(read: Read<'_>) -> Option<Available> {
        let bounds = [(Bound::Machine, machine(read)), (Bound::Group, groups(read)), (Bound::AddressSpace, address_space(read))];
        let known = bounds.into_iter().filter_map(|(bound, bytes)| Some(Available { bytes: bytes?, bound }));
        known.min_by_key(|available| available.bytes)
    }

    /// What the kernel expects to be able to give without pushing others out, and the swap beside it.
    fn machine(read: Read<'_>) -> Option<u64> {
        let text = read("/proc/meminfo")?;
        let kilobytes = |key: &str| number(text.lines().find_map(|line| line.strip_prefix(key))?.trim_end_matches(" kB"));
        Some(kilobytes("MemAvailable:")?.saturating_add(kilobytes("SwapFree:").unwrap_or(0)).saturating_mul(1024))
    }

    /// The least that the process's control groups leave, of version 2 or 1, each with the groups above it.
    fn groups(read: Read<'_>) -> Option<u64> {
        let text = read("/proc/self/cgroup")?;
        let mut least = None;
        for line in text.lines() {
            // hierarchy:controllers:path, with hierarchy 0 and no controllers in version 2.
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            let version = match controllers {
                "" => &V2,
                names if names.split(',').any(|name| name == "memory") => &V1,
                _ => continue,
            };
            let mut path = path.trim_end_matches('/');
            loop {
                if let Some(left) = version.left(read, path) {
                    least = Some(least.map_or(left, |least: u64| least.min(left)));
                }
                let Some((above, _)) = path.rsplit_once('/') else { break };
                path = above;
            }
        }
        least
    }

    /// Where a version of control groups keeps its figures.
    struct Version {
        root: &'static str,
        limit: &'static str,
        usage: &'static str,
        /// Lines of `memory.stat` with pages of files, which the kernel gives back when memory is short.
        files: [&'static str; 2],
    }

    const V2: Version = Version {
        root: "/sys/fs/cgroup",
        limit: "memory.max",
        usage: "memory.current",
        files: ["inactive_file ", "active_file "],
    };

    const V1: Version = Version {
        root: "/sys/fs/cgroup/memory",
        limit: "memory.limit_in_bytes",
        usage: "memory.usage_in_bytes",
        files: ["total_inactive_file ", "total_active_file "],
    };

    impl Version {
        /// What a group leaves; `None` where it has no limit.
        fn left(&self, read: Read<'_>, path: &str) -> Option<u64> {
            let file = |name: &str| read(&format!("{}{path}/{name}", self.root));
            let limit = number(&file(self.limit)?)?;
            let usage = number(&file(self.usage)?)?;
            let stat = file("memory.stat").unwrap_or_default();
            let files = stat.lines().filter_map(|line| self.files.iter().find_map(|key| number(line.strip_prefix(key)?)));
            Some(limit.saturating_sub(usage.saturating_sub(files.sum())))
        }
    }

    /// The soft limit of addresses, less those in use.
    fn address_space(read: Read<'_>) -> Option<u64> {
        let limits = read("/proc/self/limits")?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        let limit = number(line.split_whitespace().next()?)?;
        let status = read("/proc/self/status")?;
        let used = number(status.lines().find_map(|line| line.strip_prefix("VmSize:"))?.trim_end_matches(" kB"))?;
        Some(limit.saturating_sub(used.saturating_mul(1024)))
    }

    /// A number; `None` for "max" and "unlimited".
    fn number(text: &str) -> Option<u64> {
        text.trim().parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// The bytes left, and the sentence, on a system with these files.
        fn of(files: &[(&str, &str)]) -> Option<(u64, String)> {
            let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.to_string());
            available(&read).map(|available| (available.bytes, available.to_string()))
        }

        const MACHINE: (&str, &str) = ("/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    3000 kB\nSwapFree:  1000 kB\n");

        #[test]
        fn the_least_bound_counts() {
            assert_eq!(of(&[]), None);
            assert_eq!(of(&[MACHINE]), Some((4_096_000, "4.1 MB left on this machine".into())));
            let limits = ("/proc/self/limits", "Max address space         2048000              unlimited            bytes\n");
            let size = ("/proc/self/status", "Name: x\nVmSize:\t    1000 kB\n");
            let found = of(&[MACHINE, limits, size]).unwrap();
            assert_eq!(found, (1_024_000, "1.0 MB left under the limit of the process (ulimit -v)".into()));
            let none = ("/proc/self/limits", "Max address space         unlimited            unlimited            bytes\n");
            assert_eq!(of(&[MACHINE, none, size]).unwrap().0, 4_096_000);
        }

        #[test]
        fn groups_and_those_above_them_count_without_their_files_pages() {
            let group = ("/proc/self/cgroup", "0::/a/b\n");
            let all = [
                MACHINE,
                group,
                ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
                ("/sys/fs/cgroup/a/b/memory.current", "5\n"),
                ("/sys/fs/cgroup/a/memory.max", "1000000\n"),
                ("/sys/fs/cgroup/a/memory.current", "900000\n"),
                ("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 300000\nactive_file 100000\n"),
            ];
            assert_eq!(of(&all), Some((500_000, "500.0 kB left in this container or control group".into())));
            // In a container its own group is the root.
            let root = [
                MACHINE,
                ("/proc/self/cgroup", "0::/\n"),
                ("/sys/fs/cgroup/memory.max", "7000"),
                ("/sys/fs/cgroup/memory.current", "8000"),
            ];
            assert_eq!(of(&root).unwrap().0, 0);
        }

        #[test]
        fn the_older_groups_count_too() {
            let files = [
                MACHINE,
                ("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n"),
                ("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "3000000\n"),
                ("/sys/fs/cgroup/memory/x/memory.usage_in_bytes", "2500000\n"),
                ("/sys/fs/cgroup/memory/x/memory.stat", "inactive_file 1\ntotal_inactive_file 500000\n"),
            ];
            assert_eq!(of(&files).unwrap().0, 1_000_000);
        }

        #[test]
        fn this_machine_has_memory_left() {
            assert!(super::super::available().unwrap().bytes > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(show(0), "0 bytes");
        assert_eq!(show(999), "999 bytes");
        assert_eq!(show(1_500_000), "1.5 MB");
        assert_eq!(show(u64::MAX), "18.4 EB");
    }

    #[test]
    fn more_than_any_machine_has_is_refused() {
        check("the file", 1).unwrap();
        let message = check("the file", 1 << 60).unwrap_err();
        assert!(message.starts_with("the file needs 1.2 EB of memory, and there are "), "{message}");
    }
}
