//! Which algorithm computes which pass of a convolution.

use super::depthwise::Depthwise;
use super::image;
use super::scatter::Scatter;
use super::shape::Conv2dShape;
use super::window::{Geometry, Windows};

/// How the output and the weight gradient are computed.
#[derive(Clone, Debug)]
pub(super) enum Forward {
    Windows(Box<Windows>),
    Depthwise(Depthwise),
}

/// How the input gradient is computed.
#[derive(Clone, Debug)]
pub(super) enum Backward {
    Windows(Box<Windows>),
    Scatter(Scatter),
    Depthwise(Depthwise),
}

/// One output channel for each input channel, and nothing between them.
fn is_depthwise(shape: &Conv2dShape) -> bool {
    shape.groups > 1 && shape.groups == shape.c_in && shape.c_in == shape.c_out
}

impl Forward {
    pub(super) fn new(shape: &Conv2dShape) -> Self {
        if is_depthwise(shape) {
            return Self::Depthwise(Depthwise {
                width: shape.padded_w(),
                channels: shape.c_in,
                kernel: (shape.kh, shape.kw),
                stride: shape.stride,
                dilation: shape.dilation,
                out: (shape.out_h(), shape.out_w()),
            });
        }
        let (top, left) = (shape.pad.top, shape.pad.left);
        Self::Windows(Box::new(Windows::new(Geometry {
            width: shape.padded_w(),
            channels: shape.c_in,
            groups: shape.groups,
            inner: (top..top + shape.h, left..left + shape.w),
            kernel: (shape.kh, shape.kw),
            stride: shape.stride,
            dilation: shape.dilation,
            out: (shape.out_h(), shape.out_w()),
            c_out: shape.c_out,
        })))
    }

    pub(super) fn packed_len(&self, shape: &Conv2dShape) -> usize {
        match self {
            Forward::Windows(windows) => windows.packed_len(),
            Forward::Depthwise(_) => shape.kernel_len(),
        }
    }

    /// Elements of a weight gradient for pairs of pixels; 0 where it has the layout of the weights.
    pub(super) fn pairs_len(&self) -> usize {
        match self {
            Forward::Windows(windows) if !windows.is_direct() => windows.gradient_len(),
            _ => 0,
        }
    }
}

impl Backward {
    /// Below this share of the multiplications of sliding windows, tap by tap is faster in spite of its extra traffic.
    const SCATTER_SHARE: f64 = 0.9;
    /// Output channels from which on that is so.
    const SCATTER_CHANNELS: usize = 32;

    pub(super) fn new(shape: &Conv2dShape) -> Self {
        let (_, width) = image::gradient_size(shape);
        if is_depthwise(shape) {
            return Self::Depthwise(Depthwise {
                width,
                channels: shape.c_out,
                kernel: (shape.kh, shape.kw),
                stride: (1, 1),
                dilation: shape.dilation,
                out: (shape.h, shape.w),
            });
        }
        let windows = Windows::new(Geometry {
            width,
            channels: shape.c_out,
            groups: shape.groups,
            inner: image::gradient_inner(shape),
            kernel: (shape.kh, shape.kw),
            stride: (1, 1),
            dilation: shape.dilation,
            out: (shape.h, shape.w),
            c_out: shape.c_in,
        });
        let scatter = Scatter::new(shape);
        let share = scatter.cost(shape) as f64 / windows.cost().max(1) as f64;
        let deep = shape.group_out() >= Self::SCATTER_CHANNELS && share < Self::SCATTER_SHARE;
        if deep || shape.stride != (1, 1) { Self::Scatter(scatter) } else { Self::Windows(Box::new(windows)) }
    }

    pub(super) fn packed_len(&self, shape: &Conv2dShape) -> usize {
        match self {
            Backward::Windows(windows) => windows.packed_len(),
            Backward::Scatter(scatter) => scatter.packed_len(shape),
            Backward::Depthwise(_) => shape.kernel_len(),
        }
    }
}
