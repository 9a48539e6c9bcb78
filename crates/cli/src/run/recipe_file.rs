//! Recipes as TOML tables, so that a run can change and keep them whole.

use super::section::RunSection;
use crate::dataset::wanted;
use crate::output::quoted;
use anyhow::{Context, anyhow};
use maobi_data::source::Wanted;
use maobi_nn::text::with_place;
use maobi_train::Recipe;
use std::path::Path;

/// Longest recipe file that is read, and longest `config.toml` of a run, which holds a recipe.
pub const MAX_BYTES: u64 = 1 << 20;

/// A recipe's table and the name it goes by.
#[derive(Clone, Debug)]
pub struct RecipeTable {
    /// Stands in messages and names run folders.
    pub name: String,
    /// What the file says.
    pub table: toml::Table,
    /// What else a run was started with, when the file is its `config.toml`.
    pub run: Option<RunSection>,
}

impl RecipeTable {
    /// The recipe of the table.
    pub fn recipe(&self) -> anyhow::Result<Recipe> {
        Ok(Recipe::parse(&toml::to_string(&self.table)?, &self.name)?)
    }
}

/// Whether an argument means a recipe (a built-in name or a `.toml` file) and not a model.
pub fn is_recipe(what: &str) -> bool {
    Recipe::text(what).is_some() || has_toml_ending(what)
}

fn has_toml_ending(what: &str) -> bool {
    Path::new(what).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

/// Reads a built-in recipe or a file; a run's `config.toml` gives the recipe of that run.
pub fn read(what: &str) -> anyhow::Result<RecipeTable> {
    if let Some(text) = Recipe::text(what) {
        return Ok(RecipeTable { name: what.to_owned(), table: text.parse()?, run: None });
    }
    if !has_toml_ending(what) {
        if Path::new(what).exists() {
            let file = quoted(Path::new(what));
            return Err(anyhow!("{what}: is no recipe; to train on from a model file, give the recipe and: --weights {file}"));
        }
        return Err(Recipe::builtin(what).err().map_or_else(|| anyhow!("{what}: no such recipe"), Into::into));
    }
    let path = Path::new(what);
    let text = maobi_guard::read_text(path, MAX_BYTES).with_context(|| format!("{what}: the recipe cannot be read"))?;
    // Parsed as it stands first: messages then carry the file's own line numbers.
    let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        anyhow!("{what}: is not valid TOML: {}", with_place(&text, e.span().map(|at| at.start), e.message()))
    })?;
    if let (Some(run), Some(toml::Value::Table(inner))) = (table.get("run"), table.get("recipe")) {
        let run: RunSection = run.clone().try_into().map_err(|e| anyhow!("{what}: is not the config.toml of a run: {e}"))?;
        return Ok(RecipeTable { name: run.recipe.clone(), table: inner.clone(), run: Some(run) });
    }
    Recipe::parse(&text, what)?;
    resolve_dataset(&mut table, path);
    let stem = path.file_stem().map_or_else(|| what.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let name = table.get("name").and_then(toml::Value::as_str).map_or(stem, file_name);
    Ok(RecipeTable { name, table, run: None })
}

/// Makes the path of the data set absolute: in a recipe file it is relative to that file.
fn resolve_dataset(table: &mut toml::Table, recipe: &Path) {
    let Some(toml::Value::String(dataset)) = table.get_mut("data").and_then(|data| data.get_mut("dataset")) else { return };
    let Wanted::Path(path) = wanted(dataset) else { return };
    let path = recipe.parent().unwrap_or(Path::new("")).join(path);
    // A path that is not UTF-8 has no place in TOML.
    if let Some(path) = std::path::absolute(&path).unwrap_or(path).to_str() {
        *dataset = path.to_owned();
    }
}

/// A name that can be a folder's.
fn file_name(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    let plain = plain.trim_matches('.');
    if plain.is_empty() { "recipe".to_owned() } else { plain.chars().take(80).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_survives_the_table() {
        for name in Recipe::names() {
            let recipe = read(name).unwrap().recipe().unwrap();
            assert_eq!(recipe.training, Recipe::builtin(name).unwrap().training);
            assert_eq!(recipe.layers, Recipe::builtin(name).unwrap().layers);
        }
    }

    #[test]
    fn names_of_recipes_are_safe_as_folders() {
        assert_eq!(file_name("../x y"), "-x-y");
        assert_eq!(file_name(".."), "recipe");
        assert_eq!(file_name("毛笔-1"), "毛笔-1");
    }

    #[test]
    fn what_is_no_recipe_says_which_there_are() {
        let message = read("tf2-cn").unwrap_err().to_string();
        assert!(message.contains("no such recipe") && message.contains("tf2-cnn"), "{message}");
        assert!(read("none.toml").unwrap_err().to_string().contains("none.toml"));
    }
}
