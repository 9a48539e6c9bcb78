//! Elementary functions as branch-free arithmetic, so that loops over them become vector code, the same bits on every machine.
//!
//! Polynomials from Cephes (S. Moshier, `expf`, `logf`, `sinf`, `ndtrf`), without fused multiply-add.

#![allow(clippy::excessive_precision, clippy::approx_constant, reason = "coefficients as published")]

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts; the first has nine bits, so that its product with an exponent is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 · 2²³: adding it rounds to an integer, which stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// x limited to [low, high]; a NaN stays.
#[inline(always)]
pub(crate) fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// x = n·ln 2 + r with |r| ≤ 0.35; answers (n, r). For |x| up to 10⁴.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let rounded = x * LOG2_E + ROUND;
    let n = rounded - ROUND;
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    (exponent, (x - n * LN2_HIGH) - n * LN2_LOW)
}

/// `exp(r) − 1` for |r| ≤ 0.45.
#[inline(always)]
fn expm1_kernel(r: f32) -> f32 {
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_1e-1;
    p * (r * r) + r
}

/// 2ⁿ for n in −126 ..= 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n.wrapping_add(127)) << 23) as u32)
}

/// `exp(x)`: subnormal results included, ∞ from 88.73 on.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    exp_sum(x, 0.0)
}

/// `exp(x + small)` for |small| ≤ 0.1, as if the sum were exact.
#[inline(always)]
fn exp_sum(x: f32, small: f32) -> f32 {
    let (n, r) = reduce(clamp(x, -105.0, 89.0));
    let r = r + small;
    // Two factors: neither leaves the normal range where their product does.
    let half = n >> 1;
    (1.0 + expm1_kernel(r)) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// `exp(x) − 1`, exact to the last digits near 0; x is limited to [−25, 44], beyond which callers see −1 or do not look.
#[inline(always)]
pub(crate) fn expm1_limited(x: f32) -> f32 {
    let (n, r) = reduce(clamp(x, -25.0, 44.0));
    let scale = power_of_two(n);
    expm1_kernel(r) * scale + (scale - 1.0)
}

/// `ln(x)` for positive normal x.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    // Mantissa in [√½, √2), so that x near 1 has exponent 0 and keeps its digits.
    let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
    let exponent = ((bits as i32) >> 23) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
    let square = m * m;
    let mut p = 7.037_683_6e-2;
    p = p * m - 1.151_461e-1;
    p = p * m + 1.167_699_9e-1;
    p = p * m - 1.242_014_1e-1;
    p = p * m + 1.424_932_3e-1;
    p = p * m - 1.666_805_7e-1;
    p = p * m + 2.000_071_5e-1;
    p = p * m - 2.499_999_4e-1;
    p = p * m + 3.333_333e-1;
    let tail = p * m * square + exponent * LN2_LOW - 0.5 * square;
    let logarithm = (m + tail) + exponent * LN2_HIGH;
    // A NaN's bits would read as a number.
    if x.is_nan() { x } else { logarithm }
}

/// `ln(1 + u)` for u in [0, 1].
#[inline(always)]
pub(crate) fn ln_1p_unit(u: f32) -> f32 {
    let w = 1.0 + u;
    // What the sum rounded away, at the logarithm's slope.
    ln(w) + (u - (w - 1.0)) / w
}

/// `(sigmoid(x), sigmoid(−x))`, neither by cancellation.
#[inline(always)]
pub(crate) fn sigmoid_pair(x: f32) -> (f32, f32) {
    let e = exp(-x.abs());
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if x < 0.0 { (small, large) } else { (large, small) }
}

/// `1 / (1 + exp(−x))`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// `tanh(x) = t / (t + 2)` for t = exp(2x) − 1.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let t = expm1_limited(2.0 * x.abs());
    (t / (t + 2.0)).copysign(x)
}

/// `(sin, cos)` of `2π · turn` for turn in [0, 1).
#[inline(always)]
pub(crate) fn sin_cos_turn(turn: f32) -> (f32, f32) {
    // Quarter turns are counted exactly; the rest is within an eighth.
    let rounded = turn * 4.0 + ROUND;
    let quarter = rounded.to_bits();
    let a = (turn * 4.0 - (rounded - ROUND)) * std::f32::consts::FRAC_PI_2;
    let z = a * a;
    let sin = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_665_5e-1) * z * a + a;
    let cos = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * (z * z) - 0.5 * z + 1.0;
    let (s, c) = if quarter & 1 == 1 { (cos, sin) } else { (sin, cos) };
    let s = if quarter & 2 == 2 { -s } else { s };
    let c = if (quarter.wrapping_add(1)) & 2 == 2 { -c } else { c };
    (s, c)
}

/// The standard normal distribution function Φ(x) and its density φ(x).
#[inline(always)]
pub(crate) fn normal_cdf(x: f32) -> (f32, f32) {
    // x² in two parts: its rounding error would grow by x² in the exponential.
    let limited = clamp(x, -20.0, 20.0);
    let high = f32::from_bits(limited.to_bits() & 0xffff_f000);
    let bell = exp_sum(-0.5 * (high * high), -0.5 * ((limited - high) * (limited + high)));

    let t = limited * std::f32::consts::FRAC_1_SQRT_2;
    let z = t * t;
    let mut e = 7.853_861_5e-5;
    e = e * z - 8.010_194e-4;
    e = e * z + 5.188_327_6e-3;
    e = e * z - 2.685_381_2e-2;
    e = e * z + 1.128_358_5e-1;
    e = e * z - 3.761_262_7e-1;
    e = e * z + 1.128_379_2;
    let middle = 0.5 + 0.5 * (e * t);

    let q = 1.0 / t.abs();
    let y = q * q;
    let mut near = 2.326_82e-2;
    near = near * y - 1.387_039_4e-1;
    near = near * y + 3.687_424_6e-1;
    near = near * y - 5.824_733e-1;
    near = near * y + 6.210_004_7e-1;
    near = near * y - 4.944_515e-1;
    near = near * y + 3.404_88e-1;
    near = near * y - 2.741_127e-1;
    near = near * y + 5.638_259_6e-1;
    let mut far = -1.047_766_4e1;
    far = far * y + 1.297_72e1;
    far = far * y - 7.495_519;
    far = far * y + 2.921_019;
    far = far * y - 1.015_265_3;
    far = far * y + 4.218_463_4e-1;
    far = far * y - 2.820_767_5e-1;
    far = far * y + 5.641_895e-1;
    let tail = 0.5 * bell * q * if z < 4.0 { near } else { far };
    let outer = if x < 0.0 { tail } else { 1.0 - tail };

    let cdf = if z < 1.0 { middle } else { outer };
    const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;
    (cdf, bell * FRAC_1_SQRT_2PI)
}
