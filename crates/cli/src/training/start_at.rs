//! Goes on with a run by steps from a checkpoint, which does not say where in its epoch training was, in the order of images that the
//! run would have had.

use maobi_nn::Model;
use maobi_train::callbacks::{Callback, Resume};
use maobi_train::{History, Result};
use serde_json::Value;

/// Starts at the model's own global step.
pub struct StartAt {
    /// Steps of a full epoch.
    pub steps_per_epoch: u64,
}

impl Callback for StartAt {
    fn name(&self) -> &'static str {
        "StartAt"
    }

    fn resume(&mut self, model: &mut Model) -> Result<Option<Resume>> {
        let step = model.optimizer_state_ref().map_or(0, |state| state.iterations);
        if step == 0 {
            return Ok(None);
        }
        let (epoch, batch) = (step / self.steps_per_epoch.max(1), step % self.steps_per_epoch.max(1));
        // Steps of a run are counted in u64, positions in memory sizes; no run gets beyond them.
        let (epoch, batch) = (usize::try_from(epoch).unwrap_or(usize::MAX), usize::try_from(batch).unwrap_or(0));
        let (states, metrics, history) = (Value::Null, Value::Null, History::default());
        Ok(Some(Resume { epoch, batch, states, metrics, history, stopped: false }))
    }
}
