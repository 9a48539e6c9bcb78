//! Padded copies of a sample, for windows to slide over.

use super::shape::{Conv2dShape, Padding};
use std::ops::Range;

/// The sample with zeros around it; the sample itself where there are none.
pub(super) fn padded_input<'a>(shape: &Conv2dShape, x: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
    if shape.pad == Padding::default() {
        return x;
    }
    let pitch = shape.padded_w() * shape.c_in;
    let image = &mut scratch[..shape.padded_h() * pitch];
    place_rows(x, shape.w * shape.c_in, image, pitch, (shape.pad.top, shape.pad.left * shape.c_in));
    image
}

/// Copies rows of `row_len` elements into an image with rows of `pitch`, from row `top` and element `left` on; the rest of
/// the image is 0.
pub(super) fn place_rows(x: &[f32], row_len: usize, image: &mut [f32], pitch: usize, (top, left): (usize, usize)) {
    let (above, body) = image.split_at_mut(top * pitch);
    above.fill(0.0);
    for (source, row) in x.chunks_exact(row_len).zip(body.chunks_exact_mut(pitch)) {
        row[..left].fill(0.0);
        row[left..left + row_len].copy_from_slice(source);
        row[left + row_len..].fill(0.0);
    }
    body[x.len() / row_len * pitch..].fill(0.0);
}

/// Rows and columns of the image that [`padded_gradient`] makes.
pub(super) fn gradient_size(shape: &Conv2dShape) -> (usize, usize) {
    (shape.h + (shape.kh - 1) * shape.dilation.0, shape.w + (shape.kw - 1) * shape.dilation.1)
}

/// Its rows and columns that are not padding.
pub(super) fn gradient_inner(shape: &Conv2dShape) -> (Range<usize>, Range<usize>) {
    let range = |size: usize, input: usize, pad: usize, outputs: usize, stride: usize| {
        let (margin, span) = (size - input, (outputs.max(1) - 1) * stride + 1);
        margin.saturating_sub(pad)..(margin + span).saturating_sub(pad).min(size)
    };
    let (height, width) = gradient_size(shape);
    let rows = range(height, shape.h, shape.pad.top, shape.out_h(), shape.stride.0);
    (rows, range(width, shape.w, shape.pad.left, shape.out_w(), shape.stride.1))
}

/// The output gradient, spread out by the stride, with the zeros around it that make every window of the flipped kernel
/// whole.
pub(super) fn padded_gradient<'a>(shape: &Conv2dShape, dy: &[f32], scratch: &'a mut [f32]) -> &'a [f32] {
    let (height, width) = gradient_size(shape);
    let (pitch, c) = (width * shape.c_out, shape.c_out);
    let image = &mut scratch[..height * pitch];
    image.fill(0.0);
    let (top, left) = ((shape.kh - 1) * shape.dilation.0, (shape.kw - 1) * shape.dilation.1);
    for (y, row) in dy.chunks_exact(shape.out_w() * c).enumerate() {
        let Some(to_y) = place(y, shape.stride.0, top, shape.pad.top, height) else { continue };
        let target = &mut image[to_y * pitch..][..pitch];
        if shape.stride.1 == 1 && left >= shape.pad.left && left - shape.pad.left + shape.out_w() <= width {
            target[(left - shape.pad.left) * c..][..row.len()].copy_from_slice(row);
            continue;
        }
        for (x, pixel) in row.chunks_exact(c).enumerate() {
            let Some(to_x) = place(x, shape.stride.1, left, shape.pad.left, width) else { continue };
            target[to_x * c..][..c].copy_from_slice(pixel);
        }
    }
    image
}

/// Output `at` belongs at `at · stride + margin - pad`, as far as that is inside.
fn place(at: usize, stride: usize, margin: usize, pad: usize, size: usize) -> Option<usize> {
    (at * stride + margin).checked_sub(pad).filter(|&to| to < size)
}
