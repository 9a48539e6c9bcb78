//! The bodies of the fuzz targets: one function for each reader of outside bytes.
//!
//! `fuzz/` runs them under libFuzzer with a nightly compiler; the test `corpus` runs them over the files of `fuzz/corpus` with any
//! compiler, so that an input that once failed is tried on every test run. A body panics when the reader breaks its contract: bytes
//! are either read correctly or refused with an error that leaves everything unchanged.

mod data;
mod models;
mod pictures;
mod server;
mod texts;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What a target does with an input.
pub type Body = fn(&[u8]);

/// Every target: its name in `fuzz/` and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("checkpoint_state", texts::checkpoint_state),
    ("h5", models::h5),
    ("http", server::http),
    ("idx", data::idx),
    ("json_numbers", server::json_numbers),
    ("keras", models::keras),
    ("members", texts::members),
    ("multipart", server::multipart),
    ("network_json", models::network_json),
    ("npz", data::npz),
    ("npz_weights", models::npz_weights),
    ("onnx", models::onnx),
    ("picture", pictures::picture),
    ("recipe", texts::recipe),
    ("recognition", pictures::recognition),
    ("safetensors", models::safetensors),
    ("tf_checkpoint", models::tf_checkpoint),
    ("v2_request", server::v2_request),
    ("weights_h5", models::weights_h5),
];

/// The body of a target.
///
/// # Panics
/// When there is no target of this name.
pub fn body(name: &str) -> Body {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no fuzz target '{name}'")).1
}

/// A folder of this process for readers that take files; in memory where the system has such a place.
fn scratch() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("maobi-fuzz-{}", std::process::id()));
        // A folder that cannot be made shows when the first file is written.
        let _ = std::fs::create_dir_all(&folder);
        folder
    });
    &FOLDER
}
