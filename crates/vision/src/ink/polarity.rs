//! Is the ink darker or lighter than the ground?

use super::background;
use super::plane::{Plane, about, percentile};

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
    let deviates = || background::deviation(&plane.values, plane.width, plane.height) < 0.0;
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
