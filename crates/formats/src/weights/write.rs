//! A model's weights and optimizer state as the bytes of an HDF5 file.

use super::slots;
use crate::hdf5::{Group, to_bytes as file_of};
use maobi_nn::Model;
use maobi_nn::optimizers::{LearningRate, Optimizer, OptimizerState};

/// `model.weights.h5`: the same model gives the same bytes.
pub(crate) fn to_bytes(model: &Model) -> Result<Vec<u8>, String> {
    let mut layers = Group::default();
    for slot in slots(model) {
        let mut vars = Group::named(&slot.name);
        for weight in model.layer_weights(slot.layer) {
            vars.push_f32(&weight.shape, &weight.values());
        }
        layers.at(&slot.slot).add("vars", vars);
    }
    let mut root = Group::default();
    root.add("layers", layers);
    let state = model.optimizer_state_ref().filter(|state| state.has_slots());
    if let (Some(how), Some(state)) = (model.compiled(), state) {
        let mut group = Group::default();
        let rate = state.has_learning_rate_variable() || !keras_has_schedule(&how.optimizer);
        let mut vars = Group::named(how.optimizer.name_in_files());
        if let Some(factor) = &state.loss_scale {
            // Keras' LossScaleOptimizer: the inner one by itself, and behind the four variables of its own once more.
            optimizer(&mut vars, state, rate)?;
            let mut inner = Group::default();
            inner.add("vars", vars);
            group.add("inner_optimizer", inner);
            vars = Group::named("loss_scale_optimizer");
            vars.push_i64(0);
            vars.push_f32(&[], &[0.0]);
            vars.push_i64(whole(factor.step_counter)?);
            vars.push_f32(&[], &[factor.scale]);
        }
        optimizer(&mut vars, state, rate)?;
        group.add("vars", vars);
        root.add("optimizer", group);
    }
    root.add("vars", Group::named(model.name()));
    file_of(root)
}

/// Whether Keras knows the optimizer's learning rate: a number, or a schedule that it has.
pub(crate) fn keras_has_schedule(optimizer: &Optimizer) -> bool {
    match &optimizer.base().learning_rate {
        LearningRate::Constant(_) => true,
        LearningRate::Schedule(schedule) => schedule.in_keras(),
    }
}

/// Iteration, learning rate where Keras has one as a variable, slots.
fn optimizer(vars: &mut Group, state: &OptimizerState, rate: bool) -> Result<(), String> {
    vars.push_i64(whole(state.iterations)?);
    if rate {
        vars.push_f32(&[], &[state.learning_rate]);
    }
    for variable in state.variables() {
        vars.push_f32(&variable.shape, &variable.values);
    }
    Ok(())
}

pub(super) fn whole(count: u64) -> Result<i64, String> {
    i64::try_from(count).map_err(|_| format!("{count} steps do not fit into i64"))
}
