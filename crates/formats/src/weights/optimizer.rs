//! Optimizer state as a file holds it.

use crate::hdf5::{Dataset, Reader};
use maobi_nn::optimizers::{OptimizerState, SavedVariable};

const VARS: &str = "optimizer/vars";

/// Iteration, learning rate and slots that fit a model's optimizer.
#[derive(Debug)]
pub(crate) struct OptimizerValues {
    iterations: u64,
    learning_rate: Option<f32>,
    slots: Vec<(Vec<usize>, Vec<f32>)>,
}

impl OptimizerValues {
    /// Reads what `state` needs; `None` when the file has no optimizer state. Misfits are appended to `misfits`.
    pub(crate) fn read(
        reader: &Reader,
        state: &OptimizerState,
        misfits: &mut Vec<String>,
    ) -> Result<Option<OptimizerValues>, String> {
        let Some(count) = reader.count(VARS)? else { return Ok(None) };
        if count == 0 {
            return Ok(None);
        }
        let expected: Vec<(String, Vec<usize>)> = state.variables().into_iter().map(|v| (v.name, v.shape)).collect();
        let iteration = take(reader, 0, 1)?;
        let iterations = iteration.to_i64().and_then(|v| v.first().copied()).and_then(|v| u64::try_from(v).ok());
        let iterations = iterations.ok_or("/optimizer/vars/0: expected the iteration, one integer from 0")?;
        // Keras 2 and schedules leave the learning rate out.
        let has_rate = count == expected.len() + 2;
        if !has_rate && count != expected.len() + 1 {
            misfits.push(format!(
                "optimizer: {} slot variables expected, the file has {} variables in all; it was saved with another optimizer or other options",
                expected.len(),
                count
            ));
            return Ok(None);
        }
        let learning_rate = if has_rate { take(reader, 1, 1)?.to_f32().first().copied() } else { None };
        let first = 1 + usize::from(has_rate);
        let mut slots = Vec::with_capacity(expected.len());
        for (index, (name, shape)) in expected.iter().enumerate() {
            let path = format!("{VARS}/{}", first + index);
            let found = reader.shape(&path)?.ok_or_else(|| format!("/{path} is missing"))?;
            if found != *shape {
                misfits.push(format!("optimizer variable {index} ({name}): expected shape {shape:?}, found {found:?}"));
                continue;
            }
            let values = take(reader, first + index, shape.iter().product())?.to_f32();
            slots.push((found, values));
        }
        Ok(Some(OptimizerValues { iterations, learning_rate, slots }))
    }

    /// Puts the values into `state`.
    pub(crate) fn apply(&self, state: &mut OptimizerState) -> Result<(), String> {
        let saved: Vec<SavedVariable<'_>> = self.slots.iter().map(|(shape, values)| SavedVariable { shape, values }).collect();
        state.load_variables(&saved).map_err(|e| e.to_string())?;
        state.iterations = self.iterations;
        if let Some(rate) = self.learning_rate.filter(|_| state.has_learning_rate_variable()) {
            state.learning_rate = rate;
        }
        Ok(())
    }
}

fn take(reader: &Reader, index: usize, limit: usize) -> Result<Dataset, String> {
    let path = format!("{VARS}/{index}");
    reader.dataset(&path, limit)?.ok_or_else(|| format!("/{path} is missing"))
}
