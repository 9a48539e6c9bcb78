//! How much memory a network takes, and how much there is: too large a network is an error with a sentence before anything is
//! allocated, not an allocation that fails or a process that the system ends.

mod available;
mod need;

pub use available::{Available, available};
pub use need::Need;

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
pub(crate) fn show(bytes: u64) -> String {
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
