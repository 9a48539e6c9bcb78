//! From what a user asks for to the data set, wherever it lies.
//!
//! Named sets are looked for in `--data-dir`, then in the folder that the environment variable `MAOBI_DATA_DIR` names, then in the
//! user's cache, and are fetched into the cache when they are nowhere. `builtin` needs no file. Anything else is a path: a folder
//! that holds the four IDX files, a folder of pictures by class, or an `.npz`.

mod local;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::dataset::{Dataset, Splits};
use crate::download::{self, Downloader};
use crate::error::DataError;
use crate::folder::{self, Picture};
use crate::limits::Limits;
use crate::names::DatasetName;
use crate::progress::Progress;
use crate::{builtin, npz};
use local::Files;

/// What a user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A data set known by name.
    Name(DatasetName),
    /// A folder or a file.
    Path(PathBuf),
}

impl FromStr for Wanted {
    type Err = Infallible;

    /// A known name is that data set, all else a path; `./mnist` is the folder of that name.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Wanted::Path(text.into()), Wanted::Name))
    }
}

/// A request, complete with the places to look in.
#[derive(Clone)]
pub struct Request<'p> {
    /// What is asked for.
    pub wanted: Wanted,
    /// Where to look, and nowhere else: `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// Where to look first when there is no `data_dir`: `MAOBI_DATA_DIR`.
    pub env_dir: Option<PathBuf>,
    /// Where downloads are kept.
    pub cache_dir: Option<PathBuf>,
    /// Whether downloading is forbidden.
    pub offline: bool,
    /// Where to download from instead of the published mirrors.
    pub mirrors: Option<Vec<String>>,
    /// What pictures of a folder are made.
    pub picture: Picture,
    /// Bounds of what is read.
    pub limits: Limits,
    /// How many digits `builtin` draws, and from which seed.
    pub builtin: BuiltinSize,
    /// Told about downloads and long reading.
    pub progress: &'p dyn Progress,
}

/// Size of the built-in data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinSize {
    /// Seed of both parts, which are by different writers. Default 0.
    pub seed: u64,
    /// Images for training. Default 10,000.
    pub train: usize,
    /// Images for testing. Default 2,000.
    pub test: usize,
}

impl Default for BuiltinSize {
    fn default() -> Self {
        BuiltinSize { seed: 0, train: 10_000, test: 2_000 }
    }
}

/// Where a data set was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the folder of the request.
    DataDir,
    /// In the folder of `MAOBI_DATA_DIR`.
    Environment,
    /// In the cache, where an earlier download left it.
    Cache,
    /// Downloaded into the cache just now.
    Downloaded,
    /// Drawn by the program.
    Builtin,
    /// At the path asked for.
    Path,
}

/// A data set and where it comes from.
#[derive(Debug)]
pub struct Found {
    /// Its parts.
    pub splits: Splits,
    /// How it was found.
    pub origin: Origin,
    /// The folder or file it was read from; `None` for `builtin`.
    pub place: Option<PathBuf>,
    /// Files left out, each with the reason.
    pub unreadable: Vec<DataError>,
}

impl<'p> Request<'p> {
    /// A request with the places of this machine: `MAOBI_DATA_DIR` and the user's cache.
    pub fn new(wanted: Wanted, progress: &'p dyn Progress) -> Self {
        Request {
            wanted,
            data_dir: None,
            env_dir: std::env::var_os("MAOBI_DATA_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            cache_dir: download::cache_dir(),
            offline: false,
            mirrors: None,
            picture: Picture::default(),
            limits: Limits::default(),
            builtin: BuiltinSize::default(),
            progress,
        }
    }
}

/// Finds and reads what is asked for.
///
/// # Errors
/// [`DataError::NotFound`] with every path looked at, when the request's folder lacks the data set or downloading is forbidden;
/// [`DataError::Offline`] and [`DataError::Download`], both saying which files to put where; and those of the readers.
pub fn resolve(request: &Request<'_>) -> Result<Found, DataError> {
    match &request.wanted {
        Wanted::Name(DatasetName::Builtin) => drawn(request.builtin),
        Wanted::Name(name) => named(request, *name),
        Wanted::Path(path) => at_path(request, path),
    }
}

fn named(request: &Request<'_>, name: DatasetName) -> Result<Found, DataError> {
    let mut tried = Vec::new();
    let places = match &request.data_dir {
        Some(dir) => vec![(dir, Origin::DataDir)],
        None => {
            let env = request.env_dir.iter().map(|dir| (dir, Origin::Environment));
            env.chain(request.cache_dir.iter().map(|dir| (dir, Origin::Cache))).collect()
        }
    };
    for (dir, origin) in places {
        if let Some(files) = local::find(dir, name, &mut tried) {
            return load(request, &files, name.as_str(), &name.class_names(), origin);
        }
    }
    let cache = match &request.cache_dir {
        Some(cache) if request.data_dir.is_none() && !request.offline => cache.join(name.as_str()),
        _ => {
            let advice = advice(request, name);
            return Err(DataError::NotFound { dataset: name.to_string(), tried, advice });
        }
    };
    let mirrors = request.mirrors.clone().unwrap_or_else(|| download::mirrors(name));
    let downloader = Downloader::new(request.progress);
    downloader.fetch(name.as_str(), download::files(name), &mirrors, &cache).map_err(|error| match error {
        DataError::Offline { dataset, cause, .. } => DataError::Offline { dataset, cause, advice: advice(request, name) },
        DataError::Download { file, attempts, .. } => DataError::Download { file, attempts, advice: advice(request, name) },
        other => other,
    })?;
    let files = local::find(&cache, name, &mut tried).ok_or_else(|| DataError::NotFound {
        dataset: name.to_string(),
        tried,
        advice: advice(request, name),
    })?;
    load(request, &files, name.as_str(), &name.class_names(), Origin::Downloaded)
}

/// Which files to put where.
fn advice(request: &Request<'_>, name: DatasetName) -> String {
    let files: Vec<&str> = download::files(name).iter().map(|file| file.name).collect();
    let place = match &request.data_dir {
        Some(dir) => format!("into {}", dir.join(name.as_str()).display()),
        None => format!("into DIR/{name} and set MAOBI_DATA_DIR=DIR (or give --data-dir DIR)"),
    };
    format!("Put {} (as they are or as .gz), or {name}.npz, {place}; or use builtin, which needs no file", files.join(", "))
}

fn at_path(request: &Request<'_>, path: &Path) -> Result<Found, DataError> {
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    if path.is_dir() {
        if let Some(files) = local::idx_in(path, &mut Vec::new()) {
            return load(request, &files, &name, &[], Origin::Path);
        }
        let loaded = folder::read(path, request.picture, &request.limits, request.progress)?;
        let (splits, unreadable) = (loaded.splits, loaded.unreadable);
        return Ok(Found { splits, origin: Origin::Path, place: Some(path.to_path_buf()), unreadable });
    }
    if !path.exists() {
        let names = DatasetName::ALL.map(DatasetName::as_str).join(", ");
        return Err(DataError::NotFound {
            dataset: path.display().to_string(),
            tried: vec![path.to_path_buf()],
            advice: format!(
                "{}Give a name ({names}), a folder of pictures by class, a folder with four IDX files or a FILE.npz",
                DatasetName::nearest(&name).map(|name| format!("Did you mean {name}? ")).unwrap_or_default()
            ),
        });
    }
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npz")) {
        return load(request, &Files::Npz(path.to_path_buf()), &name, &[], Origin::Path);
    }
    let what = "no data set by itself: give a FILE.npz, or the folder that holds the four IDX files or the pictures";
    Err(DataError::content(&path.display().to_string())(what.to_owned().into()))
}

fn load(request: &Request<'_>, files: &Files, name: &str, classes: &[&str], origin: Origin) -> Result<Found, DataError> {
    let (splits, place) = match files {
        Files::Npz(path) => (npz::read_splits(path, name, classes, &request.limits)?, path.clone()),
        Files::Idx(paths) => {
            let place = paths[0].parent().unwrap_or(&paths[0]).to_path_buf();
            (local::load_idx(paths, name, classes, &request.limits)?, place)
        }
    };
    Ok(Found { splits, origin, place: Some(place), unreadable: Vec::new() })
}

/// The built-in digits: the test part is by the writers that come after those of the training part.
fn drawn(size: BuiltinSize) -> Result<Found, DataError> {
    // Ten digits in a row are one writer's: the test part begins with a new one.
    let start = size.train.next_multiple_of(10);
    let digits = builtin::generate(size.seed, start.saturating_add(size.test));
    let labels = digits.labels.into_iter().map(u32::from).collect();
    let classes = DatasetName::Builtin.class_names().map(String::from).to_vec();
    let all = Dataset::new("builtin", digits.images, labels, [28, 28, 1], classes)?;
    let (train, test) = all.split_head(start)?;
    let splits = Splits::new(train.take(size.train), test.with_name("builtin test"))?;
    Ok(Found { splits, origin: Origin::Builtin, place: None, unreadable: Vec::new() })
}

#[cfg(test)]
mod tests;
