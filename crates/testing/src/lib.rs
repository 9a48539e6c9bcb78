//! What the tests of several crates share: data that may be absent, and how a test says that it was skipped.

use std::io::Write;
use std::path::PathBuf;

/// Says that the running test is skipped, and why. The line appears even where the test harness captures output, and `.ci/run` repeats
/// it at its end.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    // The harness names a test's thread after the test.
    let _ = writeln!(std::io::stderr(), "skipped: {}: {reason}", thread.name().unwrap_or("a test"));
}

/// A file or folder in `$MAOBI_DATA_DIR`; without it the test is skipped.
pub fn data(path: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("MAOBI_DATA_DIR") else {
        skip(&if path.is_empty() {
            "MAOBI_DATA_DIR is not set".into()
        } else {
            format!("needs {path}; MAOBI_DATA_DIR is not set")
        });
        return None;
    };
    let at = PathBuf::from(folder).join(path);
    if !at.exists() {
        skip(&format!("needs {path}; not in MAOBI_DATA_DIR"));
        return None;
    }
    Some(at)
}
