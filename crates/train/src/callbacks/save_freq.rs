//! How often a callback writes files.

use super::Context;
use maobi_nn::object::{Argument, ConfigError};
use serde_json::Value;

/// When a callback that writes files does so: `"epoch"`, `"batch"` or a number of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// After epochs.
    #[default]
    Epoch,
    /// After every so many steps, counted on over epochs.
    Steps(u64),
}

impl Argument for SaveFreq {
    fn expected() -> String {
        "\"epoch\", \"batch\" or a number of steps, 1 or more".into()
    }

    fn read(value: &Value) -> Option<SaveFreq> {
        match value.as_str() {
            Some("epoch") => Some(SaveFreq::Epoch),
            Some("batch") => Some(SaveFreq::Steps(1)),
            _ => u64::read(value).filter(|&steps| steps > 0).map(SaveFreq::Steps),
        }
    }

    fn write(&self) -> Value {
        match self {
            SaveFreq::Epoch => "epoch".into(),
            SaveFreq::Steps(steps) => (*steps).into(),
        }
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            SaveFreq::Epoch => None,
            SaveFreq::Steps(steps) => Some(*steps as f64),
        }
    }
}

impl SaveFreq {
    /// Checks that a `period` of epochs comes with [`SaveFreq::Epoch`].
    pub(super) fn check_period(self, class: &str, period: u64) -> Result<(), ConfigError> {
        if self == SaveFreq::Epoch || period == 1 {
            return Ok(());
        }
        let message = "period is a number of epochs and needs save_freq = \"epoch\"".into();
        Err(ConfigError::Conflict { class: class.into(), message })
    }

    /// Counts an epoch; whether it is time, which it is every `period` epochs.
    pub(super) fn epoch(self, period: u64, seen: &mut u64) -> bool {
        self == SaveFreq::Epoch && due(seen, period)
    }

    /// Counts a step; whether it is time.
    pub(super) fn step(self, seen: &mut u64) -> bool {
        matches!(self, SaveFreq::Steps(every) if due(seen, every))
    }

    /// Whether the whole training is shorter than one interval.
    pub(super) fn is_never_due(self, period: u64, context: &Context<'_>) -> bool {
        let steps_per_epoch = context.steps_per_epoch.max(1) as u64;
        let of_epochs = context.epochs.map(|epochs| (epochs as u64).saturating_mul(steps_per_epoch));
        let Some(steps) = [context.steps, of_epochs].into_iter().flatten().min() else { return false };
        match self {
            SaveFreq::Epoch => period > steps.div_ceil(steps_per_epoch),
            SaveFreq::Steps(every) => every > steps,
        }
    }
}

fn due(seen: &mut u64, every: u64) -> bool {
    *seen += 1;
    let due = *seen >= every;
    if due {
        *seen = 0;
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_on_over_epochs() {
        let mut seen = 0;
        let saved: Vec<u32> = (1..=10).filter(|_| SaveFreq::Steps(4).step(&mut seen)).collect();
        assert_eq!(saved, [4, 8]);
        assert!(
            !SaveFreq::Steps(1).epoch(1, &mut seen) && SaveFreq::Epoch.epoch(1, &mut seen) && !SaveFreq::Epoch.step(&mut seen)
        );
        let mut seen = 0;
        assert_eq!((1..=7).filter(|_| SaveFreq::Epoch.epoch(3, &mut seen)).collect::<Vec<u32>>(), [3, 6]);
    }
}
