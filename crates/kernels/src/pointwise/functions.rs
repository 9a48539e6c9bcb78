//! The activation functions, each with its derivative beside it (keras/src/ops/nn.py, keras/src/activations/activations.py).

use super::math;

/// An activation function, with the arguments Keras gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x`.
    Linear,
    /// `x` above the threshold and `negative_slope · (x − threshold)` up to it; with a `max_value`, the upper part is clipped to [0, max_value].
    Relu {
        /// The largest value returned, if any.
        max_value: Option<f32>,
        /// The slope up to the threshold; Keras' default is 0.
        negative_slope: f32,
        /// Where the upper part begins; Keras' default is 0.
        threshold: f32,
    },
    /// `x` above 0, else `negative_slope · x`.
    LeakyRelu {
        /// The slope below 0; Keras' function has 0.2, its layer 0.3.
        negative_slope: f32,
    },
    /// `x` above 0, else `alpha · (exp(x) − 1)`.
    Elu {
        /// The negative of the limit at −∞; Keras' default is 1.
        alpha: f32,
    },
    /// `1.0507 · elu(x, alpha = 1.67326)` (Klambauer et al. 2017).
    Selu,
    /// `x · Φ(x)` (Hendrycks, Gimpel 2016).
    Gelu {
        /// `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))` instead.
        approximate: bool,
    },
    /// `x · sigmoid(x)`.
    Silu,
    /// `1 / (1 + exp(−x))`, in [0, 1].
    Sigmoid,
    /// `tanh(x)`, in [−1, 1].
    Tanh,
    /// `ln(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `exp(x)`; infinite from 88.73 on.
    Exponential,
    /// `relu6(x + 3) / 6`.
    HardSigmoid,
}

impl Activation {
    /// `max(x, 0)`: [`Activation::Relu`] with Keras' defaults.
    pub const RELU: Activation = Activation::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 };

    /// Whether `act′(x)` follows from `act(x)` without loss.
    pub fn derivative_from_output(self) -> bool {
        match self {
            // With a slope of at least 0 the output has the input's sign.
            Activation::Relu { negative_slope, threshold, .. } => threshold == 0.0 && negative_slope >= 0.0,
            Activation::LeakyRelu { negative_slope } => negative_slope >= 0.0,
            Activation::Elu { alpha } => alpha >= 0.0,
            // softsign′ = (1 − |y|)² would, but loses its digits where y is near ±1.
            Activation::Gelu { .. } | Activation::Silu | Activation::Softsign => false,
            _ => true,
        }
    }
}

/// A function and its gradient on one element; every implementation is branch-free so that a loop over it becomes vector code.
pub(crate) trait Function: Copy {
    /// `f(x)`.
    fn value(self, x: f32) -> f32;
    /// `dy · f′(x)`, given also `y = f(x)`.
    fn gradient(self, x: f32, y: f32, dy: f32) -> f32;
}

/// Calls `$body` with the [`Function`] of an [`Activation`], each in code of its own.
macro_rules! with_function {
    ($act:expr, $f:ident => $body:expr) => {{
        use $crate::pointwise::functions;
        match $act {
            Activation::Linear => {
                let $f = functions::Linear;
                $body
            }
            Activation::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 } => {
                let $f = functions::Relu;
                $body
            }
            Activation::Relu { max_value: None, negative_slope, threshold: 0.0 } | Activation::LeakyRelu { negative_slope } => {
                let $f = functions::Leaky { slope: negative_slope };
                $body
            }
            Activation::Relu { max_value, negative_slope, threshold } => {
                let $f = functions::GeneralRelu {
                    low: if max_value.is_some() { 0.0 } else { f32::NEG_INFINITY },
                    high: max_value.unwrap_or(f32::INFINITY),
                    slope: negative_slope,
                    threshold,
                    from_output: $act.derivative_from_output(),
                };
                $body
            }
            Activation::Elu { alpha } => {
                let $f = functions::Elu { scale: 1.0, alpha };
                $body
            }
            Activation::Selu => {
                let $f = functions::SELU;
                $body
            }
            Activation::Gelu { approximate: false } => {
                let $f = functions::Gelu;
                $body
            }
            Activation::Gelu { approximate: true } => {
                let $f = functions::GeluTanh;
                $body
            }
            Activation::Silu => {
                let $f = functions::Silu;
                $body
            }
            Activation::Sigmoid => {
                let $f = functions::Sigmoid;
                $body
            }
            Activation::Tanh => {
                let $f = functions::Tanh;
                $body
            }
            Activation::Softplus => {
                let $f = functions::Softplus;
                $body
            }
            Activation::Softsign => {
                let $f = functions::Softsign;
                $body
            }
            Activation::Exponential => {
                let $f = functions::Exponential;
                $body
            }
            Activation::HardSigmoid => {
                let $f = functions::HardSigmoid;
                $body
            }
        }
    }};
}
pub(crate) use with_function;

/// Implements [`Function`] from two expressions, inlined always.
macro_rules! function {
    ($name:ty, |$s:ident, $x:ident| $value:expr, |$gs:ident, $gx:ident, $gy:ident, $dy:ident| $gradient:expr) => {
        impl Function for $name {
            #[inline(always)]
            fn value(self, $x: f32) -> f32 {
                let $s = self;
                $value
            }
            #[inline(always)]
            fn gradient(self, $gx: f32, $gy: f32, $dy: f32) -> f32 {
                let $gs = self;
                $gradient
            }
        }
    };
}

#[derive(Clone, Copy)]
pub(crate) struct Linear;
function!(Linear, |_s, x| x, |_s, _x, _y, dy| dy);

/// `max(0, x)`, in the order of operands that lets a NaN through.
#[derive(Clone, Copy)]
pub(crate) struct Relu;
function!(Relu, |_s, x| if 0.0 > x { 0.0 } else { x }, |_s, _x, y, dy| if y > 0.0 { dy } else { 0.0 });

#[derive(Clone, Copy)]
pub(crate) struct Leaky {
    pub slope: f32,
}
function!(
    Leaky,
    |s, x| if x <= 0.0 { s.slope * x } else { x },
    // With a negative slope y would mislead, and the callers hand over x.
    |s, x, y, dy| if (if s.slope < 0.0 { x } else { y }) > 0.0 { dy } else { s.slope * dy }
);

/// All arguments of Keras' relu at once; `low` is 0 with a `max_value` and −∞ without.
#[derive(Clone, Copy)]
pub(crate) struct GeneralRelu {
    pub low: f32,
    pub high: f32,
    pub slope: f32,
    pub threshold: f32,
    pub from_output: bool,
}
function!(
    GeneralRelu,
    |s, x| {
        let upper = if x > s.high { s.high } else { x };
        let upper = if upper < s.low { s.low } else { upper };
        if x <= s.threshold { s.slope * (x - s.threshold) } else { upper }
    },
    |s, x, y, dy| {
        let v = if s.from_output { y } else { x };
        let upper = if v > s.low && v < s.high { dy } else { 0.0 };
        if v <= s.threshold { s.slope * dy } else { upper }
    }
);

/// `scale · x` above 0, else `scale · alpha · (exp(x) − 1)`: elu and selu.
#[derive(Clone, Copy)]
pub(crate) struct Elu {
    pub scale: f32,
    pub alpha: f32,
}
pub(crate) const SELU: Elu = Elu { scale: 1.050_701, alpha: 1.673_263_2 };
function!(
    Elu,
    |s, x| {
        let below = s.scale * s.alpha * math::expm1_limited(x);
        if x > 0.0 { s.scale * x } else { below }
    },
    |s, x, y, dy| {
        let positive = if s.alpha < 0.0 { x } else { y } > 0.0;
        dy * if positive { s.scale } else { y + s.scale * s.alpha }
    }
);

#[derive(Clone, Copy)]
pub(crate) struct Gelu;
function!(Gelu, |_s, x| x * math::normal_cdf(x).0, |_s, x, _y, dy| {
    let (cdf, density) = math::normal_cdf(x);
    // Beyond ±20 the density has vanished; x·density must not become ∞·0.
    dy * (cdf + math::clamp(x, -20.0, 20.0) * density)
});

/// Written as `x · sigmoid(2u)`, which equals `x/2 · (1 + tanh u)` and does not cancel at negative x.
#[derive(Clone, Copy)]
pub(crate) struct GeluTanh;
const TWO_SQRT_2_OVER_PI: f32 = 1.595_769;
const CUBIC: f32 = 0.044_715;
function!(GeluTanh, |_s, x| x * math::sigmoid(TWO_SQRT_2_OVER_PI * x * (1.0 + CUBIC * x * x)), |_s, x, _y, dy| {
    let x = math::clamp(x, -20.0, 20.0);
    let (s, t) = math::sigmoid_pair(TWO_SQRT_2_OVER_PI * x * (1.0 + CUBIC * x * x));
    dy * (s + x * (s * t) * TWO_SQRT_2_OVER_PI * (1.0 + 3.0 * CUBIC * x * x))
});

#[derive(Clone, Copy)]
pub(crate) struct Silu;
function!(Silu, |_s, x| x * math::sigmoid(x), |_s, x, _y, dy| {
    let (s, t) = math::sigmoid_pair(x);
    dy * (s + math::clamp(x, -200.0, 200.0) * (s * t))
});

#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;
function!(Sigmoid, |_s, x| math::sigmoid(x), |_s, _x, y, dy| dy * (y * (1.0 - y)));

#[derive(Clone, Copy)]
pub(crate) struct Tanh;
function!(Tanh, |_s, x| math::tanh(x), |_s, _x, y, dy| dy * ((1.0 - y) * (1.0 + y)));

/// The derivative is `sigmoid(x) = 1 − exp(−y)`.
#[derive(Clone, Copy)]
pub(crate) struct Softplus;
function!(Softplus, |_s, x| (if 0.0 > x { 0.0 } else { x }) + math::ln_1p_unit(math::exp(-x.abs())), |_s, _x, y, dy| dy
    * -math::expm1_limited(-y));

#[derive(Clone, Copy)]
pub(crate) struct Softsign;
function!(Softsign, |_s, x| x / (1.0 + x.abs()), |_s, x, _y, dy| {
    let r = 1.0 / (1.0 + x.abs());
    dy * (r * r)
});

#[derive(Clone, Copy)]
pub(crate) struct Exponential;
function!(Exponential, |_s, x| math::exp(x), |_s, _x, y, dy| dy * y);

#[derive(Clone, Copy)]
pub(crate) struct HardSigmoid;
function!(HardSigmoid, |_s, x| math::clamp(x + 3.0, 0.0, 6.0) / 6.0, |_s, _x, y, dy| if y > 0.0 && y < 1.0 {
    dy / 6.0
} else {
    0.0
});
