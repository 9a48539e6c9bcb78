//! `CSVLogger`: one row per epoch in a text file.
//!
//! As Keras' `callbacks/csv_logger.py`: the epoch from 0, then the figures sorted by name. Where Keras writes columns of `NA` for a
//! validation that there is not, there are none here, and lines end in `\n`.

use super::{Action, Callback, Context, EpochLogs, Running};
use crate::error::{Error, Result};
use maobi_nn::keras_object;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

keras_object! {
    /// Writes every epoch's figures to a file of comma-separated values.
    ///
    /// A training that goes on after an interruption goes on in the same file, each epoch once.
    pub struct CSVLogger("csv_logger") with run: Running<State>, new(
        /// The file; folders are made.
        filename: PathBuf,
    ) {
        /// What stands between values; a comma by default.
        separator: char = ',',
        /// Whether the rows that an existing file has are kept; false by default.
        append: bool = false,
    }
}

/// Where writing is.
#[derive(Default)]
pub struct State {
    file: Option<File>,
    columns: Vec<String>,
    /// Where in the file this run's rows start; known after a resume.
    start: Option<u64>,
}

impl CSVLogger {
    fn open(&mut self, context: &Context<'_>) -> std::io::Result<()> {
        if let Some(folder) = self.filename.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(&self.filename)?;
        let length = file.metadata()?.len();
        let start = self.run.start.filter(|&s| s <= length).unwrap_or(if self.append { length } else { 0 });
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        let mut text = String::new();
        if start == 0 {
            text = self.row("epoch", self.run.columns.iter().map(String::as_str));
        }
        for (epoch, logs) in context.history.epochs.iter().enumerate() {
            text.push_str(&self.epoch(epoch, logs));
        }
        file.write_all(text.as_bytes())?;
        (self.run.file, self.run.start) = (Some(file), Some(start));
        Ok(())
    }

    fn epoch(&self, epoch: usize, logs: &EpochLogs) -> String {
        let values: Vec<String> = self.run.columns.iter().map(|name| logs.get(name).map_or("NA".into(), number)).collect();
        self.row(&epoch.to_string(), values.iter().map(String::as_str))
    }

    fn row<'a>(&self, first: &'a str, rest: impl Iterator<Item = &'a str>) -> String {
        let cell = |text: &str| match text.contains([self.separator, '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_string(),
        };
        let cells: Vec<String> = std::iter::once(first).chain(rest).map(cell).collect();
        cells.join(&self.separator.to_string()) + "\n"
    }

    fn error(&self) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let path = self.filename.clone();
        move |source| Error::file(path, source)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.filename
    }
}

/// A number that reads back as the same.
fn number(value: f64) -> String {
    if value.is_nan() { "nan".into() } else { value.to_string() }
}

impl Callback for CSVLogger {
    fn name(&self) -> &'static str {
        "CSVLogger"
    }

    fn set_folder(&mut self, folder: &Path) {
        self.filename = folder.join(&self.filename);
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.run.columns = context.figures.to_vec();
        self.run.columns.sort();
        self.open(context).map_err(self.error())
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let row = self.epoch(context.epoch - 1, logs);
        let Some(file) = &mut self.run.file else { return Ok(Action::Continue) };
        file.write_all(row.as_bytes()).map_err(self.error())?;
        Ok(Action::Continue)
    }

    fn on_train_end(&mut self, _context: &mut Context<'_>) -> Result<()> {
        self.run.file = None;
        Ok(())
    }

    fn state(&self) -> Value {
        json!({ "start": self.run.start })
    }

    fn restore(&mut self, state: &Value) {
        self.run.start = state["start"].as_u64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must() {
        let logger = CSVLogger::new("a.csv").separator(';');
        assert_eq!(logger.row("0", ["a,b", "a;b", "a\"b"].into_iter()), "0;a,b;\"a;b\";\"a\"\"b\"\n");
        assert_eq!((number(0.1), number(1.0), number(f64::NAN)), ("0.1".into(), "1".into(), "nan".into()));
    }
}
