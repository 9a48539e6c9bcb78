//! Networks that between them have every layer, activation and kind of window, for the formats that hold a computation.

use maobi_nn::graph::{Call, Sequential, apply};
use maobi_nn::layers::arguments::Padding;
use maobi_nn::layers::*;
use maobi_nn::{Error, Model};

/// Samples of each input.
pub const SAMPLES: usize = 3;

/// Numbers in [-1, 1) without pattern.
pub fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut h = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        h = h.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (h >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// The networks, their weights settled far from where training begins.
pub fn networks() -> Result<Vec<Model>, Error> {
    let mut models = vec![layers()?, graph()?, functions()?, windows()?, sequence()?, outputs()?, rare()?];
    for model in &mut models {
        for (index, weight) in model.weights_mut().iter_mut().enumerate() {
            let values = noise(weight.len(), index as u32);
            // Sums stay near 1; a variance is positive.
            let scale = (weight.len() as f32 / weight.shape.last().copied().unwrap_or(1) as f32).sqrt().recip();
            let variance = weight.name == "moving_variance";
            let settled = values.iter().map(|v| if variance { v.abs() + 0.5 } else { v * scale });
            weight.values_mut().iter_mut().zip(settled).for_each(|(to, v)| *to = v);
        }
    }
    Ok(models)
}

/// Inputs for a network, in its order.
pub fn inputs(model: &Model) -> Vec<Vec<f32>> {
    let shapes = model.input_shapes();
    let scale = if model.name() == "functions" { 4.0 } else { 1.0 };
    let input = |(i, shape): (usize, &Shape)| {
        noise(SAMPLES * shape.iter().product::<usize>(), 70 + i as u32).iter().map(|v| v * scale).collect()
    };
    shapes.iter().enumerate().map(input).collect()
}

/// One layer of every class that is a chain.
fn layers() -> Result<Model, Error> {
    Sequential::new()
        .name("layers")
        .add(InputLayer::new([12, 12, 2]))
        .add(Rescaling::new(0.5).offset(-0.25))
        .add(RandomRotation::new(0.05))
        .add(RandomTranslation::new(0.1, 0.1))
        .add(RandomZoom::new(0.1))
        .add(ZeroPadding2D::new(((1, 0), (2, 1))))
        .add(Conv2D::new(4, 3))
        .add(LeakyReLU::new())
        .add(SeparableConv2D::new(6, 3).activation("relu"))
        .add(ELU::new())
        .add(DepthwiseConv2D::new(3))
        .add(ReLU::new())
        .add(LayerNormalization::new())
        .add(UpSampling2D::new(2))
        .add(AveragePooling2D::new(2))
        .add(BatchNormalization::new())
        .add(Activation::new("tanh"))
        .add(MaxPooling2D::new(2))
        .add(Dropout::new(0.2))
        .add(Reshape::new([-1, 6]))
        .add(Flatten::new())
        .add(Dense::new(5))
        .add(Softmax::new())
        .build(3)
}

/// Branches of different lengths, a shared layer, a gate, two inputs and two outputs.
fn graph() -> Result<Model, Error> {
    let image = InputLayer::new([8, 8, 2]).name("image").input();
    let extra = InputLayer::new([3]).name("extra").input();
    let short = Conv2D::new(4, 1).name("short").call(&image)?;
    let long = Conv2D::new(4, 3).padding(Padding::Same).call(&image)?;
    let long = BatchNormalization::new().center(false).scale(false).call(&long)?;
    let long = Conv2D::new(4, 3).padding(Padding::Same).activation("relu").name("last").call(&long)?;
    let sum = Add::new().merge(&[&short, &long, &short])?;
    let shared = Conv2D::new(4, 3).padding(Padding::Same).activation("tanh").name("twice").shared();
    let once = apply(&shared, &[&sum])?;
    let twice = apply(&shared, &[&once])?;
    let gate = GlobalAveragePooling2D::new().keepdims(true).call(&twice)?;
    let gate = Conv2D::new(4, 1).activation("sigmoid").call(&gate)?;
    let product = Multiply::new().merge(&[&twice, &gate])?;
    let pooled = GlobalMaxPooling2D::new().call(&product)?;
    let mean = GlobalAveragePooling2D::new().call(&Average::new().merge(&[&sum, &twice, &gate])?)?;
    let all = Concatenate::new().merge(&[&pooled, &mean, &extra])?;
    let class = Dense::new(5).activation("softmax").name("class").call(&all)?;
    let value = Dense::new(1).use_bias(false).name("value").call(&extra)?;
    Model::new("graph", &[&image, &extra], &[&class, &value], 4)
}

/// Every activation on the same numbers.
fn functions() -> Result<Model, Error> {
    let x = InputLayer::new([4, 4, 2]).name("x").input();
    let names = [
        "linear",
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "sigmoid",
        "hard_sigmoid",
        "tanh",
        "softplus",
        "softsign",
        "exponential",
        "softmax",
    ];
    let mut all = Vec::new();
    for name in names {
        all.push(Activation::new(name).call(&x)?);
        all.push(Conv2D::new(2, 1).activation(name).call(&x)?);
    }
    all.push(ReLU::new().max_value(2.0).call(&x)?);
    all.push(ReLU::new().negative_slope(0.1).call(&x)?);
    all.push(ReLU::new().max_value(2.0).negative_slope(0.1).threshold(0.5).call(&x)?);
    all.push(ReLU::new().threshold(1.0).call(&x)?);
    all.push(ELU::new().alpha(0.5).call(&x)?);
    let joined = Concatenate::new().merge(&all.iter().collect::<Vec<_>>())?;
    Model::new("functions", &[&x], &[&joined], 5)
}

/// Windows of all kinds, and a Flatten whose order matters.
fn windows() -> Result<Model, Error> {
    let x = InputLayer::new([13, 11, 4]).name("x").input();
    let same = Padding::Same;
    let mut all = vec![
        Conv2D::new(4, 3).strides(2usize).padding(same).call(&x)?,
        Conv2D::new(4, (2, 5)).strides((2, 2)).padding(same).groups(2usize).call(&x)?,
        DepthwiseConv2D::new(3).strides(2usize).padding(same).call(&x)?,
        MaxPooling2D::new(3).strides(2usize).padding(same).call(&x)?,
        AveragePooling2D::new(3).strides(2usize).padding(same).call(&x)?,
    ];
    let dilated = Conv2D::new(4, 3).dilation_rate(2usize).padding(same).call(&x)?;
    let uneven = DepthwiseConv2D::new((3, 2))
        .depth_multiplier(2usize)
        .strides((1, 1))
        .dilation_rate((2, 1))
        .padding(same)
        .call(&dilated)?;
    let narrow = SeparableConv2D::new(4, 3).depth_multiplier(2usize).strides(2usize).padding(same).call(&uneven)?;
    all.push(narrow);
    let side = Concatenate::new().merge(&all.iter().collect::<Vec<_>>())?;
    let below = Concatenate::new().axis(1).merge(&[&side, &side])?;
    let large = UpSampling2D::new((1, 2)).interpolation(UpSampling::Bilinear).call(&below)?;
    let valid = Conv2D::new(3, (2, 3)).strides((3, 2)).call(&large)?;
    let flat = Flatten::new().call(&valid)?;
    let flat = Activation::new("relu").call(&flat)?;
    let y = Dense::new(4).call(&flat)?;
    Model::new("windows", &[&x], &[&y], 6)
}

/// Tensors of two axes, and normalization of all ranks.
fn sequence() -> Result<Model, Error> {
    Sequential::new()
        .name("sequence")
        .add(InputLayer::new([5, 6]))
        .add(Dense::new(4).activation("tanh"))
        .add(BatchNormalization::new())
        .add(LayerNormalization::new().axis([-2, -1]).scale(false))
        .add(Reshape::new([2, 5, 2]))
        .add(Dense::new(3).use_bias(false).activation("softmax"))
        .add(Flatten::new())
        .add(BatchNormalization::new().epsilon(0.01))
        .add(Dense::new(3).activation("softmax"))
        .build(7)
}

/// Layers that are rarely used.
fn rare() -> Result<Model, Error> {
    let x = InputLayer::new([6, 5, 3]).name("x").input();
    let large = Conv2DTranspose::new(4, 3).strides(2).padding(Padding::Same).activation("relu").call(&x)?;
    let other = Conv2DTranspose::new(4, (2, 3)).strides((2, 2)).padding(Padding::Same).use_bias(false).call(&x)?;
    let wide = Conv2DTranspose::new(4, (1, 2)).strides((2, 2)).output_padding((1, 0)).call(&x)?;
    let cut = PReLU::new().shared_axes([1, 2]).call(&Subtract::new().merge(&[&large, &other])?)?;
    let middle = CenterCrop::new(9, 7).call(&Maximum::new().merge(&[&cut, &wide, &large])?)?;
    let turned = Permute::new([3, 1, 2]).call(&Minimum::new().merge(&[&middle, &PReLU::new().call(&middle)?])?)?;
    let flat = Dense::new(6).call(&Flatten::new().call(&turned)?)?;
    let rows = RepeatVector::new(5).call(&flat)?;
    let steps = Conv1D::new(4, 3).padding(arguments::SequencePadding::Causal).call(&rows)?;
    let y = MaxPooling1D::new(2).call(&steps)?;
    Model::new("rare", &[&x], &[&y, &turned], 9)
}

/// Images as outputs, one value under two names, and layers at the end that inference passes through.
fn outputs() -> Result<Model, Error> {
    let x = InputLayer::new([6, 5, 3]).name("x").input();
    let image = Conv2D::new(2, 3).activation("softmax").name("image").call(&x)?;
    let flat = Flatten::new().name("flat").call(&image)?;
    let same = Dropout::new(0.5).name("same").call(&image)?;
    Model::new("outputs", &[&x], &[&image, &flat, &same], 8)
}
