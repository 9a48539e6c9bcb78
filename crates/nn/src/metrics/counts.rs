//! True positives, false positives and false negatives: what precision, recall and F1 sum.

use super::Rows;
use crate::losses::LossError;
use crate::object::Argument;
use serde_json::Value;

/// One threshold from 0 to 1, alone or in a list: several would give several figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold(pub f32);

impl From<f32> for Threshold {
    fn from(threshold: f32) -> Self {
        Threshold(threshold)
    }
}

impl Argument for Threshold {
    fn expected() -> String {
        "one number from 0 to 1".into()
    }

    fn read(value: &Value) -> Option<Self> {
        let single = match value.as_array().map(Vec::as_slice) {
            Some([single]) => single.as_f64(),
            Some(_) => None,
            None => value.as_f64(),
        };
        single.filter(|threshold| (0.0..=1.0).contains(threshold)).map(|threshold| Threshold(threshold as f32))
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

/// When a value counts as positive, for precision and recall.
pub(super) struct Positives {
    /// Values beyond it are positive; absent means 0.5, or any with `top_k`.
    pub(super) threshold: Option<Threshold>,
    /// Only the k largest columns of a row can be positive.
    pub(super) top_k: Option<usize>,
    /// Only this column counts.
    pub(super) class_id: Option<usize>,
}

impl Positives {
    /// Adds true positives, false positives and false negatives; the truth of a value is whether it is not 0.
    pub(super) fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        // Keras uses −1e10 as "no threshold" beside top_k, and pushes the other columns down to it.
        let threshold = self.threshold.map_or(if self.top_k.is_some() { -1e10 } else { 0.5 }, |threshold| threshold.0);
        let columns = match self.class_id {
            Some(class) => class.min(rows.cols)..(class + 1).min(rows.cols),
            None => 0..rows.cols,
        };
        for row in 0..rows.rows {
            let truth = rows.truth(row)?;
            let (p, weight) = (rows.prediction(row), rows.weight(row));
            for column in columns.clone() {
                let allowed = self.top_k.is_none_or(|k| among_largest(p, column, k));
                count(sums, 0, truth.value(column, rows.cols) != 0.0, allowed && p[column] > threshold, weight);
            }
        }
        Ok(())
    }
}

/// Adds a value to the true positives, the false positives or the false negatives, a third of `sums` each.
pub(super) fn count(sums: &mut [f64], index: usize, truth: bool, positive: bool, weight: f64) {
    let third = sums.len() / 3;
    match (truth, positive) {
        (true, true) => sums[index] += weight,
        (false, true) => sums[third + index] += weight,
        (true, false) => sums[2 * third + index] += weight,
        (false, false) => {}
    }
}

/// hits / (hits + misses); 0 where there is nothing.
pub(super) fn share(hits: f64, misses: f64) -> f64 {
    if hits + misses > 0.0 { hits / (hits + misses) } else { 0.0 }
}

/// Whether a column is among the `k` largest; of equals the first come first.
fn among_largest(p: &[f32], column: usize, k: usize) -> bool {
    let own = p[column];
    let before = p.iter().enumerate().filter(|(i, value)| **value > own || (**value == own && *i < column)).count();
    before < k
}
