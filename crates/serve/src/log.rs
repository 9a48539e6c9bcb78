//! What the server tells about itself: a line an event on stderr, as text or JSON.
//!
//! Lines are collected and written a few times a second, so that no request waits for whoever reads them.

use serde_json::{Map, Value};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `2026-01-31T12:00:00.000Z info reload model=digits`
    #[default]
    Text,
    /// `{"time":"…","level":"info","event":"reload","model":"digits"}`
    Json,
}

/// Which requests are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requests {
    /// None.
    None,
    /// Those that were not answered as they wished.
    #[default]
    Failed,
    /// All.
    All,
}

/// The log. Dropping it writes what is left.
#[derive(Debug)]
pub struct Log {
    form: Form,
    /// Which requests are told.
    pub requests: Requests,
    shared: Option<Arc<Shared>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Lines>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    text: String,
    /// Lines that found no room.
    lost: u64,
    ended: bool,
}

/// How often lines are written.
const EVERY: Duration = Duration::from_millis(100);
/// Most characters of a value.
const LONGEST: usize = 2000;
/// Most bytes that wait to be written.
const ROOM: usize = 1 << 20;

impl Log {
    /// Starts a log on stderr.
    ///
    /// # Errors
    /// When the system gives no thread for it.
    pub fn new(form: Form, requests: Requests) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name("log".into()).spawn(move || theirs.write(form))?;
        Ok(Self { form, requests, shared: Some(shared), writer: Some(writer) })
    }

    /// A log that says nothing.
    pub fn silent() -> Self {
        Self { form: Form::Text, requests: Requests::None, shared: None, writer: None }
    }

    /// Tells what has happened.
    pub fn event(&self, event: &str, fields: &[(&str, &dyn Display)]) {
        self.line("info", event, fields);
    }

    /// Tells what somebody should look after.
    pub fn warning(&self, event: &str, fields: &[(&str, &dyn Display)]) {
        self.line("warning", event, fields);
    }

    /// Writes what is left to be written.
    pub fn flush(&self) {
        let Some(shared) = &self.shared else { return };
        let text = std::mem::take(&mut shared.lock().text);
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Tells of panics from here on, as one event each and in the form of the log, for [`std::panic::set_hook`].
    pub fn panic_hook(&self) -> Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync> {
        let (form, shared) = (self.form, self.shared.clone());
        Box::new(move |panic| {
            let Some(shared) = &shared else { return };
            let thread = std::thread::current();
            let thread = thread.name().unwrap_or("unnamed").to_owned();
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let payload = panic.payload();
            let reason = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
            let reason = reason.unwrap_or("a panic without a message");
            shared.add(&form.line("error", "panic", &[("thread", &thread), ("at", &place), ("error", &reason)]));
        })
    }

    fn line(&self, level: &str, event: &str, fields: &[(&str, &dyn Display)]) {
        if let Some(shared) = &self.shared {
            shared.add(&self.form.line(level, event, fields));
        }
    }
}

impl Form {
    fn line(self, level: &str, event: &str, fields: &[(&str, &dyn Display)]) -> String {
        let time = rfc3339(SystemTime::now());
        match self {
            Self::Text => text(&time, level, event, fields),
            Self::Json => json(&time, level, event, fields),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.lock().ended = true;
            shared.ended.notify_all();
        }
        self.writer.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &str) {
        let mut lines = self.lock();
        if lines.text.len() + line.len() > ROOM {
            lines.lost += 1;
        } else {
            lines.text.push_str(line);
        }
    }

    fn write(&self, form: Form) {
        loop {
            let lines = self.lock();
            let waited = self.ended.wait_timeout_while(lines, EVERY, |lines| !lines.ended);
            let mut lines = waited.unwrap_or_else(PoisonError::into_inner).0;
            let (mut text, lost, ended) = (std::mem::take(&mut lines.text), std::mem::take(&mut lines.lost), lines.ended);
            drop(lines);
            if lost > 0 {
                text.push_str(&form.line("warning", "log", &[("lost", &lost), ("error", &"stderr is read too slowly")]));
            }
            // Nobody can be told that stderr is closed.
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            if ended {
                return;
            }
        }
    }
}

fn text(time: &str, level: &str, event: &str, fields: &[(&str, &dyn Display)]) -> String {
    let mut line = format!("{time} {level} {event}");
    for (key, value) in fields {
        let value = short(value);
        let plain = !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '='));
        let _ = if plain { write!(line, " {key}={value}") } else { write!(line, " {key}={}", escaped(&Value::String(value))) };
    }
    line.push('\n');
    line
}

/// A value as text, cut where it is too long for a log.
fn short(value: &dyn Display) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// JSON without characters that change how a terminal shows a line: JSON itself escapes those below U+0020 only.
fn escaped(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        // Beside control characters: those that end lines or turn the direction of writing.
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        let _ = if c.is_control() || hidden { write!(text, "\\u{:04x}", u32::from(c)) } else { write!(text, "{c}") };
    }
    text
}

fn json(time: &str, level: &str, event: &str, fields: &[(&str, &dyn Display)]) -> String {
    let mut object = Map::new();
    for (key, value) in [("time", time), ("level", level), ("event", event)] {
        object.insert(key.into(), value.into());
    }
    for (key, value) in fields {
        let value = short(value);
        // Numbers stay numbers.
        let number = value.parse::<serde_json::Number>().ok().filter(|_| *key != "id");
        object.insert((*key).into(), number.map_or(Value::String(value), Value::Number));
    }
    format!("{}\n", escaped(&Value::Object(object)))
}

/// A time as `2026-01-31T12:00:00.000Z`. The date is found as in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second, milli) = (seconds / 3600, seconds / 60 % 60, seconds % 60, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // As `date -u -d @SECONDS` has them.
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_827_696, "2000-02-29T12:34:56.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), date);
        }
    }

    #[test]
    fn a_line_stays_a_line() {
        let fields: [(&str, &dyn Display); 3] = [("status", &404), ("path", &"/a\nb"), ("id", &"12")];
        assert_eq!(text("T", "info", "request", &fields), "T info request status=404 path=\"/a\\nb\" id=12\n");
        assert_eq!(
            json("T", "info", "request", &fields),
            "{\"time\":\"T\",\"level\":\"info\",\"event\":\"request\",\"status\":404,\"path\":\"/a\\nb\",\"id\":\"12\"}\n"
        );
    }

    #[test]
    fn a_panic_is_one_line() {
        let shared = Arc::<Shared>::default();
        let log = Log { form: Form::Json, requests: Requests::None, shared: Some(Arc::clone(&shared)), writer: None };
        let (ours, others) = (log.panic_hook(), std::panic::take_hook());
        // The hook is that of all tests.
        std::panic::set_hook(Box::new(move |panic| match std::thread::current().name() {
            Some("broken") => ours(panic),
            _ => others(panic),
        }));
        let broken = std::thread::Builder::new().name("broken".into()).spawn(|| panic!("of two\n{}", "lines")).unwrap();
        assert!(broken.join().is_err());
        let text = std::mem::take(&mut shared.lock().text);
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&event["event"], &event["thread"], &event["error"]),
            (&"panic".into(), &"broken".into(), &"of two\nlines".into())
        );
        assert!(event["at"].as_str().unwrap().contains("log.rs") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn nothing_that_is_sent_reaches_a_terminal_as_more_than_text() {
        let evil = "a\u{1b}[2J\r\n\u{7f}\u{9b}31m\u{85}\u{2028}\u{202e}\0";
        let fields: [(&str, &dyn Display); 1] = [("path", &evil)];
        let line = text("T", "info", "request", &fields);
        assert_eq!(line, "T info request path=\"a\\u001b[2J\\r\\n\\u007f\\u009b31m\\u0085\\u2028\\u202e\\u0000\"\n");
        let object = json("T", "info", "request", &fields);
        assert!(object.trim_end_matches('\n').chars().all(|c| c.is_ascii_graphic()), "{object:?}");
        assert_eq!(serde_json::from_str::<Value>(&object).unwrap()["path"], evil);
        let long = "é".repeat(5000);
        assert!(text("T", "info", "request", &[("path", &long)]).len() < 2 * LONGEST + 100);
    }
}
