//! Times one recipe: training, prediction in batches, prediction of one image.

use super::figures::{Figures, median};
use super::memory;
use crate::run::Precision;
use maobi_data::{Dataset, Splits};
use maobi_kernels::{isa, peak};
use maobi_nn::{Model, Samples};
use maobi_train::callbacks::{Action, OnEpochEnd};
use maobi_train::{Fit, Flops, Images, ModelExt, Recipe};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Images a call when throughput is measured.
const PREDICT_BATCH: usize = 500;
/// How long prediction is timed, each of both ways, and how often at least.
const BUDGET: Duration = Duration::from_millis(400);
const LEAST_CALLS: usize = 5;
const MOST_CALLS: usize = 20_000;
/// Calls before single images are timed.
const WARM_UP: usize = 20;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Images an epoch, at most.
    pub samples: usize,
    /// Epochs after the first.
    pub epochs: usize,
    /// Threads.
    pub threads: usize,
    /// What to compute with.
    pub precision: Precision,
}

/// Trains and predicts with `model`, the recipe's own, and tells how fast.
pub fn measure(name: &str, recipe: &Recipe, mut model: Model, splits: &Splits, how: How) -> anyhow::Result<Figures> {
    model.set_threads(how.threads);
    memory::reset_peak();
    let train = splits.train.take(how.samples);
    let rates = training(recipe, &mut model, &train, how.epochs)?;
    let pixels = pixels(recipe, &splits.test);
    let per_image = splits.test.item_len();
    let shipped = model.for_inference()?;
    Ok(Figures {
        recipe: name.to_owned(),
        batch_size: recipe.training.batch_size,
        threads: model.threads(),
        isa: isa::active(),
        precision: how.precision,
        samples: train.len(),
        train: rates,
        predict: throughput(&shipped, &pixels, per_image)?,
        latency: latency(&shipped, &pixels, per_image)?,
        flops: Flops::of(&model).training,
        peak_rss: memory::peak_rss(),
        // Last, so that it is measured on a processor that has been as busy.
        peak: peak::multiply_add_rate(isa::active(), model.pool()),
    })
}

/// Images a second of each epoch but the first.
fn training(recipe: &Recipe, model: &mut Model, train: &Dataset, epochs: usize) -> anyhow::Result<Vec<f64>> {
    let images = Images::new(train).scaled(recipe.data.scale, recipe.data.offset).one_hot(recipe.data.one_hot);
    let mut rates = Vec::with_capacity(epochs + 1);
    let mut since = Instant::now();
    let clock = OnEpochEnd(|_: &mut _, _: &_| {
        rates.push(train.len() as f64 / since.elapsed().as_secs_f64());
        since = Instant::now();
        Action::Continue
    });
    model.fit(&images, Fit::new().epochs(epochs + 1).batch_size(recipe.training.batch_size).callback(clock))?;
    Ok(rates.split_off(1))
}

/// What the network sees of the pictures to predict.
fn pixels(recipe: &Recipe, test: &Dataset) -> Vec<f32> {
    let indices: Vec<u32> = (0..test.len().min(4 * PREDICT_BATCH) as u32).collect();
    let mut pixels = vec![0.0; indices.len() * test.item_len()];
    test.gather(&indices, recipe.data.scale, recipe.data.offset, &mut pixels);
    pixels
}

/// Images a second in batches of 500; fewer when the data set has fewer.
fn throughput(model: &Model, pixels: &[f32], per_image: usize) -> anyhow::Result<f64> {
    let batch = (PREDICT_BATCH * per_image).min(pixels.len());
    let mut rates = Vec::new();
    let begun = Instant::now();
    for part in pixels.chunks_exact(batch).cycle() {
        let since = Instant::now();
        let samples = batch / per_image;
        model.predict_batch(&Samples { samples, inputs: &[part] }, |_, values| {
            black_box(values);
        })?;
        rates.push(samples as f64 / since.elapsed().as_secs_f64());
        if rates.len() > LEAST_CALLS && begun.elapsed() > BUDGET {
            break;
        }
    }
    // The first call made the buffers.
    Ok(median(&rates[1..]))
}

/// Seconds for one image, different ones in turn: the median of many calls.
fn latency(model: &Model, pixels: &[f32], per_image: usize) -> anyhow::Result<f64> {
    let mut seconds = Vec::new();
    let mut begun = Instant::now();
    for (call, image) in pixels.chunks_exact(per_image).cycle().enumerate() {
        if call == WARM_UP {
            seconds.clear();
            begun = Instant::now();
        }
        let since = Instant::now();
        black_box(model.predict(&[black_box(image)])?);
        seconds.push(since.elapsed().as_secs_f64());
        if call >= WARM_UP + LEAST_CALLS && (begun.elapsed() > BUDGET || seconds.len() >= MOST_CALLS) {
            break;
        }
    }
    Ok(median(&seconds))
}
