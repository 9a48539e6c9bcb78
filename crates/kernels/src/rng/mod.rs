//! Random numbers from a counter: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
//!
//! A [`Stream`] is a pure function of (seed, step, layer, sample); element `i` of it is a pure function of the stream and `i`, so a
//! mask or an initial weight does not depend on how the work was split or on the instruction set.
//!
//! Element order: the words come in blocks of [`BLOCK`] = 64, made by sixteen successive counters; element `i` is word `(i % 64) / 16`
//! of counter `16·(i / 64) + i % 16`, which lets a vector unit store them without a transposition.

pub(crate) mod scalar;

pub use scalar::{BLOCK, philox4x32_10};

use crate::versions::kernels;

/// One stream of random numbers; holds no state, so it can be shared and asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    pub(crate) key: [u32; 2],
    pub(crate) tail: [u32; 3],
}

/// The elements a stream has: 2³² counters of four words.
pub const LENGTH: u64 = 1 << 34;

impl Stream {
    /// The stream of (seed, step, layer, sample).
    ///
    /// Streams differ when any of seed, step (below 2³²), sample (below 2³²) or layer differs; larger steps and samples
    /// are folded in and differ with overwhelming probability.
    pub fn new(seed: u64, step: u64, layer: u64, sample: u64) -> Stream {
        // Layer 0 keeps the seed as the key; other layers get a key far away from it.
        let key = seed ^ if layer == 0 { 0 } else { mix(layer) };
        let folded = ((step >> 32) as u32) ^ ((sample >> 32) as u32).rotate_left(16);
        Stream { key: [key as u32, (key >> 32) as u32], tail: [sample as u32, step as u32, folded] }
    }

    /// Writes the uniformly distributed 32-bit words `start ..` of the stream to `out` (overwrites).
    ///
    /// # Panics
    /// When the range leaves the stream's [`LENGTH`].
    pub fn fill_u32(&self, start: u64, out: &mut [u32]) {
        fill_u32(self, start, out);
    }

    /// Writes the uniform numbers `start ..` in [0, 1), multiples of 2⁻²⁴, to `out` (overwrites).
    ///
    /// # Panics
    /// When the range leaves the stream's [`LENGTH`].
    pub fn fill_uniform(&self, start: u64, out: &mut [f32]) {
        fill_uniform(self, start, out);
    }

    /// Writes the standard normal numbers `start ..` to `out` (overwrites): Box–Muller, so none beyond ±5.9.
    ///
    /// # Panics
    /// When the range leaves the stream's [`LENGTH`].
    pub fn fill_normal(&self, start: u64, out: &mut [f32]) {
        fill_normal(self, start, out);
    }

    /// Writes the normal numbers `start ..` cut at ±2 to `out` (overwrites): Keras' `TruncatedNormal` of deviation 1.
    ///
    /// The cut narrows the deviation to 0.8796; it is not rescaled.
    ///
    /// # Panics
    /// When the range leaves the stream's [`LENGTH`].
    pub fn fill_truncated_normal(&self, start: u64, out: &mut [f32]) {
        fill_truncated_normal(self, start, out);
    }

    /// Element `i` of [`Stream::fill_u32`].
    pub fn u32_at(&self, i: u64) -> u32 {
        check_range(i, 1);
        let counter = (i / BLOCK as u64 * 16 + i % 16) as u32;
        let [a, b, c] = self.tail;
        philox4x32_10([counter, a, b, c], self.key)[(i % BLOCK as u64 / 16) as usize]
    }

    /// Element `i` of [`Stream::fill_uniform`].
    pub fn uniform_at(&self, i: u64) -> f32 {
        scalar::unit(self.u32_at(i))
    }
}

/// Writes a uniformly drawn permutation of `0 .. out.len()` to `out` (overwrites), a pure function of (seed, epoch, length).
///
/// Fisher–Yates with unbiased bounded draws (Lemire, "Fast Random Integer Generation in an Interval", 2019).
///
/// # Panics
/// When `out` is longer than `u32::MAX`.
pub fn shuffle_indices(seed: u64, epoch: u64, out: &mut [u32]) {
    assert!(u32::try_from(out.len()).is_ok(), "shuffle_indices: at most {} indices", u32::MAX);
    for (i, index) in (0u32..).zip(out.iter_mut()) {
        *index = i;
    }
    let mut draws = Draws::new(Stream::new(seed, epoch, SHUFFLE_LAYER, 0));
    for i in (1..out.len()).rev() {
        out.swap(i, draws.below(i as u32 + 1) as usize);
    }
}

/// No layer of a network has this number, so no dropout mask shares the words of a shuffle.
const SHUFFLE_LAYER: u64 = u64::MAX;

/// Successive words of a stream, for algorithms which reject some.
struct Draws {
    stream: Stream,
    next: u64,
    words: [u32; BLOCK],
}

impl Draws {
    fn new(stream: Stream) -> Draws {
        Draws { stream, next: 0, words: [0; BLOCK] }
    }

    fn word(&mut self) -> u32 {
        let i = self.next as usize % BLOCK;
        if i == 0 {
            self.stream.fill_u32(self.next % LENGTH, &mut self.words);
        }
        self.next += 1;
        self.words[i]
    }

    /// Uniform in `0 .. bound`, `bound` ≥ 1.
    fn below(&mut self, bound: u32) -> u32 {
        loop {
            let product = u64::from(self.word()) * u64::from(bound);
            // The low half of a fair draw is at least 2³² mod bound; the division is needed only for one draw in 2³² / bound.
            if product as u32 >= bound || product as u32 >= bound.wrapping_neg() % bound {
                return (product >> 32) as u32;
            }
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that moves close numbers far apart.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn check_range(start: u64, len: usize) {
    assert!(start <= LENGTH && len as u64 <= LENGTH - start, "a random stream has 2^34 elements; asked for {len} from {start}");
}

kernels! {
    /// [`Stream::fill_u32`] as a function.
    pub fn fill_u32 / fill_u32_with(stream: &Stream, start: u64, out: &mut [u32]) {
        check_range(start, out.len());
    }

    /// [`Stream::fill_uniform`] as a function.
    pub fn fill_uniform / fill_uniform_with(stream: &Stream, start: u64, out: &mut [f32]) {
        check_range(start, out.len());
    }

    /// [`Stream::fill_normal`] as a function.
    pub fn fill_normal / fill_normal_with(stream: &Stream, start: u64, out: &mut [f32]) {
        check_range(start, out.len());
    }

    /// [`Stream::fill_truncated_normal`] as a function.
    pub fn fill_truncated_normal / fill_truncated_normal_with(stream: &Stream, start: u64, out: &mut [f32]) {
        check_range(start, out.len());
    }
}

#[cfg(test)]
mod tests;
