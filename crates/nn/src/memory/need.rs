//! What a model takes.

use super::available;
use crate::error::{Error, Result};
use crate::exec::Workspace;
use crate::model::Model;
use maobi_guard::memory::show;
use std::fmt;

/// Bytes that a model needs beyond those it has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Need {
    /// Samples in a batch.
    pub batch: usize,
    /// Weights that have no values yet, and their copies in 16 bits.
    pub weights: u64,
    /// Gradients of the weights.
    pub gradients: u64,
    /// What the optimizer remembers of each weight.
    pub optimizer: u64,
    /// The values between the layers for one batch, and in training their gradients.
    pub workspace: u64,
    /// The layer that takes most, and how much.
    pub largest: Option<(String, u64)>,
}

impl Need {
    /// All of it, `u64::MAX` for more than fits.
    pub fn total(&self) -> u64 {
        [self.weights, self.gradients, self.optimizer, self.workspace].into_iter().fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "needs {} more memory", show(self.total()))?;
        let parts = [("weights", self.weights), ("gradients", self.gradients), ("the optimizer", self.optimizer)];
        let parts = parts.into_iter().filter(|(_, bytes)| *bytes > 0).map(|(what, bytes)| format!("{} for {what}", show(bytes)));
        let samples = if self.batch == 1 { "one sample".to_string() } else { format!("a batch of {}", self.batch) };
        let all: Vec<String> = parts.chain([format!("{} for {samples}", show(self.workspace))]).collect();
        write!(f, " ({}", all.join(", "))?;
        match &self.largest {
            Some((layer, bytes)) => write!(f, "; the largest layer is \"{layer}\" with {})", show(*bytes)),
            None => write!(f, ")"),
        }
    }
}

impl Model {
    /// What batches of `batch` samples need beyond what the model has already; in `training` also gradients and the optimizer's slots,
    /// where the model is compiled.
    pub fn memory_need(&self, batch: usize, training: bool) -> Need {
        let training = self.training.as_ref().filter(|_| training);
        let bytes = |values: usize| values as u64 * size_of::<f32>() as u64;
        let sum = |wanted: &dyn Fn(&crate::model::Weight) -> bool| -> u64 {
            self.weights().iter().filter(|w| wanted(w)).map(|w| bytes(w.len())).fold(0, u64::saturating_add)
        };
        let halves = if self.plan().mixed { sum(&|_| true) } else { 0 };
        let gradients = training.is_some_and(|t| t.gradients.get().is_none());
        let state = training.map(|t| &t.state).filter(|state| !state.is_allocated());
        Need {
            batch,
            weights: sum(&|w| !w.is_allocated()).saturating_add(halves),
            gradients: if gradients { sum(&|w| w.trainable) } else { 0 },
            optimizer: state.map_or(0, |state| bytes(state.slot_values())),
            workspace: Workspace::bytes(self.plan(), training.map(|t| &t.plan), batch, self.threads()),
            largest: self.largest_layer(batch, training.is_some()),
        }
    }

    /// An error unless there is the memory for batches of `batch` samples. Nothing is allocated.
    ///
    /// # Errors
    /// What is needed, what there is, which layer is the largest, and what to do.
    pub fn check_memory(&self, batch: usize, training: bool) -> Result<()> {
        let need = self.memory_need(batch, training);
        match available().filter(|available| available.bytes < need.total()) {
            None => Ok(()),
            Some(available) => {
                let advice = if batch > 1 { "a smaller batch_size, or " } else { "" };
                let message = format!("{need}, and there are {available}; try {advice}fewer units or filters, or smaller inputs");
                Err(Error::graph(self.name(), message))
            }
        }
    }

    /// The layer whose weights and output take most. In training its gradients count as much again; slots go by all weights alike.
    fn largest_layer(&self, batch: usize, training: bool) -> Option<(String, u64)> {
        let twice = if training { 2 } else { 1 };
        let size = |layer: usize| {
            let weights = self.layer_weights(layer).iter().map(|w| w.len() as u64).fold(0, u64::saturating_add);
            let calls = self.graph().nodes.iter().filter(|node| node.layer == layer);
            let values = calls.map(|node| node.shape.iter().fold(batch as u64, |n, &axis| n.saturating_mul(axis as u64)));
            values.fold(weights, u64::saturating_add).saturating_mul(twice * size_of::<f32>() as u64)
        };
        let layers = self.graph().layers.iter().enumerate().map(|(index, layer)| (layer.name.clone(), size(index)));
        layers.max_by_key(|(_, bytes)| *bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Compile;
    use crate::graph::Sequential;
    use crate::layers::{Dense, InputLayer};
    use crate::losses::{MeanSquaredError, Target};
    use crate::optimizers::Adam;
    use crate::{Batch, Samples};

    fn model(units: usize) -> Model {
        let net = Sequential::new().name("net").add(InputLayer::new([4])).add(Dense::new(units)).add(Dense::new(2));
        let mut model = net.build(1).unwrap();
        model.compile(Compile::new(Adam::new(0.1), MeanSquaredError::new())).unwrap();
        model
    }

    #[test]
    fn what_is_there_is_not_needed_again() {
        let mut model = model(100);
        let weights = 4 * (4 * 100 + 100 + 100 * 2 + 2);
        let need = model.memory_need(8, true);
        assert_eq!((need.weights, need.gradients, need.optimizer), (weights, weights, 2 * weights));
        // At least input, both outputs, and the gradients of the outputs.
        assert!(need.workspace >= 8 * 4 * (4 + 100 + 2 + 100 + 2), "{need:?}");
        assert_eq!(need.largest, Some(("dense".into(), 2 * 4 * (500 + 8 * 100))));
        let need = model.memory_need(8, false);
        assert_eq!((need.weights, need.gradients, need.optimizer), (weights, 0, 0));
        let feed = Samples { samples: 2, inputs: &[&[0.0; 8]] };
        let batch = Batch { feed: &feed, targets: &[Target::Values(&[0.0; 4])], sample_weight: None, class_weight: None };
        model.train_on_batch(batch).unwrap();
        let need = model.memory_need(8, true);
        assert_eq!((need.weights, need.gradients, need.optimizer), (0, 0, 0));
    }

    #[test]
    fn too_much_is_refused_with_all_figures() {
        let model = model(1_000_000);
        model.check_memory(1, true).unwrap();
        let message = model.check_memory(1 << 30, true).unwrap_err().to_string();
        for part in [
            "model \"net\": needs ",
            " PB more memory (28.0 MB for weights",
            "56.0 MB for the optimizer",
            "dense",
            "smaller batch_size",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        // Also where the product does not fit.
        model.check_memory(usize::MAX, true).unwrap_err();
    }
}
