//! burn, on its CPU backend flex.

use crate::recipe::{Layer, Recipe};
use crate::{Peer, Result};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;

#[derive(Module, Debug)]
struct Net {
    convs: Vec<Conv2d>,
    denses: Vec<Linear>,
    dropouts: Vec<Dropout>,
    pool: MaxPool2d,
}

impl Net {
    fn new(layers: &[Layer], device: &Device) -> Net {
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let mut net = Net { convs: Vec::new(), denses: Vec::new(), dropouts: Vec::new(), pool };
        let (mut channels, mut side, mut values) = (1, 28, 28 * 28);
        for layer in layers {
            match *layer {
                Layer::Conv { filters, kernel, same, .. } => {
                    let pad = if same { kernel / 2 } else { 0 };
                    let config = Conv2dConfig::new([channels, filters], [kernel, kernel]);
                    net.convs.push(config.with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad)).init(device));
                    (channels, side) = (filters, side + 2 * pad + 1 - kernel);
                }
                Layer::Pool => side /= 2,
                Layer::Flatten => values = channels * side * side,
                Layer::Dense { units, .. } => {
                    net.denses.push(LinearConfig::new(values, units).init(device));
                    values = units;
                }
                Layer::Dropout { rate } => net.dropouts.push(DropoutConfig::new(rate).init()),
            }
        }
        net
    }

    fn forward(&self, layers: &[Layer], images: Tensor<4>) -> Tensor<2> {
        let (mut convs, mut denses, mut dropouts) = (self.convs.iter(), self.denses.iter(), self.dropouts.iter());
        let mut image = images;
        let mut flat: Option<Tensor<2>> = None;
        let expect = "a layer for each of the recipe";
        for layer in layers {
            match (*layer, flat.take()) {
                (Layer::Conv { relu: active, .. }, _) => {
                    image = convs.next().expect(expect).forward(image);
                    image = if active { relu(image) } else { image };
                }
                (Layer::Pool, _) => image = self.pool.forward(image),
                (Layer::Flatten, _) => flat = Some(image.clone().flatten(1, 3)),
                (Layer::Dense { relu: active, .. }, Some(x)) => {
                    let x = denses.next().expect(expect).forward(x);
                    flat = Some(if active { relu(x) } else { x });
                }
                (Layer::Dropout { .. }, Some(x)) => flat = Some(dropouts.next().expect(expect).forward(x)),
                (Layer::Dropout { .. }, None) => image = dropouts.next().expect(expect).forward(image),
                (Layer::Dense { .. }, None) => unreachable!("dense layers come after Flatten"),
            }
        }
        flat.expect("a recipe ends with a dense layer")
    }
}

pub struct Burn {
    layers: Vec<Layer>,
    device: Device,
    net: Option<Net>,
    loss: CrossEntropyLoss,
    optimizer: ModuleOptimizer,
    rate: f64,
}

impl Burn {
    pub fn new(recipe: &Recipe) -> Burn {
        let device = Device::flex().autodiff();
        let momentum = (recipe.momentum > 0.0).then(|| MomentumConfig::new().with_momentum(recipe.momentum).with_dampening(0.0));
        let optimizer = match recipe.optimizer.as_str() {
            "SGD" => SgdConfig::new().with_momentum(momentum).init(),
            _ => AdamConfig::new().init(),
        };
        Burn {
            layers: recipe.layers.clone(),
            net: Some(Net::new(&recipe.layers, &device)),
            loss: CrossEntropyLossConfig::new().init(&device),
            device,
            optimizer,
            rate: recipe.learning_rate,
        }
    }
}

impl Peer for Burn {
    fn step(&mut self, pixels: Vec<f32>, classes: &[u8]) -> Result<()> {
        let n = classes.len();
        let net = self.net.take().ok_or("training has ended")?;
        let images = Tensor::<4>::from_data(TensorData::new(pixels, [n, 1, 28, 28]), &self.device);
        let classes: Vec<i32> = classes.iter().map(|&c| i32::from(c)).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(classes, [n]), &self.device);
        let loss = self.loss.forward(net.forward(&self.layers, images), targets);
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        self.net = Some(self.optimizer.step(self.rate, net, gradients));
        Ok(())
    }

    fn finish_training(&mut self) {
        self.net = self.net.take().map(|net| net.valid());
        self.device = Device::flex();
    }

    fn predict(&mut self, pixels: Vec<f32>) -> Result<Vec<f32>> {
        let n = pixels.len() / (28 * 28);
        let net = self.net.as_ref().ok_or("there is no network")?;
        let images = Tensor::<4>::from_data(TensorData::new(pixels, [n, 1, 28, 28]), &self.device);
        let out = net.forward(&self.layers, images).into_data();
        out.try_to_vec::<f32>().map_err(|e| format!("{e:?}").into())
    }
}
