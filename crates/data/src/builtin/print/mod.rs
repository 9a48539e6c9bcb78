//! Letters, signs and digits as they are printed, or drawn after print: skeletons that a pen follows, upright and even or as a hand
//! does it, with serifs or without.

mod figures;
mod letters;

use super::sketch::{Point, Sketch};
use super::stroke::{Dabs, join};
use crate::noise::Noise;
use figures::FIGURES;
use letters::LETTERS;

/// One letter or sign as strokes of ink.
pub(super) fn letter(noise: &mut Noise) -> Dabs {
    let skeleton = LETTERS[(noise.bits() % LETTERS.len() as u64) as usize];
    draw(skeleton, noise)
}

/// One digit as strokes of ink.
pub(super) fn figure(class: u8, noise: &mut Noise) -> Dabs {
    let forms = FIGURES[usize::from(class).min(FIGURES.len() - 1)];
    let skeleton = forms[(noise.bits() % forms.len() as u64) as usize];
    draw(skeleton, noise)
}

fn draw(skeleton: &str, noise: &mut Noise) -> Dabs {
    let printed = noise.chance(0.6);
    let wobble = if printed { 0.0 } else { noise.uniform(0.0, 0.04) };
    let mut plan = parse(skeleton, wobble, noise);
    if noise.chance(0.4) {
        serifs(&mut plan, noise.uniform(0.05, 0.14));
    }
    let width = noise.uniform(0.55, 1.0);
    let slant = if noise.chance(0.5) { 0.0 } else { noise.uniform(-0.1, 0.4) };
    let (sin, cos) = if printed { (0.0, 1.0) } else { noise.normal(0.1).sin_cos() };
    for point in plan.iter_mut().flatten() {
        let x = width * point.x - slant * (point.y - 0.5);
        *point = Point { x: cos * x - sin * point.y, y: sin * x + cos * point.y };
    }
    let contrast = if noise.chance(0.5) { 0.0 } else { noise.uniform(0.2, 0.75) };
    let (pen, nib) = (noise.uniform(0.07, 0.2), noise.uniform(-0.3, 0.8));
    join(plan, |along| {
        // A broad nib: thin along its edge, thick across.
        let turned = (along.y.atan2(along.x) - nib).sin().abs();
        0.5 * pen * (1.0 - contrast + contrast * turned)
    })
}

/// A skeleton's strokes are divided by `;`, its points `x y` (in a unit square, y down) by `|`; the pen passes smoothly through points
/// with a `~` before them and turns at the others.
fn parse(skeleton: &str, wobble: f32, noise: &mut Noise) -> Vec<Vec<Point>> {
    let mut sketch = Sketch::new(noise, wobble);
    for stroke in skeleton.split(';') {
        for (at, point) in stroke.split('|').enumerate() {
            let mut numbers = point.trim_start_matches('~').split(' ').filter_map(|n| n.parse::<f32>().ok());
            let (Some(x), Some(y)) = (numbers.next(), numbers.next()) else { continue };
            match at {
                0 => sketch.start(x, y),
                _ => sketch.turn(x, y, !point.starts_with('~')),
            }
        }
    }
    sketch.flatten()
}

/// Short bars across the ends of upright strokes.
fn serifs(plan: &mut Vec<Vec<Point>>, half: f32) {
    let mut bars = Vec::new();
    for stroke in plan.iter() {
        let [first, second, .., before, last] = stroke.as_slice() else { continue };
        for (end, inner) in [(first, second), (last, before)] {
            if (end.y - inner.y).abs() > 1.5 * (end.x - inner.x).abs() {
                bars.push(vec![Point { x: end.x - half, y: end.y }, Point { x: end.x + half, y: end.y }]);
            }
        }
    }
    plan.extend(bars);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skeleton_has_strokes_within_its_square() {
        let mut noise = Noise::new(0, 0, 0);
        for skeleton in LETTERS.iter().chain(FIGURES.into_iter().flatten()) {
            let plan = parse(skeleton, 0.0, &mut noise);
            assert_eq!(plan.len(), skeleton.split(';').count(), "{skeleton}");
            // Smooth curves swing out between their points.
            let inside = |v: f32| (-0.15..=1.15).contains(&v);
            assert!(plan.iter().flatten().all(|p| inside(p.x) && inside(p.y)), "{skeleton}");
            let numbers = skeleton.split([';', '|', ' ']).map(|n| n.trim_start_matches('~').parse::<f32>());
            assert!(numbers.into_iter().all(|n| n.is_ok()), "{skeleton}");
        }
    }
}
