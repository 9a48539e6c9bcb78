//! How much arithmetic a network is.

use maobi_nn::Model;
use maobi_nn::Program;
use maobi_nn::program::Operation;

/// Floating-point operations for one sample, a multiply-add being two, in convolutions and dense products computed directly: 2 · kernel
/// values · positions of the output. A transposed convolution counts the positions of its input. Everything else (bias, activation, pooling, optimizer, layers that no
/// operation describes) is left out, as is usual, and taps on padding are counted.
///
/// A measure of the network, not of what is executed: an algorithm with fewer multiplications (Winograd's) does the same work in less.
///
/// ```
/// # use maobi_train::{Flops, Recipe};
/// let flops = Flops::of(&Recipe::builtin("softmax")?.model(1)?);
/// // One layer of 784 × 10; backward has its weight gradient, but nobody needs the gradient of the pixels.
/// assert_eq!((flops.forward, flops.training), (15_680, 31_360));
/// # Ok::<(), maobi_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flops {
    /// Of the forward pass.
    pub forward: u64,
    /// Of forward and backward: the weight gradient costs as much again where the kernel trains, the input gradient where a weight
    /// before it trains.
    pub training: u64,
}

impl Flops {
    /// Counts a model's.
    pub fn of(model: &Model) -> Flops {
        let (graph, program) = (model.graph(), Program::of(model));
        let mut flops = Flops::default();
        // By value: whether a weight at or before it trains, so that backward goes through what follows.
        let mut trains = vec![false; program.shapes.len()];
        for step in &program.steps {
            let before = step.inputs.iter().any(|&input| trains[input]);
            let counted = match step.what {
                Operation::Conv { kernel, .. } | Operation::Dense { kernel, .. } => Some((kernel, step.output)),
                Operation::ConvTranspose { kernel, .. } => Some((kernel, step.inputs[0])),
                _ => None,
            };
            if let Some((kernel, value)) = counted {
                let positions: u64 = program.shapes[value].iter().rev().skip(1).map(|&n| n as u64).product();
                let kernel = program.arrays[kernel];
                let forward = 2 * positions * kernel.len() as u64;
                flops.forward += forward;
                flops.training += forward * (1 + u64::from(kernel.trainable) + u64::from(before));
            }
            trains[step.output] = before || model.layer_weights(graph.nodes[step.node].layer).iter().any(|w| w.trainable);
        }
        flops
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Conv2D, Conv2DTranspose, Dense, DepthwiseConv2D, Flatten, InputLayer, SeparableConv2D};

    /// By hand: conv1 28² · 25 · 32, conv2 14² · 25 · 32 · 64, dense 3136 · 512 and 512 · 10; twice each, and the first has no input gradient.
    #[test]
    fn lenet_by_hand() {
        let [conv1, conv2, dense1, dense2] = [784 * 25 * 32, 196 * 25 * 32 * 64, 3136 * 512, 512 * 10].map(|n: u64| 2 * n);
        let flops = Flops::of(&Recipe::builtin("keras-lenet").unwrap().model(1).unwrap());
        assert_eq!(flops.forward, conv1 + conv2 + dense1 + dense2);
        assert_eq!(flops.training, 2 * conv1 + 3 * (conv2 + dense1 + dense2));
        assert_eq!(flops.training, 72_384_512);
    }

    #[test]
    fn depthwise_and_separable_convolutions() {
        let model = Sequential::new()
            .add(InputLayer::new([6, 6, 4]))
            .add(DepthwiseConv2D::new(3))
            .add(SeparableConv2D::new(5, 3))
            .build(1)
            .unwrap();
        let [first, inner, across] = [16 * 9 * 4, 4 * 9 * 4, 4 * 4 * 5].map(|n: u64| 2 * n);
        let expected = Flops { forward: first + inner + across, training: 2 * first + 3 * (inner + across) };
        assert_eq!(Flops::of(&model), expected);
    }

    #[test]
    fn transposed_convolutions_count_the_pixels_they_take() {
        let model =
            Sequential::new().add(InputLayer::new([4, 5, 3])).add(Conv2DTranspose::new(2, 3).strides(2)).build(1).unwrap();
        let forward = 2 * 4 * 5 * (9 * 2 * 3);
        assert_eq!(Flops::of(&model), Flops { forward, training: 2 * forward });
    }

    #[test]
    fn frozen_layers_have_no_backward() {
        let model = Sequential::new()
            .add(InputLayer::new([5, 5, 1]))
            .add(Conv2D::new(2, 3).trainable(false))
            .add(Flatten::new())
            .add(Dense::new(3))
            .build(1)
            .unwrap();
        let [conv, dense] = [9 * 9 * 2, 18 * 3].map(|n: u64| 2 * n);
        assert_eq!(Flops::of(&model), Flops { forward: conv + dense, training: conv + 2 * dense });
    }
}
