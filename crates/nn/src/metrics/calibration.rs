//! Whether probabilities are what they say.

/// Bins of [`Calibration`], as in the paper.
const BINS: usize = 15;

/// Expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3): answers are put into 15 bins of
/// equal width by their confidence; the error is the mean over the answers of how far, in their bin, the mean confidence is from the share
/// of right answers.
///
/// ```
/// let mut calibration = maobi_nn::metrics::Calibration::default();
/// // Sure at 0.9, and right three times in four.
/// [true, true, true, false].iter().for_each(|&right| calibration.add(0.9, right));
/// assert!((calibration.error() - 0.15).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    answers: u64,
    right: u64,
    confidence: f64,
}

impl Calibration {
    /// Adds an answer that was given with this confidence, 0 to 1.
    pub fn add(&mut self, confidence: f32, right: bool) {
        let confidence = if confidence.is_nan() { 0.0 } else { f64::from(confidence).clamp(0.0, 1.0) };
        // Bin m is ((m − 1) / M, m / M]; 0 belongs to the first.
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let bin = &mut self.bins[bin];
        bin.answers += 1;
        bin.right += u64::from(right);
        bin.confidence += confidence;
    }

    /// Answers seen.
    pub fn answers(&self) -> u64 {
        self.bins.iter().map(|bin| bin.answers).sum()
    }

    /// The expected calibration error, 0 to 1; 0 without answers.
    pub fn error(&self) -> f64 {
        let gaps: f64 = self.bins.iter().map(|bin| (bin.confidence - bin.right as f64).abs()).sum();
        gaps / self.answers().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_mean_gap_of_the_bins() {
        let mut calibration = Calibration::default();
        assert_eq!(calibration.error(), 0.0);
        // Two bins: (14/15, 1] with confidences of 1 and 0.95, one of two right; (7/15, 8/15] with 0.5, right.
        calibration.add(1.0, true);
        calibration.add(0.95, false);
        calibration.add(0.5, true);
        let by_hand = (2.0 / 3.0) * (0.975f64 - 0.5) + (1.0 / 3.0) * 0.5;
        // 0.95 as f32 differs from it by 2e-8.
        assert!((calibration.error() - by_hand).abs() < 1e-7);
        assert_eq!(calibration.answers(), 3);
    }

    #[test]
    fn gaps_within_a_bin_cancel_and_between_bins_do_not() {
        let (mut same, mut apart) = (Calibration::default(), Calibration::default());
        for (confidence, right) in [(0.95, true), (0.95, false)] {
            same.add(confidence, right);
        }
        for (confidence, right) in [(0.95, false), (0.05, true)] {
            apart.add(confidence, right);
        }
        assert!((same.error() - 0.45).abs() < 1e-7 && (apart.error() - 0.95).abs() < 1e-7);
    }

    #[test]
    fn edges_belong_to_the_lower_bin_and_nonsense_does_no_harm() {
        let mut calibration = Calibration::default();
        for confidence in [0.0, 1.0, -1.0, 2.0, f32::NAN] {
            calibration.add(confidence, true);
        }
        assert_eq!((calibration.bins[0].answers, calibration.bins[BINS - 1].answers), (3, 2));
        assert!(calibration.error().is_finite());
    }
}
