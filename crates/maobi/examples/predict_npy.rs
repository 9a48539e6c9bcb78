//! Predicts for an array: `cargo run --release -q -p maobi --example predict_npy -- MODEL.keras x.npy out.npy [WEIGHTS]`
//!
//! With a fourth argument the model takes its weights from there: any file of weights, or a folder of checkpoints.
//!
//! `x.npy` holds numbers `[samples, …]` as the model takes them (scaled already); `out.npy` gets the first output as f32, one row per
//! sample in the same order.

use maobi::data::Limits;
use maobi::data::npy::{self, Npy};
use maobi::formats::{format, keras};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

fn run(model: &str, x: &str, out: &str, weights: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut loaded = keras::load(Path::new(model), 0)?;
    for note in &loaded.notes {
        eprintln!("{model}: {note}");
    }
    if let Some(weights) = weights.map(Path::new) {
        for note in format::detect(weights)?.load_weights(&mut loaded.model, weights)? {
            eprintln!("{}: {note}", weights.display());
        }
    }
    let array = npy::read(x, &Limits::default())?;
    let (samples, expected) = (array.shape.first().copied().unwrap_or(0), &loaded.model.input_shapes()[0]);
    if array.shape.get(1..) != Some(expected) {
        return Err(format!("{x}: expected samples of shape {expected:?}, got an array of shape {:?}", array.shape).into());
    }
    let predictions = loaded.model.predict(&[&array.to_f32()])?;
    let mut shape = vec![samples];
    shape.extend(&loaded.model.output_shapes()[0]);
    npy::write(out, &Npy::from_f32(&shape, &predictions[0]))?;
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (model, x, out, weights) = match arguments.as_slice() {
        [model, x, out] => (model, x, out, None),
        [model, x, out, weights] => (model, x, out, Some(weights.as_str())),
        _ => {
            eprintln!("usage: predict_npy MODEL.keras x.npy out.npy [WEIGHTS]");
            return ExitCode::from(2);
        }
    };
    match run(model, x, out, weights) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
