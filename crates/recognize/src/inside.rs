//! Inside a network while it reads a glyph: its feature maps, and which pixels spoke for its answer.

use crate::error::{Error, Result};
use crate::recognizer::Recognizer;
use maobi_nn::model::Activation;

/// Rows and columns of what is covered in a frame of [`SIDE`], and how far it moves: small enough to tell strokes apart, large enough to
/// take a piece out of one. In larger frames both are larger.
const PATCH: usize = 5;
const STRIDE: usize = 2;
const SIDE: usize = 28;

/// The least probability that counts, so that logarithms stay finite.
const LEAST: f32 = 1e-6;

impl Recognizer {
    /// Values of every layer for a glyph, `[height, width]` of the network's frame, white on black: those of a convolution after its
    /// normalization and activation where the network runs them together.
    ///
    /// # Errors
    /// When the glyph does not fill the frame.
    pub fn activations(&self, glyph: &[u8]) -> Result<Vec<Activation>> {
        self.check(glyph)?;
        Ok(self.running().activations(&[&self.scaled(glyph).collect::<Vec<f32>>()])?)
    }

    /// Which pixels of a glyph speak for its being of class `class` (an index into [`Recognizer::classes`]): for each pixel of the frame
    /// how much the logarithm of the class's probability falls when the ink around it is covered with black, 5 × 5 pixels of 28 × 28 at a time.
    /// Above 0 it speaks for, below 0 against the class; 0 where there is no ink.
    ///
    /// This is the occlusion of Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2, with the
    /// colour of the ground, so that what is covered is ink that is not there, instead of a grey square that nobody wrote. One batch of
    /// some fifty to a hundred forward passes; what a pixel gets is the mean of all patches that cover it.
    ///
    /// # Errors
    /// When the glyph does not fill the frame, or the class is not one of the network's.
    pub fn heat(&self, glyph: &[u8], class: usize) -> Result<Vec<f32>> {
        self.check(glyph)?;
        let output = self.output_of(class).ok_or_else(|| {
            let message = format!("expected a class below {}, got {class}", self.classes().len());
            Error::Unfit { argument: "class", message }
        })?;
        let places = self.places(glyph);
        let mut covered: Vec<Vec<u8>> = vec![glyph.to_vec()];
        covered.extend(places.iter().map(|&(top, left)| {
            let mut copy = glyph.to_vec();
            self.patch(top, left).for_each(|at| copy[at] = 0);
            copy
        }));
        let slices: Vec<&[u8]> = covered.iter().map(Vec::as_slice).collect();
        let rows = self.rows(&slices)?;
        let of = |row: &[f32]| row.get(output).copied().unwrap_or(0.0).max(LEAST).ln();
        let mut rows = rows.chunks_exact(self.outputs());
        let whole = rows.next().map_or(0.0, of);
        let (mut sums, mut counts) = (vec![0.0f32; glyph.len()], vec![0u32; glyph.len()]);
        for (&(top, left), row) in places.iter().zip(rows) {
            let fall = whole - of(row);
            self.patch(top, left).for_each(|at| {
                sums[at] += fall;
                counts[at] += 1;
            });
        }
        let mean = |((sum, count), ink): ((f32, u32), &u8)| if count > 0 && *ink > 0 { sum / count as f32 } else { 0.0 };
        Ok(sums.into_iter().zip(counts).zip(glyph).map(mean).collect())
    }

    /// Where patches cover ink; those that cover none change nothing.
    fn places(&self, glyph: &[u8]) -> Vec<(usize, usize)> {
        let (height, width) = self.frame();
        let along = |n: usize| (0..=n.saturating_sub(of_side(PATCH, n))).step_by(of_side(STRIDE, n));
        let all = along(height).flat_map(|top| along(width).map(move |left| (top, left)));
        all.filter(|&(top, left)| self.patch(top, left).any(|at| glyph[at] > 0)).collect()
    }

    /// The pixels of a patch that lie in the frame.
    fn patch(&self, top: usize, left: usize) -> impl Iterator<Item = usize> + use<> {
        let (height, width) = self.frame();
        let rows = top..(top + of_side(PATCH, height)).min(height);
        rows.flat_map(move |y| (left..(left + of_side(PATCH, width)).min(width)).map(move |x| y * width + x))
    }

    fn check(&self, glyph: &[u8]) -> Result<()> {
        let (height, width) = self.frame();
        if glyph.len() == height * width {
            return Ok(());
        }
        let message = format!("expected {height} × {width} pixels, got {}", glyph.len());
        Err(Error::Unfit { argument: "glyph", message })
    }
}

/// What `pixels` of [`SIDE`] are of `n`.
fn of_side(pixels: usize, n: usize) -> usize {
    pixels.max(pixels * n / SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocessing::Scaling;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Dense, Flatten, InputLayer};

    /// The answer "a" for ink in the upper left corner, "b" for ink in the lower right one.
    fn corners() -> Recognizer {
        let net = Sequential::new().add(InputLayer::new([12, 12, 1])).add(Flatten::new());
        let mut model = net.add(Dense::new(2).activation("softmax")).build(1).unwrap();
        let mut weights = model.weights_mut()[0].values_mut().to_vec();
        weights.fill(0.0);
        weights[0] = 3.0;
        weights[2 * 143 + 1] = 2.0;
        model.weights_mut()[0].values_mut().copy_from_slice(&weights);
        Recognizer::new(model, Scaling::default(), vec!["a".into(), "b".into()]).unwrap()
    }

    #[test]
    fn heat_lies_where_the_network_looks() {
        let recognizer = corners();
        let mut glyph = vec![255; 144];
        glyph[5 * 12 + 5] = 0;
        let heat = recognizer.heat(&glyph, 0).unwrap();
        // ln(softmax(3, 2)) - ln(softmax(0, 2)): what the patch in the corner takes away.
        let fall = (3f32.exp() / (3f32.exp() + 2f32.exp())).ln() - (1.0 / (1.0 + 2f32.exp())).ln();
        // Two exponentials and a logarithm of f32.
        assert!((heat[0] - fall).abs() < 1e-4, "{} for {fall}", heat[0]);
        assert!(heat[143] <= 0.0 && heat[5 * 12 + 5] == 0.0);
        let other = recognizer.heat(&glyph, 1).unwrap();
        assert!(other[0] < 0.0 && other[0] < other[60]);
        assert!(recognizer.heat(&[0; 144], 0).unwrap().iter().all(|v| *v == 0.0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let recognizer = corners();
        assert!(recognizer.heat(&[0; 3], 0).unwrap_err().to_string().contains("expected 12 × 12 pixels, got 3"));
        assert!(recognizer.heat(&[0; 144], 2).unwrap_err().to_string().contains("expected a class below 2, got 2"));
        assert!(recognizer.activations(&[0; 3]).is_err());
    }

    #[test]
    fn the_model_in_the_box_shows_its_maps() {
        let recognizer = Recognizer::built_in().unwrap();
        let (glyph, label) = maobi_glyph();
        let all = recognizer.activations(&glyph).unwrap();
        let maps: Vec<_> = all.iter().filter(|one| one.shape.len() == 3 && one.class == "Conv2D").collect();
        // Its convolutions take the ReLU behind them.
        assert!(!maps.is_empty() && maps.iter().all(|maps| maps.values.iter().all(|v| *v >= 0.0)));
        let heat = recognizer.heat(&glyph, label).unwrap();
        assert!(heat.iter().any(|v| *v > 0.0) && heat.iter().all(|v| v.is_finite()));
    }

    /// A bar, which is a 1.
    fn maobi_glyph() -> (Vec<u8>, usize) {
        let lit = |at: usize| (4..24).contains(&(at / 28)) && (13..15).contains(&(at % 28));
        ((0..784).map(|at| if lit(at) { 255 } else { 0 }).collect(), 1)
    }
}
