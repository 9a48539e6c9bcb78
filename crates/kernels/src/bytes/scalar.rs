//! The loops of [`super`].

#[inline(always)]
pub(super) fn scale_u8(src: &[u8], scale: f32, offset: f32, dst: &mut [f32]) {
    for (d, &s) in dst.iter_mut().zip(src) {
        *d = f32::from(s) * scale + offset;
    }
}

#[inline(always)]
pub(super) fn gather_u8(images: &[u8], item_len: usize, indices: &[u32], scale: f32, offset: f32, dst: &mut [f32]) {
    if item_len == 0 {
        return;
    }
    let count = images.len() / item_len;
    for (item, &index) in dst.chunks_exact_mut(item_len).zip(indices) {
        let index = index as usize;
        assert!(index < count, "gather_u8: index {index} of {count} images");
        scale_u8(&images[index * item_len..][..item_len], scale, offset, item);
    }
}
