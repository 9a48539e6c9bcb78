//! What every file format answers.

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use maobi_nn::Model;
use std::path::Path;

/// What a file of a model held.
#[derive(Debug)]
pub struct Loaded {
    /// The model, compiled and with the optimizer's variables when the file says how.
    pub model: Model,
    /// Members of our own that travel with the model, such as how its pictures are scaled: what `extras` of [`Format::save`] was.
    pub extras: Vec<(String, Vec<u8>)>,
    /// One sentence for each thing that could not be carried over.
    pub notes: Vec<String>,
}

/// A file format of models or of weights.
pub trait Format: Sync {
    /// What `--to` calls it, such as `h5`.
    fn name(&self) -> &'static str;

    /// What it is and who reads it, in a few words for a list.
    fn about(&self) -> &'static str;

    /// How names of such files end, such as `.h5`; empty for a folder.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether `path` is of this format. `head` is what the file begins with, at most [`HEAD`] bytes; empty when `path` is a folder or
    /// the prefix of several files.
    fn recognises(&self, path: &Path, head: &[u8]) -> bool;

    /// Reads a model. `seed` draws what the file does not hold: dropout and augmentation from here on.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`], [`Error::Model`], [`Error::Misfit`]; [`Error::NoNetwork`] where the file
    /// holds weights alone.
    fn load(&self, path: &Path, seed: u64) -> Result<Loaded>;

    /// As [`Format::load`], for a model that only predicts and evaluates: how it was compiled, its iteration and its learning rate are
    /// read, but what the optimizer keeps of each weight is not, and takes no memory.
    ///
    /// # Errors
    /// As [`Format::load`].
    fn load_without_slots(&self, path: &Path, seed: u64) -> Result<Loaded> {
        self.load(path, seed)
    }

    /// Reads weights into a model of the same architecture; returns a sentence for each thing that was left aside.
    ///
    /// # Errors
    /// As [`Format::load`]; [`Error::Misfit`] lists all differences. Nothing is changed on failure.
    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>>;

    /// Whether such a file holds what the optimizer keeps of each weight.
    fn keeps_slots(&self) -> bool {
        false
    }

    /// Writes a model, and `extras` beside it where the format has a place for them; returns a sentence for each thing that could not be
    /// carried over.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Write`] for a model that cannot be written so; [`Error::Unsupported`] where such files are only read.
    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>>;
}

/// How many bytes of a file [`Format::recognises`] sees.
pub const HEAD: usize = 64;

/// What a file of weights alone leaves out.
pub(crate) const NO_NETWORK: &str = "the network itself: only its weights are in the file";

/// Notes on `extras` that `what`, such as "a .npz file", cannot hold.
pub(crate) fn without_place(extras: &[(&str, &[u8])], what: &str) -> impl Iterator<Item = String> {
    extras.iter().map(move |(name, _)| format!("{name}: {what} has no place for it"))
}
