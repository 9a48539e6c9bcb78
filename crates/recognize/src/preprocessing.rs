//! What a model has to know about its pictures: a member `preprocessing.json` of our `.keras` files.

use maobi_nn::Model;
use maobi_nn::Program;
use maobi_nn::program::Operation;
use serde::{Deserialize, Serialize};

/// Name of the member.
pub const MEMBER: &str = "preprocessing.json";

/// How pixels become what the network sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// The network sees `pixel * scale + offset`, pixels from 0 to 255, white ink on black.
    pub scale: f32,
    /// See `scale`.
    pub offset: f32,
}

impl Default for Scaling {
    /// Pixels from 0 to 1.
    fn default() -> Self {
        Self { scale: 1.0 / 255.0, offset: 0.0 }
    }
}

/// How pixels become what the network sees, and what its answers mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The network sees `pixel * scale + offset`, pixels from 0 to 255, white ink on black.
    pub scale: f32,
    /// See `scale`.
    pub offset: f32,
    /// Names of the classes, by label; empty when unknown.
    #[serde(default)]
    pub classes: Vec<String>,
    /// What it was trained on, as `--dataset` takes it.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The recipe it comes from.
    #[serde(default)]
    pub recipe: Option<String>,
    /// The first so many training images did not train.
    #[serde(default)]
    pub validation_head: Option<usize>,
    /// The last share of the training images did not train.
    #[serde(default)]
    pub validation_tail: Option<f64>,
}

impl Preprocessing {
    /// A scaling and nothing else.
    pub fn of_scaling(Scaling { scale, offset }: Scaling) -> Self {
        Self { scale, offset, classes: Vec::new(), dataset: None, recipe: None, validation_head: None, validation_tail: None }
    }

    /// What is taken for a file that does not say: pixels from 0 to 1, or as they are when the network scales them itself.
    pub fn presumed(model: &Model) -> Self {
        let own = Scaling { scale: 1.0, offset: 0.0 };
        Self::of_scaling(if starts_with_rescaling(model) { own } else { Scaling::default() })
    }

    /// What a file says: its member among those of [`Loaded::extras`](maobi_formats::Loaded::extras); `None` when it has none.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of_extras(extras: &[(String, Vec<u8>)]) -> Option<Result<Self, String>> {
        extras.iter().find(|(member, _)| member == MEMBER).map(|(_, bytes)| Self::from_bytes(bytes))
    }

    /// From the member's bytes.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if !(read.scale.is_finite() && read.offset.is_finite()) {
            return Err("scale and offset must be finite".into());
        }
        Ok(read)
    }

    /// The member's bytes.
    ///
    /// # Errors
    /// Those of the JSON writer.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec_pretty(self)
    }

    /// How pixels are scaled.
    pub fn scaling(&self) -> Scaling {
        Scaling { scale: self.scale, offset: self.offset }
    }

    /// Name of a class.
    pub fn class(&self, label: usize) -> String {
        self.classes.get(label).cloned().unwrap_or_else(|| label.to_string())
    }
}

/// Whether the first thing that the network does in inference is to scale the pixels.
pub fn starts_with_rescaling(model: &Model) -> bool {
    Program::of(model).steps.first().is_some_and(|step| matches!(step.what, Operation::Scale { .. }))
}

/// Outputs `[samples, classes]` to probabilities, by a softmax over each row unless they are such already.
pub fn probabilities(model: &Model, outputs: &mut [f32], classes: usize) {
    if model.gives_probabilities() || classes < 2 {
        return;
    }
    for row in outputs.chunks_exact_mut(classes) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|x| *x = (*x - most).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Activation, Dense, InputLayer, Rescaling, Softmax};

    fn model(activation: &str) -> Model {
        Sequential::new().add(InputLayer::new([4])).add(Dense::new(3).activation(activation)).build(1).unwrap()
    }

    #[test]
    fn logits_become_probabilities_and_probabilities_stay() {
        let mut row = [0.0f32, 0.0, f32::ln(2.0)];
        probabilities(&model("linear"), &mut row, 3);
        // exp of f32 is good to an ulp or two.
        assert!((row[2] - 0.5).abs() < 1e-6 && (row[0] - 0.25).abs() < 1e-6, "{row:?}");
        let layered = |last: Sequential| last.build(1).unwrap();
        let base = || Sequential::new().add(InputLayer::new([4])).add(Dense::new(3));
        for model in [
            model("softmax"),
            model("sigmoid"),
            layered(base().add(Softmax::new())),
            layered(base().add(Activation::new("softmax"))),
        ] {
            assert!(model.gives_probabilities());
        }
    }

    #[test]
    fn a_network_that_scales_gets_pixels_as_they_are() {
        let scales = Sequential::new().add(InputLayer::new([4])).add(Rescaling::new(1.0 / 255.0)).add(Dense::new(3));
        assert_eq!(Preprocessing::presumed(&scales.build(1).unwrap()).scale, 1.0);
        assert_eq!(Preprocessing::presumed(&model("softmax")).scaling(), Scaling::default());
    }

    #[test]
    fn a_damaged_member_is_refused() {
        assert!(Preprocessing::from_bytes(b"{\"scale\": 1}").is_err());
        let presumed = Preprocessing::presumed(&model("softmax"));
        assert_eq!(Preprocessing::from_bytes(&presumed.to_bytes().unwrap()).unwrap(), presumed);
    }
}
