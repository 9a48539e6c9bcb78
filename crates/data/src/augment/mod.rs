//! Augmentation: the same picture, each epoch as another hand and another pen would have drawn it.
//!
//! A picture is moved, turned, slanted and bent in one pass of bilinear sampling, its strokes are made thicker or thinner,
//! broken, blurred, and given dirt. What happens to a picture is a function of (seed, epoch, index) alone.

mod ink;
mod warp;

use crate::noise::Noise;

/// How far pictures are changed; every amount is the largest one, drawn evenly from 0 or from both signs. All 0 changes nothing.
///
/// Pictures are `[height, width]`, light ink on a dark ground from 0 to 255.
///
/// ```
/// use maobi_data::Augment;
/// let turn = Augment { rotation: 10.0, ..Augment::default() };
/// let (picture, mut out) = ([7.0; 28 * 28], [0.0; 28 * 28]);
/// let bytes = picture.map(|v| v as u8);
/// turn.apply(&bytes, (28, 28), 1, 0, 0, &mut out);
/// assert_ne!(out, picture); // black comes in at the corners
/// Augment::default().apply(&bytes, (28, 28), 1, 0, 0, &mut out);
/// assert_eq!(out, picture);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// Degrees, to either side.
    pub rotation: f32,
    /// Slant: columns per row, to either side.
    pub shear: f32,
    /// Larger or smaller by a factor of up to `1 + scale`.
    pub scale: f32,
    /// Wider or narrower than high by a factor of up to `1 + stretch`.
    pub stretch: f32,
    /// Pixels, in each direction.
    pub translation: f32,
    /// Pixels by which a smooth displacement moves a point, as a standard deviation (after Simard, Steinkraus & Platt, 2003).
    pub elastic: f32,
    /// Pixels by which an edge of a stroke moves out or in, at most 1.
    pub stroke: f32,
    /// Share of a 1-2-1 blur each way that is mixed in, at most 1.
    pub blur: f32,
    /// Share by which the ink is lightened or darkened.
    pub contrast: f32,
    /// Grey levels, the largest standard deviation of noise.
    pub noise: f32,
    /// Probability that strokes are broken by one or two gaps.
    pub broken: f32,
    /// Probability that specks or a neighbour's end of stroke lie about.
    pub dirt: f32,
    /// Only in the first so many epochs; in all of them when absent. Sampling blurs: a network with batch normalization whose last
    /// epochs see pictures as they are has the averages of such pictures.
    pub epochs: Option<u64>,
}

/// Names of the amounts, in the order of the fields, with the largest that makes sense.
pub const AMOUNTS: [(&str, f32); 12] = [
    ("rotation", 180.0),
    ("shear", 2.0),
    ("scale", 1.0),
    ("stretch", 1.0),
    ("translation", 64.0),
    ("elastic", 8.0),
    ("stroke", 1.0),
    ("blur", 1.0),
    ("contrast", 1.0),
    ("noise", 128.0),
    ("broken", 1.0),
    ("dirt", 1.0),
];

/// The purpose of the random streams here.
const PURPOSE: u64 = 0xA06;

impl Augment {
    /// The amount of that name, one of [`AMOUNTS`].
    pub fn amount(&mut self, name: &str) -> Option<&mut f32> {
        Some(match name {
            "rotation" => &mut self.rotation,
            "shear" => &mut self.shear,
            "scale" => &mut self.scale,
            "stretch" => &mut self.stretch,
            "translation" => &mut self.translation,
            "elastic" => &mut self.elastic,
            "stroke" => &mut self.stroke,
            "blur" => &mut self.blur,
            "contrast" => &mut self.contrast,
            "noise" => &mut self.noise,
            "broken" => &mut self.broken,
            "dirt" => &mut self.dirt,
            _ => return None,
        })
    }

    /// Writes the picture `image`, `[height, width]`, as it looks in `epoch` to `out`, values from 0 to 255 (overwrites).
    ///
    /// # Panics
    /// When a length is not `height * width`.
    pub fn apply(&self, image: &[u8], size: (usize, usize), seed: u64, epoch: u64, index: u64, out: &mut [f32]) {
        assert!(image.len() == size.0 * size.1 && out.len() == image.len(), "augment: pictures of {size:?} pixels");
        if self.epochs.is_some_and(|epochs| epoch >= epochs) {
            image.iter().zip(out).for_each(|(&pixel, out)| *out = f32::from(pixel));
            return;
        }
        let noise = &mut Noise::new(seed ^ PURPOSE.rotate_left(32), index, epoch);
        warp::Scratch::with(size, |scratch| {
            scratch.load(image);
            // Before the warp, so that what it samples has the new edge.
            ink::restroke(scratch, noise.uniform(-self.stroke, self.stroke));
            warp::warp(self, scratch, noise, out);
        });
        ink::spoil(self, size, noise, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    const SIZE: (usize, usize) = (28, 28);

    fn one(augment: Augment, epoch: u64) -> Vec<f32> {
        let (image, _) = builtin::digit(3, 4);
        let mut out = vec![0.0; image.len()];
        augment.apply(&image, SIZE, 9, epoch, 5, &mut out);
        out
    }

    fn all(share: f32) -> Augment {
        let mut augment = Augment::default();
        for (name, most) in AMOUNTS {
            *augment.amount(name).unwrap() = most.min(8.0) * share;
        }
        augment
    }

    #[test]
    fn after_its_last_epoch_pictures_are_as_they_are() {
        let augment = Augment { rotation: 10.0, epochs: Some(2), ..Augment::default() };
        let plain = one(Augment::default(), 0);
        assert_eq!((0..4).map(|epoch| one(augment, epoch) == plain).collect::<Vec<_>>(), [false, false, true, true]);
    }

    #[test]
    fn every_amount_changes_something_and_stays_in_range() {
        let plain = one(Augment::default(), 0);
        for (name, most) in AMOUNTS {
            let mut augment = Augment::default();
            *augment.amount(name).unwrap() = most.min(8.0);
            let pictures: Vec<Vec<f32>> = (0..8).map(|epoch| one(augment, epoch)).collect();
            assert!(pictures.iter().any(|picture| *picture != plain), "{name} changes nothing");
            assert!(pictures.iter().flatten().all(|v| (0.0..=255.0).contains(v)), "{name} leaves 0 to 255");
        }
        assert_eq!(Augment::default().amount("brightness"), None);
    }

    #[test]
    fn epochs_differ_and_repeat() {
        assert_eq!(one(all(0.3), 1), one(all(0.3), 1));
        assert_ne!(one(all(0.3), 1), one(all(0.3), 2));
    }

    #[test]
    fn a_small_change_keeps_most_of_the_ink() {
        let sum = |picture: &[f32]| picture.iter().sum::<f32>();
        let before = sum(&one(Augment::default(), 0));
        let gentle = Augment { rotation: 10.0, shear: 0.1, translation: 1.0, elastic: 0.5, ..Augment::default() };
        for epoch in 0..20 {
            let after = sum(&one(gentle, epoch));
            // None of these changes an area by more than a few per cent; bilinear sampling keeps sums.
            assert!((after / before - 1.0).abs() < 0.12, "{after} of {before}");
        }
    }

    #[test]
    fn strokes_get_thicker_and_thinner() {
        let sums: Vec<f32> =
            (0..40).map(|epoch| one(Augment { stroke: 1.0, ..Augment::default() }, epoch).iter().sum()).collect();
        let plain: f32 = one(Augment::default(), 0).iter().sum();
        assert!(sums.iter().any(|s| *s > 1.25 * plain) && sums.iter().any(|s| *s < 0.8 * plain));
    }
}
