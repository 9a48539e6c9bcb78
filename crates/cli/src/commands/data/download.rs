//! `maobi data download`.

use crate::exit::Exit;
use crate::output::{Bars, Console};
use anyhow::{Context, bail};
use maobi_data::download::{Downloader, cache_dir, files, mirrors};
use maobi_data::source::{Request, Wanted, resolve};
use maobi_data::{DataError, DatasetName};
use std::path::PathBuf;

/// Arguments of `maobi data download`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// mnist or fashion-mnist.
    dataset: String,

    /// Put it into DIR/mnist (or DIR/fashion-mnist) instead of the user's cache.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Fetches what is missing.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console::default();
    let name: DatasetName = args.dataset.parse()?;
    if name == DatasetName::Builtin {
        bail!("builtin needs no download: the program draws it; train on it with --dataset builtin");
    }
    let root = match &args.data_dir {
        Some(dir) => dir.clone(),
        None => cache_dir().context("this system names no cache folder; give --data-dir DIR")?,
    };
    let bars = Bars::new(console);
    let mut request = Request::new(Wanted::Name(name), &bars);
    (request.data_dir, request.offline) = (Some(root.clone()), true);
    if let Ok(found) = resolve(&request) {
        let place = found.place.unwrap_or(root);
        console.result(&format!("{name} is in {} already", place.display()))?;
        return Ok(Exit::Done);
    }
    let folder = root.join(name.as_str());
    let by_hand = format!(
        "by hand: put {} (as they are or as .gz) into {}",
        files(name).iter().map(|file| file.name).collect::<Vec<_>>().join(", "),
        folder.display()
    );
    Downloader::new(&bars).fetch(name.as_str(), files(name), &mirrors(name), &folder).map_err(|error| match error {
        DataError::Offline { dataset, cause, .. } => DataError::Offline { dataset, cause, advice: by_hand.clone() },
        DataError::Download { file, attempts, .. } => DataError::Download { file, attempts, advice: by_hand.clone() },
        other => other,
    })?;
    // Read back once: what was fetched is known to be usable.
    resolve(&request)?;
    console.result(&format!("{name} is in {}", folder.display()))?;
    Ok(Exit::Done)
}
