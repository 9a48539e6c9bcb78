//! `maobi predict`.

mod answer;
mod explain;
mod table;

use crate::exit::{Exit, usage};
use crate::output::Console;
use crate::pictures::{How, Reader, expand, read_all};
use crate::run;
use crate::run::RunFolder;
use answer::Answer;
use anyhow::bail;
use maobi_formats::format::FORMATS;
use std::path::{Path, PathBuf};
use table::Table;

/// Arguments of `maobi predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A model file of any kind that is read (.keras, .h5, .onnx, a TensorFlow checkpoint …) or a run folder [default: the
    /// model in the box, which reads digits]
    #[arg(long, short)]
    model: Option<PathBuf>,

    #[command(flatten)]
    network: run::Network,

    /// Pictures (PNG, JPEG, BMP, GIF, WebP, TIFF) of any size, folders of pictures, patterns such as "scans/*.png", or - for one
    /// picture on stdin.
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,

    #[command(flatten)]
    how: How,

    /// Show the K likeliest readings; those after the first differ in one digit.
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    top: u64,

    /// Print one JSON object for each picture.
    #[arg(long)]
    json: bool,

    /// Write a table of all pictures to FILE, or print it instead of the lines (-).
    #[arg(long, value_name = "FILE|-")]
    csv: Option<PathBuf>,

    /// Draw how one picture was read: every stage from the picture to what the network saw and what it took it for.
    #[arg(long, value_name = "FILE.png")]
    explain: Option<PathBuf>,
}

const AFTER: &str = "\
A line for each picture: what was read, how sure that is, and what else it
might be. What is no digit is \"rejected\". Pictures that cannot be read are
reported on stderr and the others still done; the exit code is 1 then.

Examples:
  maobi predict photo.jpg
  maobi predict scans/ --csv numbers.csv
  maobi predict page.jpg --explain page-explained.png
  maobi predict --model runs/tf2-cnn-1 --preprocess invert \"*.png\" --json

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Reads pictures, tells what is on them.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    for image in &args.images {
        refuse_model(image)?;
    }
    if args.top > 2 && args.csv.as_deref().is_some_and(|file| file.as_os_str() == "-") {
        return Err(usage(format!("--top {}: a table has the two likeliest readings; leave --csv - out to see more", args.top)));
    }
    let reader = Reader::open(args.model.as_deref(), &args.network, &args.how, &console)?;
    let (files, mut failed) = expand(&args.images);
    if let (Some(file), n) = (&args.explain, files.len())
        && n != 1
    {
        bail!("--explain {}: draws how one picture was read, got {n} pictures", file.display());
    }
    let mut table = args.csv.as_deref().map(|file| Table::new(file, console)).transpose()?;
    let lines = table.as_ref().is_none_or(|table| !table.printed());
    failed |= read_all(
        &files,
        console,
        |file| file.display().to_string(),
        |file| reader.read(file),
        |index, seen| {
            if let Some(file) = &args.explain {
                explain::write(file, &files[index], &seen, &reader)?;
            }
            let answer = Answer::new(files[index].display().to_string(), seen.reading, reader.classes(), args.top as usize);
            if let Some(table) = &mut table {
                table.add(&answer)?;
            }
            if lines {
                console.result(&answer.text())?;
                console.event(&answer.json())?;
            }
            Ok(())
        },
    )?;
    if let Some(table) = table {
        table.write()?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// A model among the pictures was meant for `--model`. In a run folder, drawings of its curves would be read.
fn refuse_model(image: &Path) -> anyhow::Result<()> {
    let name = image.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let is_model = FORMATS.iter().flat_map(|format| format.extensions()).any(|ending| name.ends_with(*ending));
    if RunFolder::new(image).has_run() || (is_model && image.exists()) {
        let image = image.display();
        return Err(usage(format!("{image}: is a model, not a picture; give it with --model {image}")));
    }
    Ok(())
}
