//! Whether a pen may have drawn it.

use super::Mask;
use super::distance;

/// How uneven strokes are: the standard deviation of the distance to the edge along their middle lines, as a share of its mean.
///
/// A pen's strokes are as wide here as there: 0.1 to 0.3, most of it from where they meet and end. Shadows, stains and shaded things are
/// wide in some places and ragged in others: 0.5 to 2.
pub(crate) fn uneven(mask: &Mask) -> f32 {
    let (ink, (w, h)) = mask.padded(1);
    let distance = distance::signed(&ink, (w, h));
    let (mut n, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
    for y in 1..h - 1 {
        for x in 1..w - 1 {
            let here = distance[y * w + x];
            // Along a slanted stroke the middle line steps from pixel to pixel: a little less than the neighbours is the middle, too.
            let near = |dy: usize| distance[(y + dy - 1) * w + x - 1..][..3].iter().all(|d| *d <= here + 0.3);
            if here > 0.0 && (0..3).all(near) {
                n += 1.0;
                sum += here;
                squares += here * here;
            }
        }
    }
    let mean = sum / n.max(1.0);
    if mean > 0.0 { (squares / n - mean * mean).max(0.0).sqrt() / mean } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(size: usize, ink: impl Fn(f32, f32) -> bool) -> Mask {
        let is = |i: &usize| ink((i % size) as f32, (i / size) as f32);
        Mask::of((0..size * size).filter(is).collect::<Vec<_>>().into_iter(), size).unwrap()
    }

    #[test]
    fn strokes_are_even() {
        // Only the ends of a bar and the inside of a ring's steps differ from the middle.
        let bar = uneven(&mask(120, |x, y| (50.0..62.0).contains(&x) && (10.0..110.0).contains(&y)));
        let ring = uneven(&mask(120, |x, y| ((x - 60.0).hypot(y - 60.0) - 40.0).abs() < 6.0));
        assert!(bar < 0.15 && ring < 0.1, "{bar} {ring}");
    }

    #[test]
    fn a_blot_with_threads_is_not() {
        let blot = |x: f32, y: f32| (x - 60.0).hypot(y - 60.0) < 25.0;
        let threads = |x: f32, y: f32| {
            (x as usize).is_multiple_of(12) && (10.0..110.0).contains(&y) || (20.0..100.0).contains(&x) && y == 60.0
        };
        let both = uneven(&mask(120, |x, y| blot(x, y) || threads(x, y)));
        assert!(both > 0.5, "{both}");
    }

    #[test]
    fn a_dot_is_nothing_special() {
        assert_eq!(uneven(&mask(9, |x, y| x == 4.0 && y == 4.0)), 0.0);
    }
}
