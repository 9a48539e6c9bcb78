//! Pictures that show no digit, for networks that are to say so: letters and signs, scribbles, silhouettes, patterns, digits run
//! together, specks.
//!
//! Sized and centred as a digit would be, since that is how a recogniser meets them. What looks like a digit to everybody (`O`, `I`, `g`,
//! a single upright stroke) is not among them.

mod scribble;
mod shapes;

use super::raster::{self, Dab};
use super::stroke::Dabs;
use super::{CLASSES, PIXELS, Writer, plan, print, warp};
use crate::noise::Noise;

/// The purpose of the random streams here.
const OTHERS: u64 = 102;

/// Draws `count` pictures that show no digit, `[count, 28, 28]` bytes, white (255) on black (0), on all cores.
///
/// The same seed and build give the same pictures whatever the number of cores, and fewer are the first of more.
#[must_use]
pub fn non_digits(seed: u64, count: usize) -> Vec<u8> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    super::parallel(count, threads, |index| (non_digit(seed, index), 0)).images
}

/// Draws the `index`-th of them.
#[must_use]
pub fn non_digit(seed: u64, index: u64) -> [u8; PIXELS] {
    let noise = &mut Noise::new(seed, index, OTHERS);
    let mut image = [0; PIXELS];
    match noise.pick(&[0.40, 0.14, 0.10, 0.08, 0.09, 0.04, 0.15]) {
        0 => raster::draw(&print::letter(noise), &mut image),
        1 => raster::draw(&scribble::scribble(noise), &mut image),
        2 => shapes::silhouette(noise, &mut image),
        3 => shapes::texture(noise, &mut image),
        4 => raster::draw(&row(noise), &mut image),
        5 => raster::draw(&specks(noise), &mut image),
        _ => shapes::rims(noise, &mut image),
    }
    image
}

/// Two or three digits side by side.
fn row(noise: &mut Noise) -> Dabs {
    let writer = Writer::new(noise);
    let (mut strokes, mut end) = (Dabs::new(), 0.0);
    for _ in 0..2 + noise.bits() % 2 {
        let class = (noise.bits() % CLASSES as u64) as u8;
        let digit = warp::ink(plan(class, &writer, noise), class, &writer, noise);
        let (left, right) = extent(&digit);
        let by = end + noise.uniform(-0.1, 0.2) - left;
        end = right + by;
        strokes.extend(digit.into_iter().map(|mut stroke| {
            stroke.iter_mut().for_each(|dab| dab.at.x += by);
            stroke
        }));
    }
    strokes
}

fn extent(strokes: &Dabs) -> (f32, f32) {
    let ends = strokes.iter().flatten().map(|dab| dab.at.x);
    ends.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)))
}

/// Two to five dots, or two run together.
fn specks(noise: &mut Noise) -> Dabs {
    if noise.chance(0.4) {
        let mut end = |_| Dab {
            at: super::sketch::Point { x: noise.uniform(0.0, 1.0), y: noise.uniform(0.0, 1.0) },
            radius: noise.uniform(0.1, 0.35),
        };
        let ends: [Dab; 2] = std::array::from_fn(&mut end);
        let neck = Dab { at: midpoint(ends[0].at, ends[1].at), radius: 0.4 * ends[0].radius.min(ends[1].radius) };
        return vec![vec![ends[0], neck, ends[1]]];
    }
    let mut dot = |_| {
        let (x, y) = (noise.uniform(0.0, 1.0), noise.uniform(0.0, 1.0));
        let dab = Dab { at: super::sketch::Point { x, y }, radius: noise.uniform(0.03, 0.12) };
        vec![dab, dab]
    };
    let mut dots: Dabs = (0..5).map(&mut dot).collect();
    dots.truncate(2 + (noise.bits() % 4) as usize);
    dots
}

fn midpoint(a: super::sketch::Point, b: super::sketch::Point) -> super::sketch::Point {
    super::sketch::Point { x: 0.5 * (a.x + b.x), y: 0.5 * (a.y + b.y) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_repeat_differ_and_hold_ink() {
        let (few, many) = (non_digits(5, 40), non_digits(5, 400));
        assert_eq!(few, many[..40 * PIXELS]);
        assert_ne!(few, non_digits(6, 40));
        let ink = |image: &[u8]| image.iter().map(|&v| u64::from(v)).sum::<u64>();
        let empty = many.chunks_exact(PIXELS).filter(|image| ink(image) < 5 * 255).count();
        assert!(empty < 8, "{empty} of 400 hold next to nothing");
    }

    #[test]
    fn none_is_a_built_in_digit() {
        let digits = crate::builtin::generate(5, 400).images;
        let others = non_digits(5, 400);
        assert!(others.chunks_exact(PIXELS).all(|image| digits.chunks_exact(PIXELS).all(|digit| digit != image)));
    }
}
