//! One version of one model: its network, and what clients call its inputs and outputs.

use crate::metrics::ModelMetrics;
use maobi_nn::Model;
use maobi_recognize::{NONE, OperatingPoint, Preprocessing, Recognizer};
use std::sync::Arc;

/// Most values of all outputs that one request may ask for: 16 MB, and some 50 as JSON.
const MAX_ANSWER: usize = 1 << 22;

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// As Keras calls the layer.
    pub name: String,
    /// Of one sample.
    pub shape: Vec<usize>,
}

impl Tensor {
    /// Number of values of one sample.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether a sample has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A model that answers; it never changes. A new file makes a new one.
#[derive(Debug)]
pub struct Served {
    /// By what name it is asked for.
    pub name: Arc<str>,
    /// Its version, from 1.
    pub version: u64,
    /// In the order of the network.
    pub inputs: Vec<Tensor>,
    /// In the order of the network.
    pub outputs: Vec<Tensor>,
    network: Network,
    /// What its file says of its pictures.
    pub(crate) said: Option<Preprocessing>,
    pub(crate) metrics: Arc<ModelMetrics>,
}

#[derive(Debug)]
enum Network {
    /// One that reads pictures.
    Reads(Box<Recognizer>),
    /// Any other, made for prediction.
    Plain(Box<Model>),
}

impl Served {
    /// Takes a network of one thread: as many batches as there are threads run beside each other.
    ///
    /// # Errors
    /// When the classes that are named do not fit the network, it has an input of no values, or one of its weights is NaN or infinite.
    pub fn new(
        name: Arc<str>,
        version: u64,
        mut model: Model,
        preprocessing: Option<Preprocessing>,
        metrics: Arc<ModelMetrics>,
    ) -> Result<Self, String> {
        model.check_finite().map_err(|error| format!("{error}: its training has diverged, and it is not served"))?;
        model.set_threads(1);
        let graph = model.graph();
        let tensors = |nodes: &[usize]| {
            let mut tensors: Vec<Tensor> = Vec::new();
            for &node in nodes {
                let node = &graph.nodes[node];
                let layer = &graph.layers[node.layer].name;
                // A layer that is called twice makes two outputs.
                let taken = |name: &String| tensors.iter().any(|tensor| tensor.name == *name);
                let names = std::iter::once(layer.clone()).chain((1..).map(|count| format!("{layer}_{count}")));
                let name = names.into_iter().find(|name| !taken(name)).unwrap_or_default();
                tensors.push(Tensor { name, shape: node.shape.to_vec() });
            }
            tensors
        };
        let (inputs, outputs) = (tensors(&graph.inputs), tensors(&graph.outputs));
        if let Some(empty) = inputs.iter().find(|input| input.is_empty()) {
            return Err(format!("input {}: has shape {:?}, of no values", empty.name, empty.shape));
        }
        let said = preprocessing.clone();
        let network = match reads_pictures(&inputs, &outputs) {
            true => Network::Reads(Box::new(recognizer(model, preprocessing)?)),
            false => Network::Plain(Box::new(model.for_inference().map_err(|e| e.to_string())?)),
        };
        let served = Self { name, version, inputs, outputs, network, said, metrics };
        served.warm_up()?;
        Ok(served)
    }

    /// The network, as it predicts fastest.
    pub fn model(&self) -> &Model {
        match &self.network {
            Network::Reads(recognizer) => recognizer.running(),
            Network::Plain(model) => model,
        }
    }

    /// What reads pictures with it; `None` for a network that takes something else.
    pub fn recognizer(&self) -> Option<&Recognizer> {
        match &self.network {
            Network::Reads(recognizer) => Some(recognizer),
            Network::Plain(_) => None,
        }
    }

    /// Most samples that one request may hold.
    pub fn max_samples(&self) -> usize {
        let values: usize = self.outputs.iter().map(Tensor::len).sum();
        MAX_ANSWER / values.max(1)
    }

    /// One prediction, so that the first client does not wait for weights to be packed, and a network that cannot run is not served.
    fn warm_up(&self) -> Result<(), String> {
        let zeros: Vec<Vec<f32>> = self.inputs.iter().map(|input| vec![0.0; input.len()]).collect();
        let slices: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();
        self.model().predict(&slices).map(drop).map_err(|e| e.to_string())
    }
}

/// Whether a network takes grey pictures and gives a value for each class.
fn reads_pictures(inputs: &[Tensor], outputs: &[Tensor]) -> bool {
    let grey = matches!(inputs.iter().map(|input| &input.shape[..]).collect::<Vec<_>>()[..], [&[_, _] | &[_, _, 1]]);
    grey && matches!(outputs.iter().map(|output| &output.shape[..]).collect::<Vec<_>>()[..], [&[classes]] if classes > 0)
}

fn recognizer(model: Model, preprocessing: Option<Preprocessing>) -> Result<Recognizer, String> {
    let preprocessing = preprocessing.unwrap_or_else(|| Preprocessing::presumed(&model));
    let (scaling, classes) = (preprocessing.scaling(), preprocessing.classes);
    // What has a name and no letter is no digit that could be none.
    let named = classes.iter().any(|name| name != NONE && name.chars().count() != 1);
    let recognizer = Recognizer::new(model, scaling, classes).map_err(|e| e.to_string())?;
    let point = OperatingPoint { unsure: 0.0, ..OperatingPoint::default() };
    Ok(if named { recognizer.operating_point(point) } else { recognizer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Dense, Flatten, InputLayer};

    #[test]
    fn a_classifier_of_grey_pictures_reads_others_only_predict() {
        let of = |shape: &[usize]| {
            let net = Sequential::new().add(InputLayer::new(shape.to_vec()).name("x")).add(Flatten::new());
            let model = net.add(Dense::new(3).name("y")).build(1).unwrap();
            Served::new("m".into(), 1, model, None, Arc::default()).unwrap()
        };
        let grey = of(&[8, 8, 1]);
        assert!(grey.recognizer().is_some() && of(&[8, 8, 3]).recognizer().is_none());
        assert_eq!(grey.inputs, [Tensor { name: "x".into(), shape: vec![8, 8, 1] }]);
        assert_eq!((grey.outputs[0].name.as_str(), grey.outputs[0].len()), ("y", 3));
        assert_eq!(grey.max_samples(), (1 << 22) / 3);
    }
}
