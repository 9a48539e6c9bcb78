//! The loops of [`super`]: integer arithmetic on the bits, without branches, so that the compiler makes vector code of them.

/// Bits of infinity, and the sign's.
const INFINITY: u32 = 0x7F80_0000;
const SIGN: u32 = 0x8000_0000;
/// The bit that makes a NaN quiet: it survives whatever is cut off below.
const QUIET: u32 = 0x0040_0000;

/// The bits of `x` rounded to a mantissa that is `CUT` bits shorter, ties to even; a carry may run into the exponent, as it should.
#[inline(always)]
fn shorten<const CUT: u32>(bits: u32) -> u32 {
    let half = (1 << (CUT - 1)) - 1;
    bits.wrapping_add(half + ((bits >> CUT) & 1)) & (u32::MAX << CUT)
}

#[inline(always)]
pub(super) fn round_bfloat16(values: &mut [f32]) {
    for v in values {
        let bits = v.to_bits();
        let nan = bits & !SIGN > INFINITY;
        let rounded = if nan { (bits | QUIET) & 0xFFFF_0000 } else { shorten::<16>(bits) };
        *v = f32::from_bits(rounded);
    }
}

#[inline(always)]
pub(super) fn round_float16(values: &mut [f32]) {
    /// 2⁻¹⁴, the least normal half, and 2¹⁶, what rounds up from the largest.
    const LEAST_NORMAL: u32 = 0x3880_0000;
    const BEYOND: u32 = 0x4780_0000;
    for v in values {
        let bits = v.to_bits();
        let (sign, magnitude) = (bits & SIGN, bits & !SIGN);
        let normal = shorten::<13>(magnitude);
        let normal = if normal >= BEYOND { INFINITY } else { normal };
        // From ½ to 1 an f32 is a multiple of 2⁻²⁴, as subnormal halves are: the sum rounds as they would, ties to even too.
        let subnormal = ((f32::from_bits(magnitude) + 0.5) - 0.5).to_bits();
        let rounded = if magnitude < LEAST_NORMAL { subnormal } else { normal };
        let rounded = if magnitude > INFINITY { (magnitude | QUIET) & !0x1FFF } else { rounded };
        *v = f32::from_bits(sign | rounded);
    }
}
