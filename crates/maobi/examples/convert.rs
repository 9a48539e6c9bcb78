//! Writes a model in another format: `cargo run --release -q -p maobi --example convert -- MODEL FORMAT OUT`
//!
//! `MODEL` is any file that is read here, `FORMAT` a format's name, such as `tf-checkpoint`; what it cannot carry is told on stderr.

use maobi::formats::format;
use std::path::Path;
use std::process::ExitCode;

fn run(model: &str, name: &str, out: &str) -> maobi::formats::Result<()> {
    let path = Path::new(model);
    let loaded = format::detect(path)?.load(path, 0)?;
    let extras: Vec<(&str, &[u8])> = loaded.extras.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let notes = format::named(name)?.save(&loaded.model, Path::new(out), &extras)?;
    for note in loaded.notes.iter().chain(&notes) {
        eprintln!("{out}: {note}");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, name, out] = arguments.as_slice() else {
        eprintln!("usage: convert MODEL FORMAT OUT");
        return ExitCode::from(2);
    };
    match run(model, name, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
