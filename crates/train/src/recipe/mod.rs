//! Recipes: a network, its data and its training in one TOML file.
//!
//! The published networks are built in ([`Recipe::builtin`]); any file of the same form works alike. Layer and argument names are
//! Keras' own; a key that nobody knows is an error that lists the known ones.

mod builtin;
mod parse;
mod table;

use crate::error::{Error, Result};
use maobi_data::Augment;
use maobi_nn::graph::{Graph, Sequential, Tensor, apply};
use maobi_nn::layers::registry::{UnknownKeys, from_config};
use maobi_nn::layers::{InputLayer, Layer};
use maobi_nn::losses::Loss;
use maobi_nn::metrics::Metric;
use maobi_nn::optimizers::Optimizer;
use maobi_nn::text::did_you_mean;
use maobi_nn::{Compile, Model, Precision};
use serde_json::{Map, Value};
use std::sync::Arc;

use table::Table;

/// Which images an epoch is validated on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// None.
    None,
    /// The test set, as several tutorials do.
    Test,
    /// The first so many training images, which then do not train.
    Head(usize),
    /// The last share of the training images, which then do not train.
    Tail(f64),
}

/// The data of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct DataConfig {
    /// Name or path of the data set.
    pub dataset: String,
    /// What the network sees is `pixel * scale + offset`.
    pub scale: f32,
    /// See `scale`.
    pub offset: f32,
    /// Where validation comes from.
    pub validation: Validation,
    /// Labels as one-hot rows instead of classes.
    pub one_hot: bool,
    /// Built-in digits that train beside the data set.
    pub builtin: usize,
    /// Built-in pictures that show no digit and train as a class of their own, the last one, called "none".
    pub non_digits: usize,
    /// How training changes its pictures.
    pub augment: Option<Augment>,
}

/// The training of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingConfig {
    /// What turns gradients into steps.
    pub optimizer: Optimizer,
    /// What layers compute with: Keras' dtype policy.
    pub precision: Precision,
    /// What is minimised.
    pub loss: Loss,
    /// What is shown.
    pub metrics: Vec<Metric>,
    /// Samples a step.
    pub batch_size: usize,
    /// Epochs, unless `steps` is given.
    pub epochs: Option<usize>,
    /// Optimizer steps in all.
    pub steps: Option<u64>,
    /// A log line every so many steps.
    pub log_every: Option<u64>,
    /// An evaluation on the test set every so many steps.
    pub evaluate_every: Option<u64>,
}

/// A network, its data and its training.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Short name.
    pub name: String,
    /// One line.
    pub description: String,
    /// What it reproduces.
    pub source: String,
    /// The published result.
    pub published: String,
    /// Build a Functional model instead of a Sequential.
    pub functional: bool,
    /// `[height, width, channels]` of a picture.
    pub input_shape: Vec<usize>,
    /// Keras' class name and arguments of each layer.
    pub layers: Vec<(String, Map<String, Value>)>,
    /// The data.
    pub data: DataConfig,
    /// The training.
    pub training: TrainingConfig,
    /// Class name and arguments of each callback.
    pub callbacks: Vec<(String, Map<String, Value>)>,
}

impl Recipe {
    /// Names of the built-in recipes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        builtin::RECIPES.iter().map(|(name, _)| *name)
    }

    /// The text of a built-in recipe, to copy and edit.
    pub fn text(name: &str) -> Option<&'static str> {
        builtin::RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// A built-in recipe.
    ///
    /// # Errors
    /// An unknown name; the message lists those there are.
    pub fn builtin(name: &str) -> Result<Recipe> {
        let text = Recipe::text(name).ok_or_else(|| Error::Recipe {
            recipe: name.to_string(),
            message: format!(
                "there is no such recipe{}; known are {} (or give the path of a .toml file)",
                did_you_mean(name, Recipe::names()),
                Recipe::names().collect::<Vec<_>>().join(", ")
            ),
        })?;
        Recipe::parse(text, name)
    }

    /// The model of the recipe with initial weights from `seed`, compiled.
    ///
    /// # Errors
    /// Which layer or argument does not fit.
    pub fn model(&self, seed: u64) -> Result<Model> {
        let mut model = Model::from_graph(self.graph()?, seed)?;
        model.set_precision(self.training.precision)?;
        model.compile(self.compile())?;
        Ok(model)
    }

    /// Optimizer, loss and metrics.
    pub fn compile(&self) -> Compile {
        let mut how = Compile::new(self.training.optimizer.clone(), self.training.loss.clone());
        how.metrics = vec![self.training.metrics.clone()];
        how
    }

    /// The network.
    ///
    /// # Errors
    /// Which layer or argument does not fit.
    pub fn graph(&self) -> Result<Graph> {
        let name = self.name.replace('-', "_");
        let layers = self.layers.iter().map(|(class, config)| self.layer(class, config)).collect::<Result<Vec<_>>>()?;
        if !self.functional {
            let chain = Sequential::new().name(name).add(InputLayer::new(self.input_shape.clone()));
            return Ok(layers.into_iter().fold(chain, Sequential::add_boxed).graph()?);
        }
        let input = InputLayer::new(self.input_shape.clone()).input();
        let mut x: Tensor = input.clone();
        for layer in layers {
            x = apply(&Arc::from(layer), &[&x])?;
        }
        Ok(Graph::between(name, &[&input], &[&x])?)
    }

    fn layer(&self, class: &str, config: &Map<String, Value>) -> Result<Box<dyn Layer>> {
        from_config(class, config, UnknownKeys::Refuse)
            .map_err(|e| Error::Recipe { recipe: self.name.clone(), message: e.to_string() })
    }
}
