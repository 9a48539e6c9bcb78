//! Convolutions, poolings, padding and enlarging.

use super::Problem;
use super::attributes::Call;
use super::elementwise::is_positive;
use super::network::Network;
use super::value::{Traced, Value};
use maobi_nn::graph::{Call as _, Tensor};
use maobi_nn::layers::arguments::Padding;
use maobi_nn::layers::*;

/// What is put around an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// Keras' word for it.
    Keras(Padding),
    /// [[top, bottom], [left, right]].
    Margins([[usize; 2]; 2]),
}

/// Longest side of a padding.
const MAX_PAD: usize = 1 << 16;

impl<'a> Network<'a> {
    pub(super) fn conv(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let image = x.image().map_err(|m| call.unsupported(m))?;
        let kernel = self.constant(call, 1)?;
        let (&[filters, _, kh, kw], &[h, w, channels]) = (kernel.shape.as_slice(), image.shape()) else {
            return Err(call.unsupported(format!("a kernel with axes {:?}; two-dimensional convolutions are read", kernel.shape)));
        };
        let groups = usize::try_from(call.int("group", 1)).unwrap_or(0);
        if groups == 0 || channels != kernel.shape[1].saturating_mul(groups) {
            return Err(call.damaged(format!("a kernel with axes {:?} in {groups} groups for {channels} channels", kernel.shape)));
        }
        let (strides, dilation) = (call.pair("strides", [1, 1])?, call.pair("dilations", [1, 1])?);
        let around = self.around(call, [h, w], [kh, kw], strides, dilation)?;
        let (image, padding) = padded(around, &image)?;
        let kernel =
            kernel.transposed(&[2, 3, 1, 0]).ok_or_else(|| call.unsupported("the kernel is not of floating-point numbers"))?;
        let kernel = self.weight(call, kernel.floats())?;
        let mut output = call.output()?;
        let mut bias = self.constant_or_none(call, 2)?.map(|bias| bias.floats());
        if bias.is_none() {
            let channels_only = |shape: &[usize]| shape.len() >= 3 && shape[shape.len() - 3] == filters;
            if let Some((index, values, after)) = self.bias_after(call, output, channels_only)? {
                self.done.insert(index);
                (bias, output) = (Some(values), after);
            }
        }
        let depthwise = groups > 1 && groups == channels && filters.is_multiple_of(channels);
        let name = self.name(call, 1, if depthwise { "depthwise_conv2d" } else { "conv2d" });
        let (activation, output) = self.activation_after(call, output, 0)?;
        let function = activation.unwrap_or("linear");
        let made = if depthwise {
            let layer = DepthwiseConv2D::new((kh, kw)).depth_multiplier(filters / channels).strides(strides).padding(padding);
            layer.dilation_rate(dilation).use_bias(bias.is_some()).activation(function).name(&name).call(&image)?
        } else {
            let layer = Conv2D::new(filters, (kh, kw)).strides(strides).padding(padding).dilation_rate(dilation).groups(groups);
            layer.use_bias(bias.is_some()).activation(function).name(&name).call(&image)?
        };
        self.keep(&name, [Some(kernel), bias].into_iter().flatten().collect());
        self.set_image(call, output, made, is_positive(activation))
    }

    pub(super) fn pool(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let image = x.image().map_err(|m| call.unsupported(m))?;
        let &[h, w, _] = image.shape() else { return Err(call.damaged("takes no image")) };
        let size = call.pair("kernel_shape", [0, 0])?;
        let strides = call.pair("strides", [1, 1])?;
        if call.pair("dilations", [1, 1])? != [1, 1] {
            return Err(call.unsupported("attribute dilations above 1: poolings have none here"));
        }
        let around = self.around(call, [h, w], size, strides, [1, 1])?;
        let average = call.node.op_type == "AveragePool";
        let counts = average && call.int("count_include_pad", 0) != 0;
        let around = match around {
            // Zeros that count are zeros of the image.
            Around::Keras(Padding::Same) if counts => Around::Margins(same([h, w], size, strides)),
            Around::Margins(margins) if average && !counts => {
                return Err(call.unsupported(format!(
                    "attribute pads {margins:?} (top, bottom; left, right) is not Keras' same, and does not count: no layer here pools so. \
                     Export with count_include_pad, or with other pads"
                )));
            }
            Around::Margins(margins) if !average && !x.positive => {
                return Err(call.unsupported(format!(
                    "attribute pads {margins:?} (top, bottom; left, right) is not Keras' same, and the input may be below 0, so that \
                     zeros around it are no substitute. Put a relu before the pooling, or export with other pads"
                )));
            }
            around => around,
        };
        let (image, padding) = padded(around, &image)?;
        let name = self.own_name(call);
        // Keras' own default stays unsaid.
        let step = Some(strides).filter(|strides| *strides != size);
        let made = if average {
            let layer = step.into_iter().fold(AveragePooling2D::new(size).padding(padding), |layer, step| layer.strides(step));
            name.into_iter().fold(layer, |layer, name| layer.name(name)).call(&image)?
        } else {
            let layer = step.into_iter().fold(MaxPooling2D::new(size).padding(padding), |layer, step| layer.strides(step));
            name.into_iter().fold(layer, |layer, name| layer.name(name)).call(&image)?
        };
        self.set_image(call, call.output()?, made, x.positive)
    }

    /// What lies around the image, from `auto_pad`, `pads` and `ceil_mode`.
    fn around(
        &self,
        call: Call<'_>,
        lengths: [usize; 2],
        size: [usize; 2],
        strides: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Around, Problem> {
        const MOST: usize = 1 << 16;
        if [size, strides, dilation].iter().flatten().any(|n| *n == 0 || *n > MOST) {
            return Err(call.unsupported(format!(
                "a window of {size:?}, strides {strides:?}, dilations {dilation:?}; 1 to {MOST} are read"
            )));
        }
        let window = [(size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1];
        let keras = same(lengths, window, strides);
        let mut margins = match call.text("auto_pad").unwrap_or("NOTSET") {
            "SAME_UPPER" => keras,
            "SAME_LOWER" => keras.map(|[before, after]| [after, before]),
            "VALID" => [[0; 2]; 2],
            _ => match call.ints("pads") {
                None => [[0; 2]; 2],
                Some(pads) => {
                    let whole: Vec<usize> =
                        pads.iter().filter_map(|&n| usize::try_from(n).ok().filter(|n| *n <= MAX_PAD)).collect();
                    match whole.as_slice() {
                        &[top, left, bottom, right] if pads.len() == 4 => [[top, bottom], [left, right]],
                        _ => {
                            return Err(
                                call.unsupported(format!("attribute pads is {pads:?}; four lengths up to {MAX_PAD} are read"))
                            );
                        }
                    }
                }
            },
        };
        if call.int("ceil_mode", 0) != 0 {
            for axis in 0..2 {
                let [before, after] = margins[axis];
                let more = partial(lengths[axis] + before, after, window[axis], strides[axis]);
                if more > 0 && call.int("count_include_pad", 0) != 0 {
                    return Err(call.unsupported("attribute ceil_mode with count_include_pad: no layer here pools so"));
                }
                margins[axis][1] += more;
            }
        }
        Ok(match margins {
            [[0, 0], [0, 0]] => Around::Keras(Padding::Valid),
            margins if margins == keras => Around::Keras(Padding::Same),
            margins => Around::Margins(margins),
        })
    }

    pub(super) fn global_pool(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let op = call.node.op_type.as_str();
        let reduces = op.starts_with("Reduce");
        let mut keeps = true;
        let image = if reduces {
            keeps = call.int("keepdims", 1) != 0;
            let axes = self.list(call, "axes", 1)?.unwrap_or_default();
            let mut axes = self.axes(call, &axes, x.shape.len() as i64 + 1)?;
            axes.sort_unstable();
            match (axes.as_slice(), x.image(), x.plain()) {
                ([2, 3], Ok(image), _) => image,
                // Channels last: height and width are the axes behind the batch.
                ([1, 2], _, Ok(plain)) if plain.shape().len() == 3 => {
                    let tensor = pool_all(op, keeps, None, &plain)?;
                    self.set(call.output()?, Value::Traced(Traced::own(tensor).positive(x.positive)));
                    return Ok(());
                }
                _ => return Err(call.unsupported(format!("reduces axes {axes:?}; height and width of an image are read"))),
            }
        } else {
            x.image().map_err(|m| call.unsupported(m))?
        };
        let channels = image.shape().last().copied().unwrap_or(1);
        let output = call.output()?;
        // Who flattens next needs no axes of length 1.
        let flattens = self
            .only_consumer(output)
            .is_some_and(|(_, next)| matches!(next.node.op_type.as_str(), "Flatten" | "Reshape" | "Squeeze"));
        let name = self.own_name(call);
        let keepdims = keeps && !flattens;
        let tensor = pool_all(op, keepdims, name, &image)?;
        let mut made =
            if keepdims { Traced::planes(tensor).ok_or_else(|| call.damaged("takes no image"))? } else { Traced::own(tensor) };
        if keeps {
            made.shape = vec![channels, 1, 1];
        }
        self.set(output, Value::Traced(made.positive(x.positive)));
        Ok(())
    }

    pub(super) fn pad(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let mode = call.text("mode").unwrap_or("constant");
        let value = match self.constant_or_none(call, 2)? {
            Some(value) => value.scalar().unwrap_or(f32::NAN),
            None => call.float("value", 0.0),
        };
        if mode != "constant" || value != 0.0 {
            return Err(call.unsupported(format!("mode \"{mode}\" with value {value}; zeros are read (ZeroPadding2D)")));
        }
        let pads = self.list(call, "pads", 1)?.ok_or_else(|| call.damaged("has no pads"))?;
        let rank = x.shape.len() + 1;
        let whole: Vec<usize> = pads.iter().filter_map(|&n| usize::try_from(n).ok().filter(|n| *n <= MAX_PAD)).collect();
        let wrong = || call.unsupported(format!("pads {pads:?}; zeros around height and width are read, up to {MAX_PAD}"));
        let axes = match self.list(call, "axes", 3)? {
            Some(axes) => self.axes(call, &axes, rank as i64)?,
            None => (0..rank).collect(),
        };
        if whole.len() != pads.len() || pads.len() != 2 * axes.len() || rank != 4 {
            return Err(wrong());
        }
        let mut margins = [[0; 2]; 4];
        for (i, &axis) in axes.iter().enumerate() {
            margins[axis] = [whole[i], whole[i + axes.len()]];
        }
        let none = [0, 0];
        let name = self.own_name(call);
        let layer = |top: [usize; 2], left: [usize; 2]| {
            let layer = ZeroPadding2D::new(((top[0], top[1]), (left[0], left[1])));
            name.iter().fold(layer, |layer, name| layer.name(name))
        };
        let output = call.output()?;
        match (margins, x.image(), x.plain()) {
            ([[0, 0], [0, 0], [0, 0], [0, 0]], ..) => {
                self.set(output, Value::Traced(x));
                Ok(())
            }
            ([batch, channels, top, left], Ok(image), _) if batch == none && channels == none => {
                self.set_image(call, output, layer(top, left).call(&image)?, x.positive)
            }
            ([batch, top, left, channels], _, Ok(plain)) if batch == none && channels == none => {
                self.set(output, Value::Traced(Traced::own(layer(top, left).call(&plain)?).positive(x.positive)));
                Ok(())
            }
            _ => Err(wrong()),
        }
    }

    pub(super) fn resize(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let image = x.image().map_err(|m| call.unsupported(m))?;
        let &[h, w, _] = image.shape() else { return Err(call.damaged("takes no image")) };
        let wrong =
            |what: &str| call.unsupported(format!("{what}; images enlarged by whole factors, nearest or linear, are read"));
        let at = if self.opset >= 11 { 2 } else { 1 };
        let scales: Vec<f32> = match self.constant_or_none(call, at)?.filter(|c| c.len() > 0) {
            Some(scales) => scales.floats(),
            None => match (call.floats("scales"), self.list(call, "sizes", 3)?) {
                (Some(scales), _) => scales.to_vec(),
                (None, Some(sizes)) if sizes.len() == 4 => vec![1.0, 1.0, sizes[2] as f32 / h as f32, sizes[3] as f32 / w as f32],
                _ => return Err(wrong("no scales for four axes")),
            },
        };
        let whole = |scale: f32| (scale.fract() == 0.0 && (1.0..=1024.0).contains(&scale)).then_some(scale as usize);
        let (&[1.0, 1.0, up, across], true) = (scales.as_slice(), scales.len() == 4) else {
            return Err(wrong(&format!("scales {scales:?}")));
        };
        let (Some(up), Some(across)) = (whole(up), whole(across)) else { return Err(wrong(&format!("scales {scales:?}"))) };
        let mode = call.text("mode").unwrap_or("nearest");
        let place = call.text("coordinate_transformation_mode").unwrap_or("half_pixel");
        let rounds = call.text("nearest_mode").unwrap_or("round_prefer_floor");
        let interpolation = match (mode, place, rounds) {
            ("nearest", "asymmetric", "floor") => UpSampling::Nearest,
            ("nearest", "half_pixel" | "pytorch_half_pixel", "round_prefer_floor" | "round_prefer_ceil") => UpSampling::Nearest,
            ("nearest", ..) if call.node.op_type == "Upsample" || self.opset < 11 => UpSampling::Nearest,
            // pytorch_half_pixel differs for outputs of length 1 only.
            ("linear", "half_pixel" | "pytorch_half_pixel", _) if self.opset >= 11 => UpSampling::Bilinear,
            _ => return Err(wrong(&format!("mode {mode}, coordinates {place}, {rounds}"))),
        };
        let layer = UpSampling2D::new((up, across)).interpolation(interpolation);
        let layer = self.own_name(call).into_iter().fold(layer, |layer, name| layer.name(name));
        self.set_image(call, call.output()?, layer.call(&image)?, x.positive)
    }

    /// Keeps an image of ours under the name of one that has its channels first.
    pub(super) fn set_image(&mut self, call: Call<'_>, output: &'a str, tensor: Tensor, positive: bool) -> Result<(), Problem> {
        let traced = Traced::planes(tensor).ok_or_else(|| call.damaged("makes no image"))?;
        self.set(output, Value::Traced(traced.positive(positive)));
        Ok(())
    }
}

/// Keras' same along both axes.
fn same(lengths: [usize; 2], window: [usize; 2], strides: [usize; 2]) -> [[usize; 2]; 2] {
    std::array::from_fn(|axis| match Padding::Same.resolve(lengths[axis], window[axis], strides[axis]) {
        Ok((_, before, after)) => [before, after],
        Err(_) => [0, 0],
    })
}

/// How many more values at the end `ceil_mode` looks at: the last window begins inside the image, and is whole.
fn partial(length: usize, after: usize, window: usize, stride: usize) -> usize {
    let padded = length + after;
    if padded < window || (padded - window).is_multiple_of(stride) {
        return 0;
    }
    let last = (padded - window).div_ceil(stride) * stride;
    if last >= length { 0 } else { last + window - padded }
}

fn padded(around: Around, image: &Tensor) -> Result<(Tensor, Padding), Problem> {
    Ok(match around {
        Around::Keras(padding) => (image.clone(), padding),
        Around::Margins([[top, bottom], [left, right]]) => {
            (ZeroPadding2D::new(((top, bottom), (left, right))).call(image)?, Padding::Valid)
        }
    })
}

fn pool_all(op: &str, keepdims: bool, name: Option<String>, image: &Tensor) -> Result<Tensor, Problem> {
    Ok(if op.ends_with("MaxPool") || op.ends_with("Max") {
        let layer = GlobalMaxPooling2D::new().keepdims(keepdims);
        name.into_iter().fold(layer, |layer, name| layer.name(name)).call(image)?
    } else {
        let layer = GlobalAveragePooling2D::new().keepdims(keepdims);
        name.into_iter().fold(layer, |layer, name| layer.name(name)).call(image)?
    })
}
