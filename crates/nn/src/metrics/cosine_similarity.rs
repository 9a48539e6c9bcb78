//! `CosineSimilarity`: the cosine of the angle between truth and prediction (keras/src/metrics/regression_metrics.py).

use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::{LossError, cosine};

keras_object! {
    /// Mean of Σ t·p / (|t|·|p|): 1 where both point the same way. The loss of this name is its negative.
    pub struct CosineSimilarity("cosine_similarity") {} accepted { axis: [-1] }
}

impl MetricFunction for CosineSimilarity {
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| Ok(cosine(rows.truth(row)?, rows.prediction(row)).0))
    }
}
