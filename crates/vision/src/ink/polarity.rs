//! Is the ink darker or lighter than the ground?

use super::plane::{Plane, about, percentile};
use crate::resize::area;

/// Ink against ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// Dark ink on a light ground: paper.
    DarkInk,
    /// Light ink on a dark ground: blackboards, MNIST.
    LightInk,
}

/// A picture's middle that looks like the border to less than this share shows that the border is no ground but a table, a
/// frame, a wall: of even a fat digit's box a third is ground.
const SURROUND: f32 = 0.3;

/// Side of the coarse grid on which deviations are judged, and the reach of its blur.
const GRID: usize = 64;
const REACH: usize = 10;

/// Judges by the border, which is ground in nearly every picture; also whether it is.
///
/// Where the border is uneven (shadows, mixed frames) and lies between dark and light, the sparse strong deviations from the
/// surroundings are the ink; the edge of a shadow deviates as much to one side as to the other.
pub(super) fn judge(plane: &Plane) -> (Polarity, bool) {
    let (low, high) = span(&plane.values);
    let mut border = plane.border();
    let spread = percentile(&mut border, 0.9) - percentile(&mut border, 0.1);
    let ring = percentile(&mut border, 0.5);
    let place = (ring - low) / (high - low).max(1e-3);
    let uneven = spread > 0.2 * (high - low);
    let clear = if uneven { 0.15 } else { 0.4 };
    let light_border = place > 0.5;
    let deviates = || deviation(&plane.values, plane.width, plane.height) < 0.0;
    let dark = if place <= 1.0 - clear && place >= clear {
        deviates()
    } else if alike(plane, ring, if light_border { low } else { high }) < SURROUND {
        // The middle is the other way round; the ink may be either way.
        return (if deviates() { Polarity::DarkInk } else { Polarity::LightInk }, false);
    } else {
        light_border
    };
    (if dark { Polarity::DarkInk } else { Polarity::LightInk }, dark == light_border)
}

/// Which share of the picture's middle is closer to the border than to the other extreme.
fn alike(plane: &Plane, ring: f32, other: f32) -> f32 {
    let all = plane.middle().count();
    let like = plane.middle().filter(|v| (v - ring).abs() <= (v - other).abs()).count();
    if all == 0 { 1.0 } else { like as f32 / all as f32 }
}

/// Sum of the cubed deviations from the surroundings: negative where sparse strong ones are dark. What lies near the frame counts
/// less: table edges and fingers do.
fn deviation(values: &[f32], width: usize, height: usize) -> f32 {
    let scale = (width.max(height) as f64 / GRID as f64).max(1.0);
    let side = |n: usize| ((n as f64 / scale).round() as usize).max(1);
    let (w, h) = (side(width), side(height));
    let coarse = area(values, (width, height), (0.0, 0.0, width as f64, height as f64), (w, h));
    let mean = blur(&coarse, (w, h), REACH);
    let middle = |i: usize, n: usize| {
        let at = (i as f32 + 0.5) / n as f32;
        (4.0 * at.min(1.0 - at)).min(1.0)
    };
    let weighted = coarse.iter().zip(&mean).enumerate();
    weighted.map(|(i, (v, m))| (v - m).powi(3) * middle(i % w, w) * middle(i / w, h)).sum()
}

fn blur(cells: &[f32], (w, h): (usize, usize), reach: usize) -> Vec<f32> {
    let near = |i: usize, n: usize| i.saturating_sub(reach)..(i + reach + 1).min(n);
    let mean = |sum: f32, range: std::ops::Range<usize>| sum / range.len() as f32;
    let rows: Vec<f32> = (0..w * h).map(|i| mean(near(i % w, w).map(|x| cells[i / w * w + x]).sum(), near(i % w, w))).collect();
    (0..w * h).map(|i| mean(near(i / w, h).map(|y| rows[y * w + i % w]).sum(), near(i / w, h))).collect()
}

/// Darkest and lightest that count: the outermost 1 % are left out as noise, unless that leaves nothing but even ground.
pub(super) fn span(values: &[f32]) -> (f32, f32) {
    let mut found = (about(values, 0.01), about(values, 0.99));
    if found.1 - found.0 >= 2.0 * super::FAINT {
        return found;
    }
    let mut sorted = values.to_vec();
    for share in [0.001, 0.0] {
        found = (percentile(&mut sorted, share), percentile(&mut sorted, 1.0 - share));
        if found.1 - found.0 >= 2.0 * super::FAINT {
            break;
        }
    }
    found
}
