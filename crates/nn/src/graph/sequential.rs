//! A chain of layers.

use super::{Graph, GraphLayer, Kind, Names, Node, build, output_shape};
use crate::error::{Error, Result};
use crate::layers::{Layer, Shape};
use crate::precision::Precision;
use std::sync::Arc;

/// Builder of a model that is a chain of layers; the first is an [`InputLayer`](crate::layers::InputLayer).
///
/// ```
/// use maobi_nn::graph::Sequential;
/// use maobi_nn::layers::{Conv2D, Dense, Flatten, InputLayer, MaxPooling2D};
///
/// let model = Sequential::new()
///     .add(InputLayer::new([28, 28, 1]))
///     .add(Conv2D::new(8, 3).activation("relu"))
///     .add(MaxPooling2D::new(2))
///     .add(Flatten::new())
///     .add(Dense::new(10).activation("softmax"))
///     .build(1)?;
/// assert_eq!(model.count_params(), 80 + 13_530);
/// # Ok::<(), maobi_nn::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Sequential {
    name: Option<String>,
    layers: Vec<Arc<dyn Layer>>,
}

impl Sequential {
    /// An empty chain.
    pub fn new() -> Self {
        Sequential::default()
    }

    /// Names the model; `sequential` by default.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Appends a layer.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // Keras' name
    pub fn add(mut self, layer: impl Layer) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Appends a layer that was made from a configuration.
    #[must_use]
    pub fn add_boxed(mut self, layer: Box<dyn Layer>) -> Self {
        self.layers.push(Arc::from(layer));
        self
    }

    /// The chain as a graph.
    ///
    /// # Errors
    /// A chain without input, a layer whose arguments or input shape do not fit, two layers of one name.
    pub fn graph(self) -> Result<Graph> {
        let name = self.name.unwrap_or_else(|| "sequential".into());
        let starts_with_input = self.layers.first().is_some_and(|l| l.is_input());
        if !starts_with_input {
            return Err(Error::graph(
                name,
                "the first layer must be an InputLayer that gives the shape of a sample, e.g. [28, 28, 1]",
            ));
        }
        let mut names = Names::default();
        for layer in &self.layers {
            if let Some(given) = &layer.base().name {
                names.take(&name, given)?;
            }
        }
        let mut layers = Vec::with_capacity(self.layers.len());
        let mut nodes: Vec<Node> = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.into_iter().enumerate() {
            let layer_name = layer.base().name.clone().unwrap_or_else(|| names.make(layer.default_name()));
            let inputs: Vec<usize> = i.checked_sub(1).into_iter().collect();
            let shapes: Vec<Shape> = inputs.iter().map(|&n| nodes[n].shape.clone()).collect();
            if i > 0 && layer.is_input() {
                return Err(Error::graph(
                    name,
                    format!("\"{layer_name}\" is a second InputLayer; a Sequential model has one, at its start"),
                ));
            }
            let built = build(&*layer, &layer_name, &shapes)?;
            let shape = output_shape(&*layer, &built, &shapes);
            nodes.push(Node { layer: i, inputs, call: 0, shape });
            layers.push(GraphLayer { layer, name: layer_name });
        }
        let last = nodes.len() - 1;
        Ok(Graph {
            name,
            kind: Kind::Sequential,
            layers,
            nodes,
            inputs: vec![0],
            outputs: vec![last],
            precision: Precision::default(),
        })
    }
}
