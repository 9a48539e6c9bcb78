//! Rounding to 16-bit numbers that stay stored as f32: what Keras' mixed policies do to weights and activations.
//!
//! Products of such numbers are taken in f32 by the same kernels as ever; only what goes in and comes out is rounded. Where 16-bit
//! dot products are no faster than f32's (half the rate on a Sapphire Rapids without AMX) nothing is gained by storing 16 bits.

mod scalar;

use crate::versions::kernels;

/// A 16-bit number format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The upper half of an f32: 8 bits of exponent, 7 of mantissa.
    Bfloat16,
    /// IEEE 754 binary16: 5 bits of exponent, 10 of mantissa; the largest number is 65,504.
    Float16,
}

impl Half {
    /// Rounds in place (overwrites): [`round_bfloat16`] or [`round_float16`].
    #[inline]
    pub fn round(self, values: &mut [f32]) {
        match self {
            Half::Bfloat16 => round_bfloat16(values),
            Half::Float16 => round_float16(values),
        }
    }
}

kernels! {
    /// Each value becomes the nearest bfloat16, ties to even (overwrites). Beyond the largest it is infinity, subnormals are kept, a
    /// NaN stays one.
    pub fn round_bfloat16 / round_bfloat16_with(values: &mut [f32]) {}

    /// Each value becomes the nearest IEEE half, ties to even (overwrites). From 65,520 on it is infinity, below 2⁻¹⁴ a multiple of
    /// 2⁻²⁴, a NaN stays one.
    pub fn round_float16 / round_float16_with(values: &mut [f32]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa;
    use crate::rng::Stream;

    /// Nearest member of the format by search in f64: spacing from the exponent, ties to even.
    fn nearest(x: f32, mantissa: i32, least_exponent: i32, largest: f64) -> f32 {
        if !x.is_finite() || x == 0.0 {
            return x;
        }
        let x64 = f64::from(x);
        let exponent = ((x64.abs().to_bits() >> 52) as i32 - 1023).max(least_exponent);
        let spacing = 2f64.powi(exponent - mantissa);
        let rounded = (x64 / spacing).round_ties_even() * spacing;
        let rounded = if rounded.abs() > largest { f64::INFINITY.copysign(x64) } else { rounded };
        (rounded as f32).copysign(x)
    }

    fn bfloat16(x: f32) -> f32 {
        nearest(x, 7, -126, f64::from(f32::from_bits(0x7F7F_0000)))
    }

    fn float16(x: f32) -> f32 {
        nearest(x, 10, -14, 65504.0)
    }

    /// Every exponent, with mantissas around the ties of both formats, and both signs.
    fn values() -> Vec<f32> {
        let mut all = vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 65504.0, 65519.99, 65520.0, f32::MAX, f32::MIN];
        for exponent in 0..255u32 {
            for tie in [0x1000u32, 0x3000, 0x8000, 0x1_8000, 0x40_0000, 0x7F_F000, 0x7F_8000] {
                for nudge in [-1i32, 0, 1] {
                    let bits = (exponent << 23) + tie.wrapping_add_signed(nudge);
                    all.extend([f32::from_bits(bits), -f32::from_bits(bits)]);
                }
            }
        }
        let mut random = vec![0.0; 1000];
        Stream::new(5, 0, 0, 0).fill_normal(0, &mut random);
        all.extend(random.iter().flat_map(|v| [*v, v * 1e-6, v * 3e4]));
        all
    }

    #[test]
    fn every_instruction_set_rounds_to_the_nearest() {
        let values = values();
        for isa in isa::available() {
            for (round, oracle) in [
                (round_bfloat16_with as fn(_, &mut [f32]), bfloat16 as fn(f32) -> f32),
                (round_float16_with as fn(_, &mut [f32]), float16),
            ] {
                let mut rounded = values.clone();
                round(isa, &mut rounded);
                for (x, y) in values.iter().zip(&rounded) {
                    let expected = oracle(*x);
                    assert_eq!(
                        y.to_bits(),
                        expected.to_bits(),
                        "{isa}: {x:e} ({:08x}): {y:e}, expected {expected:e}",
                        x.to_bits()
                    );
                }
                // What is rounded stays.
                let mut again = rounded.clone();
                round(isa, &mut again);
                assert!(again.iter().zip(&rounded).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
    }

    #[test]
    fn lengths_off_the_lanes_touch_nothing_else() {
        for isa in isa::available() {
            for len in 0..=65 {
                let mut values = vec![1.000_01f32; len + 16];
                round_bfloat16_with(isa, &mut values[8..8 + len]);
                assert!(values[8..8 + len].iter().all(|v| *v == 1.0));
                round_float16_with(isa, &mut values[8..8 + len]);
                assert!(values[..8].iter().chain(&values[8 + len..]).all(|v| *v == 1.000_01));
            }
        }
    }

    #[test]
    fn a_nan_stays_one_whatever_its_bits() {
        for isa in isa::available() {
            for bits in [0x7F80_0001u32, 0xFF80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x7FC0_0000] {
                let mut values = [f32::from_bits(bits); 19];
                round_bfloat16_with(isa, &mut values);
                assert!(values.iter().all(|v| v.is_nan()));
                let mut values = [f32::from_bits(bits); 19];
                round_float16_with(isa, &mut values);
                assert!(values.iter().all(|v| v.is_nan() && v.is_sign_negative() == (bits >> 31 == 1)));
            }
        }
    }
}
