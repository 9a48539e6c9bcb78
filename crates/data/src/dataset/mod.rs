//! [`Dataset`]: images and labels in memory, shared between its subsets.

mod fingerprint;
mod gather;
mod splits;
mod statistics;

use std::fmt;
use std::sync::Arc;

pub use fingerprint::fingerprint;
pub use splits::Splits;
pub use statistics::Statistics;

use crate::error::DataError;
use maobi_kernels::rng::shuffle_indices;

/// Labelled images of one size.
///
/// Pixels are `u8`, laid out `[count, height, width, channels]`, and are never scaled here. Cloning, [`take`](Self::take),
/// [`subset`](Self::subset) and the splits share them.
#[derive(Clone)]
pub struct Dataset {
    name: Arc<str>,
    /// `[stored, height, width, channels]`: those of the data set this one was cut from.
    pixels: Arc<Vec<u8>>,
    /// `[stored]`, each below `class_names.len()`.
    labels: Arc<Vec<u32>>,
    shape: [usize; 3],
    class_names: Arc<[String]>,
    rows: Rows,
}

/// Which of the stored images are part of the set.
#[derive(Clone)]
pub(crate) enum Rows {
    /// `count` images from `start` on.
    Range { start: usize, count: usize },
    /// These, in this order.
    Picked(Arc<Vec<u32>>),
}

impl Dataset {
    /// Makes a data set.
    ///
    /// * `images`: `[labels.len(), height, width, channels]`, one byte a value.
    /// * `labels`: `[count]`, each the index of a name in `class_names`.
    /// * `shape`: `[height, width, channels]`, none zero.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when the sizes do not fit, a side is zero or a label has no class name.
    pub fn new(
        name: impl Into<String>,
        images: Vec<u8>,
        labels: Vec<u32>,
        shape: [usize; 3],
        class_names: Vec<String>,
    ) -> Result<Self, DataError> {
        let name = name.into();
        let [height, width, channels] = shape;
        if shape.contains(&0) {
            return Err(DataError::invalid(&name, "height, width and channels of at least 1", format!("{shape:?}")));
        }
        let pixels = height.checked_mul(width).and_then(|n| n.checked_mul(channels)).and_then(|n| n.checked_mul(labels.len()));
        if pixels != Some(images.len()) {
            let expected = format!("{} images of {height} x {width} x {channels} bytes, one for each label", labels.len());
            return Err(DataError::invalid(&name, expected, format!("{} bytes", images.len())));
        }
        if u32::try_from(labels.len()).is_err() {
            return Err(DataError::invalid(&name, "at most 4294967295 images", labels.len()));
        }
        if let Some((at, &label)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= class_names.len()) {
            let expected = format!("labels below {}, the number of class names", class_names.len());
            return Err(DataError::invalid(&name, expected, format!("label {label} on image {at}")));
        }
        let rows = Rows::Range { start: 0, count: labels.len() };
        Ok(Dataset {
            name: name.into(),
            pixels: Arc::new(images),
            labels: Arc::new(labels),
            shape,
            class_names: class_names.into(),
            rows,
        })
    }

    /// What the data set is called in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same images under another name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into().into();
        self
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Range { count, .. } => *count,
            Rows::Picked(rows) => rows.len(),
        }
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[height, width, channels]` of every image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Bytes in one image: height · width · channels.
    pub fn item_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of classes, those without an image included.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// Names of the classes, by label.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Pixels of image `index`, `[height, width, channels]`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> &[u8] {
        let row = self.row(index);
        let item = self.item_len();
        &self.pixels[row * item..(row + 1) * item]
    }

    /// Label of image `index`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn label(&self, index: usize) -> u32 {
        self.labels[self.row(index)]
    }

    /// The labels in order, `[len]`.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        (0..self.len()).map(|index| self.label(index))
    }

    /// Images and labels in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u32)> + '_ {
        (0..self.len()).map(|index| (self.image(index), self.label(index)))
    }

    /// All pixels, `[len, height, width, channels]`, when they lie one after another; `None` for a set of picked images.
    pub fn contiguous_pixels(&self) -> Option<&[u8]> {
        let item = self.item_len();
        match &self.rows {
            Rows::Range { start, count } => Some(&self.pixels[start * item..(start + count) * item]),
            Rows::Picked(_) => None,
        }
    }

    /// All labels, `[len]`, when they lie one after another; `None` for a set of picked images.
    pub fn contiguous_labels(&self) -> Option<&[u32]> {
        match &self.rows {
            Rows::Range { start, count } => Some(&self.labels[*start..start + count]),
            Rows::Picked(_) => None,
        }
    }

    /// The first `limit` images, or all when there are fewer. No pixel is copied.
    #[must_use]
    pub fn take(&self, limit: usize) -> Self {
        self.range(0, limit.min(self.len()))
    }

    /// The images at `indices`, in that order; an index may occur more than once. No pixel is copied.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when an index is not below [`len`](Self::len).
    pub fn subset(&self, indices: &[u32]) -> Result<Self, DataError> {
        if let Some(&bad) = indices.iter().find(|index| **index as usize >= self.len()) {
            return Err(DataError::invalid(&self.name, format!("indices below {}", self.len()), bad));
        }
        let picked = indices.iter().map(|&index| self.row(index as usize) as u32).collect();
        Ok(Dataset { rows: Rows::Picked(Arc::new(picked)), ..self.clone() })
    }

    /// At most `most` images, drawn by `seed`; all of them, as they are, where there are no more. No pixel is copied.
    #[must_use]
    pub fn drawn(&self, most: usize, seed: u64) -> Self {
        if self.len() <= most {
            return self.clone();
        }
        let mut order = vec![0; self.len()];
        shuffle_indices(seed, 0, &mut order);
        let picked = order[..most].iter().map(|&index| self.row(index as usize) as u32).collect();
        Dataset { rows: Rows::Picked(Arc::new(picked)), ..self.clone() }
    }

    /// The first `count` images, and the rest: the published networks validate on the first 5,000. No pixel is copied.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when there are fewer than `count` images.
    pub fn split_head(&self, count: usize) -> Result<(Self, Self), DataError> {
        if count > self.len() {
            return Err(DataError::invalid(&self.name, format!("at least {count} images to split off"), self.len()));
        }
        Ok((self.range(0, count), self.range(count, self.len() - count)))
    }

    /// All but the last `fraction` of the images, and those last ones, cut where Keras' `validation_split` cuts:
    /// at `⌊len · (1 − fraction)⌋` (`train_validation_split` in keras/src/trainers/data_adapters/array_slicing.py). No pixel is copied.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when `fraction` is not strictly between 0 and 1, or one side would be empty.
    pub fn split_tail(&self, fraction: f64) -> Result<(Self, Self), DataError> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(DataError::invalid("validation_split", "a fraction between 0 and 1", fraction));
        }
        let cut = (self.len() as f64 * (1.0 - fraction)).floor() as usize;
        if cut == 0 || cut == self.len() {
            let expected = "a fraction that leaves images on both sides";
            return Err(DataError::invalid("validation_split", expected, format!("{fraction} of {} images", self.len())));
        }
        Ok((self.range(0, cut), self.range(cut, self.len() - cut)))
    }

    /// Pixel range and class counts of the whole set: one pass over all pixels.
    pub fn statistics(&self) -> Statistics {
        Statistics::of(self)
    }

    /// `count` images from `start` on; the callers have checked both.
    fn range(&self, start: usize, count: usize) -> Self {
        let rows = match &self.rows {
            Rows::Range { start: first, .. } => Rows::Range { start: first + start, count },
            Rows::Picked(rows) => Rows::Picked(Arc::new(rows[start..start + count].to_vec())),
        };
        Dataset { rows, ..self.clone() }
    }

    /// Where image `index` is stored.
    fn row(&self, index: usize) -> usize {
        match &self.rows {
            Rows::Range { start, count } => {
                assert!(index < *count, "image {index} of {count}");
                start + index
            }
            Rows::Picked(rows) => rows[index] as usize,
        }
    }

    /// Which stored images are part of the set, for gathering.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The stored pixels, subsets' others included.
    pub(crate) fn stored_pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("len", &self.len())
            .field("shape", &self.shape)
            .field("classes", &self.classes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` images of 2 × 1 × 1, image `i` filled with `i`, label `i mod 3`.
    fn sample(count: usize) -> Dataset {
        let images = (0..count).flat_map(|i| [i as u8, i as u8]).collect();
        let labels = (0..count as u32).map(|i| i % 3).collect();
        Dataset::new("sample", images, labels, [2, 1, 1], vec!["a".into(), "b".into(), "c".into()]).unwrap()
    }

    fn firsts(set: &Dataset) -> Vec<u8> {
        set.iter().map(|(image, _)| image[0]).collect()
    }

    #[test]
    fn sizes_are_checked() {
        let names = || vec!["a".to_string()];
        let error = Dataset::new("x", vec![0; 5], vec![0, 0], [2, 1, 1], names()).unwrap_err();
        assert_eq!(error.to_string(), "x: expected 2 images of 2 x 1 x 1 bytes, one for each label, found 5 bytes");
        let error = Dataset::new("x", vec![0; 4], vec![0, 1], [2, 1, 1], names()).unwrap_err();
        assert_eq!(error.to_string(), "x: expected labels below 1, the number of class names, found label 1 on image 1");
        assert!(Dataset::new("x", vec![], vec![], [0, 1, 1], names()).is_err());
        assert!(Dataset::new("x", vec![0; 4], vec![0; 4], [usize::MAX, 2, 2], names()).is_err());
        assert!(Dataset::new("x", vec![], vec![], [1, 1, 1], names()).unwrap().is_empty());
    }

    #[test]
    fn splits_share_pixels_and_keep_order() {
        let set = sample(10);
        let (head, rest) = set.split_head(3).unwrap();
        assert_eq!((firsts(&head), firsts(&rest)), (vec![0, 1, 2], vec![3, 4, 5, 6, 7, 8, 9]));
        let (front, tail) = rest.split_tail(0.3).unwrap();
        assert_eq!((firsts(&front), firsts(&tail)), (vec![3, 4, 5, 6], vec![7, 8, 9]));
        assert_eq!(tail.labels().collect::<Vec<_>>(), [1, 2, 0]);
        assert!(std::ptr::eq(tail.stored_pixels(), set.stored_pixels()));
        assert_eq!(tail.contiguous_pixels().unwrap(), [7, 7, 8, 8, 9, 9]);
        assert_eq!(tail.contiguous_labels().unwrap(), [1, 2, 0]);
        assert!(set.split_head(11).is_err());
        for bad in [0.0, 1.0, -1.0, f64::NAN, 0.999] {
            assert!(set.split_tail(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keras_cuts_sixty_thousand_by_a_tenth_at_fifty_four_thousand() {
        let set = Dataset::new("n", vec![0; 60_000], vec![0; 60_000], [1, 1, 1], vec!["a".into()]).unwrap();
        let (front, tail) = set.split_tail(0.1).unwrap();
        assert_eq!((front.len(), tail.len()), (54_000, 6_000));
    }

    #[test]
    fn subsets_of_subsets_find_their_images() {
        let set = sample(10).split_head(2).unwrap().1;
        let picked = set.subset(&[7, 0, 0, 3]).unwrap();
        assert_eq!(firsts(&picked), [9, 2, 2, 5]);
        assert_eq!(picked.contiguous_pixels(), None);
        assert_eq!(firsts(&picked.take(2)), [9, 2]);
        assert_eq!(firsts(&picked.subset(&[3, 1]).unwrap()), [5, 2]);
        assert_eq!(firsts(&picked.split_head(1).unwrap().1), [2, 2, 5]);
        assert!(set.subset(&[8]).is_err());
    }

    #[test]
    fn what_is_drawn_is_each_once_and_the_seeds() {
        let set = sample(10);
        let drawn = set.drawn(4, 7);
        let mut images = firsts(&drawn);
        assert_eq!((firsts(&set.drawn(4, 7)), firsts(&set.drawn(10, 7))), (images.clone(), firsts(&set)));
        images.sort_unstable();
        images.dedup();
        assert_eq!(images.len(), 4);
    }

    #[test]
    #[should_panic(expected = "image 2 of 2")]
    fn a_range_guards_its_end() {
        let _ = sample(10).take(2).image(2);
    }
}
