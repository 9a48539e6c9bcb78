//! Colours and alpha to grey.

use super::rows::{Layout, Planes, Shrink};
use crate::picture::Ground;
use image::DynamicImage;

/// Colours closer than this, in grey levels, count as one ink.
const UNIFORM: f64 = 12.0;

/// Luminance and alpha of an image, each square of `factor × factor` pixels as one.
pub(super) fn planes(image: DynamicImage, factor: usize) -> Planes {
    let size = (image.width() as usize, image.height() as usize);
    let color = image.color();
    let channels = usize::from(color.channel_count());
    let mut shrink = Shrink::new(size, factor, color.has_alpha());
    let (mut grey, mut alpha) = (Vec::with_capacity(size.0), Vec::new());
    let floats = match &image {
        DynamicImage::ImageRgb32F(image) => Some(&image.as_raw()[..]),
        DynamicImage::ImageRgba32F(image) => Some(&image.as_raw()[..]),
        _ => None,
    };
    if let Some(values) = floats {
        let top = float_top(values.chunks_exact(channels).flat_map(|p| [p[0], p[1], p[2]]));
        for row in values.chunks_exact(channels * size.0) {
            let pixels = || row.chunks_exact(channels);
            grey.clear();
            grey.extend(pixels().map(|p| luma_float(p[0], p[1], p[2], top)));
            alpha.clear();
            alpha.extend(pixels().filter_map(|p| p.get(3)).map(|a| (a.clamp(0.0, 1.0) * 255.0).round() as u8));
            shrink.row(&grey, &alpha);
        }
        return shrink.planes();
    }
    let wide = usize::from(color.bytes_per_pixel()) == 2 * channels;
    let layout = Layout { channels, wide: wide.then_some(u16::from_ne_bytes) };
    for row in image.as_bytes().chunks_exact(layout.bytes() * size.0) {
        layout.grey(row, &mut grey, &mut alpha);
        shrink.row(&grey, &alpha);
    }
    shrink.planes()
}

/// Luminance `[height, width]`, laid on a fitting ground where it is transparent.
pub(super) fn flatten(planes: Planes) -> (Vec<u8>, Ground) {
    let Planes { mut grey, alpha, .. } = planes;
    let ground = alpha.map_or(Ground::Opaque, |alpha| composite(&mut grey, &alpha));
    (grey, ground)
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

fn luma_float(r: f32, g: f32, b: f32, top: f32) -> u8 {
    // `as` turns NaN into 0 and clamps the rest.
    ((0.299 * r + 0.587 * g + 0.114 * b) / top * 255.0).round() as u8
}

/// Lays `grey` on the ground on which the drawing can be seen.
///
/// White, as a viewer shows it — unless the visible pixels all have one colour, so that the drawing is in the alpha channel
/// alone: then whichever of white and black is further from that colour.
fn composite(grey: &mut [u8], alpha: &[u8]) -> Ground {
    if alpha.iter().all(|&a| a == 255) {
        return Ground::Opaque;
    }
    if alpha.iter().all(|&a| a == 0) {
        let first = grey.first().copied().unwrap_or(0);
        if grey.iter().any(|&g| g.abs_diff(first) as f64 > UNIFORM) {
            return Ground::IgnoredAlpha;
        }
    }
    let ground = match ink(grey, alpha) {
        Some((mean, deviation)) if deviation < UNIFORM && mean > 127.5 => Ground::Black,
        _ => Ground::White,
    };
    let under = if ground == Ground::Black { 0 } else { 255 };
    for (g, &a) in grey.iter_mut().zip(alpha) {
        let (a, over) = (u32::from(a), u32::from(*g));
        *g = ((over * a + under * (255 - a) + 127) / 255) as u8;
    }
    ground
}

/// Mean and standard deviation of what is visible, weighted by alpha; `None` when nothing is.
fn ink(grey: &[u8], alpha: &[u8]) -> Option<(f64, f64)> {
    let (mut weight, mut sum, mut squares) = (0u64, 0u64, 0u64);
    for (&g, &a) in grey.iter().zip(alpha) {
        let (g, a) = (u64::from(g), u64::from(a));
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
        assert_eq!(luma_float(f32::NAN, 0.0, 0.0, 1.0), 0);
        assert_eq!(luma_float(1.0, 1.0, 1.0, 1.0), 255);
    }

    fn laid(grey: &[u8], alpha: &[u8]) -> (Vec<u8>, Ground) {
        let mut grey = grey.to_vec();
        let ground = composite(&mut grey, alpha);
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
