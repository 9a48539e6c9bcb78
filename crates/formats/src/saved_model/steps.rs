//! Each operation as TensorFlow nodes (tensorflow/core/ops/*.cc); all images are channels last there too.

use super::graph::{Attributes, Writer, padding, spatial};
use super::proto::{FLOAT, INT32, Value};
use crate::inference::scale_and_shift;
use maobi_nn::program::{Function, Operation, Pooling, Step, Window};

impl Writer<'_> {
    /// Appends the nodes of a step.
    ///
    /// # Errors
    /// A step that has no nodes.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), String> {
        let program = self.program;
        let layer = step.layer.as_str();
        let input = step.inputs[0];
        let x = self.values[input].clone();
        let (shape, made) = (&program.shapes[input], &program.shapes[step.output]);
        let value = match &step.what {
            Operation::Conv { kernel, bias, window, groups, filters } => {
                let product = self.convolution(layer, x, *kernel, *window, *groups, [shape[2], *filters]);
                self.biased(layer, product, *bias)
            }
            Operation::ConvTranspose { kernel, bias, window } => {
                let product = self.conv_transpose(layer, x, *kernel, *window, made)?;
                self.biased(layer, product, *bias)
            }
            Operation::Dense { kernel, bias } => {
                let kernel = self.array(*kernel);
                let op = if shape.len() == 1 { "MatMul" } else { "BatchMatMulV2" };
                let product = self.node(layer, op, vec![x, kernel], vec![]);
                self.biased(layer, product, *bias)
            }
            Operation::BatchNorm { gamma, beta, mean, variance, epsilon } => {
                let (scale, shift) = scale_and_shift(program, [*gamma, *beta], [*mean, *variance], *epsilon);
                let scale = self.floats(&format!("{layer}/scale"), &[scale.len()], &scale);
                let shift = self.floats(&format!("{layer}/shift"), &[shift.len()], &shift);
                let scaled = self.node(layer, "Mul", vec![x, scale], vec![]);
                self.node(layer, "AddV2", vec![scaled, shift], vec![])
            }
            Operation::LayerNorm { gamma, beta, axes, epsilon } => {
                let first = (shape.len() - axes + 1) as i32;
                let places: Vec<i32> = (first..=shape.len() as i32).collect();
                let places = self.whole(&format!("{layer}/axes"), &[*axes], &places);
                let mean = self.reduce(layer, "Mean", x.clone(), places.clone(), true);
                let squares = self.node(layer, "SquaredDifference", vec![x.clone(), mean.clone()], vec![]);
                let variance = self.reduce(layer, "Mean", squares, places, true);
                let epsilon = self.float(&format!("{layer}/epsilon"), *epsilon);
                let sum = self.node(layer, "AddV2", vec![variance, epsilon], vec![]);
                let inverse = self.node(layer, "Rsqrt", vec![sum], vec![]);
                let centred = self.node(layer, "Sub", vec![x, mean], vec![]);
                let mut value = self.node(layer, "Mul", vec![centred, inverse], vec![]);
                for (array, op) in [(gamma, "Mul"), (beta, "AddV2")] {
                    if let Some(array) = array {
                        let array = self.array(*array);
                        value = self.node(layer, op, vec![value, array], vec![]);
                    }
                }
                value
            }
            Operation::Pool { kind, window } => {
                let op = if *kind == Pooling::Max { "MaxPool" } else { "AvgPool" };
                let attributes = vec![
                    ("ksize", spatial(window.size)),
                    ("strides", spatial(window.strides)),
                    ("padding", padding(window.same)),
                ];
                self.node(layer, op, vec![x], attributes)
            }
            Operation::GlobalPool { kind, keepdims } => {
                let op = if *kind == Pooling::Max { "Max" } else { "Mean" };
                let places = self.whole(&format!("{layer}/axes"), &[2], &[1, 2]);
                self.reduce(layer, op, x, places, *keepdims)
            }
            Operation::Pad([[top, bottom], [left, right]]) => {
                let pads = [0, 0, *top, *bottom, *left, *right, 0, 0].map(|n| n as i32);
                let pads = self.whole(&format!("{layer}/paddings"), &[4, 2], &pads);
                self.node(layer, "Pad", vec![x, pads], vec![("Tpaddings", Value::Type(INT32))])
            }
            Operation::Crop([[top, _], [left, _]]) => {
                let begin = self.whole(&format!("{layer}/begin"), &[4], &[0, *top as i32, *left as i32, 0]);
                let size = [-1].into_iter().chain(made.iter().map(|&n| n as i32)).collect::<Vec<_>>();
                let size = self.whole(&format!("{layer}/size"), &[4], &size);
                self.node(layer, "Slice", vec![x, begin, size], vec![("Index", Value::Type(INT32))])
            }
            Operation::UpSample { bilinear, .. } => {
                let size = self.whole(&format!("{layer}/size"), &[2], &[made[0] as i32, made[1] as i32]);
                let op = if *bilinear { "ResizeBilinear" } else { "ResizeNearestNeighbor" };
                self.node(layer, op, vec![x, size], vec![("half_pixel_centers", Value::Bool(true))])
            }
            Operation::Scale { scale, offset } => {
                let scale = self.float(&format!("{layer}/scale"), *scale);
                let offset = self.float(&format!("{layer}/offset"), *offset);
                let scaled = self.node(layer, "Mul", vec![x, scale], vec![]);
                self.node(layer, "AddV2", vec![scaled, offset], vec![])
            }
            Operation::Apply(function) => self.function(layer, *function, x),
            Operation::PRelu { alpha } => {
                let zero = self.float(&format!("{layer}/zero"), 0.0);
                let alpha = self.array(*alpha);
                let above = self.node(layer, "Relu", vec![x.clone()], vec![]);
                let below = self.node(layer, "Minimum", vec![x, zero], vec![]);
                let below = self.node(layer, "Mul", vec![below, alpha], vec![]);
                self.node(layer, "AddV2", vec![above, below], vec![])
            }
            Operation::Softmax => self.node(layer, "Softmax", vec![x], vec![]),
            Operation::Add | Operation::Multiply | Operation::Subtract | Operation::Maximum | Operation::Minimum => {
                let op = match step.what {
                    Operation::Multiply => "Mul",
                    Operation::Subtract => "Sub",
                    Operation::Maximum => "Maximum",
                    Operation::Minimum => "Minimum",
                    _ => "AddV2",
                };
                let others: Vec<String> = step.inputs[1..].iter().map(|&value| self.values[value].clone()).collect();
                others.into_iter().fold(x, |joined, next| self.node(layer, op, vec![joined, next], vec![]))
            }
            Operation::Concat { axis } => {
                let inputs = step.inputs.iter().map(|&value| self.values[value].clone()).collect();
                self.concat(layer, inputs, *axis as i32 + 1)
            }
            Operation::Reshape => {
                let target: Vec<i32> = [-1].into_iter().chain(made.iter().map(|&n| n as i32)).collect();
                let target = self.whole(&format!("{layer}/shape"), &[target.len()], &target);
                self.node(layer, "Reshape", vec![x, target], vec![("Tshape", Value::Type(INT32))])
            }
            Operation::Transpose(order) => {
                let order = [0].into_iter().chain(order.iter().map(|&axis| axis as i32 + 1)).collect::<Vec<_>>();
                let order = self.whole(&format!("{layer}/perm"), &[order.len()], &order);
                self.node(layer, "Transpose", vec![x, order], vec![("Tperm", Value::Type(INT32))])
            }
            Operation::Repeat(times) => {
                let multiples = [1, *times as i32].into_iter().chain(shape[1..].iter().map(|_| 1)).collect::<Vec<_>>();
                let multiples = self.whole(&format!("{layer}/multiples"), &[multiples.len()], &multiples);
                self.node(layer, "Tile", vec![x, multiples], vec![("Tmultiples", Value::Type(INT32))])
            }
            Operation::Other(why) => return Err(why.clone()),
        };
        self.values[step.output] = value;
        Ok(())
    }

    fn biased(&mut self, layer: &str, product: String, bias: Option<usize>) -> String {
        match bias {
            Some(bias) => {
                let bias = self.array(bias);
                self.node(layer, "BiasAdd", vec![product, bias], vec![])
            }
            None => product,
        }
    }

    fn reduce(&mut self, layer: &str, op: &str, x: String, axes: String, keep: bool) -> String {
        self.node(layer, op, vec![x, axes], vec![("Tidx", Value::Type(INT32)), ("keep_dims", Value::Bool(keep))])
    }

    fn concat(&mut self, layer: &str, mut inputs: Vec<String>, axis: i32) -> String {
        let attributes = vec![("N", Value::Int(inputs.len() as i64)), ("Tidx", Value::Type(INT32))];
        inputs.push(self.whole(&format!("{layer}/axis"), &[], &[axis]));
        self.node(layer, "ConcatV2", inputs, attributes)
    }

    fn convolution(
        &mut self,
        layer: &str,
        x: String,
        kernel: usize,
        window: Window,
        groups: usize,
        [channels, filters]: [usize; 2],
    ) -> String {
        let attributes = || -> Attributes {
            vec![("strides", spatial(window.strides)), ("padding", padding(window.same)), ("dilations", spatial(window.dilation))]
        };
        if groups == 1 {
            let array = self.program.arrays[kernel];
            let shape = [window.size[0], window.size[1], channels, filters];
            // A Conv1D's kernel has no axis for the height of 1.
            let kernel = match array.shape == shape {
                true => self.array(kernel),
                false => self.floats(&format!("{layer}/kernel"), &shape, &array.values()),
            };
            return self.node(layer, "Conv2D", vec![x, kernel], attributes());
        }
        let array = self.program.arrays[kernel];
        // TensorFlow's depthwise kernels for the CPU know one stride and no dilation.
        if groups == channels && window.strides[0] == window.strides[1] && window.dilation == [1, 1] {
            let [kh, kw] = window.size;
            let name = format!("{layer}/depthwise_kernel");
            let kernel = self.floats(&name, &[kh, kw, channels, filters / channels], &array.values());
            return self.node(layer, "DepthwiseConv2dNative", vec![x, kernel], attributes());
        }
        // Nor do they fuse grouped convolutions: each group by itself.
        let axis = self.whole(&format!("{layer}/split_axis"), &[], &[3]);
        let split = self.node(layer, "Split", vec![axis, x], vec![("num_split", Value::Int(groups as i64))]);
        let (inside, each) = (channels / groups, filters / groups);
        let mut parts = Vec::with_capacity(groups);
        for group in 0..groups {
            let whole = array.values();
            let rows = whole.chunks_exact(filters);
            let values: Vec<f32> = rows.flat_map(|row| row[group * each..(group + 1) * each].iter().copied()).collect();
            let shape = [window.size[0], window.size[1], inside, each];
            let kernel = self.floats(&format!("{layer}/kernel_{group}"), &shape, &values);
            let part = if group == 0 { split.clone() } else { format!("{split}:{group}") };
            parts.push(self.node(layer, "Conv2D", vec![part, kernel], attributes()));
        }
        self.concat(layer, parts, 3)
    }

    fn conv_transpose(
        &mut self,
        layer: &str,
        x: String,
        kernel: usize,
        window: Window,
        made: &[usize],
    ) -> Result<String, String> {
        if window.dilation != [1, 1] {
            return Err(format!("layer \"{layer}\": TensorFlow has no transposed convolution with dilation_rate on a CPU"));
        }
        // The batch is known only when the graph runs.
        let sizes =
            self.typed(layer, "Shape", vec![x.clone()], vec![("T", Value::Type(FLOAT)), ("out_type", Value::Type(INT32))]);
        let [zero, one] = [("first", 0), ("second", 1)].map(|(name, at)| self.whole(&format!("{layer}/{name}"), &[1], &[at]));
        let index = |name| (name, Value::Type(INT32));
        let batch = self.typed(layer, "Slice", vec![sizes, zero, one], vec![index("T"), index("Index")]);
        let image: Vec<i32> = made.iter().map(|&n| n as i32).collect();
        let image = self.whole(&format!("{layer}/image"), &[image.len()], &image);
        let axis = self.whole(&format!("{layer}/sizes_axis"), &[], &[0]);
        let attributes = vec![("N", Value::Int(2)), index("T"), index("Tidx")];
        let sizes = self.typed(layer, "ConcatV2", vec![batch, image, axis], attributes);
        let kernel = self.array(kernel);
        let attributes = vec![("strides", spatial(window.strides)), ("padding", padding(window.same))];
        Ok(self.node(layer, "Conv2DBackpropInput", vec![sizes, kernel, x], attributes))
    }

    fn function(&mut self, layer: &str, function: Function, x: String) -> String {
        let op = match function {
            Function::Linear => return x,
            Function::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 } => "Relu",
            Function::Relu { max_value: Some(6.0), negative_slope: 0.0, threshold: 0.0 } => "Relu6",
            Function::Relu { max_value: None, negative_slope, threshold: 0.0 } | Function::LeakyRelu { negative_slope } => {
                return self.node(layer, "LeakyRelu", vec![x], vec![("alpha", Value::Float(negative_slope))]);
            }
            Function::Relu { max_value, negative_slope, threshold } => {
                return self.relu(layer, x, max_value, negative_slope, threshold);
            }
            Function::Elu { alpha: 1.0 } => "Elu",
            Function::Elu { alpha } => {
                let zero = self.float(&format!("{layer}/zero"), 0.0);
                let alpha = self.float(&format!("{layer}/alpha"), alpha.into());
                let below = self.node(layer, "Minimum", vec![x.clone(), zero.clone()], vec![]);
                let below = self.node(layer, "Elu", vec![below], vec![]);
                let below = self.node(layer, "Mul", vec![below, alpha], vec![]);
                let above = self.node(layer, "Maximum", vec![x, zero], vec![]);
                return self.node(layer, "AddV2", vec![above, below], vec![]);
            }
            Function::Gelu { .. } => {
                let root = self.float(&format!("{layer}/root"), std::f64::consts::FRAC_1_SQRT_2);
                let [one, half] =
                    [("one", 1.0), ("half", 0.5)].map(|(name, value)| self.float(&format!("{layer}/{name}"), value));
                let scaled = self.node(layer, "Mul", vec![x.clone(), root], vec![]);
                let erf = self.node(layer, "Erf", vec![scaled], vec![]);
                let sum = self.node(layer, "AddV2", vec![erf, one], vec![]);
                // In this order TFLite knows it as GELU; its own operators have no erf.
                let part = self.node(layer, "Mul", vec![x, half], vec![]);
                return self.node(layer, "Mul", vec![part, sum], vec![]);
            }
            Function::Silu => {
                let sigmoid = self.node(layer, "Sigmoid", vec![x.clone()], vec![]);
                return self.node(layer, "Mul", vec![x, sigmoid], vec![]);
            }
            Function::HardSigmoid => {
                let [three, sixth] =
                    [("three", 3.0), ("sixth", 1.0 / 6.0)].map(|(name, v)| self.float(&format!("{layer}/{name}"), v));
                let sum = self.node(layer, "AddV2", vec![x, three], vec![]);
                let clipped = self.node(layer, "Relu6", vec![sum], vec![]);
                return self.node(layer, "Mul", vec![clipped, sixth], vec![]);
            }
            Function::Selu => "Selu",
            Function::Sigmoid => "Sigmoid",
            Function::Tanh => "Tanh",
            Function::Softplus => "Softplus",
            Function::Softsign => "Softsign",
            Function::Exponential => "Exp",
        };
        self.node(layer, op, vec![x], vec![])
    }

    /// All arguments of Keras' relu at once.
    fn relu(&mut self, layer: &str, x: String, max: Option<f32>, slope: f32, threshold: f32) -> String {
        let from = self.float(&format!("{layer}/threshold"), threshold.into());
        let slope = self.float(&format!("{layer}/negative_slope"), slope.into());
        let above = self.node(layer, "Greater", vec![x.clone(), from.clone()], vec![]);
        let below = self.node(layer, "Sub", vec![x.clone(), from], vec![]);
        let lower = self.node(layer, "Mul", vec![below, slope], vec![]);
        let upper = match max {
            Some(max) => {
                let max = self.float(&format!("{layer}/max_value"), max.into());
                let upper = self.node(layer, "Minimum", vec![x, max], vec![]);
                let zero = self.float(&format!("{layer}/zero"), 0.0);
                self.node(layer, "Maximum", vec![upper, zero], vec![])
            }
            None => x,
        };
        self.node(layer, "SelectV2", vec![above, upper, lower], vec![])
    }
}
