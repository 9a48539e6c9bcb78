//! How much darker than its ground each pixel is, whatever the light.

use super::plane::{Plane, percentile};
use super::polarity::{self, Polarity};
use crate::resize::area;

/// Side of the coarse grid on which the ground is estimated.
const GRID: usize = 64;
/// Radius of the closing on that grid: strokes up to about a third of the picture are bridged.
const REACH: usize = 10;
/// A border that varies by less than this share of the contrast is taken for one even ground.
const EVEN: f32 = 0.12;

/// Ink strength `[height, width]`, 0 for ground, in grey levels; and the ground, as it looks in the plane.
pub(super) fn ink(plane: &Plane, polarity: Polarity) -> (Vec<f32>, Vec<f32>) {
    // From here on ink is dark.
    let dark: Vec<f32> = match polarity {
        Polarity::DarkInk => plane.values.clone(),
        Polarity::LightInk => plane.values.iter().map(|v| 255.0 - v).collect(),
    };
    let seen = |mut ground: Vec<f32>| {
        if polarity == Polarity::LightInk {
            ground.iter_mut().for_each(|v| *v = 255.0 - *v);
        }
        ground
    };
    let (low, high) = polarity::span(&dark);
    let contrast = high - low;
    let mut border = plane.border();
    if polarity == Polarity::LightInk {
        border.iter_mut().for_each(|v| *v = 255.0 - *v);
    }
    let spread = percentile(&mut border, 0.95) - percentile(&mut border, 0.05);
    if spread <= EVEN * contrast {
        let ground = percentile(&mut border, 0.5);
        let ink = dark.iter().map(|v| (ground - v).max(0.0)).collect();
        return (ink, seen(vec![ground; dark.len()]));
    }
    let ground = closing(&dark, plane.width, plane.height);
    // Light falls on paper as a factor: dividing by it makes ink in the shadow as strong as ink in the sun. A dark ground
    // shows little of the light, there the difference is all there is.
    let bright = percentile(&mut ground.clone(), 0.95);
    let gain = |g: f32| if polarity == Polarity::DarkInk { bright / g.max(bright / 4.0).max(1.0) } else { 1.0 };
    let ink = dark.iter().zip(&ground).map(|(v, &g)| (g - v).max(0.0) * gain(g)).collect();
    (ink, seen(ground))
}

/// Ground without ink: a closing (largest, then smallest value around) on a coarse grid, smoothed and enlarged again.
fn closing(dark: &[f32], width: usize, height: usize) -> Vec<f32> {
    let scale = (width.max(height) as f64 / GRID as f64).max(1.0);
    let side = |n: usize| ((n as f64 / scale).round() as usize).max(1);
    let (w, h) = (side(width), side(height));
    let coarse = area(dark, (width, height), (0.0, 0.0, width as f64, height as f64), (w, h));
    let grown = around(&coarse, (w, h), REACH, |a, b| a.max(b));
    let closed = around(&grown, (w, h), REACH, |a, b| a.min(b));
    let smooth = blur(&closed, (w, h), 1);
    let column: Vec<_> = (0..width).map(|x| between(x, width, w)).collect();
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        let (top, bottom, v) = between(y, height, h);
        out.extend(column.iter().map(|&(left, right, u)| {
            let upper = smooth[top * w + left] * (1.0 - u) + smooth[top * w + right] * u;
            let lower = smooth[bottom * w + left] * (1.0 - u) + smooth[bottom * w + right] * u;
            upper * (1.0 - v) + lower * v
        }));
    }
    out
}

/// Sum of the cubed deviations from the surroundings: negative where sparse strong ones are dark.
pub(super) fn deviation(values: &[f32], width: usize, height: usize) -> f32 {
    let scale = (width.max(height) as f64 / GRID as f64).max(1.0);
    let side = |n: usize| ((n as f64 / scale).round() as usize).max(1);
    let (w, h) = (side(width), side(height));
    let coarse = area(values, (width, height), (0.0, 0.0, width as f64, height as f64), (w, h));
    let mean = blur(&coarse, (w, h), REACH);
    coarse.iter().zip(&mean).map(|(v, m)| (v - m).powi(3)).sum()
}

/// The coarse cells on both sides of a fine one, and the share of the second.
fn between(i: usize, fine: usize, coarse: usize) -> (usize, usize, f32) {
    let place = ((i as f32 + 0.5) * coarse as f32 / fine as f32 - 0.5).clamp(0.0, coarse as f32 - 1.0);
    (place as usize, (place as usize + 1).min(coarse - 1), place.fract())
}

/// Folds each cell's square neighbourhood, rows then columns.
fn around(cells: &[f32], (w, h): (usize, usize), reach: usize, fold: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let near = |i: usize, n: usize| i.saturating_sub(reach)..(i + reach + 1).min(n);
    let rows: Vec<f32> =
        (0..w * h).map(|i| near(i % w, w).map(|x| cells[i / w * w + x]).reduce(&fold).unwrap_or(cells[i])).collect();
    (0..w * h).map(|i| near(i / w, h).map(|y| rows[y * w + i % w]).reduce(&fold).unwrap_or(rows[i])).collect()
}

fn blur(cells: &[f32], (w, h): (usize, usize), reach: usize) -> Vec<f32> {
    let sums = around(cells, (w, h), reach, |a, b| a + b);
    let count = |i: usize, n: usize| ((i + reach + 1).min(n) - i.saturating_sub(reach)) as f32;
    sums.iter().enumerate().map(|(i, sum)| sum / (count(i % w, w) * count(i / w, h))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Picture;
    use crate::preprocess::Rect;

    #[test]
    fn a_slope_of_light_is_no_ink() {
        // Light falls from 230 to 90 over the width; a bar takes 60 % of the light away everywhere.
        let bar = |x: usize, y: usize| (95..105).contains(&y) && (40..160).contains(&x);
        let light = |x: usize| 230.0 - 140.0 * x as f32 / 199.0;
        let grey = (0..200 * 200).map(|i| (light(i % 200) * if bar(i % 200, i / 200) { 0.4 } else { 1.0 }) as u8).collect();
        let picture = Picture::from_grey(200, 200, grey).unwrap();
        let plane = Plane::new(&picture, Rect { x: 0, y: 0, width: 200, height: 200 }, 320);
        let (ink, _) = ink(&plane, Polarity::DarkInk);
        let at = |x: usize, y: usize| ink[y * 200 + x];
        // The coarse grid's smoothing errs by a few levels at the frame.
        assert!(at(20, 20) < 25.0 && at(180, 180) < 25.0, "{} {}", at(20, 20), at(180, 180));
        assert!((at(50, 100) - at(150, 100)).abs() < 25.0, "{} {}", at(50, 100), at(150, 100));
        assert!(at(50, 100) > 100.0, "{}", at(50, 100));
    }
}
