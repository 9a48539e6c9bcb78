//! How much darker than its ground each pixel is, whatever the light.

use super::morphology::closing;
use super::plane::{Plane, about, percentile};
use super::polarity::{self, Polarity};
use super::{FAINT, rules};

/// A border that varies by less than this share of the contrast is taken for one even ground.
const EVEN: f32 = 0.12;
/// Reaches of the closing, as shares of the longest side: strokes up to twice as wide stand out from it.
const REACHES: [f32; 5] = [0.02, 0.04, 0.08, 0.14, 0.22];
/// Ink of the smallest window that shows this share of what the best window shows is taken: the closer the ground, the less of
/// shadows and edges is taken for ink.
const ENOUGH: f32 = 0.85;

/// Ink and ground of a plane.
pub(super) struct Found {
    /// Ink strength `[height, width]`, 0 for ground, in grey levels.
    pub ink: Vec<f32>,
    /// The ground as it looks in the plane.
    pub ground: Vec<f32>,
    /// Standard deviation of the ground's grain, in grey levels of the ink.
    pub noise: f32,
    /// Whether there were ruled lines; they were taken out.
    pub rules: bool,
}

/// Separates ink from ground. `even` when the border shows the ground.
pub(super) fn separate(plane: &Plane, polarity: Polarity, border_is_ground: bool) -> Found {
    let size = (plane.width, plane.height);
    // From here on ink is dark.
    let turn = |v: f32| if polarity == Polarity::LightInk { 255.0 - v } else { v };
    let dark: Vec<f32> = plane.values.iter().map(|&v| turn(v)).collect();
    let (low, high) = polarity::span(&dark);
    let mut border: Vec<f32> = plane.border().into_iter().map(turn).collect();
    let spread = percentile(&mut border, 0.95) - percentile(&mut border, 0.05);
    let level = percentile(&mut border, 0.5);
    // Paper on a table of another shade: an even border, and little of it further in.
    let further_in = || plane.middle().filter(|&v| (turn(v) - level).abs() <= 0.25 * (high - low)).count();
    let even = border_is_ground && spread <= EVEN * (high - low) && further_in() * 10 >= plane.middle().count() * 3;
    let (ground, ink, noise, rules) = if even {
        let ground = vec![level; dark.len()];
        let (mut ink, noise) = above(&dark, &ground, 0.0, polarity);
        let rules = rules::find(&ink, size, weak(&ink, noise));
        rules::clear(&mut ink, &rules);
        (ground, ink, noise, !rules.is_empty())
    } else {
        closest(&dark, size, polarity)
    };
    Found { ink, ground: ground.into_iter().map(turn).collect(), noise, rules }
}

/// A ground that was tried.
struct Tried {
    ground: Vec<f32>,
    ink: Vec<f32>,
    noise: f32,
    energy: f32,
}

/// The ground of the smallest window that shows the ink, the ink above it, its noise, and whether there were ruled lines.
fn closest(dark: &[f32], size: (usize, usize), polarity: Polarity) -> (Vec<f32>, Vec<f32>, f32, bool) {
    let longest = size.0.max(size.1) as f32;
    let mut rules: Option<Vec<rules::Ruled>> = None;
    let mut one = |share: f32| {
        let reach = ((share * longest).round() as usize).max(2);
        let ground = closing(dark, size, reach);
        let grain: Vec<f32> = ground.iter().zip(dark).map(|(g, v)| g - v).collect();
        // The largest value in a window lies above the mean of a noisy ground.
        let bias = about(&grain, 0.5);
        let (mut ink, noise) = above(dark, &ground, bias, polarity);
        let weak = weak(&ink, noise);
        // Ruled lines are thin: the first window shows them best.
        let rules = rules.get_or_insert_with(|| rules::find(&ink, size, weak));
        rules::clear(&mut ink, rules);
        let energy = energy(&ink, size, weak);
        Tried { ground, ink, noise, energy }
    };
    // The first that shows enough is chosen. Drop those that cannot be: they show too little, or no more than an earlier one.
    let mut tried: Vec<Tried> = Vec::new();
    let mut most = 0.0f32;
    for share in REACHES {
        let next = one(share);
        most = most.max(next.energy);
        tried.retain(|t| t.energy >= ENOUGH * most);
        if tried.last().is_none_or(|last| next.energy > last.energy) {
            tried.push(next);
        }
    }
    let chosen = tried.iter().position(|t| t.energy >= ENOUGH * most).unwrap_or(0);
    let Tried { ground, ink, noise, .. } = tried.swap_remove(chosen);
    (ground, ink, noise, rules.is_some_and(|rules| !rules.is_empty()))
}

/// Ink above the ground less `bias`, and the noise of what is no ink.
fn above(dark: &[f32], ground: &[f32], bias: f32, polarity: Polarity) -> (Vec<f32>, f32) {
    // Light falls on paper as a factor: dividing by it makes ink in the shadow as strong as ink in the sun. A dark ground
    // shows little of the light, there the difference is all there is.
    let bright = about(ground, 0.95);
    let gain = |g: f32| if polarity == Polarity::DarkInk { bright / g.max(bright / 4.0).max(1.0) } else { 1.0 };
    let signed: Vec<f32> = dark.iter().zip(ground).map(|(v, &g)| (g - v - bias) * gain(g)).collect();
    let off: Vec<f32> = signed.iter().map(|v| v.abs()).collect();
    // Median of absolute deviations to standard deviation, for a normal distribution.
    let noise = 1.4826 * about(&off, 0.5);
    (signed.into_iter().map(|v| v.max(0.0)).collect(), noise)
}

/// The strength from which on something is there at all: above noise, and not much weaker than the strongest.
fn weak(ink: &[f32], noise: f32) -> f32 {
    let mut seen: Vec<f32> = ink.iter().copied().filter(|&v| v > (4.0 * noise).max(0.5 * FAINT)).collect();
    (0.2 * percentile(&mut seen, 0.95)).max(4.0 * noise).max(0.5 * FAINT)
}

/// Sum of the cubed ink (a faint blotch is large, a stroke is strong) of pieces that may be a drawing: less for those that touch the
/// frame, nothing for those that lie along it, as tables and shadows do.
fn energy(ink: &[f32], (w, h): (usize, usize), weak: f32) -> f32 {
    let mut seen: Vec<bool> = ink.iter().map(|&v| v <= weak).collect();
    let mut sum = 0.0;
    let mut piece = Vec::new();
    for start in 0..ink.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        piece.clear();
        piece.push(start);
        let (mut next, mut contact, mut cubes) = (0, 0, 0.0);
        while let Some(&i) = piece.get(next) {
            next += 1;
            cubes += ink[i].powi(3);
            let (x, y) = (i % w, i / w);
            let inside = [x > 0, x + 1 < w, y > 0, y + 1 < h];
            contact += usize::from(inside.contains(&false));
            for (_, j) in inside.into_iter().zip([i.wrapping_sub(1), i + 1, i.wrapping_sub(w), i + w]).filter(|p| p.0) {
                if !seen[j] {
                    seen[j] = true;
                    piece.push(j);
                }
            }
        }
        let along = contact * 10 > 2 * (w + h) && contact * contact > 2 * piece.len();
        sum += if contact == 0 {
            cubes
        } else if along {
            0.0
        } else {
            0.8 * cubes
        };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::Rect;
    use crate::picture::Picture;

    #[test]
    fn a_slope_of_light_is_no_ink() {
        // Light falls from 230 to 90 over the width; a bar takes 60 % of the light away everywhere.
        let bar = |x: usize, y: usize| (95..105).contains(&y) && (40..160).contains(&x);
        let light = |x: usize| 230.0 - 140.0 * x as f32 / 199.0;
        let grey = (0..200 * 200).map(|i| (light(i % 200) * if bar(i % 200, i / 200) { 0.4 } else { 1.0 }) as u8).collect();
        let picture = Picture::from_grey(200, 200, grey).unwrap();
        let plane = Plane::new(&picture, Rect { x: 0, y: 0, width: 200, height: 200 }, 320);
        let ink = separate(&plane, Polarity::DarkInk, true).ink;
        let at = |x: usize, y: usize| ink[y * 200 + x];
        assert!(at(20, 20) < 12.0 && at(180, 180) < 12.0, "{} {}", at(20, 20), at(180, 180));
        assert!((at(50, 100) - at(150, 100)).abs() < 25.0, "{} {}", at(50, 100), at(150, 100));
        assert!(at(50, 100) > 100.0, "{}", at(50, 100));
    }
}
