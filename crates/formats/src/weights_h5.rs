//! `*.weights.h5`: weights, and the optimizer state of a compiled model, in Keras 3's layout (`model.save_weights`).

use crate::contract::{Format, Loaded, NO_NETWORK, without_place};
use crate::error::{Error, Result};
use crate::files;
use crate::hdf5::{Layout, MAGIC, Reader, layout_of};
use crate::weights::{apply, read_any, to_bytes};
use maobi_nn::Model;
use std::path::Path;

/// The format `weights.h5`.
pub(crate) struct WeightsH5;

impl Format for WeightsH5 {
    fn name(&self) -> &'static str {
        "weights.h5"
    }

    fn about(&self) -> &'static str {
        "Keras 3's weights alone, with the optimizer's variables"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".weights.h5"]
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        head.starts_with(MAGIC) && layout_of(path) == Some(Layout::Weights)
    }

    fn load(&self, path: &Path, _seed: u64) -> Result<Loaded> {
        Err(Error::no_network(path))
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load(model, path).map(|()| Vec::new())
    }

    fn keeps_slots(&self) -> bool {
        true
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        save(model, path)?;
        Ok([NO_NETWORK.to_string()].into_iter().chain(without_place(extras, "a .weights.h5 file")).collect())
    }
}

/// Writes the weights, and the optimizer's variables when the model is compiled. The same model gives the same bytes.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, [`Error::Write`] when HDF5 cannot hold the model.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    let bytes = to_bytes(model).map_err(|message| Error::write(path, message))?;
    crate::atomic_write(path, &bytes)
}

/// Reads the weights into a model of the same architecture, from this layout or from an older one of Keras (a whole model's `.h5`
/// too), whichever the file has. The optimizer state stays as it is.
///
/// # Errors
/// [`Error::Misfit`] lists every layer whose variables differ in number or shape; nothing is changed then.
pub fn load(model: &mut Model, path: &Path) -> Result<()> {
    let bytes = files::read(path)?;
    load_bytes(model, path, bytes)
}

/// As [`load`], from the bytes of a file; `path` is the name that errors use.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(model: &mut Model, path: &Path, bytes: Vec<u8>) -> Result<()> {
    let reader = Reader::open(bytes).map_err(|message| Error::damaged(path, message))?;
    let values = read_any(&reader, model, false).map_err(|refusal| refusal.at(path))?;
    apply(&values, model).map_err(|message| Error::damaged(path, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Flatten, InputLayer};

    fn network(seed: u64) -> Model {
        Sequential::new()
            .add(InputLayer::new([4, 4, 1]))
            .add(Conv2D::new(2, 3))
            .add(BatchNormalization::new())
            .add(Flatten::new())
            .add(Dense::new(3))
            .build(seed)
            .unwrap()
    }

    fn weights(model: &Model) -> Vec<Vec<f32>> {
        model.weights().iter().map(|w| w.values().to_vec()).collect()
    }

    #[test]
    fn weights_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.weights.h5");
        let model = network(1);
        save(&model, &path).unwrap();
        let first = std::fs::read(&path).unwrap();
        save(&model, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        let mut other = network(2);
        assert_ne!(weights(&other), weights(&model));
        load(&mut other, &path).unwrap();
        assert_eq!(weights(&other), weights(&model));
        let missing = load(&mut other, &folder.path().join("none.h5")).unwrap_err().to_string();
        assert!(missing.contains("none.h5: cannot read: "), "{missing}");
    }

    #[test]
    fn cut_and_changed_files_never_panic() {
        let model = network(1);
        let whole = to_bytes(&model).unwrap();
        let before = weights(&network(2));
        let open = |bytes: Vec<u8>| {
            let mut other = network(2);
            let result = load_bytes(&mut other, Path::new("m.h5"), bytes);
            if result.is_err() {
                assert_eq!(weights(&other), before, "changed by a file that was refused");
            }
            result
        };
        open(whole.clone()).unwrap();
        for cut in (0..whole.len()).step_by(29) {
            open(whole[..cut].to_vec()).unwrap_err();
        }
        // HDF5 has no checksum over data: a changed value is a value. Changed structure must be an error, never a crash.
        let mut random = 7u32;
        for _ in 0..3000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut bytes = whole.clone();
            let at = (random >> 4) as usize % bytes.len();
            bytes[at] ^= 1 << (random >> 29);
            let _ = open(bytes);
        }
    }
}
