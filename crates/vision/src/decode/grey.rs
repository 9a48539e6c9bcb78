//! Luminance, and what a transparent picture is laid on.

use super::luma::luma;
use super::rows::{Layout, Planes, Shrink};
use crate::picture::Ground;
use image::DynamicImage;

/// Colors closer than this, in gray levels, count as one ink.
const UNIFORM: f64 = 12.0;

/// An image with `kept` values a pixel, each square of `factor × factor` pixels as one.
pub(super) fn planes(image: DynamicImage, factor: usize, kept: usize) -> Planes {
    let size = (image.width() as usize, image.height() as usize);
    let color = image.color();
    let channels = usize::from(color.channel_count());
    let mut shrink = Shrink::new(size, factor, kept, color.has_alpha());
    let (mut kept_of_row, mut alpha) = (Vec::with_capacity(size.0 * kept), Vec::new());
    let floats = match &image {
        DynamicImage::ImageRgb32F(image) => Some(&image.as_raw()[..]),
        DynamicImage::ImageRgba32F(image) => Some(&image.as_raw()[..]),
        _ => None,
    };
    if let Some(values) = floats {
        let top = float_top(values.chunks_exact(channels).flat_map(|p| [p[0], p[1], p[2]]));
        for row in values.chunks_exact(channels * size.0) {
            let pixels = || row.chunks_exact(channels);
            kept_of_row.clear();
            match kept {
                1 => kept_of_row.extend(pixels().map(|p| narrow_float(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2], top))),
                _ => kept_of_row.extend(pixels().flat_map(|p| [p[0], p[1], p[2]]).map(|v| narrow_float(v, top))),
            }
            alpha.clear();
            alpha.extend(pixels().filter_map(|p| p.get(3)).map(|a| (a.clamp(0.0, 1.0) * 255.0).round() as u8));
            shrink.row(&kept_of_row, &alpha);
        }
        return shrink.planes();
    }
    let wide = usize::from(color.bytes_per_pixel()) == 2 * channels;
    let layout = Layout { channels, wide: wide.then_some(u16::from_ne_bytes), kept };
    for row in image.as_bytes().chunks_exact(layout.bytes() * size.0) {
        layout.read(row, &mut kept_of_row, &mut alpha);
        shrink.row(&kept_of_row, &alpha);
    }
    shrink.planes()
}

/// `[height, width, kept]`, laid on a fitting ground where it is transparent.
pub(super) fn flatten(planes: Planes) -> (Vec<u8>, Ground) {
    let Planes { kept, mut values, alpha, .. } = planes;
    let ground = alpha.map_or(Ground::Opaque, |alpha| composite(&mut values, &alpha, kept));
    (values, ground)
}

/// What counts as white: float pictures hold 0…1 by convention, but 0…255 and 0…65535 are met as well.
fn float_top(values: impl Iterator<Item = f32>) -> f32 {
    let max = values.filter(|v| v.is_finite()).fold(0.0, f32::max);
    if max <= 1.0 {
        1.0
    } else if max <= 255.0 {
        255.0
    } else {
        max
    }
}

fn narrow_float(value: f32, top: f32) -> u8 {
    // `as` turns NaN into 0 and clamps the rest.
    (value / top * 255.0).round() as u8
}

/// Lays values, `kept` a pixel, on the ground on which the drawing can be seen.
///
/// White, as a viewer shows it — unless the visible pixels all have one color, so that the drawing is in the alpha channel
/// alone: then whichever of white and black is further from that color.
fn composite(values: &mut [u8], alpha: &[u8], kept: usize) -> Ground {
    if alpha.iter().all(|&a| a == 255) {
        return Ground::Opaque;
    }
    if alpha.iter().all(|&a| a == 0) {
        let first = values.chunks_exact(kept).next().map_or(0, luminance);
        if values.chunks_exact(kept).any(|pixel| f64::from(luminance(pixel).abs_diff(first)) > UNIFORM) {
            return Ground::IgnoredAlpha;
        }
    }
    let ground = match ink(values, alpha, kept) {
        Some((mean, deviation)) if deviation < UNIFORM && mean > 127.5 => Ground::Black,
        _ => Ground::White,
    };
    let under = if ground == Ground::Black { 0 } else { 255 };
    for (pixel, &a) in values.chunks_exact_mut(kept).zip(alpha) {
        for value in pixel {
            let (a, over) = (u32::from(a), u32::from(*value));
            *value = ((over * a + under * (255 - a) + 127) / 255) as u8;
        }
    }
    ground
}

/// Luminance of one value or of red, green and blue.
fn luminance(pixel: &[u8]) -> u8 {
    match *pixel {
        [r, g, b] => luma(r, g, b),
        _ => pixel.first().copied().unwrap_or(0),
    }
}

/// Mean and standard deviation of what is visible, weighted by alpha; `None` when nothing is.
fn ink(values: &[u8], alpha: &[u8], kept: usize) -> Option<(f64, f64)> {
    let (mut weight, mut sum, mut squares) = (0u64, 0u64, 0u64);
    for (pixel, &a) in values.chunks_exact(kept).zip(alpha) {
        let (g, a) = (u64::from(luminance(pixel)), u64::from(a));
        weight += a;
        sum += a * g;
        squares += a * g * g;
    }
    if weight == 0 {
        return None;
    }
    let mean = sum as f64 / weight as f64;
    let variance = squares as f64 / weight as f64 - mean * mean;
    Some((mean, variance.max(0.0).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_any_scale() {
        assert_eq!(float_top([0.2, f32::NAN, 0.9].into_iter()), 1.0);
        assert_eq!(float_top([0.2, f32::INFINITY, 200.0].into_iter()), 255.0);
        assert_eq!(float_top([4095.0].into_iter()), 4095.0);
        assert_eq!([f32::NAN, -1.0, 0.5, 1.0].map(|v| narrow_float(v, 1.0)), [0, 0, 128, 255]);
    }

    fn laid(grey: &[u8], alpha: &[u8]) -> (Vec<u8>, Ground) {
        let mut grey = grey.to_vec();
        let ground = composite(&mut grey, alpha, 1);
        (grey, ground)
    }

    #[test]
    fn alpha_over_white() {
        // Half-transparent black is mid-grey, whatever hides under fully transparent pixels.
        assert_eq!(laid(&[0, 0, 77], &[255, 128, 0]), (vec![0, 127, 255], Ground::White));
    }

    #[test]
    fn ink_only_in_alpha_stays_visible() {
        assert_eq!(laid(&[255, 255, 255], &[255, 128, 0]), (vec![255, 128, 0], Ground::Black));
        assert_eq!(laid(&[0, 0, 0], &[255, 128, 0]).1, Ground::White);
        // Light yellow: visible on black, not on white.
        assert_eq!(laid(&[226, 230, 0], &[255, 255, 0]).1, Ground::Black);
    }

    #[test]
    fn picture_with_round_corners_keeps_white() {
        assert_eq!(laid(&[250, 20, 240, 0], &[255, 255, 255, 0]), (vec![250, 20, 240, 255], Ground::White));
    }

    #[test]
    fn broken_alpha_is_ignored() {
        assert_eq!(laid(&[0, 255], &[0, 0]), (vec![0, 255], Ground::IgnoredAlpha));
        assert_eq!(laid(&[9, 9], &[0, 0]), (vec![255, 255], Ground::White));
        assert_eq!(laid(&[9, 9], &[255, 255]).1, Ground::Opaque);
    }
}
