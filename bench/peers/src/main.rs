//! A turn of burn or candle for `bench/side_by_side.py`: one process, one network, one line of JSON.
//!
//! `maobi-bench-peers burn|candle RECIPE.toml --data DIR --samples N --epochs E --threads T`; the number of threads is for the
//! report, RAYON_NUM_THREADS sets it. Both train without accuracy, without L2 and, candle, without momentum: less than ours do.

mod burn_net;
mod candle_net;
mod pictures;
mod recipe;

use pictures::Pictures;
use recipe::Recipe;
use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

// The system's allocator costs both of them up to a third.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Steps before training is timed.
const WARM_UP_STEPS: usize = 5;
const WARM_UP_CALLS: usize = 20;
const LEAST_CALLS: usize = 5;
const PREDICT_BATCH: usize = 500;
const BUDGET: Duration = Duration::from_millis(400);

/// A network of one of the two.
trait Peer {
    /// One optimizer step on `[samples, 28 · 28]` pixels and their classes.
    fn step(&mut self, pixels: Vec<f32>, classes: &[u8]) -> Result<()>;
    /// Before the first `predict`.
    fn finish_training(&mut self) {}
    /// The outputs of `[samples, 28 · 28]` pixels.
    fn predict(&mut self, pixels: Vec<f32>) -> Result<Vec<f32>>;
}

struct Options {
    peer: String,
    recipe: PathBuf,
    data: PathBuf,
    samples: usize,
    epochs: usize,
    threads: usize,
}

fn options() -> Result<Options> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let mut o = Options {
        peer: next("burn or candle")?,
        recipe: next("RECIPE.toml")?.into(),
        data: PathBuf::new(),
        samples: 2000,
        epochs: 2,
        threads: 2,
    };
    while let Ok(flag) = next("") {
        let value = next(&flag)?;
        match flag.as_str() {
            "--data" => o.data = value.into(),
            "--samples" => o.samples = value.parse()?,
            "--epochs" => o.epochs = value.parse()?,
            "--threads" => o.threads = value.parse()?,
            _ => return Err(format!("unknown option {flag}").into()),
        }
    }
    Ok(o)
}

fn main() -> Result<()> {
    let o = options()?;
    let recipe = Recipe::read(&o.recipe)?;
    let (mut peer, version): (Box<dyn Peer>, _) = match o.peer.as_str() {
        "burn" => (Box::new(burn_net::Burn::new(&recipe)), "burn 0.22.1 (flex, x86-v4)"),
        "candle" => (Box::new(candle_net::Candle::new(&recipe)?), "candle 0.11.1"),
        other => return Err(format!("{other}: expected burn or candle").into()),
    };
    let train = Pictures::read(&o.data, "train", o.samples, &recipe)?;
    let test = Pictures::read(&o.data, "t10k", 4 * PREDICT_BATCH, &recipe)?;
    let rates = training(&mut *peer, &train, &recipe, o.epochs)?;
    peer.finish_training();
    let batch = (PREDICT_BATCH.min(test.len()), LEAST_CALLS);
    let predict = batch.0 as f64 / repeated(&mut *peer, &test, batch.0, 1, batch.1)?;
    let latency = repeated(&mut *peer, &test, 1, WARM_UP_CALLS, WARM_UP_CALLS)?;
    let line = serde_json::json!({
        "framework": o.peer,
        "version": version,
        "recipe": recipe.name,
        "batch_size": recipe.batch,
        "threads": o.threads,
        "samples": train.len(),
        "train_samples_per_second": rates,
        "predict_images_per_second": predict,
        "latency_us": latency * 1e6,
    });
    println!("{line}");
    Ok(())
}

/// Images a second of each epoch; every one in an order of its own, gathered batch by batch.
fn training(peer: &mut dyn Peer, train: &Pictures, recipe: &Recipe, epochs: usize) -> Result<Vec<f64>> {
    let mut order: Vec<usize> = (0..train.len()).collect();
    let mut random = 88_172_645_463_325_252u64;
    for rows in order.chunks(recipe.batch).take(WARM_UP_STEPS) {
        peer.step(train.gather(rows), &train.classes(rows))?;
    }
    let mut rates = Vec::new();
    for _ in 0..epochs {
        let since = Instant::now();
        for i in (1..order.len()).rev() {
            // Fisher and Yates, with Marsaglia's xorshift.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            order.swap(i, (random % (i as u64 + 1)) as usize);
        }
        for rows in order.chunks(recipe.batch) {
            peer.step(train.gather(rows), &train.classes(rows))?;
        }
        rates.push(train.len() as f64 / since.elapsed().as_secs_f64());
    }
    Ok(rates)
}

/// Seconds of a prediction of `batch` images, the median after `warm_up` calls.
fn repeated(peer: &mut dyn Peer, test: &Pictures, batch: usize, warm_up: usize, least: usize) -> Result<f64> {
    let mut seconds = Vec::new();
    let mut begun = Instant::now();
    for call in 0.. {
        if call == warm_up {
            seconds.clear();
            begun = Instant::now();
        }
        let first = call * batch % (test.len() / batch * batch);
        let pixels = test.gather(&(first..first + batch).collect::<Vec<_>>());
        let since = Instant::now();
        black_box(peer.predict(black_box(pixels))?);
        seconds.push(since.elapsed().as_secs_f64());
        if call >= warm_up + least && begun.elapsed() > BUDGET {
            break;
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[seconds.len() / 2])
}
