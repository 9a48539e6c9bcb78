//! Element-wise kernels: activations with their derivatives, arithmetic on slices, dropout.
//!
//! Accuracy of the activations against f64, in units in the last place (tested): sigmoid, tanh, silu, softplus, softsign, exponential,
//! elu and selu within 3; gelu within 10, its tanh form within 352 where it all but vanishes (x near −10). A NaN stays NaN.

pub(crate) mod functions;
pub(crate) mod math;
mod scalar;

pub use functions::Activation;

use crate::rng::Stream;
use crate::versions::kernels;

fn check(name: &str, lens: &[usize]) {
    assert!(lens.windows(2).all(|pair| pair[0] == pair[1]), "{name}: slices differ in length: {lens:?}");
}

fn check_rate(rate: f32) {
    assert!((0.0..=1.0).contains(&rate), "dropout: rate must lie in [0, 1], got {rate}");
}

/// Whether the derivative follows from the output alone, so that [`backward_in_place`] may be used and `x` need not be kept.
pub fn derivative_from_output(act: Activation) -> bool {
    act.derivative_from_output()
}

kernels! {
    /// `y = act(x)` (overwrites).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn forward / forward_with(act: Activation, x: &[f32], y: &mut [f32]) {
        check("activation forward", &[x.len(), y.len()]);
    }

    /// `y = act(y)`.
    pub fn forward_in_place / forward_in_place_with(act: Activation, y: &mut [f32]) {}

    /// `dx = dy · act′(x)` (overwrites), where `y = act(x)`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn backward / backward_with(act: Activation, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        check("activation backward", &[x.len(), y.len(), dy.len(), dx.len()]);
    }

    /// `dy = dy · act′(x)`, the derivative taken from `y = act(x)`.
    ///
    /// # Panics
    /// When the lengths differ, or unless [`derivative_from_output`].
    pub fn backward_in_place / backward_in_place_with(act: Activation, y: &[f32], dy: &mut [f32]) {
        check("activation backward_in_place", &[y.len(), dy.len()]);
        assert!(act.derivative_from_output(), "backward_in_place: the derivative of {act:?} needs the input");
    }

    /// `out = a + b` (overwrites).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add / add_with(a: &[f32], b: &[f32], out: &mut [f32]) {
        check("add", &[a.len(), b.len(), out.len()]);
    }

    /// `dst += src`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add_assign / add_assign_with(dst: &mut [f32], src: &[f32]) {
        check("add_assign", &[dst.len(), src.len()]);
    }

    /// `out = a · b` (overwrites).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn mul / mul_with(a: &[f32], b: &[f32], out: &mut [f32]) {
        check("mul", &[a.len(), b.len(), out.len()]);
    }

    /// `dst *= src`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn mul_assign / mul_assign_with(dst: &mut [f32], src: &[f32]) {
        check("mul_assign", &[dst.len(), src.len()]);
    }

    /// `dst *= s`.
    pub fn scale / scale_with(dst: &mut [f32], s: f32) {}

    /// `y += a · x`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn axpy / axpy_with(a: f32, x: &[f32], y: &mut [f32]) {
        check("axpy", &[x.len(), y.len()]);
    }

    /// Adds `bias`, `[cols]`, to every row of `y`, `[rows, cols]`.
    ///
    /// # Panics
    /// When `y` is not a whole number of rows.
    pub fn add_bias / add_bias_with(y: &mut [f32], bias: &[f32]) {
        assert!(
            if bias.is_empty() { y.is_empty() } else { y.len().is_multiple_of(bias.len()) },
            "add_bias: {} elements are no whole number of rows of {}", y.len(), bias.len()
        );
    }

    /// `dst = value`.
    pub fn fill / fill_with(dst: &mut [f32], value: f32) {}

    /// Inverted dropout (overwrites): `y = x / (1 − rate)` where the stream's uniform number of that index is at least `rate`, else 0.
    ///
    /// The mask is a pure function of stream and index; [`dropout_backward`] makes it anew.
    ///
    /// # Panics
    /// When the lengths differ or `rate` lies outside [0, 1].
    pub fn dropout / dropout_with(stream: &Stream, rate: f32, x: &[f32], y: &mut [f32]) {
        check("dropout", &[x.len(), y.len()]);
        check_rate(rate);
    }

    /// The gradient of [`dropout`] (overwrites): `dx = dy / (1 − rate)` where kept, else 0.
    ///
    /// # Panics
    /// When the lengths differ or `rate` lies outside [0, 1].
    pub fn dropout_backward / dropout_backward_with(stream: &Stream, rate: f32, dy: &[f32], dx: &mut [f32]) {
        check("dropout_backward", &[dy.len(), dx.len()]);
        check_rate(rate);
    }

    /// [`dropout`] where it stands; the same function serves forward and backward.
    ///
    /// # Panics
    /// When `rate` lies outside [0, 1].
    pub fn dropout_in_place / dropout_in_place_with(stream: &Stream, rate: f32, y: &mut [f32]) {
        check_rate(rate);
    }
}

#[cfg(test)]
mod tests;
