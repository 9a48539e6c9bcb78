//! The loops of [`super`]: Philox on sixteen counters at a time, and what is made from its words.

#![allow(clippy::needless_range_loop, reason = "a lane index runs over several arrays")]

use super::Stream;
use crate::pointwise::math;

/// Words a group of sixteen counters makes.
pub const BLOCK: usize = 64;
const LANES: usize = 16;

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// The four random words of one counter (Salmon et al. 2011, ten rounds).
#[inline(always)]
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let p0 = u64::from(c0) * u64::from(MULTIPLIERS[0]);
        let p1 = u64::from(c2) * u64::from(MULTIPLIERS[1]);
        (c0, c2) = ((p1 >> 32) as u32 ^ c1 ^ k0, (p0 >> 32) as u32 ^ c3 ^ k1);
        (c1, c3) = (p1 as u32, p0 as u32);
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    [c0, c1, c2, c3]
}

/// Block `index` of a stream: word w of lane l at `16·w + l`.
#[inline(always)]
pub(crate) fn block(stream: &Stream, index: u64) -> [u32; BLOCK] {
    let first = (index as u32).wrapping_mul(LANES as u32);
    let [a, b, c] = stream.tail;
    let mut words = [[0; LANES]; 4];
    for l in 0..LANES {
        let made = philox4x32_10([first.wrapping_add(l as u32), a, b, c], stream.key);
        words[0][l] = made[0];
        words[1][l] = made[1];
        words[2][l] = made[2];
        words[3][l] = made[3];
    }
    let mut out = [0; BLOCK];
    for (to, from) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(&words) {
        *to = *from;
    }
    out
}

/// A word as a uniform number in [0, 1): its 24 high bits, exact in f32.
#[inline(always)]
pub(crate) fn unit(word: u32) -> f32 {
    (word >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// Cuts `start .. start + out.len()` into blocks; `make` fills a whole block, of which the wanted part is kept.
macro_rules! by_block {
    ($stream:expr, $start:expr, $out:expr, $zero:expr, |$words:ident, $made:ident| $make:block) => {{
        let (mut index, skip) = ($start / BLOCK as u64, ($start % BLOCK as u64) as usize);
        let mut rest = $out;
        let mut from = skip;
        while !rest.is_empty() {
            let $words = block($stream, index);
            let take = (BLOCK - from).min(rest.len());
            let (now, later) = rest.split_at_mut(take);
            if let Ok($made) = <&mut [_; BLOCK]>::try_from(&mut *now) {
                $make
            } else {
                let mut whole = [$zero; BLOCK];
                {
                    let $made = &mut whole;
                    $make
                }
                now.copy_from_slice(&whole[from..from + take]);
            }
            rest = later;
            from = 0;
            index += 1;
        }
    }};
}

#[inline(always)]
pub(super) fn fill_u32(stream: &Stream, start: u64, out: &mut [u32]) {
    by_block!(stream, start, out, 0u32, |words, made| {
        *made = words;
    });
}

#[inline(always)]
pub(super) fn fill_uniform(stream: &Stream, start: u64, out: &mut [f32]) {
    by_block!(stream, start, out, 0f32, |words, made| {
        for (o, &w) in made.iter_mut().zip(&words) {
            *o = unit(w);
        }
    });
}

/// Box–Muller: the first half of a block's words gives the radii, the second the angles.
#[inline(always)]
pub(super) fn fill_normal(stream: &Stream, start: u64, out: &mut [f32]) {
    by_block!(stream, start, out, 0f32, |words, made| {
        let (low, high) = made.split_at_mut(BLOCK / 2);
        let (first, second) = words.split_at(BLOCK / 2);
        for i in 0..BLOCK / 2 {
            // 1 - u lies in (0, 1], whose logarithm is finite.
            let radius = (-2.0 * math::ln(1.0 - unit(first[i]))).sqrt();
            let (sin, cos) = math::sin_cos_turn(unit(second[i]));
            low[i] = radius * cos;
            high[i] = radius * sin;
        }
    });
}

/// Inverse distribution function: `√2 · erf⁻¹(u)` for u uniform within ±erf(√2).
///
/// The polynomial is the central branch of Giles, "Approximating the erfinv function" (2010), which covers the whole range here.
#[inline(always)]
pub(super) fn fill_truncated_normal(stream: &Stream, start: u64, out: &mut [f32]) {
    const ERF_SQRT_2: f32 = 0.954_499_7;
    by_block!(stream, start, out, 0f32, |words, made| {
        for (o, &word) in made.iter_mut().zip(&words) {
            // The centres of 2²⁴ equal intervals: symmetric, never an end.
            let centre = ((word >> 8) as i32 as f32 - 8_388_607.5) * (1.0 / 8_388_608.0);
            let u = centre * ERF_SQRT_2;
            let w = -math::ln((1.0 - u) * (1.0 + u)) - 2.5;
            let mut p = 2.810_226_4e-8;
            p = 3.432_739_4e-7 + p * w;
            p = -3.523_387_7e-6 + p * w;
            p = -4.391_506_5e-6 + p * w;
            p = 0.000_218_580_87 + p * w;
            p = -0.001_253_725 + p * w;
            p = -0.004_177_681_6 + p * w;
            p = 0.246_640_73 + p * w;
            p = 1.501_409_4 + p * w;
            let normal = std::f32::consts::SQRT_2 * (p * u);
            // Rounding must not leave the promised range.
            let normal = if normal > 2.0 { 2.0 } else { normal };
            *o = if normal < -2.0 { -2.0 } else { normal };
        }
    });
}
