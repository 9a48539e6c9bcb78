//! candle. It has no momentum and no Adadelta: plain SGD and Adam take their places.

use crate::recipe::{Layer, Recipe};
use crate::{Peer, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, Dropout, Linear, Module, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap, conv2d, linear, loss,
};

enum Part {
    Conv(Conv2d, bool),
    Pool,
    Flatten,
    Dense(Linear, bool),
    Dropout(Dropout),
}

enum Update {
    Sgd(SGD),
    Adam(AdamW),
}

pub struct Candle {
    parts: Vec<Part>,
    update: Update,
}

impl Candle {
    pub fn new(recipe: &Recipe) -> Result<Candle> {
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let (mut channels, mut side, mut values) = (1, 28, 28 * 28);
        let mut parts = Vec::new();
        for (i, layer) in recipe.layers.iter().enumerate() {
            let builder = builder.pp(i);
            parts.push(match *layer {
                Layer::Conv { filters, kernel, same, relu } => {
                    let padding = if same { kernel / 2 } else { 0 };
                    let config = Conv2dConfig { padding, ..Conv2dConfig::default() };
                    let conv = conv2d(channels, filters, kernel, config, builder)?;
                    (channels, side) = (filters, side + 2 * padding + 1 - kernel);
                    Part::Conv(conv, relu)
                }
                Layer::Pool => {
                    side /= 2;
                    Part::Pool
                }
                Layer::Flatten => {
                    values = channels * side * side;
                    Part::Flatten
                }
                Layer::Dense { units, relu } => Part::Dense(linear(std::mem::replace(&mut values, units), units, builder)?, relu),
                Layer::Dropout { rate } => Part::Dropout(Dropout::new(rate as f32)),
            });
        }
        let update = if recipe.optimizer == "SGD" {
            Update::Sgd(SGD::new(variables.all_vars(), recipe.learning_rate)?)
        } else {
            let how = ParamsAdamW { lr: recipe.learning_rate, weight_decay: 0.0, ..ParamsAdamW::default() };
            Update::Adam(AdamW::new(variables.all_vars(), how)?)
        };
        Ok(Candle { parts, update })
    }

    fn forward(&self, pixels: Vec<f32>, training: bool) -> Result<Tensor> {
        let n = pixels.len() / (28 * 28);
        let mut x = Tensor::from_vec(pixels, (n, 1, 28, 28), &Device::Cpu)?;
        for part in &self.parts {
            x = match part {
                Part::Conv(conv, relu) => active(conv.forward(&x)?, *relu)?,
                Part::Pool => x.max_pool2d(2)?,
                Part::Flatten => x.flatten_from(1)?,
                Part::Dense(dense, relu) => active(dense.forward(&x)?, *relu)?,
                Part::Dropout(dropout) => dropout.forward(&x, training)?,
            };
        }
        Ok(x)
    }
}

fn active(x: Tensor, relu: bool) -> Result<Tensor> {
    Ok(if relu { x.relu()? } else { x })
}

impl Peer for Candle {
    fn step(&mut self, pixels: Vec<f32>, classes: &[u8]) -> Result<()> {
        let classes: Vec<u32> = classes.iter().map(|&c| u32::from(c)).collect();
        let targets = Tensor::new(classes, &Device::Cpu)?;
        let loss = loss::cross_entropy(&self.forward(pixels, true)?, &targets)?;
        match &mut self.update {
            Update::Sgd(sgd) => sgd.backward_step(&loss)?,
            Update::Adam(adam) => adam.backward_step(&loss)?,
        }
        Ok(())
    }

    fn predict(&mut self, pixels: Vec<f32>) -> Result<Vec<f32>> {
        Ok(self.forward(pixels, false)?.flatten_all()?.to_vec1()?)
    }
}
