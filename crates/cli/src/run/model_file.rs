//! From what a user calls MODEL to a model: a file, or a run folder.

use super::config::RunConfig;
use super::folder::RunFolder;
use super::{preprocessing, recipe_file};
use crate::output::{Console, quoted};
use anyhow::{Context, anyhow, bail};
use maobi_formats::{Error, tensorflow};
use maobi_formats::{Loaded, format};
use maobi_nn::Model;
use maobi_recognize::Preprocessing;
use maobi_recognize::preprocessing::MEMBER;
use std::path::{Path, PathBuf};

/// A model, and what is known about it.
#[derive(Debug)]
pub struct OpenModel {
    /// The model; compiled when the file says how.
    pub model: Model,
    /// How its pictures are scaled; `None` when nothing says so.
    pub preprocessing: Option<Preprocessing>,
    /// The file that was read.
    pub file: PathBuf,
    /// The name of its format.
    pub format: &'static str,
}

/// Which network a file of weights alone is for.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Network {
    /// The network of a file that holds weights alone: a recipe's name, a recipe file (.toml), or a model file or .json of the network.
    #[arg(long, value_name = "RECIPE|MODEL")]
    network: Option<String>,
}

impl Network {
    /// Whether the user named one.
    pub fn is_given(&self) -> bool {
        self.network.is_some()
    }
}

/// Opens a model file or a run folder as [`open`] does, to predict and evaluate: weights that are NaN or infinite are refused, and what
/// the optimizer keeps of each weight is left out.
pub fn load(what: &Path, network: &Network, console: &Console) -> anyhow::Result<OpenModel> {
    let open = open(what, network, console, false)?;
    refuse_nan(open.model.check_finite(), &open.file)?;
    Ok(open)
}

/// The error for a file whose model is not finite.
pub fn refuse_nan(checked: maobi_nn::Result<()>, file: &Path) -> anyhow::Result<()> {
    checked.map_err(|error| {
        anyhow!(
            "{}: {error}: its training has diverged, and this model is of no use. Use an earlier checkpoint, or train again with a \
             lower learning rate",
            file.display()
        )
    })
}

/// Opens a model file, in any format that is known, or a run folder, whatever its weights are, with or without what the optimizer keeps of
/// each weight. Prints on stderr what could not be carried over.
pub fn open(what: &Path, network: &Network, console: &Console, slots: bool) -> anyhow::Result<OpenModel> {
    let file = locate(what)?;
    let format = format::detect(&file)?;
    let run = run_of(&file);
    let remark = |notes: &[String]| notes.iter().for_each(|note| console.say(&format!("{}: {note}", file.display())));
    // The seed draws initial weights only, which the file's replace.
    let read = match &network.network {
        Some(_) => Err(Error::NoNetwork { path: file.clone() }),
        None if slots => format.load(&file, 0),
        None => format.load_without_slots(&file, 0),
    };
    let (model, extras, said) = match read {
        Ok(Loaded { model, extras, notes }) => {
            remark(&notes);
            (model, extras, None)
        }
        Err(Error::NoNetwork { .. }) => {
            let (mut model, preprocessing) = match (&network.network, &run) {
                (Some(network), _) => network_of(network, console)?,
                (None, Some(config)) => {
                    let recipe = config.recipe_table().recipe()?;
                    (recipe.model(config.run.seed)?, Some(preprocessing::of_run(config, &recipe)))
                }
                (None, None) => bail!(
                    "{}: holds weights alone, without the network; say which one with --network RECIPE|MODEL",
                    file.display()
                ),
            };
            if let Some(state) = model.optimizer_state_mut().filter(|_| !slots) {
                state.leave_out_slots();
            }
            fill(&mut model, &file, console)?;
            (model, Vec::new(), preprocessing)
        }
        Err(error) => return Err(error.into()),
    };
    let preprocessing = match Preprocessing::of_extras(&extras) {
        Some(member) => Some(member.map_err(|e| anyhow::anyhow!("{}: its member {MEMBER} cannot be read: {e}", file.display()))?),
        None => said.or(run.map(|config| of_config(&config)).transpose()?),
    };
    Ok(OpenModel { model, preprocessing, file, format: format.name() })
}

/// Reads the weights of a model file, in any format that is known, or of a run folder into a network, to train on from them: weights
/// and optimizer state that are NaN or infinite are refused.
pub fn load_weights(model: &mut Model, what: &Path, console: &Console) -> anyhow::Result<()> {
    fill(model, what, console)?;
    refuse_nan(model.check_finite_training(), what)
}

fn fill(model: &mut Model, what: &Path, console: &Console) -> anyhow::Result<()> {
    let file = locate(what)?;
    let notes = format::detect(&file)?.load_weights(model, &file)?;
    notes.iter().for_each(|note| console.say(&format!("{}: {note}", file.display())));
    Ok(())
}

/// Writes a `.keras` file of the network and its weights, with what it has to know about its pictures, but without the optimizer.
/// Weights that are NaN or infinite are never written.
pub fn save_bare(model: &Model, preprocessing: &Preprocessing, file: &Path) -> anyhow::Result<()> {
    model.check_finite().with_context(|| format!("{}: was not written", file.display()))?;
    maobi_formats::keras::save_with(&model.bare()?, file, &[(MEMBER, &preprocessing.to_bytes()?)])?;
    Ok(())
}

/// The network that `--network` names, with weights that wait for the file's.
fn network_of(what: &str, console: &Console) -> anyhow::Result<(Model, Option<Preprocessing>)> {
    if recipe_file::is_recipe(what) {
        let recipe = recipe_file::read(what)?.recipe()?;
        return Ok((recipe.model(0)?, Some(preprocessing::of_recipe(&recipe))));
    }
    let open = open(what.as_ref(), &Network::default(), console, true)?;
    Ok((open.model, open.preprocessing))
}

fn of_config(config: &RunConfig) -> anyhow::Result<Preprocessing> {
    Ok(preprocessing::of_run(config, &config.recipe_table().recipe()?))
}

/// The file to read of what a user calls MODEL.
pub fn locate(what: &Path) -> anyhow::Result<PathBuf> {
    if what.is_file() && what.file_name().is_none_or(|name| name != "checkpoint") {
        return Ok(what.to_path_buf());
    }
    // A checkpoint of TensorFlow goes by what its files' names begin with, and by its folder's list.
    if !RunFolder::new(what).has_run()
        && let Some(prefix) = tensorflow::state::prefix(what)?
    {
        return Ok(prefix);
    }
    if !what.exists() {
        bail!("{}: there is no such model file or run folder; train one with: maobi train", what.display());
    }
    if !what.is_file() && !what.is_dir() {
        // Says what it is, such as a FIFO.
        maobi_guard::open_file(what).with_context(|| format!("{}: cannot be read", what.display()))?;
    }
    let folder = RunFolder::new(what);
    if folder.model().is_file() {
        return Ok(folder.model());
    }
    if !folder.has_run() && format::detect(what).is_ok() {
        return Ok(what.to_path_buf());
    }
    folder.newest_checkpoint().or_else(|| folder.backup_model()).with_context(|| {
        let hint = if folder.has_run() {
            "its training has not saved anything yet; go on with it: maobi train --resume --out"
        } else {
            "is it a run folder? maobi train makes one:  maobi train --out"
        };
        format!("{}: holds neither model.keras nor a checkpoint; {hint} {}", what.display(), quoted(what))
    })
}

/// The run that a file lies in: the folder itself or the one above (`checkpoints/`).
fn run_of(file: &Path) -> Option<RunConfig> {
    let folders = file.ancestors().skip(1).take(2).map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
    folders.map(RunFolder::new).find(RunFolder::has_run).and_then(|folder| RunConfig::read(&folder).ok())
}
