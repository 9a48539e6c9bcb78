//! Writes a model in another format: `cargo run --release -q -p maobi --example export -- MODEL FORMAT OUT`
//!
//! MODEL is any file that is read here; FORMAT one of the names that a wrong one lists, such as `onnx`. What the format cannot hold
//! is said on stderr.

use maobi::formats::format;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

fn run(model: &str, to: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let path = Path::new(model);
    let loaded = format::detect(path)?.load(path, 0)?;
    let extras: Vec<(&str, &[u8])> = loaded.extras.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let left = format::named(to)?.save(&loaded.model, Path::new(out), &extras)?;
    for note in loaded.notes.iter().map(|note| format!("{model}: {note}")).chain(left.iter().map(|note| format!("{out}: {note}")))
    {
        eprintln!("{note}");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, to, out] = arguments.as_slice() else {
        eprintln!("usage: export MODEL FORMAT OUT");
        return ExitCode::from(2);
    };
    match run(model, to, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
