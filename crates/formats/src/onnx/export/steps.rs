//! Each operation as ONNX nodes (operators: github.com/onnx/onnx, docs/Operators.md).

use super::graph::{Order, Writer};
use crate::inference::scale_and_shift;
use crate::onnx::proto::Attribute;
use maobi_nn::program::{Function, Operation, Pooling, Step, Window};

impl Writer<'_> {
    /// Appends the nodes of a step.
    ///
    /// # Errors
    /// A step that has no nodes.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), String> {
        let program = self.program;
        let layer = step.layer.as_str();
        let [input, output] = [step.inputs[0], step.output];
        let shape = &program.shapes[input];
        match &step.what {
            Operation::Conv { kernel, bias, window, groups, filters } => {
                let [kh, kw] = window.size;
                let order = Order::OutInHeightWidth([kh, kw, shape[2] / groups, *filters]);
                let mut inputs = vec![self.planes(input), self.array(*kernel, order)];
                inputs.extend(bias.map(|bias| self.array(bias, Order::Own)));
                let mut attributes = windowed(window);
                attributes.push(Attribute::ints("dilations", window.dilation));
                attributes.push(Attribute::int("group", *groups as i64));
                let name = self.node(layer, "Conv", inputs, attributes);
                self.names[output].planes = Some(name);
            }
            Operation::ConvTranspose { kernel, bias, window } => self.conv_transpose(step, *kernel, *bias, window),
            Operation::Dense { kernel, bias } => self.dense(layer, input, output, *kernel, *bias),
            Operation::BatchNorm { gamma, beta, mean, variance, epsilon } => {
                self.batch_norm(step, [*gamma, *beta], [*mean, *variance], *epsilon);
            }
            Operation::LayerNorm { gamma, beta, axes, epsilon } => {
                let dims = &shape[shape.len() - axes..];
                let gamma = self.array_or(*gamma, layer, "gamma", dims, 1.0);
                let mut inputs = vec![self.in_order(input), gamma];
                inputs.extend(beta.map(|beta| self.array(beta, Order::Own)));
                let attributes = vec![Attribute::int("axis", -(*axes as i64)), Attribute::float("epsilon", *epsilon as f32)];
                self.names[output].own = Some(self.node(layer, "LayerNormalization", inputs, attributes));
            }
            Operation::Pool { kind, window } => {
                let mut attributes = windowed(window);
                let op = match kind {
                    Pooling::Max => "MaxPool",
                    Pooling::Average => {
                        attributes.push(Attribute::int("count_include_pad", 0));
                        "AveragePool"
                    }
                };
                let planes = self.planes(input);
                self.names[output].planes = Some(self.node(layer, op, vec![planes], attributes));
            }
            Operation::GlobalPool { kind, keepdims } => {
                let op = if *kind == Pooling::Max { "GlobalMaxPool" } else { "GlobalAveragePool" };
                let planes = self.planes(input);
                let pooled = self.node(layer, op, vec![planes], vec![]);
                if *keepdims {
                    self.names[output].planes = Some(pooled);
                } else {
                    self.names[output].own = Some(self.node(layer, "Flatten", vec![pooled], vec![Attribute::int("axis", 1)]));
                }
            }
            Operation::Pad([[top, bottom], [left, right]]) => {
                self.pad(step, [0, 0, *top, *left, 0, 0, *bottom, *right].map(|n| n as i64));
            }
            Operation::Crop([[top, bottom], [left, right]]) => {
                // Negative padding takes away.
                self.pad(step, [0, 0, *top, *left, 0, 0, *bottom, *right].map(|n| -(n as i64)));
            }
            Operation::UpSample { size, bilinear } => {
                let scales = [1.0, 1.0, size[0] as f32, size[1] as f32];
                let scales = self.constant(&format!("{layer}/scales"), &[4], &scales);
                let attributes = if *bilinear {
                    vec![Attribute::text("mode", "linear"), Attribute::text("coordinate_transformation_mode", "half_pixel")]
                } else {
                    vec![
                        Attribute::text("mode", "nearest"),
                        Attribute::text("coordinate_transformation_mode", "asymmetric"),
                        Attribute::text("nearest_mode", "floor"),
                    ]
                };
                let inputs = vec![self.planes(input), String::new(), scales];
                self.names[output].planes = Some(self.node(layer, "Resize", inputs, attributes));
            }
            Operation::Scale { scale, offset } => {
                let scale = self.constant(&format!("{layer}/scale"), &[], &[*scale as f32]);
                let offset = self.constant(&format!("{layer}/offset"), &[], &[*offset as f32]);
                self.each(layer, input, output, |writer, layer, x| {
                    let scaled = writer.node(layer, "Mul", vec![x, scale], vec![]);
                    writer.node(layer, "Add", vec![scaled, offset], vec![])
                });
            }
            Operation::Apply(function) => {
                self.each(layer, input, output, |writer, layer, x| writer.function(layer, *function, x))
            }
            Operation::PRelu { alpha } => {
                let inputs = vec![self.in_order(input), self.array(*alpha, Order::Own)];
                self.names[output].own = Some(self.node(layer, "PRelu", inputs, vec![]));
            }
            Operation::Softmax => {
                if let (Some(planes), None) = (self.names[input].planes.clone(), &self.names[input].own) {
                    let name = self.node(layer, "Softmax", vec![planes], vec![Attribute::int("axis", 1)]);
                    self.names[output].planes = Some(name);
                } else {
                    let x = self.in_order(input);
                    self.names[output].own = Some(self.node(layer, "Softmax", vec![x], vec![Attribute::int("axis", -1)]));
                }
            }
            Operation::Add => self.merge(step, |writer, inputs| writer.pairwise(layer, "Add", inputs)),
            Operation::Multiply => self.merge(step, |writer, inputs| writer.pairwise(layer, "Mul", inputs)),
            Operation::Subtract => self.merge(step, |writer, inputs| writer.node(layer, "Sub", inputs, vec![])),
            Operation::Maximum => self.merge(step, |writer, inputs| writer.node(layer, "Max", inputs, vec![])),
            Operation::Minimum => self.merge(step, |writer, inputs| writer.node(layer, "Min", inputs, vec![])),
            Operation::Concat { axis } => {
                let planes = self.has_planes(step);
                // Axes of [batch, channels, height, width] where height, width and channels are.
                let place = if planes { [2, 3, 1][*axis] } else { axis + 1 };
                let attributes = vec![Attribute::int("axis", place as i64)];
                self.merge(step, |writer, inputs| writer.node(layer, "Concat", inputs, attributes));
            }
            Operation::Reshape => self.reshape(layer, input, output),
            Operation::Transpose(order) => {
                let x = self.in_order(input);
                let order = [0].into_iter().chain(order.iter().map(|axis| axis + 1)).collect::<Vec<_>>();
                self.names[output].own = Some(self.node(layer, "Transpose", vec![x], vec![Attribute::ints("perm", order)]));
            }
            Operation::Repeat(times) => {
                let repeats: Vec<i64> = [1, *times as i64].into_iter().chain(shape[1..].iter().map(|_| 1)).collect();
                let inputs = vec![self.in_order(input), self.whole(&format!("{layer}/repeats"), &repeats)];
                self.names[output].own = Some(self.node(layer, "Tile", inputs, vec![]));
            }
            Operation::Other(why) => return Err(why.clone()),
        }
        Ok(())
    }

    fn array_or(&mut self, array: Option<usize>, layer: &str, name: &str, dims: &[usize], value: f32) -> String {
        match array {
            Some(array) => self.array(array, Order::Own),
            None => self.constant(&format!("{layer}/{name}"), dims, &vec![value; dims.iter().product()]),
        }
    }

    /// Applies nodes that do not care for the order of axes.
    fn each(&mut self, layer: &str, input: usize, output: usize, make: impl FnOnce(&mut Self, &str, String) -> String) {
        let names = self.names[input].clone();
        if let Some(planes) = names.planes {
            self.names[output].planes = Some(make(self, layer, planes));
        } else if let Some((flat, shape)) = names.flat {
            self.names[output].flat = Some((make(self, layer, flat), shape));
        } else {
            let x = self.in_order(input);
            self.names[output].own = Some(make(self, layer, x));
        }
    }

    /// Whether the inputs of a step are images of which one is there as planes.
    fn has_planes(&self, step: &Step) -> bool {
        step.inputs.iter().any(|&input| self.names[input].planes.is_some())
    }

    /// Joins inputs in one order of axes.
    fn merge(&mut self, step: &Step, make: impl FnOnce(&mut Self, Vec<String>) -> String) {
        let planes = self.has_planes(step);
        let inputs = step.inputs.iter().map(|&input| if planes { self.planes(input) } else { self.in_order(input) }).collect();
        let name = make(self, inputs);
        let names = &mut self.names[step.output];
        *(if planes { &mut names.planes } else { &mut names.own }) = Some(name);
    }

    /// ONNX adds and multiplies two at a time.
    fn pairwise(&mut self, layer: &str, op: &str, inputs: Vec<String>) -> String {
        let mut inputs = inputs.into_iter();
        let first = inputs.next().unwrap_or_default();
        inputs.fold(first, |sum, next| self.node(layer, op, vec![sum, next], vec![]))
    }

    fn pad(&mut self, step: &Step, pads: [i64; 8]) {
        let layer = step.layer.as_str();
        let inputs = vec![self.planes(step.inputs[0]), self.whole(&format!("{layer}/pads"), &pads)];
        self.names[step.output].planes = Some(self.node(layer, "Pad", inputs, vec![Attribute::text("mode", "constant")]));
    }

    fn conv_transpose(&mut self, step: &Step, kernel: usize, bias: Option<usize>, window: &Window) {
        let (from, to) = (&self.program.shapes[step.inputs[0]], &self.program.shapes[step.output]);
        let [kh, kw] = window.size;
        // `[height, width, out, in]` has the order of a convolution's kernel that leads back.
        let order = Order::OutInHeightWidth([kh, kw, to[2], from[2]]);
        let mut inputs = vec![self.planes(step.inputs[0]), self.array(kernel, order)];
        inputs.extend(bias.map(|bias| self.array(bias, Order::Own)));
        let extra = [0, 1].map(|axis| {
            let reach = (from[axis] - 1) * window.strides[axis] + (window.size[axis] - 1) * window.dilation[axis] + 1;
            to[axis] + window.pads[axis][0] + window.pads[axis][1] - reach
        });
        let mut attributes = windowed(window);
        attributes.push(Attribute::ints("dilations", window.dilation));
        attributes.push(Attribute::ints("output_padding", extra));
        self.names[step.output].planes = Some(self.node(&step.layer, "ConvTranspose", inputs, attributes));
    }

    fn dense(&mut self, layer: &str, input: usize, output: usize, kernel: usize, bias: Option<usize>) {
        let rank = self.program.shapes[input].len();
        let (x, order) = match self.names[input].flat.clone() {
            Some((flat, shape)) => (flat, Order::PlanesFirst(shape)),
            None => (self.in_order(input), Order::Own),
        };
        let mut inputs = vec![x, self.array(kernel, order)];
        let bias = bias.map(|bias| self.array(bias, Order::Own));
        let name = if rank == 1 {
            inputs.extend(bias);
            self.node(layer, "Gemm", inputs, vec![])
        } else {
            let product = self.node(layer, "MatMul", inputs, vec![]);
            match bias {
                Some(bias) => self.node(layer, "Add", vec![product, bias], vec![]),
                None => product,
            }
        };
        self.names[output].own = Some(name);
    }

    fn batch_norm(&mut self, step: &Step, [gamma, beta]: [Option<usize>; 2], [mean, variance]: [usize; 2], epsilon: f64) {
        let layer = step.layer.as_str();
        let [input, output] = [step.inputs[0], step.output];
        let shape = &self.program.shapes[input];
        let (rank, channels) = (shape.len(), shape.last().copied().unwrap_or(1));
        if rank == 1 || rank == 3 {
            let gamma = self.array_or(gamma, layer, "gamma", &[channels], 1.0);
            let beta = self.array_or(beta, layer, "beta", &[channels], 0.0);
            let x = if rank == 3 { self.planes(input) } else { self.in_order(input) };
            let inputs = vec![x, gamma, beta, self.array(mean, Order::Own), self.array(variance, Order::Own)];
            let name = self.node(layer, "BatchNormalization", inputs, vec![Attribute::float("epsilon", epsilon as f32)]);
            let names = &mut self.names[output];
            *(if rank == 3 { &mut names.planes } else { &mut names.own }) = Some(name);
            return;
        }
        // The operator wants the channels second; here they are last.
        let (scale, shift) = scale_and_shift(self.program, [gamma, beta], [mean, variance], epsilon);
        let scale = self.constant(&format!("{layer}/scale"), &[channels], &scale);
        let shift = self.constant(&format!("{layer}/shift"), &[channels], &shift);
        let x = self.in_order(input);
        let scaled = self.node(layer, "Mul", vec![x, scale], vec![]);
        self.names[output].own = Some(self.node(layer, "Add", vec![scaled, shift], vec![]));
    }

    fn reshape(&mut self, layer: &str, input: usize, output: usize) {
        let (from, to) = (&self.program.shapes[input], &self.program.shapes[output]);
        let flatten = to.len() == 1;
        if let (Some(planes), None, &[h, w, c], true) =
            (self.names[input].planes.clone(), &self.names[input].own, &from[..], flatten)
        {
            // With one channel or one pixel both orders are the same.
            let same = c == 1 || h * w == 1;
            if same || self.sortable(output) {
                let name = self.node(layer, "Flatten", vec![planes], vec![Attribute::int("axis", 1)]);
                let names = &mut self.names[output];
                if same {
                    names.own = Some(name)
                } else {
                    names.flat = Some((name, [h, w, c]))
                }
                return;
            }
        }
        let x = self.in_order(input);
        let name = if flatten {
            self.node(layer, "Flatten", vec![x], vec![Attribute::int("axis", 1)])
        } else {
            let target: Vec<i64> = [-1].into_iter().chain(to.iter().map(|&n| n as i64)).collect();
            let target = self.whole(&format!("{layer}/shape"), &target);
            self.node(layer, "Reshape", vec![x, target], vec![])
        };
        self.names[output].own = Some(name);
    }

    fn function(&mut self, layer: &str, function: Function, x: String) -> String {
        let one = |op: &str, attributes: Vec<Attribute>| (op.to_string(), attributes);
        let (op, attributes) = match function {
            Function::Linear => return x,
            Function::Relu { max_value, negative_slope, threshold } => {
                return self.relu(layer, x, max_value, negative_slope, threshold);
            }
            Function::Gelu { .. } => {
                let [root, whole, half] = [("root", std::f32::consts::FRAC_1_SQRT_2), ("one", 1.0), ("half", 0.5)]
                    .map(|(name, value)| self.constant(&format!("{layer}/gelu_{name}"), &[], &[value]));
                let scaled = self.node(layer, "Mul", vec![x.clone(), root], vec![]);
                let erf = self.node(layer, "Erf", vec![scaled], vec![]);
                let sum = self.node(layer, "Add", vec![erf, whole], vec![]);
                let product = self.node(layer, "Mul", vec![x, sum], vec![]);
                return self.node(layer, "Mul", vec![product, half], vec![]);
            }
            Function::Silu => {
                let sigmoid = self.node(layer, "Sigmoid", vec![x.clone()], vec![]);
                return self.node(layer, "Mul", vec![x, sigmoid], vec![]);
            }
            Function::LeakyRelu { negative_slope } => one("LeakyRelu", vec![Attribute::float("alpha", negative_slope)]),
            Function::Elu { alpha } => one("Elu", vec![Attribute::float("alpha", alpha)]),
            Function::Selu => one("Selu", vec![]),
            Function::Sigmoid => one("Sigmoid", vec![]),
            Function::HardSigmoid => {
                one("HardSigmoid", vec![Attribute::float("alpha", 1.0 / 6.0), Attribute::float("beta", 0.5)])
            }
            Function::Tanh => one("Tanh", vec![]),
            Function::Softplus => one("Softplus", vec![]),
            Function::Softsign => one("Softsign", vec![]),
            Function::Exponential => one("Exp", vec![]),
        };
        self.node(layer, &op, vec![x], attributes)
    }

    fn relu(&mut self, layer: &str, x: String, max: Option<f32>, slope: f32, threshold: f32) -> String {
        if threshold == 0.0 && max.is_none() {
            return if slope == 0.0 {
                self.node(layer, "Relu", vec![x], vec![])
            } else {
                self.node(layer, "LeakyRelu", vec![x], vec![Attribute::float("alpha", slope)])
            };
        }
        let clipped = |writer: &mut Self, x: String| match max {
            Some(max) => {
                let low = writer.constant(&format!("{layer}/min"), &[], &[0.0]);
                let high = writer.constant(&format!("{layer}/max"), &[], &[max]);
                writer.node(layer, "Clip", vec![x, low, high], vec![])
            }
            None => x,
        };
        if threshold == 0.0 && slope == 0.0 {
            return clipped(self, x);
        }
        let from = self.constant(&format!("{layer}/threshold"), &[], &[threshold]);
        let above = self.node(layer, "Greater", vec![x.clone(), from.clone()], vec![]);
        let upper = clipped(self, x.clone());
        let below = self.node(layer, "Sub", vec![x, from], vec![]);
        let slope = self.constant(&format!("{layer}/negative_slope"), &[], &[slope]);
        let lower = self.node(layer, "Mul", vec![below, slope], vec![]);
        self.node(layer, "Where", vec![above, upper, lower], vec![])
    }
}

/// Attributes that convolutions and poolings share.
fn windowed(window: &Window) -> Vec<Attribute> {
    let [[top, bottom], [left, right]] = window.pads;
    vec![
        Attribute::ints("kernel_shape", window.size),
        Attribute::ints("strides", window.strides),
        Attribute::ints("pads", [top, left, bottom, right]),
    ]
}
