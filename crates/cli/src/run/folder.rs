//! A run folder: what is where.

use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Where runs go unless `--out` says otherwise.
const RUNS: &str = "runs";

/// A folder with one training run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    /// The folder.
    pub path: PathBuf,
}

impl RunFolder {
    /// The run folder at `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> RunFolder {
        RunFolder { path: path.into() }
    }

    /// Everything that the run was made of.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The trained model.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.keras")
    }

    /// Where training stands, while it is not over.
    pub fn backup(&self) -> PathBuf {
        self.path.join("backup")
    }

    /// Models and weights saved on the way.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Figures by epoch, or by step.
    pub fn history(&self) -> PathBuf {
        self.path.join("history.csv")
    }

    /// The same as a picture.
    pub fn curves(&self) -> PathBuf {
        self.path.join("curves.png")
    }

    /// Whether a run has begun here.
    pub fn has_run(&self) -> bool {
        self.config().is_file()
    }

    /// Whether a run has begun here and not come to its end.
    pub fn is_unfinished(&self) -> bool {
        self.has_run() && (self.backup().exists() || !self.model().is_file())
    }

    /// Makes the folder, and checks that it can be written to.
    pub fn create(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.path)
            .with_context(|| format!("{}: the run folder cannot be made; give another --out", self.path.display()))
    }

    /// Makes the first `runs/NAME-N` that is not there.
    pub fn create_next(name: &str) -> anyhow::Result<RunFolder> {
        let runs = Path::new(RUNS);
        fs::create_dir_all(runs).with_context(|| format!("{RUNS}: the folder cannot be made here; give --out DIR"))?;
        for n in 1..=1_000_000 {
            let path = runs.join(format!("{name}-{n}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { path }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => {
                    return Err(e).with_context(|| format!("{}: the run folder cannot be made; give --out DIR", path.display()));
                }
            }
        }
        bail!("{RUNS}: a million runs of {name} are there already; give --out DIR")
    }

    /// The unfinished run in `runs/` that was worked on last; of that recipe, if one is given.
    pub fn newest_unfinished(recipe: Option<&str>) -> Option<RunFolder> {
        let entries = fs::read_dir(RUNS).ok()?.flatten();
        let ours = entries.filter(|entry| {
            let name = entry.file_name();
            recipe.is_none_or(|recipe| {
                let rest = name.to_str().and_then(|n| n.strip_prefix(recipe)).and_then(|n| n.strip_prefix('-'));
                rest.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
            })
        });
        let folders = ours.map(|entry| RunFolder::new(entry.path())).filter(RunFolder::is_unfinished);
        folders.max_by_key(|folder| fs::metadata(folder.config()).and_then(|m| m.modified()).ok())
    }

    /// The model of an interrupted run's backup.
    pub fn backup_model(&self) -> Option<PathBuf> {
        let path = maobi_train::callbacks::BackupAndRestore::new(self.backup()).path();
        path.is_file().then_some(path)
    }

    /// The newest model or weights in `checkpoints/`.
    pub fn newest_checkpoint(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.checkpoints()).ok()?.flatten().map(|entry| entry.path());
        let models = files.filter(|path| {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            !name.starts_with('.') && (name.ends_with(".keras") || name.ends_with(".h5"))
        });
        models.max_by_key(|path| (fs::metadata(path).and_then(|m| m.modified()).ok(), path.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_unfinished_until_its_model_is_there_and_its_backup_gone() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::new(folder.path());
        assert!(!run.is_unfinished());
        fs::write(run.config(), "").unwrap();
        assert!(run.is_unfinished());
        fs::write(run.model(), "").unwrap();
        assert!(!run.is_unfinished());
        fs::create_dir(run.backup()).unwrap();
        assert!(run.is_unfinished());
    }

    #[test]
    fn the_newest_checkpoint_is_no_hidden_file() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::new(folder.path());
        assert_eq!(run.newest_checkpoint(), None);
        fs::create_dir(run.checkpoints()).unwrap();
        fs::write(run.checkpoints().join("a.weights.h5"), "").unwrap();
        fs::write(run.checkpoints().join(".b.keras.1.tmp"), "").unwrap();
        assert_eq!(run.newest_checkpoint(), Some(run.checkpoints().join("a.weights.h5")));
    }
}
