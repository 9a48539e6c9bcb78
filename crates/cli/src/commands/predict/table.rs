//! `--csv`: the answers as a table.

use super::answer::{Answer, COLUMNS};
use crate::exit::usage;
use crate::output::{Console, raw};
use maobi_formats::atomic_write;
use std::path::{Path, PathBuf};

/// A table that is printed row by row, or written when it is whole.
pub struct Table {
    /// `None` for stdout.
    file: Option<PathBuf>,
    rows: csv::Writer<Vec<u8>>,
}

impl Table {
    /// A table for `file`, `-` for stdout.
    pub fn new(file: &Path, console: Console) -> anyhow::Result<Table> {
        let printed = file.as_os_str() == "-";
        if printed && console.json {
            let message = "--csv -: both the table and --json would be printed; give the table a file, or leave one of them out";
            return Err(usage(message));
        }
        let mut table = Table { file: (!printed).then(|| file.to_path_buf()), rows: csv::Writer::from_writer(Vec::new()) };
        table.rows.write_record(COLUMNS)?;
        table.flush()?;
        Ok(table)
    }

    /// Whether the table is printed, instead of other results.
    pub fn printed(&self) -> bool {
        self.file.is_none()
    }

    /// Adds a row.
    pub fn add(&mut self, answer: &Answer) -> anyhow::Result<()> {
        self.rows.write_record(answer.row())?;
        self.flush()
    }

    /// Writes the file.
    pub fn write(self) -> anyhow::Result<()> {
        if let Some(file) = &self.file {
            atomic_write(file, &self.rows.into_inner()?)?;
        }
        Ok(())
    }

    /// Prints what there is, where the table is printed.
    fn flush(&mut self) -> anyhow::Result<()> {
        if self.printed() {
            let rows = std::mem::replace(&mut self.rows, csv::Writer::from_writer(Vec::new())).into_inner()?;
            raw(&rows)?;
        }
        Ok(())
    }
}
