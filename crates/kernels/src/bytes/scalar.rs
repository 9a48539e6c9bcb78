//! The loops of [`super`].

#[inline(always)]
pub(super) fn scale_u8(src: &[u8], scale: f32, offset: f32, dst: &mut [f32]) {
    for (d, &s) in dst.iter_mut().zip(src) {
        *d = f32::from(s) * scale + offset;
    }
}

/// Images on their way from memory while one is scaled.
const AHEAD: usize = 3;

/// Asks for every cache line of `bytes`.
#[inline(always)]
fn begin_to_load(bytes: &[u8]) {
    bytes.chunks(64).for_each(|line| crate::arch::prefetch(line.as_ptr()));
}

#[inline(always)]
pub(super) fn gather_u8(images: &[u8], item_len: usize, indices: &[u32], scale: f32, offset: f32, dst: &mut [f32]) {
    if item_len == 0 {
        return;
    }
    let count = images.len() / item_len;
    // In a new order each epoch, no image is where the processor expects it.
    let fetch = |indices: &[u32]| {
        if let Some(image) = indices.first().and_then(|&index| images.get(index as usize * item_len..)) {
            begin_to_load(&image[..item_len.min(image.len())]);
        }
    };
    (0..AHEAD.min(indices.len())).for_each(|i| fetch(&indices[i..]));
    for (i, (item, &index)) in dst.chunks_exact_mut(item_len).zip(indices).enumerate() {
        fetch(indices.get(i + AHEAD..).unwrap_or(&[]));
        let index = index as usize;
        assert!(index < count, "gather_u8: index {index} of {count} images");
        scale_u8(&images[index * item_len..][..item_len], scale, offset, item);
    }
}
