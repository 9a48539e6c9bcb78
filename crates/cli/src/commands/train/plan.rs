//! What to train, and whether it is new or goes on.

use super::Args;
use super::session::portable;
use crate::output::quoted;
use crate::run::overrides::Overrides;
use crate::run::recipe_file::{self, RecipeTable};
use crate::run::{RunConfig, RunFolder};
use anyhow::{anyhow, bail};
use maobi_train::Recipe;
use std::path::PathBuf;

/// The recipe that is trained when none is named.
const DEFAULT_RECIPE: &str = "tf2-cnn";

/// A run as it is going to be.
#[derive(Debug)]
pub struct Plan {
    /// The recipe with what the command line changed.
    pub table: RecipeTable,
    /// The same, understood.
    pub recipe: Recipe,
    /// Where to; `None` means a new folder in `runs/`.
    pub folder: Option<RunFolder>,
    /// The run that goes on.
    pub before: Option<RunConfig>,
    /// Seed of everything random.
    pub seed: u64,
    /// Data asked for.
    pub dataset: Option<String>,
    /// Folder to look in.
    pub data_dir: Option<PathBuf>,
    /// Images to train on.
    pub limit: Option<usize>,
    /// Where curves for TensorBoard go.
    pub tensorboard: Option<PathBuf>,
    /// Where the first weights come from.
    pub weights: Option<PathBuf>,
}

impl Plan {
    /// Reads recipe and, where there is one, the run that goes on.
    pub fn new(args: &Args) -> anyhow::Result<Plan> {
        let folder = args.out.as_ref().map(RunFolder::new);
        if args.resume {
            return Plan::resume(args, folder);
        }
        if let Some(folder) = folder.as_ref().filter(|folder| folder.has_run()) {
            let before = RunConfig::read(folder)?;
            if !by_steps(&before)? {
                let (path, shown) = (folder.path.display(), quoted(&folder.path));
                bail!("{path} holds a run already. Go on with it: maobi train --resume --out {shown}; or give another --out");
            }
            return Plan::go_on(args, folder.clone(), before);
        }
        if let Some(folder) = folder.as_ref().filter(|folder| folder.path.exists() && !folder.path.is_dir()) {
            bail!("{}: is a file; --out names a folder", folder.path.display());
        }
        let mut table = recipe_file::read(args.recipe.as_deref().unwrap_or(DEFAULT_RECIPE))?;
        args.overrides().apply(&mut table.table)?;
        Ok(Plan {
            recipe: table.recipe()?,
            table,
            folder,
            before: None,
            seed: args.seed.unwrap_or(1),
            dataset: args.dataset.clone(),
            data_dir: args.data_dir.clone(),
            limit: args.limit.map(|n| n as usize),
            tensorboard: args.tensorboard.clone(),
            weights: args.weights.clone(),
        })
    }

    fn resume(args: &Args, folder: Option<RunFolder>) -> anyhow::Result<Plan> {
        let name = args.recipe.as_deref().map(recipe_file::read).transpose()?.map(|table| table.name);
        let folder = match folder {
            Some(folder) => folder,
            None => RunFolder::newest_unfinished(name.as_deref()).ok_or_else(|| {
                let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
                anyhow!("--resume: there is no unfinished run{of} in runs/; name one with --out DIR, or train without --resume")
            })?,
        };
        if !folder.has_run() {
            let (path, shown) = (folder.path.display(), quoted(&folder.path));
            bail!("--resume: {path} holds no run (no config.toml); start one with: maobi train --out {shown}");
        }
        let before = RunConfig::read(&folder)?;
        Plan::go_on(args, folder, before)
    }

    /// The plan of a run that has begun: its own `config.toml`, which arguments may not contradict.
    fn go_on(args: &Args, folder: RunFolder, mut before: RunConfig) -> anyhow::Result<Plan> {
        let contradiction = |flag: &str, old: &dyn std::fmt::Display, new: &dyn std::fmt::Display| {
            anyhow!(
                "{flag} {new} contradicts the run in {}: its config.toml says {old}. Leave {flag} out to go on with this run, or start \
                 another with --out",
                folder.path.display()
            )
        };
        let run = &before.run;
        if let Some(what) = &args.recipe {
            let table = recipe_file::read(what)?;
            if table.name != run.recipe {
                return Err(contradiction("the recipe", &run.recipe, &table.name));
            }
        }
        if let Some(seed) = args.seed.filter(|seed| *seed != run.seed) {
            return Err(contradiction("--seed", &run.seed, &seed));
        }
        if let Some(dataset) = args.dataset.as_ref().filter(|dataset| portable(dataset) != run.dataset) {
            return Err(contradiction("--dataset", &run.dataset, dataset));
        }
        if let Some(limit) = args.limit.filter(|limit| Some(*limit as usize) != run.limit) {
            let old = run.limit.map_or_else(|| "no limit".to_owned(), |n| n.to_string());
            return Err(contradiction("--limit", &old, &limit));
        }
        args.overrides().agree(&before.recipe)?;
        let by_steps = by_steps(&before)?;
        if let Some(steps) = args.steps {
            if !by_steps {
                return Err(contradiction("--steps", &"epochs", &steps));
            }
            Overrides { steps: Some(steps), ..Overrides::default() }.apply(&mut before.recipe)?;
        }
        let table = before.recipe_table();
        Ok(Plan {
            recipe: table.recipe()?,
            table,
            folder: Some(folder),
            seed: before.run.seed,
            dataset: Some(before.run.dataset.clone()),
            data_dir: args.data_dir.clone().or_else(|| before.run.data_dir.clone()),
            limit: before.run.limit,
            tensorboard: args.tensorboard.clone().or_else(|| before.run.tensorboard.clone()),
            weights: before.run.weights.clone(),
            before: Some(before),
        })
    }
}

fn by_steps(config: &RunConfig) -> anyhow::Result<bool> {
    Ok(config.recipe_table().recipe()?.training.steps.is_some())
}
