//! Pixels on their way into the input buffer: bytes to scaled f32.

mod scalar;

use crate::versions::kernels;

kernels! {
    /// `dst = src · scale + offset`, rounded after the product and after the sum (overwrites).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn scale_u8 / scale_u8_with(src: &[u8], scale: f32, offset: f32, dst: &mut [f32]) {
        assert_eq!(src.len(), dst.len(), "scale_u8: src and dst differ in length");
    }

    /// Image `indices[i]` of `images`, scaled as by [`scale_u8`], becomes item `i` of `dst` (overwrites).
    ///
    /// Shapes: `images` [count, item_len], `dst` [indices.len(), item_len].
    ///
    /// # Panics
    /// When `dst` has another length, or an index lies outside `images`.
    pub fn gather_u8 / gather_u8_with(
        images: &[u8], item_len: usize, indices: &[u32], scale: f32, offset: f32, dst: &mut [f32],
    ) {
        assert_eq!(
            indices.len().checked_mul(item_len), Some(dst.len()),
            "gather_u8: dst must hold {} items of {item_len}", indices.len()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa;

    #[test]
    fn every_instruction_set_scales_like_plain_arithmetic() {
        for isa in isa::available() {
            for len in (0..=65).chain([784, 3001]) {
                let src: Vec<u8> = (0..len).map(|i| (i * 37 % 256) as u8).collect();
                // Guard bands: the kernel sees the middle only.
                let mut dst = vec![f32::INFINITY; len + 16];
                scale_u8_with(isa, &src, 1.0 / 255.0, -0.5, &mut dst[8..8 + len]);
                for i in 0..len {
                    assert_eq!(dst[8 + i], f32::from(src[i]) * (1.0 / 255.0) + -0.5, "{isa} {len} {i}");
                }
                assert!(dst[..8].iter().chain(&dst[8 + len..]).all(|v| *v == f32::INFINITY));
            }
        }
    }

    #[test]
    fn items_are_gathered_in_the_order_of_the_indices() {
        let images: Vec<u8> = (0..4 * 3).collect();
        for isa in isa::available() {
            let mut dst = [9.0; 9];
            gather_u8_with(isa, &images, 3, &[3, 0, 3], 2.0, 1.0, &mut dst);
            assert_eq!(dst, [19.0, 21.0, 23.0, 1.0, 3.0, 5.0, 19.0, 21.0, 23.0]);
        }
    }

    #[test]
    #[should_panic(expected = "index 4")]
    fn an_index_outside_panics() {
        gather_u8(&[0; 12], 3, &[4], 1.0, 0.0, &mut [0.0; 3]);
    }
}
