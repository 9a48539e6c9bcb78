//! From layers to operations.

use super::arguments::Arguments;
use super::{Array, Function, Operation, Pooling, Program, Step, TRAINING_ONLY, Window};
use maobi_nn::layers::arguments::Padding;
use maobi_nn::{Model, Precision};
use std::collections::HashSet;

/// The operations of a model. `Err` names the layer that has none.
pub(crate) fn lower(model: &Model) -> Result<Program, String> {
    let graph = model.graph();
    let program = Program {
        name: graph.name.clone(),
        shapes: vec![],
        inputs: vec![],
        outputs: vec![],
        steps: vec![],
        arrays: vec![],
        notes: vec![],
    };
    let mut lowering = Lowering { program, first_array: Vec::new() };
    for (layer, entry) in graph.layers.iter().enumerate() {
        lowering.first_array.push(lowering.program.arrays.len());
        for weight in model.layer_weights(layer) {
            let name = format!("{}/{}", entry.name, weight.name);
            lowering.program.arrays.push(Array { name, shape: weight.shape.clone(), values: weight.values().to_vec() });
        }
    }
    let mut values: Vec<usize> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let entry = &graph.layers[node.layer];
        if node.inputs.is_empty() {
            values.push(lowering.value(&node.shape));
            continue;
        }
        let inputs: Vec<usize> = node.inputs.iter().map(|&n| values[n]).collect();
        let name = if node.call == 0 { entry.name.clone() } else { format!("{}_{}", entry.name, node.call) };
        let layer = LayerCall {
            name: &name,
            class: entry.layer.class_name(),
            arguments: Arguments(entry.layer.config()),
            array: lowering.first_array[node.layer],
            weights: model.layer_weights(node.layer).iter().map(|w| w.name).collect(),
            inputs: &inputs,
            shape: &graph.nodes[index].shape,
        };
        let made = lowering.layer(&layer).map_err(|m| format!("layer \"{}\" ({}): {m}", entry.name, layer.class))?;
        values.push(made);
    }
    let mut taken = HashSet::new();
    let mut unique = |name: &str| {
        let mut free = name.to_string();
        let mut count = 1;
        while !taken.insert(free.clone()) {
            free = format!("{name}_{count}");
            count += 1;
        }
        free
    };
    let name_of = |node: usize| graph.layers[graph.nodes[node].layer].name.as_str();
    lowering.program.inputs = graph.inputs.iter().map(|&n| (unique(name_of(n)), values[n])).collect();
    lowering.program.outputs = graph.outputs.iter().map(|&n| (unique(name_of(n)), values[n])).collect();
    lowering.program.notes = notes(model);
    Ok(lowering.program)
}

/// What of the model inference does not have.
fn notes(model: &Model) -> Vec<String> {
    let graph = model.graph();
    let mut notes = Vec::new();
    let left: Vec<&str> =
        graph.layers.iter().filter(|l| TRAINING_ONLY.contains(&l.layer.class_name())).map(|l| l.name.as_str()).collect();
    if !left.is_empty() {
        notes.push(format!("{}: nothing but training knows these layers, the file holds inference", left.join(", ")));
    }
    if model.compiled().is_some() {
        notes.push("optimizer, losses and metrics: the file holds inference".to_string());
    }
    if (0..graph.layers.len()).any(|layer| graph.precision_of(layer) != Precision::Float32) {
        notes.push("the mixed precision policy: the file computes in float32 throughout".to_string());
    }
    notes
}

struct Lowering {
    program: Program,
    /// Per layer, where its weights begin.
    first_array: Vec<usize>,
}

/// One call of a layer.
struct LayerCall<'a> {
    name: &'a str,
    class: &'static str,
    arguments: Arguments,
    array: usize,
    weights: Vec<&'static str>,
    inputs: &'a [usize],
    shape: &'a [usize],
}

impl LayerCall<'_> {
    fn input(&self) -> Result<usize, String> {
        self.inputs.first().copied().ok_or_else(|| "has no input".to_string())
    }

    /// The array of a weight, if the layer has it.
    fn weight(&self, name: &str) -> Option<usize> {
        self.weights.iter().position(|n| *n == name).map(|index| self.array + index)
    }

    fn needs(&self, name: &str) -> Result<usize, String> {
        self.weight(name).ok_or_else(|| format!("has no weight {name}"))
    }
}

impl Lowering {
    fn value(&mut self, shape: &[usize]) -> usize {
        self.program.shapes.push(shape.to_vec());
        self.program.shapes.len() - 1
    }

    fn step(&mut self, layer: &str, what: Operation, inputs: &[usize], shape: &[usize]) -> usize {
        let output = self.value(shape);
        self.program.steps.push(Step { layer: layer.to_string(), what, inputs: inputs.to_vec(), output });
        output
    }

    /// The value that a layer makes of its inputs.
    fn layer(&mut self, layer: &LayerCall<'_>) -> Result<usize, String> {
        if TRAINING_ONLY.contains(&layer.class) {
            return layer.input();
        }
        let arguments = &layer.arguments;
        let what = match layer.class {
            "Conv2D" | "DepthwiseConv2D" | "SeparableConv2D" => return self.convolution(layer),
            "Dense" => {
                let what = Operation::Dense { kernel: layer.needs("kernel")?, bias: layer.weight("bias") };
                let output = self.step(layer.name, what, layer.inputs, layer.shape);
                return self.activation(layer, output);
            }
            "Activation" => return self.activation(layer, layer.input()?),
            "BatchNormalization" => Operation::BatchNorm {
                gamma: layer.weight("gamma"),
                beta: layer.weight("beta"),
                mean: layer.needs("moving_mean")?,
                variance: layer.needs("moving_variance")?,
                epsilon: arguments.number("epsilon")?,
            },
            "LayerNormalization" => Operation::LayerNorm {
                gamma: layer.weight("gamma"),
                beta: layer.weight("beta"),
                axes: arguments.count("axis")?,
                epsilon: arguments.number("epsilon")?,
            },
            "MaxPooling2D" | "AveragePooling2D" => {
                let size = arguments.pair("pool_size")?;
                let strides = arguments.pair_or("strides", size)?;
                let window = self.window(layer, layer.input()?, size, strides, [1, 1])?;
                let kind = if layer.class == "MaxPooling2D" { Pooling::Max } else { Pooling::Average };
                Operation::Pool { kind, window }
            }
            "GlobalMaxPooling2D" => Operation::GlobalPool { kind: Pooling::Max, keepdims: arguments.flag("keepdims")? },
            "GlobalAveragePooling2D" => Operation::GlobalPool { kind: Pooling::Average, keepdims: arguments.flag("keepdims")? },
            "ZeroPadding2D" => Operation::Pad(arguments.margins("padding")?),
            "UpSampling2D" => {
                Operation::UpSample { size: arguments.pair("size")?, bilinear: arguments.text("interpolation")? == "bilinear" }
            }
            "Rescaling" => Operation::Scale { scale: arguments.number("scale")?, offset: arguments.number("offset")? },
            "ReLU" => Operation::Apply(Function::Relu {
                max: arguments.number_or_none("max_value")?,
                slope: arguments.number("negative_slope")?,
                threshold: arguments.number("threshold")?,
            }),
            "LeakyReLU" => Operation::Apply(Function::LeakyRelu { slope: arguments.number("negative_slope")? }),
            "ELU" => Operation::Apply(Function::Elu { alpha: arguments.number("alpha")? }),
            "Softmax" => {
                let axis = arguments.integer("axis")?;
                if axis != -1 && axis != layer.shape.len() as i64 {
                    return Err(format!("axis must be the last one (-1) in this format, got {axis}; save the model as .keras"));
                }
                Operation::Softmax
            }
            "Add" => Operation::Add,
            "Average" => {
                let sum = self.step(layer.name, Operation::Add, layer.inputs, layer.shape);
                let share = Operation::Scale { scale: 1.0 / layer.inputs.len() as f64, offset: 0.0 };
                return Ok(self.step(layer.name, share, &[sum], layer.shape));
            }
            "Multiply" => Operation::Multiply,
            "Concatenate" => {
                let axis = arguments.integer("axis")?;
                // Keras counts the batch as axis 0; negative numbers count from the end.
                let axis = if axis < 0 { axis + layer.shape.len() as i64 } else { axis - 1 };
                Operation::Concat { axis: usize::try_from(axis).map_err(|_| "axis: the batch".to_string())? }
            }
            "Flatten" | "Reshape" => {
                let input = layer.input()?;
                if self.program.shapes[input] == layer.shape {
                    return Ok(input);
                }
                Operation::Reshape
            }
            _ => return Err("has no counterpart in this format; leave it out of the model or save it as .keras".into()),
        };
        Ok(self.step(layer.name, what, layer.inputs, layer.shape))
    }

    /// A convolution, depthwise or not, with its activation.
    fn convolution(&mut self, layer: &LayerCall<'_>) -> Result<usize, String> {
        let input = layer.input()?;
        let arguments = &layer.arguments;
        let [size, strides] = [arguments.pair("kernel_size")?, arguments.pair("strides")?];
        let window = self.window(layer, input, size, strides, arguments.pair("dilation_rate")?)?;
        let bias = layer.weight("bias");
        let (channels, filters) = match (&self.program.shapes[input][..], layer.shape) {
            (&[_, _, channels], &[_, _, filters]) => (channels, filters),
            _ => return Err("expects an image".into()),
        };
        let output = match layer.class {
            "Conv2D" => {
                let what =
                    Operation::Conv { kernel: layer.needs("kernel")?, bias, window, groups: arguments.whole("groups")?, filters };
                self.step(layer.name, what, &[input], layer.shape)
            }
            "DepthwiseConv2D" => {
                let what = Operation::Conv { kernel: layer.needs("kernel")?, bias, window, groups: channels, filters };
                self.step(layer.name, what, &[input], layer.shape)
            }
            _ => {
                let between = channels * arguments.whole("depth_multiplier")?;
                let kernel = layer.needs("depthwise_kernel")?;
                let depthwise = Operation::Conv { kernel, bias: None, window, groups: channels, filters: between };
                let shape = [layer.shape[0], layer.shape[1], between];
                let middle = self.step(&format!("{}/depthwise", layer.name), depthwise, &[input], &shape);
                let one = Window { size: [1, 1], strides: [1, 1], dilation: [1, 1], same: false, pads: [[0; 2]; 2] };
                let kernel = layer.needs("pointwise_kernel")?;
                let pointwise = Operation::Conv { kernel, bias, window: one, groups: 1, filters };
                self.step(&format!("{}/pointwise", layer.name), pointwise, &[middle], layer.shape)
            }
        };
        self.activation(layer, output)
    }

    /// What a layer's `activation` makes of its output.
    fn activation(&mut self, layer: &LayerCall<'_>, value: usize) -> Result<usize, String> {
        let what = match layer.arguments.text("activation")? {
            "linear" => return Ok(value),
            "softmax" => Operation::Softmax,
            name => Operation::Apply(Function::named(name).ok_or_else(|| format!("activation \"{name}\" has no counterpart"))?),
        };
        Ok(self.step(layer.name, what, &[value], layer.shape))
    }

    fn window(
        &self,
        layer: &LayerCall<'_>,
        input: usize,
        size: [usize; 2],
        strides: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Window, String> {
        let same = layer.arguments.text("padding")? == "same";
        let padding = if same { Padding::Same } else { Padding::Valid };
        let mut pads = [[0; 2]; 2];
        for axis in 0..2 {
            let length = *self.program.shapes[input].get(axis).ok_or("expects an image")?;
            let (_, before, after) = padding.resolve(length, (size[axis] - 1) * dilation[axis] + 1, strides[axis])?;
            pads[axis] = [before, after];
        }
        Ok(Window { size, strides, dilation, same, pads })
    }
}
