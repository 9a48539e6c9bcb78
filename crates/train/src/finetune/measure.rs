//! What fine-tuning of digits begins with, and what is measured before and after.

use super::FineTune;
use crate::error::Result;
use crate::examples::Images;
use crate::model_ext::ModelExt;
use crate::recipe::Recipe;
use maobi_data::Dataset;
use maobi_nn::Model;
use maobi_nn::metrics::arg_max;

/// The share of a test set by which a model may read fewer, and the number of its images that is no matter in a small one.
const FORGOTTEN: f64 = 0.002;
const FEW: f64 = 3.0;

impl FineTune {
    /// For grey pictures: own ones, of which there are few, are changed on their way as the recipe `digits` changes its own, and replayed
    /// ones, too, for a model `like_it`, which was trained to reject what is no digit.
    pub fn grey(like_it: bool) -> Self {
        let augment = Recipe::builtin("digits").ok().and_then(|recipe| recipe.data.augment);
        FineTune { augment, augment_replay: augment.filter(|_| like_it), ..FineTune::default() }
    }

    /// How many images of a set a model reads right, pixels scaled as they are learnt.
    ///
    /// # Errors
    /// Those of [`ModelExt::predict_examples`].
    pub fn right(&self, model: &Model, set: &Dataset) -> Result<usize> {
        let outputs = model.predict_examples(&Images::new(set).scaled(self.scale, self.offset))?;
        let rows = outputs.first().map_or(&[][..], |output| output);
        let rows = rows.chunks_exact((rows.len() / set.len().max(1)).max(1));
        Ok(rows.zip(set.labels()).filter(|(row, label)| arg_max(row) == *label as usize).count())
    }
}

/// Whether a model has forgotten something: the shares of a test set's `images` that it read right before and reads right now.
pub fn has_forgotten(before: f64, after: f64, images: usize) -> bool {
    before - after > FORGOTTEN.max(FEW / images.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_a_thousand_or_three_images_are_no_matter() {
        assert!(!has_forgotten(0.99, 0.9885, 10_000) && has_forgotten(0.99, 0.9875, 10_000));
        assert!(!has_forgotten(1.0, 0.9975, 1000) && has_forgotten(1.0, 0.996, 1000));
        assert!(!has_forgotten(0.9, 1.0, 0));
    }
}
