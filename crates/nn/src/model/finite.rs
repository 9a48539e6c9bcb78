//! Whether a model still consists of finite numbers: asked before it is saved and before it is used.

use super::Model;
use crate::error::{Error, Result};
use maobi_kernels::reduce;

impl Model {
    /// Checks that every weight is finite, the moving averages of batch normalization included. One pass over the weights, at the
    /// speed of memory.
    ///
    /// # Errors
    /// [`Error::NotFinite`] names the first weight that holds NaN or infinity.
    pub fn check_finite(&self) -> Result<()> {
        self.weights.iter().try_for_each(|weight| {
            let layer = weight.path.strip_suffix(weight.name).and_then(|path| path.strip_suffix('/')).unwrap_or(&weight.path);
            check(&weight.values(), || format!("weight {} of layer \"{layer}\"", weight.name))
        })
    }

    /// Checks what training goes on with: the weights, and everything that the optimizer keeps.
    ///
    /// # Errors
    /// As [`Model::check_finite`].
    pub fn check_finite_training(&self) -> Result<()> {
        self.check_finite()?;
        let Some(state) = self.optimizer_state_ref() else { return Ok(()) };
        check(&[state.learning_rate], || "the optimizer's learning rate".into())?;
        state
            .variables()
            .iter()
            .try_for_each(|variable| check(&variable.values, || format!("optimizer variable {}", variable.name)))
    }
}

fn check(values: &[f32], what: impl FnOnce() -> String) -> Result<()> {
    if reduce::is_all_finite(values) {
        return Ok(());
    }
    let bad = values.iter().enumerate().find(|(_, value)| !value.is_finite());
    let (index, value) = bad.map_or((0, f32::NAN), |(index, value)| (index, *value));
    Err(Error::NotFinite { what: what(), value, index, len: values.len() })
}

#[cfg(test)]
mod tests {
    use crate::graph::Sequential;
    use crate::layers::{BatchNormalization, Dense, InputLayer};
    use crate::losses::MeanSquaredError;
    use crate::optimizers::{Adam, SavedVariable};
    use crate::{Compile, Model};

    fn model() -> Model {
        let layers = Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).add(BatchNormalization::new());
        let mut model = layers.build(1).unwrap();
        model.compile(Compile::new(Adam::new(0.1), MeanSquaredError::new())).unwrap();
        model
    }

    fn message(result: crate::Result<()>) -> String {
        result.map_or_else(|e| e.to_string(), |()| "finite".into())
    }

    #[test]
    fn the_first_weight_that_is_not_finite_is_named() {
        let mut model = model();
        assert_eq!(message(model.check_finite_training()), "finite");
        let at = |model: &Model, name: &str| model.weights().iter().position(|w| w.path.ends_with(name)).unwrap();
        let variance = at(&model, "moving_variance");
        model.weights_mut()[variance].values_mut()[1] = f32::INFINITY;
        assert_eq!(
            message(model.check_finite()),
            "weight moving_variance of layer \"batch_normalization\" holds inf (value 2 of 3)"
        );
        let kernel = at(&model, "kernel");
        model.weights_mut()[kernel].values_mut()[5] = f32::NAN;
        assert_eq!(message(model.check_finite()), "weight kernel of layer \"dense\" holds NaN (value 6 of 6)");
    }

    #[test]
    fn what_the_optimizer_keeps_counts_for_training_alone() {
        let mut model = model();
        let state = model.optimizer_state_mut().unwrap();
        let shapes: Vec<(Vec<usize>, Vec<f32>)> =
            state.variables().iter().map(|v| (v.shape.clone(), v.values.to_vec())).collect();
        let mut changed = shapes.clone();
        changed[1].1[0] = f32::NAN;
        let saved: Vec<SavedVariable<'_>> = changed.iter().map(|(shape, values)| SavedVariable { shape, values }).collect();
        state.load_variables(&saved).unwrap();
        assert_eq!(message(model.check_finite()), "finite");
        let text = message(model.check_finite_training());
        assert!(text.starts_with("optimizer variable sequential_dense_kernel_velocity holds NaN (value 1 of 6)"), "{text}");
        model.optimizer_state_mut().unwrap().learning_rate = f32::NAN;
        assert!(message(model.check_finite_training()).starts_with("the optimizer's learning rate holds NaN"));
    }
}
