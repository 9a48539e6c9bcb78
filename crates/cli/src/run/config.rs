//! `config.toml` of a run: everything it was made of, readable and enough to go on with it.

use super::folder::RunFolder;
use super::recipe_file::{MAX_BYTES, RecipeTable};
use super::section::RunSection;
use anyhow::{Context, anyhow};
use maobi_nn::text::with_place;
use serde::{Deserialize, Serialize};

const HEAD: &str = "\
# What this run is made of. `maobi train --resume --out THIS_FOLDER` goes on with it,
# `maobi train THIS_FILE` trains the same anew: recipe, seed, data, --limit, --weights and --ensemble.

";

/// The run, and its recipe with what the command line changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// All that is not in the recipe.
    pub run: RunSection,
    /// The recipe.
    pub recipe: toml::Table,
}

impl RunConfig {
    /// The recipe, by the name it goes by.
    pub fn recipe_table(&self) -> RecipeTable {
        RecipeTable { name: self.run.recipe.clone(), table: self.recipe.clone(), run: None }
    }

    /// Writes the file.
    pub fn write(&self, folder: &RunFolder) -> anyhow::Result<()> {
        let text = format!("{HEAD}{}", toml::to_string(self)?);
        Ok(maobi_formats::atomic_write(folder.config(), text.as_bytes())?)
    }

    /// Reads the file.
    pub fn read(folder: &RunFolder) -> anyhow::Result<RunConfig> {
        let path = folder.config();
        let text = maobi_guard::read_text(&path, MAX_BYTES)
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
                then_isa: vec!["avx2".into()],
                dataset: "mnist".into(),
                data_dir: None,
                found_at: Some("x".into()),
                limit: None,
                tensorboard: Some("board".into()),
                weights: None,
                ensemble: Some(3),
                training_images: 1,
                validation_images: 2,
                test_images: 3,
                data_hash: Some("0123".into()),
                classes: vec!["a \"b\"".into()],
                options: toml::Table::from_iter([("epochs".into(), 3.into())]),
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
