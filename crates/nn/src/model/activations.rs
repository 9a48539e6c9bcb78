//! What the layers inside a network make of one sample.

use super::Model;
use crate::error::{Error, Result};
use crate::exec::Samples;

/// The value of one layer for one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    /// Name of the layer.
    pub layer: String,
    /// Its class, as Keras calls it.
    pub class: &'static str,
    /// Whether the layer has weights.
    pub has_weights: bool,
    /// Shape of the value, `[height, width, channels]` for images.
    pub shape: Vec<usize>,
    /// The value.
    pub values: Vec<f32>,
}

impl Model {
    /// Values of all layers but the inputs for one sample, in the order of the graph: the feature maps of a convolution, the answers at
    /// the end. A layer that is called several times is there as often.
    ///
    /// Layers are those of this model: of [`Model::for_inference`] a convolution's maps are those after its activation.
    ///
    /// ```
    /// # use maobi_nn::{graph::Sequential, layers::{Conv2D, Flatten, InputLayer}};
    /// let model = Sequential::new().add(InputLayer::new([4, 4, 1])).add(Conv2D::new(2, 3).name("maps")).add(Flatten::new()).build(1)?;
    /// let maps = &model.activations(&[&[0.5; 16]])?[0];
    /// assert_eq!((maps.layer.as_str(), &maps.shape[..], maps.values.len()), ("maps", &[2, 2, 2][..], 8));
    /// # Ok::<(), maobi_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the inputs are not those of one sample, or there is not the memory for the values.
    pub fn activations(&self, inputs: &[&[f32]]) -> Result<Vec<Activation>> {
        let samples = self.check_inputs(inputs)?;
        if samples != 1 {
            return Err(Error::data("inputs", "one sample", format!("{samples} samples")));
        }
        let mut all = Vec::new();
        self.walk(&Samples { samples, inputs }, |workspace| {
            for (node, &slot) in self.graph.nodes.iter().zip(&self.plan.nodes) {
                if node.inputs.is_empty() {
                    continue;
                }
                let entry = &self.graph.layers[node.layer];
                all.push(Activation {
                    layer: entry.name.clone(),
                    class: entry.layer.class_name(),
                    has_weights: !self.layer_weights(node.layer).is_empty(),
                    shape: node.shape.to_vec(),
                    values: workspace.values[slot].whole().to_vec(),
                });
            }
        })?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Sequential;
    use crate::layers::{Conv2D, Dense, Flatten, InputLayer, MaxPooling2D, ReLU};

    #[test]
    fn values_are_those_that_the_layers_make() {
        let net = Sequential::new().add(InputLayer::new([6, 6, 1])).add(Conv2D::new(2, 3).name("conv"));
        let net = net.add(ReLU::new().name("relu")).add(MaxPooling2D::new(2).name("pool")).add(Flatten::new());
        let model = net.add(Dense::new(3).activation("softmax").name("answer")).build(7).unwrap();
        let input: Vec<f32> = (0..36u8).map(|i| f32::from(i % 5) - 2.0).collect();
        let all = model.activations(&[&input]).unwrap();
        let of = |name: &str| all.iter().find(|one| one.layer == name).unwrap();
        // By hand: a valid convolution, row by row.
        let weights = model.layer_weights(1)[0].values().to_vec();
        for (at, value) in of("conv").values.iter().enumerate() {
            let (y, x, c) = (at / 8, at / 2 % 4, at % 2);
            let taps = (0..9).map(|t| input[(y + t / 3) * 6 + x + t % 3] * weights[t * 2 + c]);
            let sum: f32 = taps.sum();
            // Nine products of f32 below 10, summed in another order.
            assert!((value - sum).abs() < 1e-5, "{at}: {value} for {sum}");
        }
        assert!(of("relu").values.iter().zip(&of("conv").values).all(|(after, before)| *after == before.max(0.0)));
        assert_eq!((of("pool").shape.as_slice(), of("pool").class), (&[2, 2, 2][..], "MaxPooling2D"));
        // What predicts gives the same.
        assert_eq!(*of("answer").values, *model.predict(&[&input]).unwrap()[0]);
        let folded = model.for_inference().unwrap().activations(&[&input]).unwrap();
        assert_eq!((folded[0].layer.as_str(), &folded[0].values), ("conv", &of("relu").values));
    }

    #[test]
    fn one_sample_at_a_time() {
        let model = Sequential::new().add(InputLayer::new([2])).add(Dense::new(1)).build(1).unwrap();
        let error = model.activations(&[&[0.0; 4]]).unwrap_err().to_string();
        assert!(error.contains("one sample") && error.contains("2 samples"), "{error}");
    }
}
