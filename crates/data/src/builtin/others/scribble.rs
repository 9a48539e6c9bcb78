//! Scribbles: a pen that goes anywhere, to and fro, or round and round.

use crate::builtin::sketch::{Point, Sketch};
use crate::builtin::stroke::{Dabs, join};
use crate::noise::Noise;

/// One scribble.
pub(super) fn scribble(noise: &mut Noise) -> Dabs {
    let plan = match noise.bits() % 4 {
        0 => wander(noise),
        1 => zigzag(noise),
        2 => spiral(noise),
        _ => lines(noise),
    };
    let pen = noise.uniform(0.03, 0.09);
    join(plan, |_| pen)
}

fn wander(noise: &mut Noise) -> Vec<Vec<Point>> {
    let (points, sharp) = (5 + noise.bits() % 12, noise.uniform(0.0, 1.0));
    let mut sketch = Sketch::new(noise, 0.0);
    for at in 0..points {
        let (x, y) = (sketch.noise().uniform(0.0, 1.0), sketch.noise().uniform(0.0, 1.0));
        let corner = sketch.noise().chance(sharp);
        if at == 0 { sketch.start(x, y) } else { sketch.turn(x, y, corner) }
    }
    sketch.flatten()
}

fn zigzag(noise: &mut Noise) -> Vec<Vec<Point>> {
    let (turns, height, sharp) = (5 + noise.bits() % 8, noise.uniform(0.3, 1.2), noise.chance(0.5));
    let (sin, cos) = noise.uniform(0.0, std::f32::consts::PI).sin_cos();
    let mut sketch = Sketch::new(noise, 0.04);
    for at in 0..=turns {
        let (x, y) = (at as f32 / turns as f32, if at % 2 == 0 { 0.0 } else { height });
        let (x, y) = (cos * x - sin * y, sin * x + cos * y);
        if at == 0 { sketch.start(x, y) } else { sketch.turn(x, y, sharp) }
    }
    sketch.flatten()
}

fn spiral(noise: &mut Noise) -> Vec<Vec<Point>> {
    let (turns, aspect) = (noise.uniform(2.0, 4.5), noise.uniform(0.5, 1.0));
    let (drift, from) = (noise.uniform(0.0, 0.5), noise.uniform(0.05, 0.5));
    let count = (turns * 9.0) as usize;
    let mut sketch = Sketch::new(noise, 0.02);
    for at in 0..count {
        let part = at as f32 / count as f32;
        let angle = turns * std::f32::consts::TAU * part;
        let radius = 0.5 * (from + (1.0 - from) * part);
        let (x, y) = (radius * angle.cos() + drift * part, aspect * radius * angle.sin());
        if at == 0 { sketch.start(x, y) } else { sketch.to(x, y) }
    }
    sketch.flatten()
}

/// Many straight lines across each other.
fn lines(noise: &mut Noise) -> Vec<Vec<Point>> {
    let mut end = || Point { x: noise.uniform(0.0, 1.0), y: noise.uniform(0.0, 1.0) };
    let mut plan: Vec<Vec<Point>> = (0..7).map(|_| vec![end(), end()]).collect();
    plan.truncate(4 + (noise.bits() % 4) as usize);
    plan
}
