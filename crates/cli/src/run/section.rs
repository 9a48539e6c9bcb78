//! What a run was started with: `[run]` of its `config.toml`.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a run was started with, beside its recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSection {
    /// Name of the recipe.
    pub recipe: String,
    /// Version of this program.
    pub maobi: String,
    /// Seed of weights, order and dropout.
    pub seed: u64,
    /// Threads; the numbers do not depend on it.
    pub threads: usize,
    /// Instruction set of the kernels.
    pub isa: String,
    /// Other instruction sets that it went on with: the last bits of its figures are those of no single one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then_isa: Vec<String>,
    /// What `--dataset` takes to get the same data.
    pub dataset: String,
    /// Folder that `--data-dir` named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Where the data was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_at: Option<PathBuf>,
    /// `--limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Folder that `--tensorboard` named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensorboard: Option<PathBuf>,
    /// File that `--weights` named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// `--ensemble`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<u64>,
    /// Images that train.
    pub training_images: usize,
    /// Images looked at after each epoch.
    pub validation_images: usize,
    /// Images of the test.
    pub test_images: usize,
    /// Hash of pixels, labels and classes ([`maobi_data::dataset::fingerprint`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_hash: Option<String>,
    /// Names of the classes, by label.
    pub classes: Vec<String>,
    /// All options of the command line that began the run, or made it longer.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub options: toml::Table,
}
