//! Is the ink darker or lighter than the ground?

use super::background;
use super::plane::{Plane, percentile};

/// Ink against ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// Dark ink on a light ground: paper.
    DarkInk,
    /// Light ink on a dark ground: blackboards, MNIST.
    LightInk,
}

/// Judges by the border, which is ground in nearly every picture.
///
/// Where the border is uneven (shadows, mixed frames) and lies between dark and light, the sparse strong deviations from the
/// surroundings are the ink; the edge of a shadow deviates as much to one side as to the other.
pub(super) fn judge(plane: &Plane) -> Polarity {
    let (low, high) = span(&plane.values);
    let mut border = plane.border();
    let spread = percentile(&mut border, 0.9) - percentile(&mut border, 0.1);
    let place = (percentile(&mut border, 0.5) - low) / (high - low).max(1e-3);
    let uneven = spread > 0.2 * (high - low);
    let clear = if uneven { 0.15 } else { 0.4 };
    let dark = if place > 1.0 - clear {
        true
    } else if place < clear {
        false
    } else {
        background::deviation(&plane.values, plane.width, plane.height) < 0.0
    };
    if dark { Polarity::DarkInk } else { Polarity::LightInk }
}

/// Darkest and lightest that count: the outermost 1 % are left out as noise, unless that leaves nothing but even ground.
pub(super) fn span(values: &[f32]) -> (f32, f32) {
    let mut sorted = values.to_vec();
    let mut found = (0.0, 0.0);
    for share in [0.01, 0.001, 0.0] {
        found = (percentile(&mut sorted, share), percentile(&mut sorted, 1.0 - share));
        if found.1 - found.0 >= 2.0 * super::FAINT {
            break;
        }
    }
    found
}
