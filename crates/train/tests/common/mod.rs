//! A small network, its data, and what is compared of it.
#![allow(dead_code)] // each test program uses its part

use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, Dropout, InputLayer};
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_nn::optimizers::{Adam, Optimizer};
use maobi_nn::{Compile, Model};
use maobi_train::callbacks::{BatchLogs, Context};
use maobi_train::{Action, Arrays, Callback, Error, Fit, History, ModelExt, Targets};
use std::path::Path;

pub const SAMPLES: usize = 50;
pub const BATCH: usize = 8;
/// 45 samples train (the rest validates), the last batch being short.
pub const STEPS: usize = 6;

/// Points in the plane, noisy around one centre per class.
pub fn points() -> (Vec<f32>, Vec<u32>) {
    let noise = |i: usize| ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
    let x = (0..SAMPLES).flat_map(|i| [(i % 3) as f32 - 1.0 + noise(2 * i), ((i % 3) * 2 % 3) as f32 - 1.0 + noise(2 * i + 1)]);
    (x.collect(), (0..SAMPLES).map(|i| (i % 3) as u32).collect())
}

pub fn model(seed: u64, optimizer: impl Into<Optimizer>) -> Model {
    let layers = Sequential::new().add(InputLayer::new([2])).add(Dense::new(8).activation("relu")).add(Dropout::new(0.3));
    let mut model = layers.add(Dense::new(3).activation("softmax")).build(seed).unwrap();
    model.compile(Compile::new(optimizer, SparseCategoricalCrossentropy::new()).metrics(["accuracy"]).unwrap()).unwrap();
    model
}

pub fn adam(seed: u64) -> Model {
    model(seed, Adam::new(0.05))
}

/// Trains on the points with a tenth of them for validation.
pub fn train(model: &mut Model, how: Fit<'_>) -> Result<History, Error> {
    let (x, y) = points();
    model.fit(&Arrays::new(SAMPLES, vec![&x], vec![Targets::Classes(y)]).unwrap(), how.batch_size(BATCH).validation_split(0.1))
}

/// Weights, and all that the optimizer keeps, as bits.
pub fn bits(model: &Model) -> Vec<Vec<u32>> {
    let state = model.optimizer_state_ref().unwrap();
    let of = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    let weights = model.weights().iter().map(|w| of(&w.values()));
    let slots = state.variables().into_iter().map(|v| of(&v.values)).collect::<Vec<_>>();
    weights.chain(slots).chain([vec![state.iterations as u32, state.learning_rate.to_bits()]]).collect()
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn message(result: Result<History, Error>) -> String {
    result.map_or_else(|e| e.to_string(), |_| "trained".into())
}

/// Ends training as a kill does: nothing is saved, for `fit` sees an error and tells the callbacks so.
pub struct Kill(pub u64);

impl Callback for Kill {
    fn name(&self) -> &'static str {
        "Kill"
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, _: &BatchLogs) -> Result<Action, Error> {
        match context.step == self.0 {
            true => Err(Error::Argument { argument: "kill".into(), message: "now".into() }),
            false => Ok(Action::Continue),
        }
    }
}
