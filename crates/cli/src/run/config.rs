//! `config.toml` of a run: everything it was made of, readable and enough to go on with it.

use super::folder::RunFolder;
use super::recipe_file::RecipeTable;
use anyhow::{Context, anyhow};
use maobi_nn::text::with_place;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const HEAD: &str = "\
# What this run is made of. `maobi train --resume --out THIS_FOLDER` goes on with it,
# `maobi train THIS_FILE` trains the same recipe anew.

";

/// The run, and its recipe with what the command line changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// All that is not in the recipe.
    pub run: RunSection,
    /// The recipe.
    pub recipe: toml::Table,
}

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
    /// Images that train.
    pub training_images: usize,
    /// Images looked at after each epoch.
    pub validation_images: usize,
    /// Images of the test.
    pub test_images: usize,
    /// Names of the classes, by label.
    pub classes: Vec<String>,
}

impl RunConfig {
    /// The recipe, by the name it goes by.
    pub fn recipe_table(&self) -> RecipeTable {
        RecipeTable { name: self.run.recipe.clone(), table: self.recipe.clone() }
    }

    /// Writes the file.
    pub fn write(&self, folder: &RunFolder) -> anyhow::Result<()> {
        let text = format!("{HEAD}{}", toml::to_string(self)?);
        Ok(maobi_formats::atomic_write(folder.config(), text.as_bytes())?)
    }

    /// Reads the file.
    pub fn read(folder: &RunFolder) -> anyhow::Result<RunConfig> {
        let path = folder.config();
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot be read; is {} a run folder?", path.display(), folder.path.display()))?;
        toml::from_str(&text).map_err(|e| {
            let message = with_place(&text, e.span().map(|at| at.start), e.message());
            anyhow!("{}: is not the config.toml of a run: {message}", path.display())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::recipe_file;

    #[test]
    fn comes_back_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(folder.path());
        for name in maobi_train::Recipe::names() {
            let run = RunSection {
                recipe: name.into(),
                maobi: "1".into(),
                seed: 7,
                threads: 2,
                isa: "scalar".into(),
                dataset: "mnist".into(),
                data_dir: None,
                found_at: Some("x".into()),
                limit: None,
                tensorboard: Some("board".into()),
                weights: None,
                training_images: 1,
                validation_images: 2,
                test_images: 3,
                classes: vec!["a \"b\"".into()],
            };
            let config = RunConfig { run, recipe: recipe_file::read(name).unwrap().table };
            std::fs::create_dir_all(&folder.path).unwrap();
            config.write(&folder).unwrap();
            let back = RunConfig::read(&folder).unwrap();
            assert_eq!(back, config);
            assert_eq!(back.recipe_table().recipe().unwrap().training, maobi_train::Recipe::builtin(name).unwrap().training);
        }
    }
}
