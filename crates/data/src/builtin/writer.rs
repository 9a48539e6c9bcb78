//! A writer: the habits shared by the ten digits of one hand.

use crate::noise::Noise;

/// Habits of one hand. Lengths are in heights of a digit unless said otherwise.
pub(super) struct Writer {
    /// Shear to the right: x moved per unit of height.
    pub(super) slant: f32,
    /// Factor on the width.
    pub(super) width: f32,
    /// Width of the stroke in pixels of the 20 x 20 box.
    pub(super) pen: f32,
    /// Factor on every random displacement: 0.5 a careful hand, 1.5 a hasty one.
    pub(super) haste: f32,
    /// How far loops stay open (positive) or overshoot (negative).
    pub(super) open: f32,
    /// Chance that a corner is drawn round.
    pub(super) round: f32,
}

impl Writer {
    /// Draws the habits of one hand.
    pub(super) fn new(noise: &mut Noise) -> Self {
        Self {
            slant: 0.10 + noise.normal(0.19),
            width: 1.05 * noise.normal(0.15).exp(),
            pen: 2.45 * noise.normal(0.23).exp(),
            haste: noise.uniform(0.5, 1.5),
            open: noise.normal(0.04),
            round: noise.uniform(0.05, 0.6),
        }
    }
}
