//! Weights as NumPy arrays in one `.npz`: an array for each, under `<layer>/<weight>`.
//!
//! Read too: keys with more before them (Keras' `variable.path`) or `:0` behind, and `numpy.savez(file, *model.get_weights())`, whose
//! `arr_0`, `arr_1`, … go by order.

use crate::archive::{self, Archive};
use crate::contract::{Format, Loaded, NO_NETWORK, without_place};
use crate::error::{Error, Result};
use crate::weights::named::{Found, collect, put};
use crate::{atomic_write, files};
use maobi_files::Npy;
use maobi_nn::Model;
use maobi_nn::model::Weight;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

/// The format `npz`.
pub(crate) struct Npz;

impl Format for Npz {
    fn name(&self) -> &'static str {
        "npz"
    }

    fn about(&self) -> &'static str {
        "the weights alone, as NumPy arrays"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".npz"]
    }

    fn recognises(&self, _path: &Path, head: &[u8]) -> bool {
        starts_with_array(head)
    }

    fn load(&self, path: &Path, _seed: u64) -> Result<Loaded> {
        Err(Error::no_network(path))
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load(model, path)
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        save(model, path)?;
        Ok([NO_NETWORK.to_string()].into_iter().chain(without_place(extras, "a .npz file")).collect())
    }
}

/// Whether a ZIP file begins with an array: its first member's name, as far as `head` goes, is one of a `.npy`.
pub(crate) fn starts_with_array(head: &[u8]) -> bool {
    // The local header is 30 bytes, with the length of the name at 26 (APPNOTE 4.3.7).
    let Some((header, name)) = head.split_at_checked(30).filter(|(header, _)| header.starts_with(b"PK\x03\x04")) else {
        return false;
    };
    let len = usize::from(u16::from_le_bytes([header[26], header[27]]));
    match name.get(..len) {
        Some(name) => name.ends_with(b".npy"),
        // A name too long to be seen whole is no member of a .keras, whose first is metadata.json or config.json.
        None => true,
    }
}

/// Writes every weight as an array of float32.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, [`Error::Write`] when it cannot hold the model.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    let bytes = write(model, |_, path| format!("{path}.npy")).map_err(|message| Error::write(path, message))?;
    atomic_write(path, &bytes)
}

/// The archive of all weights; `name` gives the member of a weight from its number and path.
fn write(model: &Model, name: impl Fn(usize, &str) -> String) -> Result<Vec<u8>, String> {
    let member = |(i, w): (usize, &Weight)| {
        let bytes = Npy::from_f32(&w.shape, &w.values()).to_bytes().map_err(|e| format!("{}: {e}", w.path))?;
        Ok((name(i, &w.path), bytes))
    };
    archive::write(&model.weights().iter().enumerate().map(member).collect::<Result<Vec<_>, String>>()?)
}

/// Reads the weights into a model of the same architecture; returns what was left aside. The optimizer state stays as it is.
///
/// # Errors
/// [`Error::Misfit`] lists every weight that is missing or has another shape; nothing is changed then.
pub fn load(model: &mut Model, path: &Path) -> Result<Vec<String>> {
    load_bytes(model, path, files::read(path)?)
}

/// As [`load`], from the bytes of a file; `path` is the name that errors use.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(model: &mut Model, path: &Path, bytes: Vec<u8>) -> Result<Vec<String>> {
    let archive = RefCell::new(Archive::open(path, bytes, "a .npz")?);
    let names = archive.borrow().names();
    let keys: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".npy")).collect();
    let by_order = !keys.is_empty()
        && keys.len() == model.weights().len()
        && (0..keys.len()).all(|i| keys.contains(&format!("arr_{i}").as_str()));
    let by_name: HashMap<&str, &str> = keys.iter().map(|key| (key.trim_end_matches(":0"), *key)).collect();
    let taken = RefCell::new(Vec::new());
    let mut number = 0;
    let values = collect(model, |wanted| {
        let ordered = format!("arr_{number}");
        number += 1;
        let key = if by_order { keys.iter().find(|key| **key == ordered).copied() } else { find(&by_name, &wanted.weight.path) };
        let Some(key) = key else { return Ok(None) };
        let member = format!("{key}.npy");
        let array = archive.borrow_mut().array(&member).map_err(|e| e.to_string())?;
        taken.borrow_mut().push(key);
        Ok(Some(Found { at: member, shape: array.shape.clone(), read: Box::new(move || Ok(array.to_f32())) }))
    });
    let values = values.map_err(|refusal| refusal.at(path))?;
    put(model, &values);
    let taken = taken.into_inner();
    Ok(keys.iter().filter(|key| !taken.contains(key)).map(|key| format!("{key}: not a weight of this network")).collect())
}

/// The key of a weight: its path, or the only one that ends with it.
fn find<'k>(keys: &HashMap<&str, &'k str>, path: &str) -> Option<&'k str> {
    if let Some(key) = keys.get(path) {
        return Some(key);
    }
    let mut ending = keys.iter().filter(|(key, _)| key.strip_suffix(path).is_some_and(|before| before.ends_with('/')));
    let (_, key) = ending.next()?;
    ending.next().is_none().then_some(*key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{BatchNormalization, Dense, InputLayer};

    fn network(seed: u64) -> Model {
        let chain = Sequential::new().add(InputLayer::new([4])).add(Dense::new(3)).add(BatchNormalization::new());
        chain.add(Dense::new(2)).build(seed).unwrap()
    }

    fn weights(model: &Model) -> Vec<Vec<f32>> {
        model.weights().iter().map(|w| w.values().to_vec()).collect()
    }

    #[test]
    fn weights_come_back_under_every_naming() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.npz");
        let model = network(1);
        save(&model, &path).unwrap();
        assert_eq!(crate::format::detect(&path).unwrap().name(), "npz");
        let mut other = network(2);
        assert_eq!(load(&mut other, &path).unwrap(), Vec::<String>::new());
        assert_eq!(weights(&other), weights(&model));
        let check = |bytes: Vec<u8>| {
            let mut other = network(2);
            load_bytes(&mut other, &path, bytes).unwrap();
            assert_eq!(weights(&other), weights(&model));
        };
        check(write(&model, |_, path| format!("sequential/{path}.npy")).unwrap());
        check(write(&model, |_, path| format!("{path}:0.npy")).unwrap());
        check(write(&model, |i, _| format!("arr_{i}.npy")).unwrap());
    }

    #[test]
    fn misfits_are_all_named_and_change_nothing() {
        let mut other =
            Sequential::new().add(InputLayer::new([4])).add(Dense::new(5)).add(Dense::new(2).use_bias(false)).build(3).unwrap();
        let before = weights(&other);
        let bytes = write(&network(1), |_, path| format!("{path}.npy").replace("dense_1", "top")).unwrap();
        let message = load_bytes(&mut other, Path::new("m.npz"), bytes).unwrap_err().to_string();
        for line in [
            "layer \"dense\", kernel (dense/kernel.npy): expected shape [4, 5], found [4, 3]",
            "layer \"dense\", bias (dense/bias.npy): expected shape [5], found [3]",
            "layer \"dense_1\", kernel: not in the file; expected shape [5, 2]",
        ] {
            assert!(message.contains(line), "{message}");
        }
        assert_eq!(weights(&other), before);
    }

    #[test]
    fn cut_and_changed_files_never_panic() {
        let model = network(1);
        let whole = write(&model, |_, path| format!("{path}.npy")).unwrap();
        for cut in 0..whole.len() {
            load_bytes(&mut network(2), Path::new("m.npz"), whole[..cut].to_vec()).unwrap_err();
        }
    }
}
