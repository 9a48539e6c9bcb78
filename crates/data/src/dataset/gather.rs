//! Gathering the images of a batch as `f32`, by index.

use maobi_kernels::bytes::gather_u8;

use super::{Dataset, Rows};

/// Picked rows are looked up in groups of this many, on the stack.
const GROUP: usize = 64;

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
    use maobi_kernels::rng::shuffle_indices;

    #[test]
    fn ranges_and_picks_gather_alike() {
        let images: Vec<u8> = (0..200u32 * 6).map(|i| (i * 7 % 256) as u8).collect();
        let set = Dataset::new("s", images, (0..200).collect(), [2, 3, 1], (0..200).map(|i| i.to_string()).collect()).unwrap();
        let range = set.split_head(20).unwrap().1;
        let picked = set.subset(&(20..200).collect::<Vec<_>>()).unwrap();
        let mut order: Vec<u32> = (0..180).collect();
        shuffle_indices(1, 1, &mut order);
        for indices in order.chunks(150) {
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
