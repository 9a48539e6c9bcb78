//! `maobi data preview`.

use super::{Which, parts};
use crate::exit::Exit;
use crate::output::Console;
use anyhow::Context;
use maobi_draw::{Labelled, preview_png};
use std::path::PathBuf;

/// Arguments of `maobi data preview`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,

    /// The PNG to write.
    #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
    out: PathBuf,

    /// Images on it.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=2000))]
    count: u64,

    /// Which part of the data: train, test or validation.
    #[arg(long, default_value = "train", value_parser = ["train", "test", "validation"])]
    split: String,
}

/// Draws a sheet.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console::default();
    let chosen = args.which.choose(console)?;
    let all = parts(&chosen);
    let (_, set) = all.iter().find(|(part, _)| *part == args.split).with_context(|| {
        format!(
            "--split {}: {} has no such part; it has {}",
            args.split,
            chosen.dataset,
            all.iter().map(|(p, _)| *p).collect::<Vec<_>>().join(", ")
        )
    })?;
    let [height, width, channels] = set.shape();
    let shown: Vec<Labelled<'_>> = set
        .iter()
        .take(args.count as usize)
        .map(|(image, label)| Labelled { image, height, width, channels, label: &set.class_names()[label as usize] })
        .collect();
    maobi_formats::atomic_write(&args.out, &preview_png(&shown))?;
    console.result(&format!("wrote {} images of {} to {}", shown.len(), set.name(), args.out.display()))?;
    Ok(Exit::Done)
}
