//! Where callbacks write their messages.

use maobi_nn::text::escaped;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// A sink of lines; standard error unless another is given. The lock is never contended: it makes callbacks `Sync`.
pub(super) struct Output(Mutex<Box<dyn Write + Send>>);

impl Default for Output {
    fn default() -> Self {
        Output::to(std::io::stderr())
    }
}

impl Output {
    pub(super) fn to(sink: impl Write + Send + 'static) -> Output {
        Output(Mutex::new(Box::new(sink)))
    }

    /// Writes a line where the user asked for messages.
    pub(super) fn say(&mut self, verbose: usize, text: &str) {
        if verbose > 0 {
            self.line(text);
        }
    }

    /// Writes a line at once. A closed pipe does not end training, so errors are let go.
    pub(super) fn line(&mut self, text: &str) {
        let sink = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = sink.write_all(format!("{}\n", escaped(text)).as_bytes()).and_then(|()| sink.flush());
    }
}

/// The setter of the sink of a callback whose `run` has an `output`.
macro_rules! sink_setter {
    () => {
        /// Where messages go instead of standard error.
        #[must_use]
        pub fn sink(mut self, sink: impl std::io::Write + Send + 'static) -> Self {
            self.run.output = super::output::Output::to(sink);
            self
        }
    };
}
pub(super) use sink_setter;

/// A sink whose text tests can read.
#[cfg(test)]
#[derive(Clone, Default)]
pub(super) struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(test)]
impl Shared {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
