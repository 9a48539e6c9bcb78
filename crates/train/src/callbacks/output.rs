//! Where callbacks write their messages.

use maobi_nn::text::escaped;
use std::io::Write;

/// A sink of lines; standard error unless another is given.
pub(super) struct Output(Box<dyn Write + Send>);

impl Default for Output {
    fn default() -> Self {
        Output(Box::new(std::io::stderr()))
    }
}

impl Output {
    pub(super) fn to(sink: impl Write + Send + 'static) -> Output {
        Output(Box::new(sink))
    }

    /// Writes a line at once. A closed pipe does not end training, so errors are let go.
    pub(super) fn line(&mut self, text: &str) {
        let _ = self.0.write_all(format!("{}\n", escaped(text)).as_bytes()).and_then(|()| self.0.flush());
    }
}

/// Messages that are written when the user asked for them.
#[derive(Default)]
pub(super) struct Messages {
    pub(super) on: bool,
    pub(super) output: Output,
}

impl Messages {
    pub(super) fn say(&mut self, text: &str) {
        if self.on {
            self.output.line(text);
        }
    }
}

/// The setters of a callback with `messages`; the literal is what 1 says.
macro_rules! message_setters {
    ($says:literal) => {
        #[doc = $says]
        #[must_use]
        pub fn verbose(mut self, verbose: u8) -> Self {
            self.messages.on = verbose > 0;
            self
        }

        /// Where messages go instead of standard error.
        #[must_use]
        pub fn sink(mut self, sink: impl std::io::Write + Send + 'static) -> Self {
            self.messages.output = super::output::Output::to(sink);
            self
        }
    };
}
pub(super) use message_setters;

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
