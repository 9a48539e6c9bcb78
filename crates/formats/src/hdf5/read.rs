//! Reading HDF5 that anyone may have written.

use super::bounded::Bounded;
use super::decode::encoding;
use crate::files::{MAX_BYTES, check_room};
use crate::numbers::Encoding;
use hdf5_pure::{AttrValue, Error as Hdf5Error, File, FormatError, Group};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Most axes of an array that is read.
const MAX_AXES: usize = 8;
/// Filters that are undone: deflate, shuffle, Fletcher's checksum.
const FILTERS: [u16; 3] = [1, 2, 3];

/// How many times its size a run of bytes can unpack to (zlib's manual, "Maximum Expansion Factor").
const DEFLATE: u64 = 1032;

/// An HDF5 file in memory.
pub(crate) struct Reader {
    file: File,
    source: Bounded,
    len: u64,
    /// Bytes of arrays that may still be read.
    left: Cell<u64>,
}

/// The numbers of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dataset {
    /// Axis lengths; empty for a scalar.
    pub(crate) shape: Vec<usize>,
    encoding: Encoding,
    bytes: Vec<u8>,
}

impl Dataset {
    /// The values as f32, row-major; wider types are rounded.
    pub(crate) fn to_f32(&self) -> Vec<f32> {
        self.encoding.to_f32(&self.bytes)
    }

    /// The values as i64; `None` where they are not integers.
    pub(crate) fn to_i64(&self) -> Option<Vec<i64>> {
        self.encoding.to_i64(&self.bytes)
    }
}

/// The attributes of a group: those that could be read, and the names of all.
#[derive(Default)]
struct Attributes {
    path: String,
    values: HashMap<String, AttrValue>,
    names: HashSet<String>,
}

impl Attributes {
    /// The value of `key`, once; `None` where there is no such attribute.
    fn take(&mut self, key: &str) -> Result<Option<AttrValue>, String> {
        match self.values.remove(key) {
            None if self.names.contains(key) => Err(format!("/{}: attribute {key} cannot be read", self.path)),
            value => Ok(value),
        }
    }
}

/// Runs `f`; a panic inside becomes an error.
///
/// The crate below is young, and a damaged file may find a path where it indexes out of bounds. Sizes are checked before it is
/// asked to read, so this is the last line and not the first.
fn guarded<T>(f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    maobi_guard::guard(f).unwrap_or_else(|_| Err("the HDF5 structure is damaged".into()))
}

fn absent(error: &Hdf5Error) -> bool {
    matches!(error, Hdf5Error::Format(FormatError::PathNotFound(_)))
}

fn axes_of(dataset: &hdf5_pure::Dataset) -> Result<Vec<usize>, String> {
    let axes = dataset.shape().map_err(|e| e.to_string())?;
    if axes.len() > MAX_AXES {
        return Err(format!("{} axes; at most {MAX_AXES} are read", axes.len()));
    }
    Ok(axes.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect())
}

fn broken(path: &str, key: &str, error: &Hdf5Error) -> String {
    format!("/{path}: attribute {key} cannot be read: {error}")
}

/// The texts of an attribute, however they are stored; an empty list of numbers is what `attrs[key] = []` leaves.
fn texts_of(value: AttrValue) -> Option<Vec<String>> {
    match value {
        AttrValue::F64Array(numbers) => numbers.is_empty().then(Vec::new),
        AttrValue::F32Array(numbers) => numbers.is_empty().then(Vec::new),
        texts => texts.as_strings().map(<[String]>::to_vec),
    }
}

impl Reader {
    /// Opens a file that was read into memory.
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Reader, String> {
        let len = bytes.len() as u64;
        let source = Bounded::new(bytes);
        let open = || File::from_source(source.clone()).map_err(|e| format!("not an HDF5 file, or a damaged one: {e}"));
        let file = guarded(open)?;
        // The crate reads on while what it needs is there; a file that ends before it says it does was cut.
        let end = file.superblock().eof_address;
        if end > len {
            return Err(format!("cut short: {len} bytes of {end}"));
        }
        // Weights are read a second time where the optimizer's variables do not fit.
        let left = Cell::new(len.saturating_mul(DEFLATE).min(MAX_BYTES) * 2);
        Ok(Reader { file, source, len, left })
    }

    /// Opens a file of which only parts are going to be read.
    pub(crate) fn streaming(path: &Path) -> Result<Reader, String> {
        let source = Bounded::streaming(maobi_guard::open_file(path).map_err(|e| e.to_string())?)?;
        let file = guarded(|| File::from_source(source.clone()).map_err(|e| e.to_string()))?;
        let len = file.file_size();
        Ok(Reader { file, source, len, left: Cell::new(len) })
    }

    /// Runs `f` as [`guarded`] does, with a fresh bound on the bytes that it reads.
    fn bounded<T>(&self, f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        self.source.refill();
        guarded(f)
    }

    /// The group at `path`; the root where that is empty.
    fn group(&self, path: &str) -> Result<Option<Group>, String> {
        if path.is_empty() {
            return Ok(Some(self.file.root()));
        }
        match self.file.group(path) {
            Ok(group) => Ok(Some(group)),
            Err(error) if absent(&error) => Ok(None),
            Err(error) => Err(format!("/{path}: {error}")),
        }
    }

    /// Whether there is such a group.
    pub(crate) fn has_group(&self, path: &str) -> Result<bool, String> {
        self.bounded(|| Ok(self.group(path)?.is_some()))
    }

    /// Names of the groups in a group, in no particular order; `None` where there is no such group.
    pub(crate) fn groups(&self, path: &str) -> Result<Option<Vec<String>>, String> {
        self.bounded(|| match self.group(path)? {
            None => Ok(None),
            Some(group) => group.groups().map(Some).map_err(|e| format!("/{path}: {e}")),
        })
    }

    /// How many datasets a group holds.
    pub(crate) fn count(&self, path: &str) -> Result<Option<usize>, String> {
        self.bounded(|| match self.group(path)? {
            None => Ok(None),
            Some(group) => group.datasets().map(|names| Some(names.len())).map_err(|e| format!("/{path}: {e}")),
        })
    }

    /// Whether a group has an attribute `key`.
    pub(crate) fn has_attribute(&self, path: &str, key: &str) -> Result<bool, String> {
        self.bounded(|| {
            let Some(group) = self.group(path)? else { return Ok(false) };
            Ok(group.attr_datatypes().map_err(|e| broken(path, key, &e))?.contains_key(key))
        })
    }

    /// A group's attribute `key`, a text; `None` where there is none.
    pub(crate) fn text(&self, path: &str, key: &str) -> Result<Option<String>, String> {
        match self.attributes(path)?.take(key)? {
            None => Ok(None),
            Some(value) => match texts_of(value) {
                Some(texts) if texts.len() == 1 => Ok(texts.into_iter().next()),
                _ => Err(format!("/{path}: attribute {key}: expected one text")),
            },
        }
    }

    /// A group's attribute `key`, a list of texts, or what was split into `key0`, `key1`, …; `None` where there is neither.
    pub(crate) fn texts(&self, path: &str, key: &str) -> Result<Option<Vec<String>>, String> {
        let mut attributes = self.attributes(path)?;
        let mut list = |key: &str| match attributes.take(key)? {
            None => Ok(None),
            Some(value) => texts_of(value).map(Some).ok_or_else(|| format!("/{path}: attribute {key}: expected a list of texts")),
        };
        if let Some(whole) = list(key)? {
            return Ok(Some(whole));
        }
        let Some(mut all) = list(&format!("{key}0"))? else { return Ok(None) };
        let mut part = 1;
        while let Some(more) = list(&format!("{key}{part}"))? {
            all.extend(more);
            part += 1;
        }
        Ok(Some(all))
    }

    /// All attributes of a group, read once: the crate reads none by itself.
    fn attributes(&self, path: &str) -> Result<Attributes, String> {
        self.bounded(|| {
            let mut attributes = Attributes { path: path.to_owned(), ..Attributes::default() };
            let Some(group) = self.group(path)? else { return Ok(attributes) };
            let failed = |error| format!("/{path}: its attributes cannot be read: {error}");
            attributes.values = group.attrs().map_err(failed)?;
            // The crate leaves out what it cannot read.
            attributes.names = group.attr_datatypes().map_err(failed)?.into_keys().collect();
            Ok(attributes)
        })
    }

    /// The axis lengths of a dataset; `None` where there is none.
    pub(crate) fn shape(&self, path: &str) -> Result<Option<Vec<usize>>, String> {
        self.bounded(|| match self.file.dataset(path) {
            Ok(dataset) => axes_of(&dataset).map(Some).map_err(|e| format!("/{path}: {e}")),
            Err(error) if absent(&error) => Ok(None),
            Err(error) => Err(format!("/{path}: {error}")),
        })
    }

    /// A dataset of at most `limit` elements; `None` where there is none.
    pub(crate) fn dataset(&self, path: &str, limit: usize) -> Result<Option<Dataset>, String> {
        self.bounded(|| self.read(path, limit).map_err(|e| format!("/{path}: {e}")))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Option<Dataset>, String> {
        let text = |e: Hdf5Error| e.to_string();
        let dataset = match self.file.dataset(path) {
            Ok(dataset) => dataset,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let shape = axes_of(&dataset)?;
        let elements = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n)).filter(|&n| n <= limit);
        let elements = elements.ok_or_else(|| format!("shape {shape:?} has more than the {limit} values that fit here"))?;
        let datatype = dataset.datatype().map_err(text)?;
        let attributes = dataset.attrs().map_err(text)?;
        let encoding = encoding(&datatype, attributes.get("dtype").and_then(AttrValue::as_str))?;
        let expected = elements.checked_mul(encoding.size()).ok_or("too large")?;
        if dataset.is_chunked() {
            if let Some(filter) = dataset.filters().into_iter().find(|f| !FILTERS.contains(f)) {
                return Err(format!("compressed with HDF5 filter {filter}, which is not read; save it uncompressed"));
            }
            // A chunk larger than its array is legal, but not by orders of magnitude: it is memory that the file asks for.
            let chunk = dataset.chunk_shape().map_err(text)?.unwrap_or_default();
            let values = chunk.iter().try_fold(1u64, |product, &n| product.checked_mul(n));
            if values.is_none_or(|n| n > (limit as u64).saturating_mul(4).max(1 << 16)) {
                return Err(format!("chunks of {chunk:?} values are too large for an array of shape {shape:?}"));
            }
            if expected as u64 > self.len.saturating_mul(DEFLATE) {
                let len = self.len;
                return Err(format!(
                    "shape {shape:?} takes {expected} bytes, more than the {len} bytes of the file can unpack to"
                ));
            }
        } else if expected as u64 > self.len {
            return Err(format!("shape {shape:?} takes {expected} bytes, the whole file has {}", self.len));
        }
        let left = self.left.get().checked_sub(expected as u64);
        self.left.set(left.ok_or("the arrays take more bytes in all than the file can hold")?);
        check_room("the array", expected as u64)?;
        let bytes = dataset.read_raw().map_err(text)?;
        if bytes.len() != expected {
            return Err(format!("shape {shape:?} takes {expected} bytes, {} were found", bytes.len()));
        }
        Ok(Some(Dataset { shape, encoding, bytes }))
    }
}
