//! What a model has to know about its pictures: a member `preprocessing.json` of our `.keras` files.

use super::config::RunConfig;
use maobi_nn::Model;
use maobi_train::Recipe;
use maobi_train::recipe::Validation;
use serde::{Deserialize, Serialize};

/// Name of the member.
pub const MEMBER: &str = "preprocessing.json";

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
    /// What a run's models need.
    pub fn of_run(config: &RunConfig, recipe: &Recipe) -> Preprocessing {
        Preprocessing {
            classes: config.run.classes.clone(),
            dataset: Some(config.run.dataset.clone()),
            recipe: Some(config.run.recipe.clone()),
            ..Preprocessing::of_recipe(recipe)
        }
    }

    /// What a recipe says of its own.
    pub fn of_recipe(recipe: &Recipe) -> Preprocessing {
        let (head, tail) = match recipe.data.validation {
            Validation::Head(n) => (Some(n), None),
            Validation::Tail(share) => (None, Some(share)),
            Validation::None | Validation::Test => (None, None),
        };
        Preprocessing {
            scale: recipe.data.scale,
            offset: recipe.data.offset,
            classes: Vec::new(),
            dataset: Some(recipe.data.dataset.to_string()),
            recipe: Some(recipe.name.clone()),
            validation_head: head,
            validation_tail: tail,
        }
    }

    /// What is taken for a file that does not say: pixels from 0 to 1, or as they are when the network scales them itself.
    pub fn presumed(model: &Model) -> Preprocessing {
        let scale = if starts_with_rescaling(model) { 1.0 } else { 1.0 / 255.0 };
        Preprocessing {
            scale,
            offset: 0.0,
            classes: Vec::new(),
            dataset: None,
            recipe: None,
            validation_head: None,
            validation_tail: None,
        }
    }

    /// From the member's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Preprocessing, String> {
        let read: Preprocessing = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if !(read.scale.is_finite() && read.offset.is_finite()) {
            return Err("scale and offset must be finite".into());
        }
        Ok(read)
    }

    /// The member's bytes.
    pub fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Name of a class.
    pub fn class(&self, label: usize) -> String {
        self.classes.get(label).cloned().unwrap_or_else(|| label.to_string())
    }
}

/// Whether the first layer behind the input scales the pixels itself.
pub fn starts_with_rescaling(model: &Model) -> bool {
    let classes = model.graph().layers.iter().map(|entry| entry.layer.class_name());
    classes.into_iter().find(|class| *class != "InputLayer") == Some("Rescaling")
}

/// Whether the outputs are probabilities already: the last layer is, or ends in, a softmax or sigmoid.
pub fn gives_probabilities(model: &Model) -> bool {
    let graph = model.graph();
    let Some(&output) = graph.outputs.first() else { return false };
    let last = &graph.layers[graph.nodes[output].layer].layer;
    let activation = last.config().get("activation").and_then(|a| a.as_str().map(str::to_owned));
    last.class_name() == "Softmax" || matches!(activation.as_deref(), Some("softmax" | "sigmoid"))
}

/// Outputs `[samples, classes]` to probabilities, by a softmax over each row unless they are such already.
pub fn probabilities(model: &Model, outputs: &mut [f32], classes: usize) {
    if gives_probabilities(model) || classes < 2 {
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

    #[test]
    fn logits_become_probabilities_and_probabilities_stay() {
        let logits = Recipe::builtin("deep-cnn").unwrap().model(1).unwrap();
        let mut row = [0.0f32, 0.0, f32::ln(2.0)];
        probabilities(&logits, &mut row, 3);
        // exp of f32 is good to an ulp or two.
        assert!((row[2] - 0.5).abs() < 1e-6 && (row[0] - 0.25).abs() < 1e-6, "{row:?}");
        for name in ["tf2-cnn", "keras-lenet", "softmax"] {
            assert!(gives_probabilities(&Recipe::builtin(name).unwrap().model(1).unwrap()), "{name}");
        }
    }

    #[test]
    fn a_damaged_member_is_refused() {
        assert!(Preprocessing::from_bytes(b"{\"scale\": 1}").is_err());
        let model = Recipe::builtin("softmax").unwrap().model(1).unwrap();
        let presumed = Preprocessing::presumed(&model);
        assert_eq!(Preprocessing::from_bytes(&presumed.to_bytes().unwrap()).unwrap(), presumed);
    }
}
