//! What the passes of a convolution read and write.

/// What pixels are multiplied by, and what happens to the sums.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// What [`super::Conv2d::pack`] made of the kernel.
    pub packed: &'a [f32],
    /// Added to every pixel, `[c_out]`.
    pub bias: Option<&'a [f32]>,
    /// Whether to replace negative results by 0.
    pub relu: bool,
}

/// Where [`super::Conv2d::forward`] reads and writes, for `n` samples.
#[derive(Debug)]
pub struct ForwardPass<'a> {
    /// The number `n` of samples.
    pub samples: usize,
    /// The input, `[n, h, w, c_in]`.
    pub x: &'a [f32],
    /// Kernel and bias.
    pub weights: Weights<'a>,
    /// The output, `[n, out_h, out_w, c_out]`, overwritten.
    pub y: &'a mut [f32],
    /// [`super::Conv2d::scratch_len`] values of any content.
    pub scratch: &'a mut [f32],
}

/// Where [`super::Conv2d::backward`] reads and writes, for `n` samples.
#[derive(Debug)]
pub struct BackwardPass<'a> {
    /// The number `n` of samples.
    pub samples: usize,
    /// The input of the forward pass, `[n, h, w, c_in]`; only the gradients of the weights need it, without them it may be empty.
    pub x: &'a [f32],
    /// The gradient of its output, `[n, out_h, out_w, c_out]`.
    pub dy: &'a [f32],
    /// What [`super::Conv2d::pack`] made of the kernel.
    pub packed: &'a [f32],
    /// The gradients of the weights, summed over the samples in order, where they are wanted.
    pub weights: Option<WeightGradients<'a>>,
    /// The gradient of the input, `[n, h, w, c_in]`, overwritten, where it is wanted.
    pub dx: Option<&'a mut [f32]>,
    /// [`super::Conv2d::scratch_len`] values of any content.
    pub scratch: &'a mut [f32],
}

/// Where [`super::Conv2d::backward`] puts the gradients of the weights.
#[derive(Debug)]
pub struct WeightGradients<'a> {
    /// Of the kernel, `[kh, kw, c_in / groups, c_out]`.
    pub dw: &'a mut [f32],
    /// Of the bias, `[c_out]`.
    pub db: Option<&'a mut [f32]>,
    /// Whether to add to what is there instead of overwriting it.
    pub accumulate: bool,
}
