//! What every file format answers, and the list of them all.

use crate::error::{Error, Result};
use crate::guarded::Guarded;
use maobi_nn::Model;
use std::io::Read;
use std::path::Path;

/// What a file of a model held.
#[derive(Debug)]
pub struct Loaded {
    /// The model, compiled and with the optimizer's variables when the file says how.
    pub model: Model,
    /// Members of our own that travel with the model, such as how its pictures are scaled: what `extras` of [`Format::save`] was.
    pub extras: Vec<(String, Vec<u8>)>,
    /// What could not be carried over, in words.
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

    /// Reads weights into a model of the same architecture; returns what was left aside, in words.
    ///
    /// # Errors
    /// As [`Format::load`]; [`Error::Misfit`] lists all differences. Nothing is changed on failure.
    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>>;

    /// Whether such a file holds what the optimizer keeps of each weight.
    fn keeps_slots(&self) -> bool {
        false
    }

    /// Writes a model, and `extras` beside it where the format has a place for them; returns what could not be carried over, in words.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Write`] for a model that cannot be written so; [`Error::Unsupported`] where such files are only read.
    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>>;
}

/// Every format, in the order in which they are tried and listed.
pub const FORMATS: &[&dyn Format] = &[
    &Guarded(crate::keras::Keras),
    &Guarded(crate::h5::H5),
    &Guarded(crate::weights_h5::WeightsH5),
    &Guarded(crate::tensorflow::checkpoint::TfCheckpoint),
    &Guarded(crate::tensorflow::saver::Tf1Checkpoint),
    &Guarded(crate::safetensors::Safetensors),
    &Guarded(crate::onnx::Onnx),
    &Guarded(crate::npz::Npz),
    &Guarded(crate::json::Json),
    &Guarded(crate::saved_model::SavedModel),
];

/// What a file of weights alone leaves out.
pub(crate) const NO_NETWORK: &str = "the network itself: only its weights are in the file";

/// Notes on `extras` that `what`, such as "a .npz file", cannot hold.
pub(crate) fn without_place(extras: &[(&str, &[u8])], what: &str) -> impl Iterator<Item = String> {
    extras.iter().map(move |(name, _)| format!("{name}: {what} has no place for it"))
}

/// How names of known files end, for messages.
fn endings() -> String {
    let all: Vec<&str> = FORMATS.iter().flat_map(|format| format.extensions()).copied().collect();
    all.join(" ")
}

/// How many bytes of a file [`Format::recognises`] sees.
pub const HEAD: usize = 64;

/// The format of that name.
///
/// # Errors
/// [`Error::Unsupported`] names those there are.
pub fn named(name: &str) -> Result<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
        Error::unsupported(Path::new(name), format!("no such format; there are: {}", names.join(", ")))
    })
}

/// The format of a file, a folder or a prefix that exists, by content before name.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Unsupported`] when nothing recognises it.
pub fn detect(path: &Path) -> Result<&'static dyn Format> {
    let mut head = Vec::with_capacity(HEAD);
    // What is neither a file nor a folder, such as a FIFO, is refused with a word on what it is.
    if path.exists() && !path.is_dir() {
        let file = maobi_guard::open_file(path).map_err(Error::io(path, "read"))?;
        file.take(HEAD as u64).read_to_end(&mut head).map_err(Error::io(path, "read"))?;
    }
    FORMATS
        .iter()
        .copied()
        .find(|format| format.recognises(path, &head))
        .ok_or_else(|| Error::unsupported(path, format!("is no model file that is known here; expected one of {}", endings())))
}

/// The format that a new file of this name gets.
///
/// # Errors
/// [`Error::Unsupported`] for a name that says nothing.
pub fn by_extension(path: &Path) -> Result<&'static dyn Format> {
    let mut name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    // TensorFlow 1 puts the step behind the ending.
    if let Some((stem, step)) = name.rsplit_once('-')
        && stem.ends_with(".ckpt")
        && step.bytes().all(|b| b.is_ascii_digit())
    {
        name = format!("{stem}-step");
    }
    let longest = |format: &&dyn Format| {
        format.extensions().iter().filter(|e| name.ends_with(&e.to_ascii_lowercase())).map(|e| e.len()).max()
    };
    FORMATS.iter().copied().filter(|format| longest(format).is_some()).max_by_key(longest).ok_or_else(|| {
        Error::unsupported(path, format!("the name does not say which format; expected one that ends with {}", endings()))
    })
}
