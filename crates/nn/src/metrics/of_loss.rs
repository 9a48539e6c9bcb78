//! A loss as a metric: its mean over rows (keras/src/metrics/regression_metrics.py and others).

use super::{MetricFunction, Rows};
use crate::losses::{Labels, Loss, LossBatch, LossError, Source};
use crate::object::{Config, ConfigError, Object};
use std::any::Any;

/// The mean of a loss.
#[derive(Clone, Debug, PartialEq)]
pub struct OfLoss(pub(super) Loss);

impl Object for OfLoss {
    fn class_name(&self) -> &'static str {
        self.0.function().metric().map_or(self.0.class_name(), |(class, _)| class)
    }

    fn default_name(&self) -> &'static str {
        self.0.function().metric().map_or(self.0.name(), |(_, name)| name)
    }

    fn arguments(&self) -> Config {
        let mut config = self.0.function().arguments();
        for key in self.0.function().not_as_metric() {
            config.shift_remove(*key);
        }
        config
    }

    fn check_arguments(&self) -> Result<(), ConfigError> {
        self.0.check()
    }

    fn same(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<OfLoss>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl MetricFunction for OfLoss {
    fn labels(&self, _: &Rows<'_>) -> Labels {
        self.0.labels()
    }

    fn larger_is_better(&self) -> bool {
        false
    }

    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        let batch = LossBatch {
            source: Source::Probabilities,
            rows: rows.rows,
            cols: rows.cols,
            prediction: rows.prediction,
            target: rows.target,
            sample_weight: rows.sample_weight,
            denominator: rows.rows as f32,
            first_row: 0,
        };
        let count: f64 = (0..rows.rows).map(|row| rows.weight(row)).sum();
        if let [total, weight] = sums {
            *total += self.0.evaluate(&batch, None, None)?;
            *weight += count;
        }
        Ok(())
    }
}
