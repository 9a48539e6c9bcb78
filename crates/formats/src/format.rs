//! All file formats: the list, and which of them a name, a file or an ending means.

use crate::contract::{Format, HEAD};
use crate::error::{Error, Result};
use crate::guarded::Guarded;
use std::io::Read;
use std::path::Path;

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

/// How names of known files end, for messages.
fn endings() -> String {
    let all: Vec<&str> = FORMATS.iter().flat_map(|format| format.extensions()).copied().collect();
    all.join(" ")
}

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
