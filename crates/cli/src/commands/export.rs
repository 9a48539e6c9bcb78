//! `maobi export`.

use crate::exit::Exit;
use crate::output::Console;
use crate::run;
use anyhow::{Context, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};
use maobi_formats::Format;
use maobi_formats::format::{self, FORMATS};
use maobi_recognize::preprocessing::MEMBER;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `maobi export`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    model: run::RequiredModel,

    #[command(flatten)]
    network: run::Network,

    /// The format to write; what --out ends with says it when this is left out.
    #[arg(long, value_name = "FORMAT", value_parser = formats(), required_unless_present = "out")]
    to: Option<String>,

    /// The file or folder to write [default: the model's name, with the format's ending, here]
    #[arg(long, short, value_name = "PATH")]
    out: Option<PathBuf>,

    /// Replace what is there already.
    #[arg(long)]
    force: bool,

    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
What the format has no place for is said on stderr.

Examples:
  maobi export runs/tf2-cnn-1 --to onnx --out digits.onnx
  maobi export mnist-model.h5 --to keras
  maobi export ckpt/cp-0005.ckpt --network tf2-cnn --to safetensors
  maobi export runs/tf2-cnn-1 --to saved-model --out digits/1    for TF Serving

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(FORMATS.iter().map(|format| PossibleValue::new(format.name()).help(format.about())))
}

/// Reads a model, writes it anew.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    let format = match (&args.to, &args.out) {
        (Some(name), _) => format::named(name)?,
        (None, Some(out)) => format::by_extension(out)?,
        (None, None) => bail!("give --to FORMAT or --out PATH"),
    };
    let out = args.out.clone().unwrap_or_else(|| beside(args.model.get(), format));
    if out.exists() && !args.force {
        bail!("{}: is there already; give another --out, or --force to replace it", out.display());
    }
    let open = run::open(args.model.get(), &args.network, &console, format.keeps_slots())?;
    if let Err(error) = open.model.check_finite() {
        console.warn(&format!("{}: {error}: its training has diverged, and what is written is of no use", open.file.display()));
    }
    let member = open.preprocessing.as_ref().map(|p| p.to_bytes()).transpose()?;
    let extras: Vec<(&str, &[u8])> = member.iter().map(|bytes| (MEMBER, bytes.as_slice())).collect();
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: the folder cannot be made", folder.display()))?;
    }
    let left_out = format.save(&open.model, &out, &extras)?;
    left_out.iter().for_each(|note| console.say(&format!("not carried over: {note}")));
    console.result(&format!("wrote {} ({}, from {})", out.display(), format.name(), open.format))?;
    console.event(&json!({
        "file": out.display().to_string(),
        "format": format.name(),
        "from": open.format,
        "not_carried_over": left_out,
    }))?;
    Ok(Exit::Done)
}

/// Where a model goes that nobody has named a place for.
pub fn beside(model: &Path, format: &dyn Format) -> PathBuf {
    let name = model.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
    let endings = FORMATS.iter().flat_map(|format| format.extensions()).filter(|ending| name.ends_with(**ending));
    let ending = endings.max_by_key(|ending| ending.len()).copied().unwrap_or_default();
    let stem = name.strip_suffix(ending).filter(|stem| !stem.is_empty()).unwrap_or("model");
    PathBuf::from(format!("{stem}{}", format.extensions().first().copied().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_after_its_model() {
        let onnx = format::named("onnx").unwrap();
        for (model, expected) in [
            ("runs/tf2-cnn-1", "tf2-cnn-1.onnx"),
            ("a/mnist.weights.h5", "mnist.onnx"),
            ("a/mnist.h5", "mnist.onnx"),
            (".keras", "model.onnx"),
            ("..", "model.onnx"),
        ] {
            assert_eq!(beside(Path::new(model), onnx), Path::new(expected), "{model}");
        }
    }
}
