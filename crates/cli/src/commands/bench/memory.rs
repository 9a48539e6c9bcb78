//! How much memory this process has held, where the system tells (Linux).

/// Forgets the peak so far, so that [`peak_rss`] is of what follows. Where that is not possible, the peak is the process's.
pub fn reset_peak() {
    // See proc_pid_clear_refs(5): 5 resets the peak of the resident set.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The largest resident set in bytes; `None` where the system does not tell.
pub fn peak_rss() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read() {
        assert_eq!(parse("Name:\tmaobi\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n"), Some(12_345 * 1024));
        assert_eq!(parse("Name:\tmaobi\n"), None);
        assert_eq!(parse("VmHWM:\tmuch\n"), None);
    }
}
