//! What a kind tried, how often, and what failed.

use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// How many failures that are alike are printed; all are counted.
const SHOWN: usize = 3;

/// What one kind found.
#[derive(Debug, Default)]
pub struct Report {
    /// The kind's name.
    pub kind: String,
    /// Seconds it took.
    pub seconds: f64,
    /// What was tried, by name: `(how often, how often it failed)`.
    pub rows: BTreeMap<String, Row>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
    /// Figures that were measured, such as `("p99 ms", 12.7)`.
    pub figures: Vec<(String, f64)>,
}

/// How often something was tried.
#[derive(Debug, Default, Clone, Copy)]
pub struct Row {
    /// Trials.
    pub tried: u64,
    /// Those of them that failed.
    pub failed: u64,
}

/// A trial that failed.
#[derive(Debug)]
pub struct Failure {
    /// The row it belongs to.
    pub row: String,
    /// What was expected and what happened instead.
    pub reason: String,
    /// The command that repeats the trial.
    pub repeat: String,
    /// Where its files are.
    pub kept: Option<PathBuf>,
}

impl Report {
    /// An empty report.
    pub fn new(kind: &str) -> Report {
        Report { kind: kind.to_owned(), ..Report::default() }
    }

    /// Counts a trial that went well.
    pub fn pass(&mut self, row: &str) {
        self.rows.entry(row.to_owned()).or_default().tried += 1;
    }

    /// Counts trials that went well.
    pub fn passes(&mut self, row: &str, count: u64) {
        self.rows.entry(row.to_owned()).or_default().tried += count;
    }

    /// Counts a trial that failed, and prints it at once.
    pub fn fail(&mut self, failure: Failure) {
        let row = self.rows.entry(failure.row.clone()).or_default();
        row.tried += 1;
        row.failed += 1;
        if self.is_new(&failure.row, &failure.reason) {
            eprintln!("FAILED {} / {}: {}", self.kind, failure.row, failure.reason);
            eprintln!("       repeat: {}", failure.repeat);
            if let Some(kept) = &failure.kept {
                eprintln!("       kept: {}", kept.display());
            }
        }
        self.failures.push(failure);
    }

    /// Whether fewer than [`SHOWN`] failures of that row are like this one, numbers aside: the same fault is not told a hundred times.
    pub fn is_new(&self, row: &str, reason: &str) -> bool {
        let like = |failure: &&Failure| failure.row == row && without_digits(&failure.reason) == without_digits(reason);
        self.failures.iter().filter(like).count() < SHOWN
    }

    /// Notes what could not be tried here, and says so at once.
    pub fn skip(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.skipped.contains(&reason) {
            eprintln!("SKIPPED {}: {reason}", self.kind);
            self.skipped.push(reason);
        }
    }

    /// Notes a figure.
    pub fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The summary for people.
pub fn table(reports: &[Report]) -> String {
    let mut text = String::from("\n| kind | what was tried | trials | failed |\n|---|---|---:|---:|\n");
    for report in reports {
        for (what, row) in &report.rows {
            let _ = writeln!(text, "| {} | {what} | {} | {} |", report.kind, row.tried, row.failed);
        }
        let (tried, failed) = report.rows.values().fold((0, 0), |(t, f), row| (t + row.tried, f + row.failed));
        let _ = writeln!(text, "| **{}** | **all, {:.0} s** | **{tried}** | **{failed}** |", report.kind, report.seconds);
    }
    for report in reports {
        for (name, value) in &report.figures {
            let _ = writeln!(text, "{}: {name} {value:.3}", report.kind);
        }
        for reason in &report.skipped {
            let _ = writeln!(text, "SKIPPED {}: {reason}", report.kind);
        }
    }
    text
}

/// The summary for programs.
pub fn json(reports: &[Report], seed: u64) -> String {
    let kinds: Vec<_> = reports
        .iter()
        .map(|report| {
            let rows: Vec<_> =
                report.rows.iter().map(|(what, row)| json!({"what": what, "tried": row.tried, "failed": row.failed})).collect();
            let failures: Vec<_> = report
                .failures
                .iter()
                .map(|f| json!({"what": f.row, "reason": f.reason, "repeat": f.repeat, "kept": f.kept}))
                .collect();
            let figures: serde_json::Map<_, _> =
                report.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({"kind": report.kind, "seconds": report.seconds, "rows": rows, "failures": failures,
                   "skipped": report.skipped, "figures": figures})
        })
        .collect();
    format!("{:#}\n", json!({"seed": seed, "kinds": kinds}))
}
