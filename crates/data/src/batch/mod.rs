//! Batches: an index order drawn from (seed, epoch), and the gathering of its images as `f32`.

use maobi_kernels::bytes::gather_u8;
use maobi_kernels::rng::shuffle_indices;

use crate::dataset::{Dataset, Rows};
use crate::error::DataError;

/// Picked rows are looked up in groups of this many, on the stack.
const GROUP: usize = 64;

/// The order in which an epoch visits the images of a data set, cut into batches; the last, short one counts.
///
/// Made once: a new epoch only writes a new order.
#[derive(Clone, Debug)]
pub struct Batches {
    order: Vec<u32>,
    batch_size: usize,
}

impl Batches {
    /// Batches of `batch_size` over `len` images, in the order of the data set until [`shuffle`](Self::shuffle) is called.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when `batch_size` is zero or `len` beyond `u32`.
    pub fn new(len: usize, batch_size: usize) -> Result<Self, DataError> {
        if batch_size == 0 {
            return Err(DataError::invalid("batch_size", "at least 1", 0));
        }
        let len = u32::try_from(len).map_err(|_| DataError::invalid("data set", "at most 4294967295 images", len))?;
        Ok(Batches { order: (0..len).collect(), batch_size })
    }

    /// Draws the order of `epoch` (counted from 0): the same for the same seed, epoch and length, whatever came before.
    pub fn shuffle(&mut self, seed: u64, epoch: u64) {
        shuffle_indices(seed, epoch, &mut self.order);
    }

    /// Images in all.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Images in every batch but perhaps the last.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Number of batches, the last, short one included: ⌈len / batch_size⌉.
    pub fn count(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Indices of the images of batch `index`; empty when there is no such batch.
    pub fn get(&self, index: usize) -> &[u32] {
        let start = index.saturating_mul(self.batch_size).min(self.order.len());
        let end = start.saturating_add(self.batch_size).min(self.order.len());
        &self.order[start..end]
    }

    /// The batches in turn: indices of their images.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.order.chunks(self.batch_size)
    }
}

impl Dataset {
    /// Writes `pixel · scale + offset` of the images at `indices` to `out`, `[indices.len(), height, width, channels]` (overwrites).
    /// Allocates nothing.
    ///
    /// # Panics
    /// When `out` has another length, or an index is not below [`len`](Self::len).
    pub fn gather(&self, indices: &[u32], scale: f32, offset: f32, out: &mut [f32]) {
        let item = self.item_len();
        assert_eq!(out.len(), indices.len() * item, "gather: out must hold {} images of {item}", indices.len());
        match self.rows() {
            Rows::Range { start, count } => {
                let pixels = &self.stored_pixels()[start * item..(start + count) * item];
                gather_u8(pixels, item, indices, scale, offset, out);
            }
            Rows::Picked(rows) => {
                let mut group = [0u32; GROUP];
                for (indices, out) in indices.chunks(GROUP).zip(out.chunks_mut(GROUP * item)) {
                    let stored = &mut group[..indices.len()];
                    stored.iter_mut().zip(indices).for_each(|(row, &index)| *row = rows[index as usize]);
                    gather_u8(self.stored_pixels(), item, stored, scale, offset, out);
                }
            }
        }
    }

    /// Writes the labels of the images at `indices` to `out`, `[indices.len()]` (overwrites). Allocates nothing.
    ///
    /// # Panics
    /// When `out` has another length, or an index is not below [`len`](Self::len).
    pub fn gather_labels(&self, indices: &[u32], out: &mut [u32]) {
        assert_eq!(out.len(), indices.len(), "gather_labels: out must hold one label for each index");
        out.iter_mut().zip(indices).for_each(|(label, &index)| *label = self.label(index as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_batch_is_short_and_counts() {
        let batches = Batches::new(10, 4).unwrap();
        assert_eq!((batches.count(), batches.len()), (3, 10));
        let all: Vec<&[u32]> = batches.iter().collect();
        assert_eq!(all, [&[0, 1, 2, 3][..], &[4, 5, 6, 7], &[8, 9]]);
        assert_eq!((batches.get(2), batches.get(3)), (&[8, 9][..], &[][..]));
        assert!(batches.get(usize::MAX).is_empty());
        assert_eq!(Batches::new(0, 4).unwrap().iter().len(), 0);
        assert_eq!(Batches::new(4, 0).unwrap_err().to_string(), "batch_size: expected at least 1, found 0");
    }

    #[test]
    fn an_order_depends_on_seed_and_epoch_alone() {
        let mut first = Batches::new(1000, 32).unwrap();
        let mut second = first.clone();
        first.shuffle(7, 3);
        (0..=3).for_each(|epoch| second.shuffle(7, epoch));
        assert!(first.iter().eq(second.iter()));
        second.shuffle(7, 4);
        assert!(!first.iter().eq(second.iter()));
        let mut sorted: Vec<u32> = first.iter().flatten().copied().collect();
        assert!(!sorted.is_sorted());
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..1000));
    }

    #[test]
    fn ranges_and_picks_gather_alike() {
        let images: Vec<u8> = (0..200u32 * 6).map(|i| (i * 7 % 256) as u8).collect();
        let set = Dataset::new("s", images, (0..200).collect(), [2, 3, 1], (0..200).map(|i| i.to_string()).collect()).unwrap();
        let range = set.split_head(20).unwrap().1;
        let picked = set.subset(&(20..200).collect::<Vec<_>>()).unwrap();
        let mut order = Batches::new(180, 150).unwrap();
        order.shuffle(1, 1);
        for indices in order.iter() {
            let (mut a, mut b) = (vec![0.0; indices.len() * 6], vec![0.0; indices.len() * 6]);
            range.gather(indices, 1.0 / 255.0, -0.5, &mut a);
            picked.gather(indices, 1.0 / 255.0, -0.5, &mut b);
            assert_eq!(a, b);
            let mut labels = vec![0; indices.len()];
            picked.gather_labels(indices, &mut labels);
            for (i, &index) in indices.iter().enumerate() {
                assert_eq!(labels[i], index + 20);
                let expected = f32::from(range.image(index as usize)[5]) / 255.0 - 0.5;
                // One rounding of the product, one of the sum, both of numbers below 1.
                assert!((a[i * 6 + 5] - expected).abs() <= 2.0 * f32::EPSILON);
            }
        }
    }

    #[test]
    #[should_panic(expected = "gather: out must hold 1 images of 4")]
    fn a_short_output_is_refused() {
        let set = Dataset::new("s", vec![0; 4], vec![0], [2, 2, 1], vec!["a".into()]).unwrap();
        set.gather(&[0], 1.0, 0.0, &mut [0.0; 3]);
    }
}
