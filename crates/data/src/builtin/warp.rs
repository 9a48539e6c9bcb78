//! From a plan to ink: slant, rotation and stretch, a smooth distortion, and the pen's pressure.

use std::f32::consts::TAU;

use super::raster::{BOX, Dab};
use super::sketch::Point;
use super::writer::Writer;
use crate::noise::Noise;

/// One smooth wave of displacement across the plane.
struct Wave {
    x: f32,
    y: f32,
    phase: f32,
    size: f32,
}

impl Wave {
    fn new(noise: &mut Noise, size: f32) -> Self {
        let (frequency, angle) = (noise.uniform(0.4, 1.4) * TAU, noise.uniform(0.0, TAU));
        Self { x: frequency * angle.cos(), y: frequency * angle.sin(), phase: noise.uniform(0.0, TAU), size: noise.normal(size) }
    }

    fn at(&self, point: Point) -> f32 {
        self.size * (self.x * point.x + self.y * point.y + self.phase).sin()
    }
}

/// Distorts the planned strokes and gives each point the radius of the pen.
pub(super) fn ink(mut plan: Vec<Vec<Point>>, class: u8, writer: &Writer, noise: &mut Noise) -> Vec<Vec<Dab>> {
    let slant = writer.slant + OWN_SLANT[usize::from(class)] + noise.normal(if class == 1 { 0.15 } else { 0.11 });
    let (sin, cos) = noise.normal(0.09).sin_cos();
    let width = writer.width * noise.normal(0.13).exp();
    let (sink, flare) = (noise.normal(0.10 * writer.haste), noise.normal(0.15 * writer.haste));
    let size = 0.030 * writer.haste;
    let waves: [Wave; 4] = std::array::from_fn(|_| Wave::new(noise, size));
    for point in plan.iter_mut().flatten() {
        let warped = Point {
            x: point.x + waves[0].at(*point) + waves[1].at(*point),
            y: point.y + waves[2].at(*point) + waves[3].at(*point),
        };
        // The upper part taller than the lower one or the other way about, and wider likewise.
        let y = warped.y + sink * 4.0 * warped.y * (1.0 - warped.y) - 0.5;
        let x = (warped.x - 0.35) * width * (1.0 + flare * y) - slant * y;
        *point = Point { x: cos * x - sin * y, y: sin * x + cos * y };
    }
    let pen = writer.pen * OWN_PEN[usize::from(class)] * noise.normal(0.10).exp();
    press(plan, pen, noise)
}

/// Slant that each digit has of its own, beside the writer's: ones lean most.
const OWN_SLANT: [f32; 10] = [0.16, 0.16, 0.04, 0.04, 0.16, 0.02, -0.04, -0.06, 0.12, 0.10];
/// Factor on the pen's width for each digit: what has many strokes is written larger, so its strokes are thinner once it is sized.
const OWN_PEN: [f32; 10] = [1.12, 1.10, 1.02, 0.98, 0.94, 0.90, 0.98, 1.02, 0.91, 0.92];

/// Turns points into dabs of a pen `pen` pixels wide (in the 20 x 20 box), heavier here and lighter there.
fn press(plan: Vec<Vec<Point>>, pen: f32, noise: &mut Noise) -> Vec<Vec<Dab>> {
    let (mut low, mut high) = (Point { x: f32::MAX, y: f32::MAX }, Point { x: f32::MIN, y: f32::MIN });
    for point in plan.iter().flatten() {
        low = Point { x: low.x.min(point.x), y: low.y.min(point.y) };
        high = Point { x: high.x.max(point.x), y: high.y.max(point.y) };
    }
    let extent = (high.x - low.x).max(high.y - low.y);
    // The box will hold the extent plus one pen: solved for the radius in the plan's units.
    let pen = pen.clamp(1.0, 6.0);
    let radius = 0.5 * pen * extent / (BOX as f32 - pen);
    plan.into_iter()
        .map(|stroke| {
            let last = stroke.len().saturating_sub(1).max(1) as f32;
            let (swing, phase, turns) = (noise.normal(0.10), noise.uniform(0.0, TAU), noise.uniform(0.5, 2.0) * TAU);
            let (fade_in, fade_out) = (noise.uniform(0.0, 0.35), noise.uniform(0.0, 0.45));
            stroke
                .into_iter()
                .enumerate()
                .map(|(index, at)| {
                    let part = index as f32 / last;
                    let mut weight = 1.0 + swing * (phase + turns * part).sin() + noise.normal(0.035);
                    // The pen lands and leaves lightly.
                    weight -= fade_in * (1.0 - part / 0.08).max(0.0) + fade_out * (1.0 - (1.0 - part) / 0.1).max(0.0);
                    Dab { at, radius: radius * weight.max(0.3) }
                })
                .collect()
        })
        .collect()
}
