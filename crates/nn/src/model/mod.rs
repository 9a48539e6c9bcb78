//! A network with its weights: what [`Sequential`] and the functional builder make.

mod activations;
mod compile;
mod config;
mod finite;
mod for_inference;
mod meters;
mod output;
mod predict;
mod program;
mod summary;
mod train;
mod weight;

pub use activations::Activation;
pub use compile::{Compile, Training};
pub use meters::{Logs, Meters};
pub use output::Output;
pub use program::Program;
pub use train::{Batch, Evaluation, StepLogs};
pub use weight::Weight;

use crate::error::{Error, Result};
use crate::exec::{Plan, Workspace};
use crate::graph::{Flat, Graph, Part, Sequential, Submodel, Tensor};
use crate::layers::{MAX_VALUES, Shape};
use crate::precision::Precision;
use maobi_kernels::memory::Ref;
use maobi_kernels::pool::Pool;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Guards of all weights for one walk; recipes stay below the inline count, so a step allocates nothing.
pub(crate) type WeightGuards<'a> = SmallVec<[Ref<'a>; 32]>;

/// A model: graph, weights, and once compiled, optimizer, losses and metrics.
#[derive(Debug)]
pub struct Model {
    graph: Graph,
    /// The graph with its submodels, where it has some.
    outline: Option<Graph>,
    parts: Vec<Part>,
    plan: Plan,
    weights: Vec<Weight>,
    /// Per layer of the graph, its weights.
    ranges: Vec<Range<usize>>,
    seed: u64,
    pool: Arc<Pool>,
    pub(crate) training: Option<Training>,
    /// Memory of predictions that are over, for those to come.
    inference: Mutex<Vec<Workspace>>,
}

impl Model {
    /// The model between `inputs` and `outputs`, with initial weights drawn from `seed`.
    ///
    /// # Errors
    /// As [`Graph::between`].
    pub fn new(name: impl Into<String>, inputs: &[&Tensor], outputs: &[&Tensor], seed: u64) -> Result<Model> {
        Model::from_graph(Graph::between(name, inputs, outputs)?, seed)
    }

    /// Lowers a graph. Initial weights are drawn from `seed` when they are first needed; a model whose weights are all set before, as
    /// those of a file are, never draws any.
    ///
    /// # Errors
    /// A layer whose arguments or input shape do not fit.
    pub fn from_graph(graph: Graph, seed: u64) -> Result<Model> {
        if !graph.is_nested() {
            let parts = (0..graph.layers.len()).map(Part::Layer).collect();
            return Model::from_flat(Flat { graph, parts, values: Vec::new() }, None, seed);
        }
        Model::from_flat(graph.flatten()?, Some(graph), seed)
    }

    fn from_flat(flat: Flat, outline: Option<Graph>, seed: u64) -> Result<Model> {
        let Flat { graph, parts, values } = flat;
        let (plan, declared) = Plan::new(&graph)?;
        let total = declared.iter().flat_map(|l| &l.specs).map(|s| s.shape.iter().product::<usize>()).sum::<usize>();
        if total > MAX_VALUES {
            return Err(Error::graph(graph.name, format!("has {total} weight values; more than {MAX_VALUES} are not supported")));
        }
        let mut weights = Vec::new();
        let mut ranges = vec![0..0; graph.layers.len()];
        for layer in declared {
            let entry = &graph.layers[layer.layer];
            let start = weights.len();
            for spec in &layer.specs {
                weights.push(Weight::new(&entry.name, entry.layer.base().trainable, spec, weight_seed(seed, weights.len())));
            }
            ranges[layer.layer] = start..weights.len();
        }
        for (layers, values) in values {
            let of_layers = layers.flat_map(|layer| ranges[layer].clone());
            of_layers.zip(&*values).for_each(|(weight, values)| weights[weight].set_values(values));
        }
        let pool = Arc::new(Pool::new(Pool::default_threads()));
        Ok(Model { graph, outline, parts, plan, weights, ranges, seed, pool, training: None, inference: Mutex::default() })
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.graph.name
    }

    /// Layers and their connections. Layers of a [`Submodel`] are among them, under names such as
    /// `submodel/dense`.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Layers and their connections as the model was described: a submodel is one layer.
    pub fn outline(&self) -> &Graph {
        self.outline.as_ref().unwrap_or(&self.graph)
    }

    /// A layer that does what this model does, with a copy of its weights: to make it a part of another model.
    pub fn submodel(&self) -> Submodel {
        Submodel::new(self.outline().clone()).initial_values(self.weights.iter().map(|weight| weight.values().to_vec()).collect())
    }

    /// What each layer of [`Model::outline`] became in [`Model::graph`].
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The dtype policy of layers that have none of their own.
    pub fn precision(&self) -> Precision {
        self.graph.precision
    }

    /// Sets the dtype policy of all layers but those that were given one of their own, as Keras' `set_dtype_policy` does for layers
    /// made after it. Weights stay as they are, in f32.
    ///
    /// Comes before `compile`: a compiled model has to be compiled again.
    ///
    /// # Errors
    /// None that a model which could be built knows; building is done anew.
    pub fn set_precision(&mut self, precision: Precision) -> Result<()> {
        if precision == self.graph.precision {
            return Ok(());
        }
        self.graph.precision = precision;
        self.outline.iter_mut().for_each(|outline| outline.precision = precision);
        (self.plan, _) = Plan::new(&self.graph)?;
        self.training = None;
        self.inference = Mutex::default();
        Ok(())
    }

    /// The seed of initial weights, dropout and augmentation.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Changes the seed of dropout and augmentation from here on.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// All weights, layer by layer, in Keras' order.
    pub fn weights(&self) -> &[Weight] {
        &self.weights
    }

    /// All weights, to change their values.
    pub fn weights_mut(&mut self) -> &mut [Weight] {
        &mut self.weights
    }

    /// The weights of one layer of the graph.
    pub fn layer_weights(&self, layer: usize) -> &[Weight] {
        &self.weights[self.ranges[layer].clone()]
    }

    /// Number of weight values.
    pub fn count_params(&self) -> usize {
        self.weights.iter().map(Weight::len).sum()
    }

    /// Shapes of one sample of each input.
    pub fn input_shapes(&self) -> Vec<Shape> {
        self.graph.inputs.iter().map(|&n| self.graph.nodes[n].shape.clone()).collect()
    }

    /// Shapes of one sample of each output.
    pub fn output_shapes(&self) -> Vec<Shape> {
        self.graph.outputs.iter().map(|&n| self.graph.nodes[n].shape.clone()).collect()
    }

    /// Names of the layers that make the outputs.
    pub fn output_names(&self) -> Vec<&str> {
        self.graph.outputs.iter().map(|&n| self.graph.layers[self.graph.nodes[n].layer].name.as_str()).collect()
    }

    /// Runs on this many threads from here on, at least one. The numbers do not depend on it.
    pub fn set_threads(&mut self, threads: usize) {
        if threads.max(1) != self.pool.threads() {
            self.pool = Arc::new(Pool::new(threads.max(1)));
        }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The thread pool, for work beside the model's own.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Values that the optimizer keeps (iteration, learning rate and slots).
    pub(crate) fn optimizer_params(&self) -> usize {
        self.training.as_ref().map_or(0, Training::optimizer_params)
    }
}

impl Sequential {
    /// Checks shapes and draws initial weights from `seed`.
    ///
    /// # Errors
    /// As [`Sequential::graph`].
    pub fn build(self, seed: u64) -> Result<Model> {
        Model::from_graph(self.graph()?, seed)
    }
}

/// A seed of its own for every weight.
fn weight_seed(seed: u64, index: usize) -> u64 {
    // The increment of SplitMix64 keeps neighbours apart.
    seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
