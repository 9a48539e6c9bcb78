//! What is known of a value of the file.

use super::constant::Constant;
use super::order::Order;
use maobi_nn::graph::{Call as _, Tensor};
use maobi_nn::layers::{Flatten, Reshape};
use std::rc::Rc;

/// A value of the file.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Numbers.
    Constant(Rc<Constant>),
    /// What a layer makes of the samples.
    Traced(Traced),
}

/// A tensor of our graph, and how the file sees it.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    /// Ours.
    pub(super) tensor: Tensor,
    /// How the file's order of values follows from ours.
    pub(super) order: Order,
    /// The file's axes, without the batch.
    pub(super) shape: Vec<usize>,
    /// Whether no value is below 0, so that zeros around it change no maximum.
    pub(super) positive: bool,
}

impl Traced {
    /// A tensor that lies here as it does in the file.
    pub(super) fn own(tensor: Tensor) -> Traced {
        let shape = tensor.shape().to_vec();
        Traced { order: Order::same(&shape), tensor, shape, positive: false }
    }

    /// An image of ours that the file has as [channels, height, width].
    pub(super) fn planes(tensor: Tensor) -> Option<Traced> {
        let &[h, w, c] = tensor.shape() else { return None };
        Some(Traced { tensor, order: Order::planes([h, w, c]), shape: vec![c, h, w], positive: false })
    }

    pub(super) fn positive(mut self, positive: bool) -> Traced {
        self.positive = positive;
        self
    }

    /// Number of values of a sample.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Our image of the file's [channels, height, width].
    pub(super) fn image(&self) -> Result<Tensor, String> {
        let &[c, h, w] = self.shape.as_slice() else {
            return Err(format!("takes [batch, channels, height, width], got {} axes", self.shape.len() + 1));
        };
        if !self.order.agrees(&Order::planes([h, w, c])) {
            return Err("its values lie channels first in memory, as after a Reshape of a flat tensor to an image with channels; there is \
                        no layer here that turns axes. Leave the Reshape out, or export with channels last"
                .into());
        }
        self.shaped(&[h, w, c])
    }

    /// Our tensor with the file's axes in the file's order.
    pub(super) fn plain(&self) -> Result<Tensor, String> {
        if !self.order.is_same() {
            return Err("takes values in the file's order of axes (channels first), which are channels last here; there is no layer here \
                        that turns axes"
                .into());
        }
        self.shaped(&self.shape)
    }

    /// Our tensor under other axes.
    pub(super) fn shaped(&self, shape: &[usize]) -> Result<Tensor, String> {
        if self.tensor.shape() == shape {
            return Ok(self.tensor.clone());
        }
        let reshaped = match shape {
            [_] => Flatten::new().call(&self.tensor),
            _ => Reshape::new(shape.iter().map(|&n| n as i64).collect::<Vec<i64>>()).call(&self.tensor),
        };
        reshaped.map_err(|e| e.to_string())
    }
}
