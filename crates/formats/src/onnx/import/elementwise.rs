//! Activations, normalizations and arithmetic with constants.

use super::Problem;
use super::attributes::{Call, short};
use super::network::Network;
use super::value::{Traced, Value};
use maobi_nn::graph::{Call as _, Tensor};
use maobi_nn::layers::*;

/// Whether an activation's outputs are never below 0.
pub(super) fn is_positive(activation: Option<&str>) -> bool {
    matches!(activation, Some("relu" | "relu6" | "sigmoid" | "hard_sigmoid" | "softmax" | "softplus" | "exponential"))
}

/// x · scale + offset; one number or one per channel.
struct Affine {
    scale: Vec<f64>,
    offset: Vec<f64>,
}

impl<'a> Network<'a> {
    /// Keras' name of the activation that a node is, with the defaults it has there.
    fn activation(&self, call: Call<'_>) -> Result<Option<&'static str>, Problem> {
        let near = |a: f32, b: f64| (f64::from(a) - b).abs() < 1e-6;
        Ok(match call.node.op_type.as_str() {
            "Relu" => Some("relu"),
            "Sigmoid" => Some("sigmoid"),
            "Tanh" => Some("tanh"),
            "Softplus" => Some("softplus"),
            "Softsign" => Some("softsign"),
            "Exp" => Some("exponential"),
            "Elu" if call.float("alpha", 1.0) == 1.0 => Some("elu"),
            "LeakyRelu" if near(call.float("alpha", 0.01), 0.2) => Some("leaky_relu"),
            "Selu" if near(call.float("alpha", 1.673_263_2), 1.673_263_2) && near(call.float("gamma", 1.050_701), 1.050_701) => {
                Some("selu")
            }
            "HardSigmoid" if near(call.float("alpha", 0.2), 1.0 / 6.0) && call.float("beta", 0.5) == 0.5 => Some("hard_sigmoid"),
            "Gelu" if call.text("approximate").unwrap_or("none") == "none" => Some("gelu"),
            "Clip" if self.bounds(call)? == (0.0, 6.0) => Some("relu6"),
            _ => None,
        })
    }

    /// The activation that alone takes a value and becomes an argument of the layer that made it, and what it makes. `channels`: the
    /// axis that a softmax must be over, without the batch.
    pub(super) fn activation_after(
        &mut self,
        call: Call<'a>,
        output: &'a str,
        channels: usize,
    ) -> Result<(Option<&'static str>, &'a str), Problem> {
        if let Some(gate) =
            self.gate(output).filter(|gate| gate.is_alone && gate.nodes.iter().all(|(_, n)| self.may_join(call, *n)))
        {
            self.done.extend(gate.nodes.iter().map(|(index, _)| *index));
            return Ok((Some(gate.name), gate.output));
        }
        let Some((index, next)) = self.only_consumer(output).filter(|(_, next)| self.may_join(call, *next)) else {
            return Ok((None, output));
        };
        // A rank is not at hand: of a softmax, only what is the same for any is taken.
        let softmax = next.node.op_type == "Softmax" && {
            let axis = next.int("axis", if self.opset < 13 { 1 } else { -1 });
            if channels == 0 {
                axis == 1 || axis == -1 && self.rank_is_two(call)
            } else {
                axis == -1 || axis == channels as i64 + 1
            }
        };
        let name = if softmax {
            Some("softmax")
        } else if next.input(0) == Some(output) {
            self.activation(next)?
        } else {
            None
        };
        match name {
            Some(name) => {
                self.done.insert(index);
                Ok((Some(name), next.output()?))
            }
            None => Ok((None, output)),
        }
    }

    /// Whether a node makes `[batch, values]`: of those that ask, dense layers on flat tensors.
    fn rank_is_two(&self, call: Call<'_>) -> bool {
        matches!(call.node.op_type.as_str(), "Gemm" | "MatMul")
    }

    /// Applies a layer to a tensor whatever its order of axes.
    fn each(
        &mut self,
        output: &'a str,
        x: Traced,
        positive: bool,
        layer: impl FnOnce(&Tensor) -> Result<Tensor, maobi_nn::Error>,
    ) -> Result<(), Problem> {
        let tensor = layer(&x.tensor)?;
        self.set(output, Value::Traced(Traced { tensor, positive, ..x }));
        Ok(())
    }

    /// An activation as a layer of its own.
    pub(super) fn function(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        if let Some(gate) = self.gate_with(call) {
            self.done.extend(gate.nodes.iter().map(|(index, _)| *index));
            return self.activate(call, gate.output, x, gate.name);
        }
        let output = call.output()?;
        if let Some(name) = self.activation(call)? {
            return self.activate(call, output, x, name);
        }
        let name = self.own_name(call);
        match call.node.op_type.as_str() {
            "LeakyRelu" | "PRelu" => {
                let slope = match self.constant_or_none(call, 1)? {
                    Some(slope) => {
                        slope.scalar().ok_or_else(|| call.unsupported("has a slope for each channel; one for all is read"))?
                    }
                    None => call.float("alpha", 0.01),
                };
                let layer = name.into_iter().fold(LeakyReLU::new().negative_slope(short(slope)), |l, n| l.name(n));
                self.each(output, x, false, |t| layer.call(t))
            }
            "Elu" => {
                let layer = name.into_iter().fold(ELU::new().alpha(short(call.float("alpha", 1.0))), |l, n| l.name(n));
                self.each(output, x, false, |t| layer.call(t))
            }
            "Clip" => match self.bounds(call)? {
                (0.0, high) => {
                    let layer = if high.is_finite() { ReLU::new().max_value(short(high)) } else { ReLU::new() };
                    let layer = name.into_iter().fold(layer, |l, n| l.name(n));
                    self.each(output, x, true, |t| layer.call(t))
                }
                (low, high) => Err(call.unsupported(format!("clips to {low} to {high}; from 0 is read (ReLU with max_value)"))),
            },
            _ => Err(call.unsupported("has attributes that no activation here has")),
        }
    }

    fn activate(&mut self, call: Call<'a>, output: &'a str, x: Traced, name: &'static str) -> Result<(), Problem> {
        let layer = self.own_name(call).into_iter().fold(Activation::new(name), |layer, name| layer.name(name));
        self.each(output, x, is_positive(Some(name)), |t| layer.call(t))
    }

    /// Least and largest value of a Clip.
    fn bounds(&self, call: Call<'_>) -> Result<(f32, f32), Problem> {
        let bound = |index: usize, attribute: &str, none: f32| -> Result<f32, Problem> {
            let given = self.constant_or_none(call, index)?.and_then(|c| c.scalar());
            let bound = given.unwrap_or_else(|| call.float(attribute, none));
            Ok(if bound.abs() >= f32::MAX { none } else { bound })
        };
        Ok((bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?))
    }

    pub(super) fn softmax(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let rank = x.shape.len() as i64 + 1;
        let axis = call.int("axis", if self.opset < 13 { 1 } else { -1 });
        let axis = self.axes(call, &[axis], rank)?[0];
        let output = call.output()?;
        if call.node.op_type == "LogSoftmax" {
            if !self.is_output(output) {
                return Err(call.unsupported("only as the last node: the logarithm of a softmax has no layer here"));
            }
            self.notes.push(format!("output \"{output}\" is probabilities here; the file takes their logarithm"));
        }
        let last = axis + 1 == rank as usize;
        // Before operator set 13 all axes from this one on were one.
        let whole = self.opset >= 13 || last;
        let (tensor, planes) = match (x.image(), x.plain()) {
            (_, _) if x.shape.len() == 1 => (x.shaped(&x.shape).map_err(|m| call.unsupported(m))?, false),
            (Ok(image), _) if axis == 1 && whole => (image, true),
            (_, Ok(plain)) if last => (plain, false),
            _ => return Err(call.unsupported(format!("attribute axis is {axis}; the channels or the last axis are read"))),
        };
        let layer = self.own_name(call).into_iter().fold(Softmax::new(), |layer, name| layer.name(name));
        let tensor = layer.call(&tensor)?;
        if planes {
            return self.set_image(call, output, tensor, true);
        }
        let order = if x.shape.len() == 1 { x.order } else { super::order::Order::same(&x.shape) };
        self.set(output, Value::Traced(Traced { tensor, order, shape: x.shape, positive: true }));
        Ok(())
    }

    pub(super) fn batch_norm(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let channels = *x.shape.first().ok_or_else(|| call.damaged("takes a tensor without channels"))?;
        let mut weights = Vec::with_capacity(4);
        for index in 1..5 {
            let values = self.constant(call, index)?.floats();
            if values.len() != channels {
                return Err(call.damaged(format!("input {index} has {} values for {channels} channels", values.len())));
            }
            weights.push(self.weight(call, values)?);
        }
        let name = self.name(call, 1, "batch_normalization");
        let layer = BatchNormalization::new().epsilon(short(call.float("epsilon", 1e-5))).name(&name);
        let layer = if call.has("momentum") { layer.momentum(short(call.float("momentum", 0.9))) } else { layer };
        let output = call.output()?;
        if x.shape.len() == 1 {
            if !x.order.is_same() {
                weights = weights.iter().map(|values| x.order.sorted(values, 1)).collect();
            }
            let tensor = x.shaped(&[channels]).map_err(|m| call.unsupported(m))?;
            self.keep(&name, weights);
            return self.each(output, Traced { tensor, ..x }, false, |t| layer.call(t));
        }
        let image = x.image().map_err(|m| call.unsupported(m))?;
        self.keep(&name, weights);
        self.set_image(call, output, layer.call(&image)?, false)
    }

    pub(super) fn layer_norm(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let tensor = x.plain().map_err(|m| call.unsupported(m))?;
        let rank = x.shape.len() as i64 + 1;
        let axis = self.axes(call, &[call.int("axis", -1)], rank)?[0];
        let gamma = self.constant(call, 1)?.floats();
        let beta = self.constant_or_none(call, 2)?.map(|beta| beta.floats());
        let count = x.shape.get(axis.saturating_sub(1)..).unwrap_or_default().iter().product::<usize>();
        if axis == 0 || gamma.len() != count || beta.as_ref().is_some_and(|b| b.len() != count) {
            return Err(
                call.unsupported("scale and bias have to have the axes that are normalized, and these lie behind the batch")
            );
        }
        let name = self.name(call, 1, "layer_normalization");
        let axes: Vec<i64> = (axis as i64 - rank..0).collect();
        let layer = LayerNormalization::new().axis(Axes(axes)).epsilon(short(call.float("epsilon", 1e-5)));
        let made = layer.center(beta.is_some()).name(&name).call(&tensor)?;
        let gamma = self.weight(call, gamma)?;
        self.keep(&name, [Some(gamma), beta].into_iter().flatten().collect());
        self.set(call.output()?, Value::Traced(Traced::own(made)));
        Ok(())
    }

    /// Add, Sub, Mul, Div, Sum: of tensors, or of a tensor and a constant.
    pub(super) fn arithmetic(&mut self, call: Call<'a>) -> Result<(), Problem> {
        if let Some(gate) = self.gate_with(call)
            && let Value::Traced(x) = self.value(gate.input)?
        {
            self.done.extend(gate.nodes.iter().map(|(index, _)| *index));
            return self.activate(call, gate.output, x, gate.name);
        }
        let mut tensors = Vec::new();
        for index in 0..call.node.input.len() {
            if let Some(Value::Traced(x)) = self.optional(call, index)? {
                tensors.push(x);
            }
        }
        if tensors.len() == call.node.input.len() && tensors.len() >= 2 {
            return match call.node.op_type.as_str() {
                "Add" | "Mul" | "Sum" => self.join(call, &tensors),
                op => Err(call.unsupported(format!("{op} of two tensors has no layer here; Add and Mul have"))),
            };
        }
        let [x] = tensors.as_slice() else { return Err(call.unsupported("takes a tensor and a constant, or tensors")) };
        self.affine(call, x)
    }

    /// A tensor times a constant plus a constant: Rescaling for numbers, BatchNormalization with fixed statistics for one a channel.
    fn affine(&mut self, call: Call<'a>, x: &Traced) -> Result<(), Problem> {
        let mut affine = Affine { scale: vec![1.0], offset: vec![0.0] };
        let at = usize::from(matches!(self.optional(call, 1)?, Some(Value::Constant(_))));
        self.fold_into(call, at, x, &mut affine)?;
        let mut output = call.output()?;
        while let Some((index, next)) = self.only_consumer(output).filter(|(_, next)| self.may_join(call, *next)) {
            let at = usize::from(next.input(0) == Some(output));
            let constant = matches!(self.optional(next, at), Ok(Some(Value::Constant(_))));
            let ours = matches!(next.node.op_type.as_str(), "Add" | "Sub" | "Mul" | "Div");
            if !ours || !constant || self.fold_into(next, at, x, &mut affine).is_err() {
                break;
            }
            self.done.insert(index);
            output = next.output()?;
        }
        let Affine { scale, offset } = affine;
        if scale.len() == 1 && offset.len() == 1 {
            let layer = Rescaling::new(scale[0]).offset(offset[0]);
            let layer = self.own_name(call).into_iter().fold(layer, |layer, name| layer.name(name));
            return self.each(output, x.clone(), false, |t| layer.call(t));
        }
        let channels = scale.len().max(offset.len());
        let full = |values: Vec<f64>| -> Vec<f32> {
            (0..channels).map(|i| values[if values.len() == 1 { 0 } else { i }] as f32).collect()
        };
        let name = self.name(call, usize::MAX, "batch_normalization");
        let epsilon = 1e-3;
        let layer = BatchNormalization::new().epsilon(epsilon).trainable(false).name(&name);
        let gamma = self.weight(call, full(scale))?;
        self.keep(&name, vec![gamma, full(offset), vec![0.0; channels], vec![(1.0 - epsilon) as f32; channels]]);
        if let ([_, _, _], Ok(image)) = (x.shape.as_slice(), x.image())
            && image.shape().last() == Some(&channels)
            && x.shape[0] == channels
        {
            return self.set_image(call, output, layer.call(&image)?, false);
        }
        let tensor = if x.shape.len() == 1 { x.shaped(&x.shape) } else { x.plain() }.map_err(|m| call.unsupported(m))?;
        self.each(output, Traced { tensor, ..x.clone() }, false, |t| layer.call(t))
    }

    /// Appends what a node does with its constant, input number `at`. `Err` and no change when the constant is neither one number
    /// nor one a channel.
    fn fold_into(&self, call: Call<'_>, at: usize, x: &Traced, affine: &mut Affine) -> Result<(), Problem> {
        let constant = self.constant(call, at)?;
        let mut values: Vec<f64> = constant.floats().iter().map(|v| short(*v)).collect();
        if values.len() != 1 {
            // Where the constant's only long axis lies, counted from the end: the channels of an image, or the last.
            let rank = x.shape.len();
            let long = constant.shape.iter().rposition(|n| *n != 1).map(|i| constant.shape.len() - 1 - i);
            let one_axis = constant.shape.iter().filter(|n| **n != 1).count() == 1;
            let axis = long.filter(|_| one_axis).and_then(|from_end| (rank - 1).checked_sub(from_end));
            let fits = axis.is_some_and(|axis| {
                x.shape.get(axis) == Some(&values.len()) && (axis == 0 && rank == 3 && x.image().is_ok() || axis + 1 == rank)
            });
            if !fits {
                return Err(call.unsupported(format!(
                    "a constant with axes {:?} and a tensor with axes {:?} behind the batch; one number, or one a channel, is read",
                    constant.shape, x.shape
                )));
            }
            if rank == 1 && !x.order.is_same() {
                let rows: Vec<f32> = values.iter().map(|v| *v as f32).collect();
                values = x.order.sorted(&rows, 1).iter().map(|v| short(*v)).collect();
            }
        }
        let each = |a: &[f64], f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            let count = a.len().max(values.len());
            let pick = |v: &[f64], i: usize| v[if v.len() == 1 { 0 } else { i }];
            (0..count).map(|i| f(pick(a, i), pick(&values, i))).collect()
        };
        match (call.node.op_type.as_str(), at) {
            ("Add" | "Sum", _) => affine.offset = each(&affine.offset, &|a, b| a + b),
            ("Sub", 1) => affine.offset = each(&affine.offset, &|a, b| a - b),
            ("Sub", _) => {
                affine.scale.iter_mut().for_each(|v| *v = -*v);
                affine.offset = each(&affine.offset, &|a, b| b - a);
            }
            ("Mul", _) => {
                affine.scale = each(&affine.scale, &|a, b| a * b);
                affine.offset = each(&affine.offset, &|a, b| a * b);
            }
            ("Div", 1) => {
                affine.scale = each(&affine.scale, &|a, b| a / b);
                affine.offset = each(&affine.offset, &|a, b| a / b);
            }
            _ => return Err(call.unsupported("divides a constant by a tensor: no layer here does")),
        }
        Ok(())
    }
}
