//! Writes a `.keras` file in another format: `cargo run --release -q -p maobi --example convert -- MODEL.keras FORMAT OUT`
//!
//! `FORMAT` is a format's name, such as `tf-checkpoint`; what it cannot carry is told on stderr.

use maobi::formats::{format, keras};
use std::path::Path;
use std::process::ExitCode;

fn run(model: &str, name: &str, out: &str) -> maobi::formats::Result<()> {
    let loaded = keras::load(Path::new(model), 0)?;
    let notes = format::named(name)?.save(&loaded.model, Path::new(out), &[])?;
    for note in loaded.notes.iter().chain(&notes) {
        eprintln!("{out}: {note}");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, name, out] = arguments.as_slice() else {
        eprintln!("usage: convert MODEL.keras FORMAT OUT");
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
