//! The random numbers behind one picture: a counter hashed by SplitMix64.
//!
//! A picture has a stream of its own, named by (seed, place, purpose), so that images can be drawn in any order and on any thread.

/// The odd constant that SplitMix64 counts with (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser: a bijection of `u64` in which every input bit reaches every output bit.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One stream of random numbers.
pub(crate) struct Noise {
    state: u64,
    /// How far the shares of styles are evened out, 0 to 1.
    even: f32,
}

impl Noise {
    /// The stream of `seed` for the `place`-th thing of a `purpose`.
    pub(crate) fn new(seed: u64, place: u64, purpose: u64) -> Self {
        let keyed = mix(seed.wrapping_add(STEP)) ^ mix(place.wrapping_mul(STEP) ^ purpose.rotate_left(48));
        Self { state: mix(keyed), even: 0.0 }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn uniform(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.bits() >> 40) as f32 * (1.0 / (1u64 << 24) as f32);
        low + (high - low) * unit
    }

    /// About normal with mean 0 and the given standard deviation, never beyond 3.5 of them: the sum of four uniforms.
    ///
    /// Bounded on purpose: one wild draw in sixty thousand should not make an unreadable digit.
    pub(crate) fn normal(&mut self, deviation: f32) -> f32 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|lane| (bits >> (16 * lane)) & 0xFFFF).sum();
        // Four uniforms on [-1/2, 1/2] have variance 4/12.
        (sum as f32 / 65_535.0 - 2.0) * 3f32.sqrt() * deviation
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// The same stream with seldom styles more frequent: at 1 all are as frequent as each other.
    pub(crate) fn evened(self, even: f32) -> Self {
        Self { even, ..self }
    }

    /// A style: an index into `weights`, each drawn in proportion to its weight, evened out as the stream is told.
    pub(crate) fn style<const N: usize>(&mut self, weights: &[f32; N]) -> usize {
        let mean = weights.iter().sum::<f32>() / N as f32;
        let even = self.even;
        self.pick(&weights.map(|weight| weight + even * (mean - weight)))
    }

    /// An index into `weights`, each drawn in proportion to its weight.
    pub(crate) fn pick(&mut self, weights: &[f32]) -> usize {
        let mut left = self.uniform(0.0, weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_named_distributions() {
        let mut noise = Noise::new(1, 2, 3);
        let n = 20_000;
        let (mut mean, mut square, mut uniform) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let x = noise.normal(2.0);
            assert!(x.abs() <= 7.0, "{x} lies beyond 3.5 deviations");
            mean += x / n as f32;
            square += x * x / n as f32;
            uniform += noise.uniform(1.0, 3.0) / n as f32;
        }
        // Standard errors: 2/sqrt(n) = 0.014 for the mean, about 0.03 for the variance 4, 0.004 for the uniform.
        assert!(mean.abs() < 0.06, "mean {mean}");
        assert!((square - 4.0).abs() < 0.15, "variance {square}");
        assert!((uniform - 2.0).abs() < 0.02, "uniform {uniform}");
    }

    #[test]
    fn pick_follows_the_weights() {
        let mut noise = Noise::new(4, 0, 0);
        let mut seen = [0usize; 3];
        for _ in 0..10_000 {
            seen[noise.pick(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(seen[1], 0);
        // Deviation of the count is sqrt(10000 * 3/16) = 43.
        assert!(seen[0].abs_diff(2_500) < 200, "{seen:?}");
    }

    #[test]
    fn streams_differ_by_each_part_of_their_name() {
        let first = |seed, place, purpose| Noise::new(seed, place, purpose).bits();
        let base = first(7, 7, 7);
        assert_ne!(base, first(8, 7, 7));
        assert_ne!(base, first(7, 8, 7));
        assert_ne!(base, first(7, 7, 8));
        assert_eq!(base, first(7, 7, 7));
    }
}
