//! From what a user calls MODEL to a model: a file, or a run folder.

use super::config::RunConfig;
use super::folder::RunFolder;
use super::preprocessing::{MEMBER, Preprocessing};
use crate::output::Console;
use anyhow::{Context, bail};
use maobi_formats::{format, keras, tensorflow, weights_h5};
use maobi_nn::Model;
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
}

/// Opens a model file or a run folder; what could not be carried over is told on stderr.
pub fn load(what: &Path, console: &Console) -> anyhow::Result<OpenModel> {
    let file = locate(what)?;
    let run = run_of(&file);
    let name = file.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if name.ends_with(".keras") {
        // The seed draws initial weights only, which the file's replace.
        let loaded = keras::load(&file, 0)?;
        for note in &loaded.notes {
            console.say(&format!("{}: {note}", file.display()));
        }
        let member = loaded.extras.iter().find(|(member, _)| member == MEMBER);
        let preprocessing = match member {
            Some((_, bytes)) => Some(
                Preprocessing::from_bytes(bytes)
                    .map_err(|e| anyhow::anyhow!("{}: its member {MEMBER} cannot be read: {e}", file.display()))?,
            ),
            None => run.map(|config| of_config(&config)).transpose()?,
        };
        return Ok(OpenModel { model: loaded.model, preprocessing, file });
    }
    if name.ends_with(".weights.h5") {
        let Some(config) = run else {
            bail!(
                "{}: holds weights alone, without the network. Give the run folder they belong to, or a .keras file",
                file.display()
            );
        };
        let mut model = config.recipe_table().recipe()?.model(config.run.seed)?;
        weights_h5::load(&mut model, &file)?;
        return Ok(OpenModel { model, preprocessing: Some(of_config(&config)?), file });
    }
    // Weights of another format, for the network of the run that they lie in.
    let format = format::detect(&file).map_err(|_| {
        anyhow::anyhow!("{}: is no model file; expected a .keras file (or a run folder, which holds model.keras)", file.display())
    })?;
    let Some(config) = run else {
        bail!(
            "{}: holds weights alone, without the network. Give the run folder they belong to, or a .keras file",
            file.display()
        );
    };
    let mut model = config.recipe_table().recipe()?.model(config.run.seed)?;
    for note in format.load_weights(&mut model, &file)? {
        console.say(&format!("{}: {note}", file.display()));
    }
    Ok(OpenModel { model, preprocessing: Some(of_config(&config)?), file })
}

fn of_config(config: &RunConfig) -> anyhow::Result<Preprocessing> {
    Ok(Preprocessing::of_run(config, &config.recipe_table().recipe()?))
}

/// The file to read.
fn locate(what: &Path) -> anyhow::Result<PathBuf> {
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
    let folder = RunFolder::new(what);
    if folder.model().is_file() {
        return Ok(folder.model());
    }
    folder.newest_checkpoint().or_else(|| folder.backup_model()).with_context(|| {
        let hint = if folder.has_run() {
            "its training has not saved anything yet; go on with it: maobi train --resume --out"
        } else {
            "is it a run folder? maobi train makes one:  maobi train --out"
        };
        format!("{}: holds neither model.keras nor a checkpoint; {hint} {}", what.display(), what.display())
    })
}

/// The run that a file lies in: the folder itself or the one above (`checkpoints/`).
fn run_of(file: &Path) -> Option<RunConfig> {
    let folders = file.ancestors().skip(1).take(2).map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
    folders.map(RunFolder::new).find(RunFolder::has_run).and_then(|folder| RunConfig::read(&folder).ok())
}
