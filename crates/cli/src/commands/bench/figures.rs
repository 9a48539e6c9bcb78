//! What a bench found, as JSON and as a row of a table.

use crate::output::count;
use crate::run::Precision;
use maobi_kernels::isa::Isa;
use serde_json::{Value, json};

/// The figures of one recipe.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Name of the recipe.
    pub recipe: String,
    /// Images a step.
    pub batch_size: usize,
    /// Threads.
    pub threads: usize,
    /// Instruction set in use.
    pub isa: Isa,
    /// What is computed with.
    pub precision: Precision,
    /// Images an epoch.
    pub samples: usize,
    /// Images a second of each timed epoch.
    pub train: Vec<f64>,
    /// Images a second in batches of 500.
    pub predict: f64,
    /// Seconds for one image alone.
    pub latency: f64,
    /// FLOP for one image, forward and backward, computed directly.
    pub flops: u64,
    /// FLOP a second that all threads reach in registers.
    pub peak: f64,
    /// Bytes, where the system tells.
    pub peak_rss: Option<u64>,
}

/// The middle of `values`, which must not be empty; of an even number the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}

impl Figures {
    /// FLOP a second of training, the median epoch's.
    fn rate(&self) -> f64 {
        median(&self.train) * self.flops as f64
    }

    /// One line for a program.
    pub fn json(&self) -> Value {
        json!({
            "framework": "maobi",
            "recipe": self.recipe,
            "batch_size": self.batch_size,
            "threads": self.threads,
            "isa": self.isa.name(),
            "precision": self.precision.name(),
            "samples": self.samples,
            "train_samples_per_second": self.train.iter().map(|&rate| rounded(rate, 1)).collect::<Vec<_>>(),
            "predict_images_per_second": rounded(self.predict, 1),
            "latency_us": rounded(self.latency * 1e6, 2),
            "train_gflops": rounded(self.rate() * 1e-9, 3),
            "peak_fraction": rounded(self.rate() / self.peak, 4),
            "peak_rss_bytes": self.peak_rss,
        })
    }

    /// The head of the table, with what all rows have in common.
    pub fn head(&self) -> String {
        format!(
            "{} threads, {}, {}; multiply-add rate {:.0} GFLOP/s\n{:<17} {:>5} {:>12} {:>12} {:>11} {:>8} {:>6} {:>8}",
            self.threads,
            self.isa,
            self.precision,
            self.peak * 1e-9,
            "recipe",
            "batch",
            "train img/s",
            "predict /s",
            "one, µs",
            "GFLOP/s",
            "share",
            "MB"
        )
    }

    /// A row of the table; the rate is the median epoch's.
    pub fn row(&self) -> String {
        format!(
            "{:<17} {:>5} {:>12} {:>12} {:>11.1} {:>8.1} {:>6} {:>8}",
            self.recipe,
            self.batch_size,
            count(median(&self.train) as u64),
            count(self.predict as u64),
            self.latency * 1e6,
            self.rate() * 1e-9,
            format!("{:.0} %", 100.0 * self.rate() / self.peak),
            self.peak_rss.map_or_else(|| "?".to_owned(), |bytes| format!("{:.0}", bytes as f64 * 1e-6))
        )
    }
}

/// `value` to so many decimals: more would only be noise.
fn rounded(value: f64, decimals: i32) -> f64 {
    let unit = 10f64.powi(decimals);
    (value * unit).round() / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures {
            recipe: "tiny-cnn".into(),
            batch_size: 32,
            threads: 2,
            isa: Isa::Scalar,
            precision: Precision::Float32,
            samples: 640,
            train: vec![1000.04, 3000.0, 1999.96],
            predict: 5000.0,
            latency: 12.345e-6,
            flops: 5_000_000,
            peak: 20e9,
            peak_rss: Some(30_000_000),
        }
    }

    #[test]
    fn rates_are_of_the_median_epoch() {
        let line = figures().json();
        assert_eq!(line["train_samples_per_second"], json!([1000.0, 3000.0, 2000.0]));
        // 1999.96 images of 5 MFLOP are 9.9998 GFLOP, half of 20.
        assert_eq!((&line["train_gflops"], &line["peak_fraction"]), (&json!(10.0), &json!(0.5)));
        assert_eq!((&line["latency_us"], &line["peak_rss_bytes"]), (&json!(12.35), &json!(30_000_000)));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn rows_stand_below_their_heads() {
        let (head, row) = (figures().head(), figures().row());
        let titles = head.lines().last().unwrap();
        assert_eq!(titles.chars().count(), row.chars().count(), "{titles}\n{row}");
        assert!(row.contains("1,999") && row.contains("50 %") && row.ends_with("30"), "{row}");
    }
}
