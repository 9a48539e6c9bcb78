//! The system's limit on the size of files (`ulimit -f`).

/// Makes a write beyond the limit an error that can be reported. Without this, the signal SIGXFSZ ends the process in silence.
pub fn report_limit() {
    // The handler only sets a flag that nobody reads: what counts is that the signal no longer ends the process.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}
