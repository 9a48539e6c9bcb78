//! What to train, and whether it is new or goes on.

use super::{Args, further, recorded};
use crate::dataset::portable;
use crate::output::{Console, quoted};
use crate::run::overrides::Overrides;
use crate::run::recipe_file::{self, RecipeTable};
use crate::run::{Claim, RunConfig, RunFolder};
use anyhow::{anyhow, bail};
use maobi_train::Recipe;
use std::path::PathBuf;
use std::sync::Arc;

/// The recipe that is trained when none is named.
const DEFAULT_RECIPE: &str = "tf2-cnn";

/// A run as it is going to be.
#[derive(Debug)]
pub struct Plan {
    /// The recipe with what the command line changed.
    pub table: RecipeTable,
    /// The same, understood.
    pub recipe: Recipe,
    /// The run folder.
    pub place: Place,
    /// The run that goes on.
    pub before: Option<RunConfig>,
    /// Whether it is to go further than before.
    pub further: bool,
    /// Whether it was finished, and its backup has to be made again.
    pub bring_back: bool,
    /// Whether a run in the folder makes room.
    pub overwrite: bool,
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
    /// A learning rate that was asked for, and replaces the one of `weights`.
    pub learning_rate: Option<f64>,
    /// Networks of an ensemble.
    pub ensemble: Option<u64>,
    /// All options of the command line.
    pub options: toml::Table,
    /// The ensemble that this is a member of.
    pub parent: Option<Arc<Claim>>,
}

/// Where a run goes.
#[derive(Debug)]
pub enum Place {
    /// A new folder in `runs/`.
    Next,
    /// A folder that does not exist yet.
    New(RunFolder),
    /// A folder that exists, and is held since it was looked into.
    Held(Arc<Claim>),
}

impl Place {
    /// Makes the folder where it does not exist, and holds it.
    pub fn claim(self, name: &str, console: &Console) -> anyhow::Result<Arc<Claim>> {
        Ok(match self {
            Place::Held(claim) => claim,
            Place::New(folder) => Arc::new(Claim::take(folder, console)?),
            Place::Next => Arc::new(Claim::next(name, console)?),
        })
    }
}

impl Plan {
    /// Reads recipe and, where there is one, the run that goes on.
    pub fn new(args: &Args, console: Console) -> anyhow::Result<Plan> {
        let folder = match &args.out {
            Some(out) => Some(RunFolder::new(out)),
            None if args.resume => Some(newest_unfinished(args)?),
            None => None,
        };
        let place = match folder {
            None => Place::Next,
            Some(folder) if folder.path.is_dir() => Place::Held(Arc::new(Claim::take(folder, &console)?)),
            Some(folder) if folder.path.symlink_metadata().is_ok() => {
                bail!("{}: is a file; --out names a folder", folder.path.display())
            }
            Some(folder) => Place::New(folder),
        };
        let place = match place {
            Place::Held(claim) if claim.folder().has_run() && !args.overwrite => {
                let before = RunConfig::read(claim.folder())?;
                if !args.resume && !by_steps(&before)? {
                    let path = &claim.folder().path;
                    bail!(
                        "{} holds a run already. Go on with it: maobi train --resume --out {}; or give another --out, or \
                         --overwrite to start anew",
                        path.display(),
                        quoted(path)
                    );
                }
                return Plan::go_on(args, claim, before, console);
            }
            place => place,
        };
        if let (true, Some(out)) = (args.resume, &args.out) {
            refuse_other_content(&place)?;
            console.say(&format!("{}: holds no run yet, so a new one starts", out.display()));
        }
        let mut table = recipe_file::read(args.recipe.as_deref().unwrap_or(DEFAULT_RECIPE))?;
        args.overrides().apply(&mut table.table)?;
        Ok(Plan {
            recipe: table.recipe()?,
            table,
            place,
            before: None,
            further: false,
            bring_back: false,
            overwrite: args.overwrite,
            seed: args.seed.unwrap_or(1),
            dataset: args.dataset.clone(),
            data_dir: args.data_dir.clone(),
            limit: args.limit.map(|n| n as usize),
            tensorboard: args.tensorboard.clone(),
            weights: args.weights.clone(),
            learning_rate: args.learning_rate,
            ensemble: args.ensemble,
            options: recorded::options(args),
            parent: None,
        })
    }

    /// The plan of a run that has begun: its own `config.toml`, which arguments may not contradict.
    fn go_on(args: &Args, claim: Arc<Claim>, mut before: RunConfig, console: Console) -> anyhow::Result<Plan> {
        let folder = claim.folder();
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
            same_recipe(what, &table.table, &before, args, &console)?;
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
        let file = args.weights.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        if let Some(file) = file.filter(|file| Some(file) != run.weights.as_ref()) {
            let old = run.weights.as_ref().map_or_else(|| "new weights".to_owned(), |file| file.display().to_string());
            return Err(contradiction("--weights", &old, &file.display()));
        }
        args.overrides().agree(&before.recipe)?;
        let (by_steps, old, mut bring_back) = (by_steps(&before)?, before.recipe.clone(), false);
        if let Some(steps) = args.steps {
            if !by_steps {
                return Err(contradiction("--steps", &"epochs", &steps));
            }
            Overrides { steps: Some(steps), ..Overrides::default() }.apply(&mut before.recipe)?;
        }
        if let Some(epochs) = args.epochs {
            if by_steps {
                return Err(contradiction("--epochs", &"steps", &epochs));
            }
            // The folder of an ensemble holds no training of its own.
            bring_back = before.run.ensemble.is_none() && further::check(folder, &before, epochs, &console)?;
            Overrides { epochs: Some(epochs), ..Overrides::default() }.apply(&mut before.recipe)?;
        }
        let further = before.recipe != old;
        if let (true, None, Some(members)) = (further, args.ensemble, before.run.ensemble) {
            bail!(
                "{} holds an ensemble of {members} networks. Train them further with: maobi train --ensemble {members} --out {}",
                folder.path.display(),
                quoted(&folder.path)
            );
        }
        let table = before.recipe_table();
        Ok(Plan {
            recipe: table.recipe()?,
            table,
            place: Place::Held(claim),
            further,
            bring_back,
            overwrite: false,
            seed: before.run.seed,
            dataset: Some(before.run.dataset.clone()),
            data_dir: args.data_dir.clone().or_else(|| before.run.data_dir.clone()),
            limit: before.run.limit,
            tensorboard: args.tensorboard.clone().or_else(|| before.run.tensorboard.clone()),
            weights: before.run.weights.clone(),
            learning_rate: args.learning_rate.or_else(|| recorded::learning_rate(&before.run)),
            ensemble: args.ensemble.or(before.run.ensemble),
            options: recorded::options(args),
            before: Some(before),
            parent: None,
        })
    }
}

fn by_steps(config: &RunConfig) -> anyhow::Result<bool> {
    Ok(config.recipe_table().recipe()?.training.steps.is_some())
}

fn newest_unfinished(args: &Args) -> anyhow::Result<RunFolder> {
    let name = args.recipe.as_deref().map(recipe_file::read).transpose()?.map(|table| table.name);
    RunFolder::newest_unfinished(name.as_deref()).ok_or_else(|| {
        let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
        anyhow!("--resume: there is no unfinished run{of} in runs/; name one with --out DIR, or train without --resume")
    })
}

/// `--resume` starts a run in an empty folder, not beside files of something else.
fn refuse_other_content(place: &Place) -> anyhow::Result<()> {
    let Place::Held(claim) = place else { return Ok(()) };
    let path = &claim.folder().path;
    let others = std::fs::read_dir(path).into_iter().flatten().flatten().filter(|entry| entry.file_name() != ".lock");
    if others.count() > 0 {
        let (path, shown) = (path.display(), quoted(path));
        bail!("--resume: {path} holds no run (no config.toml) but other files; start one with: maobi train --out {shown}");
    }
    Ok(())
}

/// Compares a recipe that is named again with that of the run. For what the command line may have changed at the run's start, a remark is
/// enough.
fn same_recipe(what: &str, now: &toml::Table, before: &RunConfig, args: &Args, console: &Console) -> anyhow::Result<()> {
    const CHANGEABLE: [&str; 5] = ["epochs", "steps", "batch_size", "optimizer", "precision"];
    let text =
        |table: &toml::Table, section: &str, key: &str| table.get(section).and_then(|t| t.get(key)).map(ToString::to_string);
    let split = |table: &toml::Table| {
        let mut rest = table.clone();
        for key in ["name", "description", "source", "published"] {
            rest.remove(key);
        }
        for (section, keys) in [("training", &CHANGEABLE[..]), ("data", &["dataset"][..])] {
            if let Some(toml::Value::Table(section)) = rest.get_mut(section) {
                keys.iter().for_each(|key| drop(section.remove(*key)));
            }
        }
        rest
    };
    let (old, new) = (split(&before.recipe), split(now));
    if old != new {
        let changed: Vec<String> = old
            .keys()
            .chain(new.keys().filter(|key| !old.contains_key(*key)))
            .filter(|key| old.get(*key) != new.get(*key))
            .cloned()
            .collect();
        bail!(
            "{what}: has changed since the run began ({} differs). Leave it out to go on with the run's own recipe, or start another run \
             with --out",
            changed.join(", ")
        );
    }
    let longer = args.epochs.or(args.steps).is_some();
    for key in CHANGEABLE.into_iter().filter(|key| !longer || !matches!(*key, "epochs" | "steps")) {
        let (old, new) = (text(&before.recipe, "training", key), text(now, "training", key));
        if let (true, Some(new)) = (old != new, new) {
            let old = old.unwrap_or_else(|| "nothing".to_owned());
            console.say(&format!("{what} has {key} = {new}; this run goes on with its own: {old}"));
        }
    }
    Ok(())
}
