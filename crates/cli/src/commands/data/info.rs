//! `maobi data info`.

use super::{Which, parts};
use crate::dataset;
use crate::exit::Exit;
use crate::output::{Console, count};
use serde_json::json;

/// Arguments of `maobi data info`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,

    /// Print one JSON object for each part.
    #[arg(long)]
    json: bool,
}

/// Shows what is in a data set.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    let chosen = args.which.choose(console)?;
    match &chosen.place {
        Some(place) => console.result(&format!("{}: {}", chosen.dataset, place.display()))?,
        None => console.result(&format!("{}: drawn by the program", chosen.dataset))?,
    }
    for (part, set) in parts(&chosen) {
        let statistics = set.statistics();
        let [height, width, channels] = set.shape();
        let range = format!(
            "pixels {} to {}, mean {:.2}, deviation {:.2}",
            statistics.min, statistics.max, statistics.mean, statistics.std
        );
        console.result("")?;
        console.result(&format!("{part}: {} images of {height} × {width} × {channels}; {range}", count(set.len() as u64)))?;
        for (name, images) in set.class_names().iter().zip(&statistics.class_counts) {
            console.result(&format!("  {name:<12} {:>8}", count(*images as u64)))?;
        }
        console.event(&json!({
            "dataset": chosen.dataset,
            "place": chosen.place,
            "part": part,
            "images": set.len(),
            "shape": set.shape(),
            "classes": set.class_names(),
            "class_counts": statistics.class_counts,
            "pixels": { "min": statistics.min, "max": statistics.max, "mean": statistics.mean, "std": statistics.std },
        }))?;
    }
    for remark in dataset::remarks(&chosen.splits.train, 1.0 / 255.0, 0.0, false) {
        console.warn(&remark);
    }
    Ok(Exit::Done)
}
