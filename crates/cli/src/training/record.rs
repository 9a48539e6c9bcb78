//! `history.csv` of a run and the picture of it: rows by epoch, or by step.

use maobi_draw::{Curves, Panel, Series, curves_png};
use maobi_formats::atomic_write;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A table of figures whose first column counts epochs or steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// `epoch` or `step`.
    key: String,
    columns: Vec<String>,
    rows: Vec<(u64, Vec<Option<f64>>)>,
}

impl Record {
    /// An empty table that counts in `key`.
    pub fn new(key: &str) -> Record {
        Record { key: key.into(), ..Record::default() }
    }

    /// Sets figures of a row; rows come in rising order, columns when they are first needed.
    pub fn set<'a>(&mut self, at: u64, figures: impl IntoIterator<Item = (&'a str, f64)>) {
        if self.rows.last().is_none_or(|(last, _)| *last != at) {
            self.rows.push((at, Vec::new()));
        }
        for (name, value) in figures {
            let column = self.columns.iter().position(|c| c == name).unwrap_or_else(|| {
                self.columns.push(name.to_owned());
                self.columns.len() - 1
            });
            if let Some((_, values)) = self.rows.last_mut() {
                values.resize(values.len().max(column + 1), None);
                values[column] = Some(value);
            }
        }
    }

    /// Drops the rows behind `at`: a run that goes on from an earlier point makes them anew.
    pub fn cut(&mut self, at: u64) {
        self.rows.retain(|(row, _)| *row <= at);
    }

    /// As CSV, with the shortest digits that come back as the same number.
    fn to_csv(&self) -> String {
        let mut text = format!("{},{}\n", self.key, self.columns.join(","));
        for (at, values) in &self.rows {
            let _ = write!(text, "{at}");
            for column in 0..self.columns.len() {
                text.push(',');
                if let Some(Some(value)) = values.get(column) {
                    let _ = write!(text, "{value}");
                }
            }
            text.push('\n');
        }
        text
    }

    /// Reads what [`Record::write`] wrote; what cannot be read is left out.
    pub fn read(path: &Path, key: &str) -> Record {
        let mut record = Record::new(key);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut lines = text.lines();
        let Some(head) = lines.next().and_then(|head| head.strip_prefix(key)).and_then(|rest| rest.strip_prefix(',')) else {
            return record;
        };
        record.columns = head.split(',').map(str::to_owned).collect();
        for line in lines {
            let mut cells = line.split(',');
            if let Some(at) = cells.next().and_then(|cell| cell.parse().ok()) {
                record.rows.push((at, cells.map(|cell| cell.parse().ok()).collect()));
            }
        }
        record
    }

    /// Writes the table.
    pub fn write(&self, path: &Path) -> Result<(), maobi_formats::Error> {
        atomic_write(path, self.to_csv().as_bytes())
    }

    /// Draws loss and accuracy (or whatever else there is) over the rows.
    pub fn draw(&self, path: &Path, title: &str) -> Result<(), maobi_formats::Error> {
        let skipped = ["learning_rate", "seconds", "images_per_second"];
        let names: Vec<&String> = self.columns.iter().filter(|name| !skipped.contains(&name.as_str())).collect();
        let figure = |name: &str| ["val_", "test_"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name).to_owned();
        let mut titles: Vec<String> = Vec::new();
        for name in &names {
            if !titles.contains(&figure(name)) {
                titles.push(figure(name));
            }
        }
        let panel = |title: &String| Panel {
            title: capital(title),
            series: names.iter().filter(|name| figure(name) == *title).map(|name| self.series(name)).collect(),
        };
        let curves = Curves { title: title.into(), x_label: self.x_label(), panels: titles.iter().take(4).map(panel).collect() };
        atomic_write(path, &curves_png(&curves))
    }

    /// The drawing counts rows from 1; where rows are steps, it says how many each is.
    fn x_label(&self) -> String {
        match self.rows.first() {
            Some((first, _)) if self.key == "step" && *first > 1 => format!("{first} steps"),
            _ => self.key.clone(),
        }
    }

    fn series(&self, name: &str) -> Series {
        let column = self.columns.iter().position(|c| c == name).unwrap_or(usize::MAX);
        let words = match name.split_once('_') {
            Some(("val", _)) => "validation",
            Some(("test", _)) => "test",
            _ => "training",
        };
        Series { name: words.into(), values: self.rows.iter().map(|(_, values)| values.get(column).copied().flatten()).collect() }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Writes table and drawing at the end of each epoch.
pub struct EpochRecord {
    /// `history.csv`.
    pub history: PathBuf,
    /// `curves.png`.
    pub curves: PathBuf,
    /// Above the curves.
    pub title: String,
}

impl maobi_train::callbacks::Callback for EpochRecord {
    fn name(&self) -> &'static str {
        "EpochRecord"
    }

    fn on_epoch_end(
        &mut self,
        context: &mut maobi_train::callbacks::Context<'_>,
        _: &maobi_train::callbacks::EpochLogs,
    ) -> maobi_train::Result<maobi_train::callbacks::Action> {
        // The whole history, so that a run that was interrupted leaves the same file as one that was not.
        let mut record = Record::new("epoch");
        for (i, epoch) in context.history.epochs.iter().enumerate() {
            let times = [("seconds", epoch.seconds), ("images_per_second", epoch.samples_per_second)];
            record.set(i as u64 + 1, epoch.values.iter().map(|(name, value)| (name.as_str(), *value)).chain(times));
        }
        record.write(&self.history)?;
        record.draw(&self.curves, &self.title)?;
        Ok(Default::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_can_be_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        let mut record = Record::new("step");
        record.set(50, [("loss", 0.1)]);
        record.set(50, [("test_accuracy", 0.5)]);
        record.set(100, [("loss", 1.0 / 3.0)]);
        record.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "step,loss,test_accuracy\n50,0.1,0.5\n100,0.3333333333333333,\n");
        let mut back = Record::read(&path, "step");
        assert_eq!(back.to_csv(), record.to_csv());
        back.cut(99);
        assert_eq!(back.to_csv(), "step,loss,test_accuracy\n50,0.1,0.5\n");
        assert_eq!(Record::read(&path, "epoch"), Record::new("epoch"));
        assert_eq!(Record::read(&folder.path().join("none"), "step"), Record::new("step"));
    }

    #[test]
    fn draws_anything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        let mut record = Record::new("epoch");
        record.draw(&path, "empty").unwrap();
        record.set(1, [("loss", f64::NAN), ("accuracy", 0.5), ("val_loss", 2.0)]);
        record.draw(&path, "one").unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
    }
}
