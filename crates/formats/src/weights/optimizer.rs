//! Optimizer state as a file holds it.

use crate::hdf5::{Dataset, Reader};
use maobi_nn::optimizers::{DynamicScale, OptimizerState, SavedVariable};

const VARS: &str = "optimizer/vars";
/// What Keras' `LossScaleOptimizer` has beside its variables: the inner optimizer, whose variables it lists behind its own four.
const INNER: &str = "optimizer/inner_optimizer";
/// Its own: an iteration and a rate that nobody uses, the good steps since the factor changed, and the factor.
const OWN: usize = 4;

/// The places of all variables of Keras 3's `optimizer/vars`, and how many of them are the object's own that scales the loss.
fn places(reader: &Reader) -> Result<(Vec<String>, usize), String> {
    let count = reader.count(VARS)?.unwrap_or(0);
    let before = if reader.has_group(INNER)? { OWN } else { 0 };
    Ok(((0..count).map(|index| format!("{VARS}/{index}")).collect(), before))
}

/// Iteration, learning rate and slots that fit a model's optimizer.
#[derive(Debug)]
pub(crate) struct OptimizerValues {
    pub(crate) iterations: u64,
    pub(crate) learning_rate: Option<f32>,
    pub(crate) loss_scale: Option<DynamicScale>,
    /// Shape and values, in the order of [`OptimizerState::variables`]; empty where the model leaves its slots out.
    pub(crate) slots: Vec<(Vec<usize>, Vec<f32>)>,
}

impl OptimizerValues {
    /// Reads what `state` needs from Keras 3's layout; `None` when the file has no optimizer state. Misfits are appended to
    /// `misfits`.
    pub(crate) fn read(
        reader: &Reader,
        state: &OptimizerState,
        misfits: &mut Vec<String>,
    ) -> Result<Option<OptimizerValues>, String> {
        let (places, before) = places(reader)?;
        OptimizerValues::read_from(reader, &places, before, state, misfits)
    }

    /// As [`OptimizerValues::read`] from datasets at `places`: `before` of them are of the object that scales the loss, then come
    /// the iteration, the learning rate or not, and the slots in our order.
    pub(super) fn read_from(
        reader: &Reader,
        places: &[String],
        before: usize,
        state: &OptimizerState,
        misfits: &mut Vec<String>,
    ) -> Result<Option<OptimizerValues>, String> {
        let Some((own, rest)) = places.split_at_checked(before).filter(|(_, rest)| !rest.is_empty()) else { return Ok(None) };
        let count = rest.len();
        let loss_scale = match own {
            [_, _, counter, scale] => Some(loss_scale(reader, counter, scale)?),
            _ => None,
        };
        let expected: Vec<(String, Vec<usize>)> = state.slot_shapes().into_iter().map(|v| (v.name, v.shape)).collect();
        let iterations = integer(reader, &rest[0], "the iteration")?;
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
        let learning_rate = if has_rate { take(reader, &rest[1], 1)?.to_f32().first().copied() } else { None };
        if !state.has_slots() {
            return Ok(Some(OptimizerValues { iterations, learning_rate, loss_scale, slots: Vec::new() }));
        }
        let mut slots_at: Vec<&String> = rest[1 + usize::from(has_rate)..].iter().collect();
        // Nadam's product, which is last in newer releases of Keras 3, was first until 3.8 at least.
        if let (Some(first), [(_, own), .., (_, last)]) = (slots_at.first(), expected.as_slice())
            && !own.is_empty()
            && last.is_empty()
            && reader.shape(first)?.is_some_and(|shape| shape.is_empty())
        {
            slots_at.rotate_left(1);
        }
        let mut slots = Vec::with_capacity(expected.len());
        for (index, ((name, shape), path)) in expected.iter().zip(slots_at).enumerate() {
            let found = reader.shape(path)?.ok_or_else(|| format!("/{path} is missing"))?;
            if found != *shape {
                misfits.push(format!("optimizer variable {index} ({name}): expected shape {shape:?}, found {found:?}"));
                continue;
            }
            let values = take(reader, path, shape.iter().product())?.to_f32();
            slots.push((found, values));
        }
        Ok(Some(OptimizerValues { iterations, learning_rate, loss_scale, slots }))
    }

    /// Puts the values into `state`.
    pub(crate) fn apply(&self, state: &mut OptimizerState) -> Result<(), String> {
        let saved: Vec<SavedVariable<'_>> = self.slots.iter().map(|(shape, values)| SavedVariable { shape, values }).collect();
        if state.has_slots() {
            state.load_variables(&saved).map_err(|e| e.to_string())?;
        }
        state.iterations = self.iterations;
        // A file without a factor leaves ours as it is, and an optimizer without one has no use for the file's.
        if let (Some(own), Some(saved)) = (&mut state.loss_scale, self.loss_scale) {
            *own = saved;
        }
        if let Some(rate) = self.learning_rate.filter(|_| state.has_learning_rate_variable()) {
            state.learning_rate = rate;
        }
        Ok(())
    }
}

fn loss_scale(reader: &Reader, counter: &str, scale: &str) -> Result<DynamicScale, String> {
    let step_counter = integer(reader, counter, "the steps since the loss scale changed")?;
    let value = take(reader, scale, 1)?.to_f32().first().copied().filter(|scale| scale.is_finite() && *scale > 0.0);
    let scale = value.ok_or_else(|| format!("/{scale}: expected the loss scale, a number above 0"))?;
    Ok(DynamicScale { scale, step_counter })
}

fn integer(reader: &Reader, path: &str, what: &str) -> Result<u64, String> {
    let value = take(reader, path, 1)?.to_i64().and_then(|v| v.first().copied()).and_then(|v| u64::try_from(v).ok());
    value.ok_or_else(|| format!("/{path}: expected {what}, one integer from 0"))
}

fn take(reader: &Reader, path: &str, limit: usize) -> Result<Dataset, String> {
    reader.dataset(path, limit)?.ok_or_else(|| format!("/{path} is missing"))
}
