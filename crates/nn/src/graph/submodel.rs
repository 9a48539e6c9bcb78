//! A model as a layer of another model.

use super::{Graph, Kind};
use crate::layers::{Base, Built, HasBase, Layer, Shape, show};
use crate::object::{Config, ConfigError, Object};
use crate::precision::Precision;
use serde_json::{Value, json};
use std::any::Any;
use std::sync::Arc;

/// Values of all weights of a model, in its order.
pub(crate) type Values = Arc<Vec<Vec<f32>>>;

/// A model that another model calls like a layer (Keras' nested models).
///
/// The model that contains it runs its layers as if they were its own: weights and outputs of a call on `digits/conv2d` belong to the
/// layer `conv2d` of the submodel `digits`. Keras' files keep the nesting.
///
/// ```
/// use maobi_nn::graph::Sequential;
/// use maobi_nn::layers::{Dense, Flatten, InputLayer};
///
/// let features = Sequential::new().name("features").add(InputLayer::new([8, 8, 1])).add(Flatten::new()).add(Dense::new(4)).build(1)?;
/// // The weights of `features` are copied, and training leaves them as they are.
/// let model = Sequential::new()
///     .add(InputLayer::new([8, 8, 1]))
///     .add(features.submodel().trainable(false))
///     .add(Dense::new(2))
///     .build(2)?;
/// assert_eq!(model.weights()[0].path, "features/dense/kernel");
/// assert_eq!(*model.weights()[0].values(), *features.weights()[0].values());
/// assert!(!model.weights()[0].trainable);
/// # Ok::<(), maobi_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Submodel {
    base: Base,
    graph: Arc<Graph>,
    /// Initial values.
    values: Option<Values>,
}

impl Submodel {
    /// A model with the architecture of `graph` and initial weights of its own.
    pub fn new(mut graph: Graph) -> Submodel {
        if graph.precision != Default::default() {
            let precision = graph.precision;
            graph.change_layers(&|base| base.precision = base.precision.or(Some(precision)));
        }
        Submodel { base: Base { name: Some(graph.name.clone()), ..Base::default() }, graph: Arc::new(graph), values: None }
    }

    /// Gives its weights, in the order of a model that is made of the same graph, these initial values.
    #[must_use]
    pub(crate) fn initial_values(mut self, values: Vec<Vec<f32>>) -> Self {
        self.values = Some(Arc::new(values));
        self
    }

    /// Names the layer, as which the model stands in another one. By default it has the name of the model.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.base.name = Some(name.into());
        self
    }

    /// Whether training changes the weights: sets it for every layer of the model, as in Keras.
    #[must_use]
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.base.trainable = trainable;
        Arc::make_mut(&mut self.graph).change_layers(&|base| base.trainable = trainable);
        self
    }

    /// The submodel that a layer is.
    pub(crate) fn from_layer(layer: &dyn Layer) -> Option<&Submodel> {
        layer.as_any().downcast_ref()
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn values(&self) -> Option<&Values> {
        self.values.as_ref()
    }

    /// Shapes of the inputs.
    pub(crate) fn input_shapes(&self) -> Vec<&Shape> {
        self.graph.inputs.iter().map(|&node| &self.graph.nodes[node].shape).collect()
    }

    /// Shape of the first output, the only one that other layers can take.
    pub(crate) fn output_shape(&self) -> &Shape {
        &self.graph.nodes[self.graph.outputs[0]].shape
    }

    /// Keras 3's JSON within a model of this dtype policy.
    pub(crate) fn to_config(&self, precision: Precision) -> Value {
        let mut config = Graph { precision, ..(*self.graph).clone() }.to_config();
        config["config"]["name"] = json!(self.base.name.as_ref().unwrap_or(&self.graph.name));
        config["config"]["trainable"] = json!(self.base.trainable);
        config
    }

    /// The number that Keras gives its first call where that is an output of a model: building a functional model is a call, too.
    pub(crate) fn first_output(&self) -> usize {
        usize::from(self.graph.kind == Kind::Functional)
    }
}

impl HasBase for Submodel {
    fn base(&self) -> &Base {
        &self.base
    }

    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }

    fn boxed(&self) -> Box<dyn Layer> {
        Box::new(self.clone())
    }
}

impl Object for Submodel {
    fn class_name(&self) -> &'static str {
        match self.graph.kind {
            Kind::Sequential => "Sequential",
            Kind::Functional => "Functional",
        }
    }

    fn default_name(&self) -> &'static str {
        match self.graph.kind {
            Kind::Sequential => "sequential",
            Kind::Functional => "functional",
        }
    }

    fn arguments(&self) -> Config {
        match self.graph.to_config()["config"].take() {
            Value::Object(config) => config,
            _ => Config::new(),
        }
    }

    fn check_arguments(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    fn same(&self, other: &dyn Object) -> bool {
        self.class_name() == other.class_name() && self.arguments() == other.arguments()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Layer for Submodel {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let own = self.input_shapes();
        if own.len() != inputs.len() {
            return Err(format!("has {} inputs, got {}", own.len(), inputs.len()));
        }
        if let Some((own, given)) = own.into_iter().zip(inputs).find(|(own, given)| own != given) {
            return Err(format!("expects an input of shape {}, got {}", show(own), show(given)));
        }
        match self.graph.outputs[..] {
            [_] => Ok(Built::default()),
            ref outputs => Err(format!("has {} outputs; a model in another one has one", outputs.len())),
        }
    }

    fn takes_list(&self) -> bool {
        self.graph.inputs.len() > 1
    }
}

impl Graph {
    /// Replaces the layers by copies that `change` has changed.
    fn change_layers(&mut self, change: &dyn Fn(&mut Base)) {
        for entry in &mut self.layers {
            entry.layer = match Submodel::from_layer(&*entry.layer) {
                // Its layers, and what it says of them.
                Some(inner) => {
                    let mut inner = inner.clone();
                    Arc::make_mut(&mut inner.graph).change_layers(change);
                    change(&mut inner.base);
                    Arc::new(inner)
                }
                None => {
                    let mut layer = entry.layer.boxed();
                    change(layer.base_mut());
                    Arc::from(layer)
                }
            };
        }
    }
}
