//! [`Statistics`]: what `maobi data info` prints and what the guard rails look at.

use super::Dataset;

/// Pixel range and class counts of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Darkest pixel; 0 for an empty set.
    pub min: u8,
    /// Brightest pixel; 0 for an empty set.
    pub max: u8,
    /// Mean of all pixels in [0, 255]; 0 for an empty set. MNIST's training part has 33.32.
    pub mean: f64,
    /// Standard deviation of all pixels; 0 for an empty set.
    pub std: f64,
    /// Images of each class, `[classes]`.
    pub class_counts: Vec<usize>,
}

impl Statistics {
    /// One pass over all pixels.
    pub(super) fn of(set: &Dataset) -> Self {
        let mut histogram = [0u64; 256];
        let mut class_counts = vec![0; set.classes()];
        for (image, label) in set.iter() {
            image.iter().for_each(|&pixel| histogram[usize::from(pixel)] += 1);
            class_counts[label as usize] += 1;
        }
        let count: u64 = histogram.iter().sum();
        let present = || (0u8..=255).zip(histogram).filter(|(_, n)| *n > 0);
        let sum: f64 = present().map(|(value, n)| f64::from(value) * n as f64).sum();
        let mean = if count == 0 { 0.0 } else { sum / count as f64 };
        let squares: f64 = present().map(|(value, n)| (f64::from(value) - mean).powi(2) * n as f64).sum();
        Statistics {
            min: present().next().map_or(0, |(value, _)| value),
            max: present().next_back().map_or(0, |(value, _)| value),
            mean,
            std: if count == 0 { 0.0 } else { (squares / count as f64).sqrt() },
            class_counts,
        }
    }

    /// Whether the pictures are dark strokes on a bright ground, the opposite of MNIST: their mean is above 127.
    pub fn looks_inverted(&self) -> bool {
        self.mean > 127.0
    }

    /// Whether every pixel has one value: nothing can be learnt from that.
    pub fn is_constant(&self) -> bool {
        self.min == self.max
    }

    /// Labels of the classes without an image.
    pub fn empty_classes(&self) -> impl Iterator<Item = usize> + '_ {
        self.class_counts.iter().enumerate().filter(|(_, count)| **count == 0).map(|(label, _)| label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let names = vec!["a".into(), "b".into(), "c".into()];
        let set = Dataset::new("s", vec![10, 20, 200, 250], vec![2, 0], [2, 1, 1], names).unwrap();
        let found = set.statistics();
        assert_eq!((found.min, found.max, found.mean), (10, 250, 120.0));
        assert!((found.std - (45400.0f64 / 4.0).sqrt()).abs() < 1e-12, "{}", found.std);
        assert_eq!(found.class_counts, [1, 0, 1]);
        assert_eq!(found.empty_classes().collect::<Vec<_>>(), [1]);
        assert!(!found.looks_inverted() && !found.is_constant());
        assert!(set.subset(&[1]).unwrap().statistics().looks_inverted());
    }

    #[test]
    fn an_empty_set_has_zeros() {
        let set = Dataset::new("s", vec![], vec![], [2, 1, 1], vec!["a".into()]).unwrap();
        let found = set.statistics();
        assert_eq!((found.min, found.max, found.mean, found.std), (0, 0, 0.0, 0.0));
    }
}
