//! How often a callback writes files.

use super::Context;

/// When a callback that writes files does so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// After every epoch.
    #[default]
    Epoch,
    /// After every so many epochs.
    Epochs(u64),
    /// After every so many steps, counted on over epochs.
    Steps(u64),
}

impl SaveFreq {
    /// Counts an epoch; whether it is time.
    pub(super) fn epoch(self, seen: &mut u64) -> bool {
        match self {
            SaveFreq::Epoch => true,
            SaveFreq::Epochs(every) => due(seen, every),
            SaveFreq::Steps(_) => false,
        }
    }

    /// Counts a step; whether it is time.
    pub(super) fn step(self, seen: &mut u64) -> bool {
        matches!(self, SaveFreq::Steps(every) if due(seen, every))
    }

    /// Whether the whole training is shorter than one interval.
    pub(super) fn is_never_due(self, context: &Context<'_>) -> bool {
        let steps_per_epoch = context.steps_per_epoch.max(1) as u64;
        let of_epochs = context.epochs.map(|epochs| (epochs as u64).saturating_mul(steps_per_epoch));
        let Some(steps) = [context.steps, of_epochs].into_iter().flatten().min() else { return false };
        match self {
            SaveFreq::Epoch => false,
            SaveFreq::Epochs(every) => every > steps.div_ceil(steps_per_epoch),
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
        assert!(!SaveFreq::Steps(1).epoch(&mut seen) && SaveFreq::Epoch.epoch(&mut seen) && !SaveFreq::Epoch.step(&mut seen));
        let mut seen = 0;
        assert_eq!((1..=7).filter(|_| SaveFreq::Epochs(3).epoch(&mut seen)).collect::<Vec<u32>>(), [3, 6]);
    }
}
