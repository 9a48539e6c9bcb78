//! Sums, products and concatenations of several tensors.

use super::Problem;
use super::attributes::Call;
use super::network::Network;
use super::value::{Traced, Value};
use maobi_nn::graph::{Call as _, Tensor};
use maobi_nn::layers::{Add, Concatenate, Multiply};

impl<'a> Network<'a> {
    /// A sum or product of tensors.
    pub(super) fn join(&mut self, call: Call<'a>, inputs: &[Traced]) -> Result<(), Problem> {
        let name = self.own_name(call);
        let merge = |tensors: &[&Tensor]| match call.node.op_type.as_str() {
            "Mul" => name.iter().fold(Multiply::new(), |layer, name| layer.name(name)).merge(tensors),
            _ => name.iter().fold(Add::new(), |layer, name| layer.name(name)).merge(tensors),
        };
        let positive = inputs.iter().all(|x| x.positive);
        let output = call.output()?;
        // Several flattened images in one order add up as they are.
        let first = &inputs[0];
        let alike =
            inputs.iter().all(|x| x.order == first.order && x.shape == first.shape && x.tensor.shape() == first.tensor.shape());
        if alike {
            let tensor = merge(&inputs.iter().map(|x| &x.tensor).collect::<Vec<_>>())?;
            self.set(output, Value::Traced(Traced { tensor, positive, ..first.clone() }));
            return Ok(());
        }
        let (tensors, planes) = self.aligned(call, inputs)?;
        let tensor = merge(&tensors.iter().collect::<Vec<_>>())?;
        self.set_merged(call, output, tensor, planes, positive)
    }

    pub(super) fn concat(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let inputs: Vec<Traced> = (0..call.node.input.len()).map(|i| self.traced(call, i)).collect::<Result<_, _>>()?;
        let Some(first) = inputs.first() else { return Err(call.damaged("has no inputs")) };
        let axis = self.axes(call, &[call.int("axis", 1)], first.shape.len() as i64 + 1)?[0];
        let positive = inputs.iter().all(|x| x.positive);
        let output = call.output()?;
        if inputs.len() == 1 {
            self.set(output, Value::Traced(first.clone()));
            return Ok(());
        }
        if axis == 0 {
            return Err(call.unsupported("attribute axis is 0: samples are not put together here"));
        }
        let (tensors, planes) = self.aligned(call, &inputs)?;
        // Of [batch, channels, height, width], where the axis is among ours.
        let axis = if planes { [3, 1, 2][axis - 1] } else { axis };
        let last = tensors.first().is_some_and(|t| t.shape().len() == axis);
        let layer = Concatenate::new().axis(if last { -1i64 } else { axis as i64 });
        let layer = self.own_name(call).into_iter().fold(layer, |layer, name| layer.name(name));
        let tensor = layer.merge(&tensors.iter().collect::<Vec<_>>())?;
        self.set_merged(call, output, tensor, planes, positive)
    }

    /// Our tensors in one order of axes: as images where all are, in the file's order otherwise.
    fn aligned(&self, call: Call<'_>, inputs: &[Traced]) -> Result<(Vec<Tensor>, bool), Problem> {
        let rank = inputs[0].shape.len();
        if inputs.iter().any(|x| x.shape.len() != rank) {
            return Err(call.unsupported("takes tensors of different numbers of axes; put a Reshape before the shorter one"));
        }
        let images: Result<Vec<Tensor>, String> = inputs.iter().map(Traced::image).collect();
        if let Ok(images) = images {
            return Ok((images, true));
        }
        let plain: Result<Vec<Tensor>, String> = inputs.iter().map(Traced::plain).collect();
        plain.map(|tensors| (tensors, false)).map_err(|m| call.unsupported(m))
    }

    fn set_merged(
        &mut self,
        call: Call<'_>,
        output: &'a str,
        tensor: Tensor,
        planes: bool,
        positive: bool,
    ) -> Result<(), Problem> {
        if planes {
            return self.set_image(call, output, tensor, positive);
        }
        self.set(output, Value::Traced(Traced::own(tensor).positive(positive)));
        Ok(())
    }
}
