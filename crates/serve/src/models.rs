//! Which models are served: by name and version, each from a file that may be replaced while it is in use.

use crate::lock::lock;
use crate::log::Log;
use crate::metrics::ModelMetrics;
use crate::served::Served;
use crate::stamp::{Stamp, stamp};
use maobi_nn::Model;
use maobi_recognize::{Preprocessing, Recognizer, built_in};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Reads a model file: the network, and what is known about its pictures.
pub type Load = dyn Fn(&Path) -> Result<(Model, Option<Preprocessing>), String> + Send + Sync;

/// A model to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// By what name clients ask for it: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// A model file, or a folder that holds one folder for each version, named by its number; `None` for the model in the box.
    pub path: Option<PathBuf>,
}

/// Why a server cannot start with these models.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A name that cannot stand in a path.
    #[error("'{0}' cannot be a model's name: expected 1 to 128 letters, digits, '.', '_' or '-'; give it another: NAME=FILE")]
    Name(String),
    /// Two models of one name.
    #[error("two models are called '{0}'; give one of them another name: NAME=FILE")]
    Twice(String),
    /// Its file cannot be served.
    #[error("model {name}: {message}")]
    Unusable {
        /// The model's name.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A model that was asked for and is not served; the words are TF Serving's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// No version of a model of this name.
    #[error("Servable not found for request: Latest({0})")]
    Latest(String),
    /// Not this version of it.
    #[error("Servable not found for request: Specific({0}, {1})")]
    Specific(String, u64),
    /// There is no model at all.
    #[error("no model is served")]
    Nothing,
}

/// All models.
pub struct Models {
    /// By name; the first to be named is the default of [`Models::default_model`].
    entries: Vec<Entry>,
    load: Box<Load>,
}

struct Entry {
    name: Arc<str>,
    path: Option<PathBuf>,
    /// Whether `path` is a folder of versions.
    numbered: bool,
    metrics: Arc<ModelMetrics>,
    /// By version; what is in use stays until its last request is answered.
    versions: RwLock<BTreeMap<u64, Arc<Served>>>,
    /// What was seen on disk, whether or not it could be read.
    seen: Mutex<BTreeMap<u64, Stamp>>,
}

impl Models {
    /// Reads all of them.
    ///
    /// # Errors
    /// A name that does not do, or a file that cannot be read.
    pub fn open(sources: Vec<Source>, load: Box<Load>) -> Result<Self, ModelError> {
        let mut models = Self { entries: Vec::new(), load };
        for Source { name, path } in sources {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if !(1..=128).contains(&name.len()) || !name.chars().all(fits) || matches!(name.as_str(), "." | "..") {
                return Err(ModelError::Name(name));
            }
            if models.entry(&name).is_some() {
                return Err(ModelError::Twice(name));
            }
            let name: Arc<str> = name.into();
            let numbered = path.as_deref().and_then(locate).is_some();
            let (metrics, versions, seen) = (Arc::default(), RwLock::default(), Mutex::default());
            let entry = Entry { name, path, numbered, metrics, versions, seen };
            models.first(&entry).map_err(|message| ModelError::Unusable { name: entry.name.to_string(), message })?;
            models.entries.push(entry);
        }
        Ok(models)
    }

    /// The newest version of a model, or one of them.
    ///
    /// # Errors
    /// [`NotServed`] for a name or version that is not there.
    pub fn get(&self, name: &str, version: Option<u64>) -> Result<Arc<Served>, NotServed> {
        let found = self.entry(name).and_then(|entry| entry.get(version));
        found.ok_or_else(|| match version {
            None => NotServed::Latest(name.to_owned()),
            Some(version) => NotServed::Specific(name.to_owned(), version),
        })
    }

    /// The first model that was named.
    ///
    /// # Errors
    /// [`NotServed::Nothing`].
    pub fn default_model(&self) -> Result<Arc<Served>, NotServed> {
        self.entries.iter().find_map(|entry| entry.get(None)).ok_or(NotServed::Nothing)
    }

    /// Numbers of a model's versions, from the oldest; empty for a name that is not known.
    pub fn versions(&self, name: &str) -> Vec<u64> {
        self.entry(name).map(Entry::numbers).unwrap_or_default()
    }

    /// Names, versions and figures.
    pub fn list(&self) -> impl Iterator<Item = (&str, Vec<u64>, &ModelMetrics)> + Clone {
        self.entries.iter().map(|entry| (&*entry.name, entry.numbers(), &*entry.metrics))
    }

    /// Whether every model has a version that answers.
    pub fn ready(&self) -> bool {
        self.entries.iter().all(|entry| !entry.numbers().is_empty())
    }

    /// Puts a model in the place of the one of its name and version; that one.
    pub(crate) fn replace(&self, served: Arc<Served>) -> Option<Arc<Served>> {
        let entry = self.entry(&served.name)?;
        let mut versions = entry.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.insert(served.version, served)
    }

    /// The file of a model; `None` for the one in the box, and for a folder of versions.
    pub(crate) fn file(&self, name: &str) -> Option<&Path> {
        self.entry(name).filter(|entry| !entry.numbered).and_then(|entry| entry.path.as_deref())
    }

    /// Reads all files again, changed or not, as [`Models::refresh`] reads those that have changed.
    pub fn reload(&self, log: &Log) {
        self.entries.iter().for_each(|entry| lock(&entry.seen).clear());
        self.refresh(log);
    }

    /// Looks whether files have changed, loads what is new beside what is in use, and takes its place.
    pub fn refresh(&self, log: &Log) {
        for entry in &self.entries {
            let Some(path) = &entry.path else { continue };
            let found = locate(path);
            // While a folder of versions is away, or empty, what was loaded stays.
            if entry.numbered && found.is_none() {
                continue;
            }
            let found = found.unwrap_or_else(|| BTreeMap::from([(1, Some(path.clone()))]));
            for (&version, file) in &found {
                // One that is empty is on its way.
                let Some(file) = file else { continue };
                let now = stamp(file);
                let before = lock(&entry.seen).get(&version).cloned();
                if now.is_none() || now == before {
                    continue;
                }
                now.map(|now| lock(&entry.seen).insert(version, now));
                match self.read(entry, version, file) {
                    Ok(served) => {
                        entry.put(served);
                        entry.metrics.reloads.fetch_add(1, Relaxed);
                        log.event("reload", &[("model", &entry.name), ("version", &version), ("file", &file.display())]);
                    }
                    Err(reason) => {
                        entry.metrics.failures.fetch_add(1, Relaxed);
                        let kept = entry.get(Some(version)).is_some();
                        let kept = if kept { "the old one goes on answering" } else { "this version is not served" };
                        log.warning(
                            "reload",
                            &[("model", &entry.name), ("version", &version), ("error", &reason), ("note", &kept)],
                        );
                    }
                }
            }
            for version in entry.numbers().into_iter().filter(|version| !found.contains_key(version)) {
                entry.remove(version);
                log.event("unload", &[("model", &entry.name), ("version", &version)]);
            }
        }
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name == name)
    }

    /// Reads what is there when the server starts: all of it has to be sound.
    fn first(&self, entry: &Entry) -> Result<(), String> {
        let Some(path) = &entry.path else {
            let recognizer = Recognizer::built_in().map_err(|e| e.to_string())?;
            let (scaling, mut classes) = (recognizer.scaling(), recognizer.classes().to_vec());
            recognizer.none().into_iter().for_each(|none| classes.insert(none, maobi_recognize::NONE.into()));
            let preprocessing = Preprocessing { classes, ..Preprocessing::of_scaling(scaling) };
            let (name, model, metrics) = (Arc::clone(&entry.name), recognizer.into_model(), Arc::clone(&entry.metrics));
            entry.put(Served::new(name, 1, model, Some(preprocessing), metrics).map_err(|e| format!("{}: {e}", built_in::NAME))?);
            return Ok(());
        };
        let found = locate(path).unwrap_or_else(|| BTreeMap::from([(1, Some(path.clone()))]));
        for (version, file) in found {
            let file = file.ok_or_else(|| format!("{}: version {version} is empty; expected a model file", path.display()))?;
            // The stamp comes first: a file that changes while it is read is read again.
            stamp(&file).map(|now| lock(&entry.seen).insert(version, now));
            entry.put(self.read(entry, version, &file)?);
        }
        Ok(())
    }

    fn read(&self, entry: &Entry, version: u64, file: &Path) -> Result<Served, String> {
        let load = std::panic::AssertUnwindSafe(|| (self.load)(file));
        let loaded = std::panic::catch_unwind(load).map_err(|_| format!("{}: reading it failed", file.display()))?;
        let (model, preprocessing) = loaded?;
        Served::new(Arc::clone(&entry.name), version, model, preprocessing, Arc::clone(&entry.metrics))
            .map_err(|e| format!("{}: {e}", file.display()))
    }
}

impl Entry {
    fn get(&self, version: Option<u64>) -> Option<Arc<Served>> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        match version {
            Some(version) => versions.get(&version).cloned(),
            None => versions.last_key_value().map(|(_, served)| Arc::clone(served)),
        }
    }

    fn numbers(&self) -> Vec<u64> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn put(&self, served: Served) {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.insert(served.version, Arc::new(served));
    }

    fn remove(&self, version: u64) {
        self.versions.write().unwrap_or_else(PoisonError::into_inner).remove(&version);
        lock(&self.seen).remove(&version);
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| &entry.name)).finish()
    }
}

/// What a folder of versions holds: for each its file, or the folder where it has several; `None` where there is nothing in it.
/// `None` for what is no such folder, or one without versions.
fn locate(path: &Path) -> Option<BTreeMap<u64, Option<PathBuf>>> {
    let mut found = BTreeMap::new();
    for path in entries(path)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // "1" and "01" would be one version.
        let version = name.parse::<u64>().ok().filter(|version| version.to_string() == name);
        if let Some(version) = version.filter(|_| path.is_dir()) {
            found.insert(version, only_file(path));
        }
    }
    (!found.is_empty()).then_some(found)
}

fn only_file(folder: PathBuf) -> Option<PathBuf> {
    let mut files = entries(&folder)?;
    // What begins with a point is on its way.
    files.retain(|file| !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    match &files[..] {
        [] => None,
        [one] if one.is_file() => Some(one.clone()),
        _ => Some(folder),
    }
}

fn entries(folder: &Path) -> Option<Vec<PathBuf>> {
    std::fs::read_dir(folder).ok()?.map(|entry| entry.map(|entry| entry.path()).ok()).collect()
}

#[cfg(test)]
#[path = "models_tests.rs"]
mod tests;
