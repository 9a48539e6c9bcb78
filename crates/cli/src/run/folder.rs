//! A run folder: what is where.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where runs go unless `--out` names another folder.
pub const RUNS: &str = "runs";

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

    /// Where the training of a finished run ended, beside what `model.keras` holds: enough to train further.
    pub fn training(&self) -> PathBuf {
        self.path.join("training.json")
    }

    /// The same with the weights of the last step, where `model.keras` holds others: the best ones, or averages.
    pub fn last(&self) -> PathBuf {
        self.path.join("last.keras")
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
        self.has_run() && (self.backup_model().is_some() || !self.model().is_file())
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

    /// Checkpoints of TensorFlow in any folder of the run, as the prefixes of their files.
    pub fn tensorflow_checkpoints(&self) -> Vec<PathBuf> {
        let folders =
            fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        let files = folders.chain([self.path.clone()]).flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
        files.filter_map(|entry| prefix_of(&entry.path())).collect()
    }

    /// The newest model or weights saved on the way: in `checkpoints/`, or a checkpoint of TensorFlow.
    pub fn newest_checkpoint(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.checkpoints()).into_iter().flatten().flatten().map(|entry| entry.path());
        let models = files.filter(|path| {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            !name.starts_with('.') && (name.ends_with(".keras") || name.ends_with(".h5"))
        });
        models.chain(self.tensorflow_checkpoints()).max_by_key(|path| (modified(path), path.clone()))
    }
}

/// The prefix that an index belongs to.
fn prefix_of(index: &Path) -> Option<PathBuf> {
    let name = index.file_name()?.to_str()?.strip_suffix(".index").filter(|name| !name.starts_with('.'))?;
    Some(index.with_file_name(name))
}

/// When a file, or a checkpoint of that prefix, was last written.
pub fn modified(path: &Path) -> Option<SystemTime> {
    let index = path.with_file_name(format!("{}.index", path.file_name()?.to_str()?));
    fs::metadata(path).or_else(|_| fs::metadata(index)).and_then(|m| m.modified()).ok()
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
        // A folder without the backup, as a kill between removing the two leaves it.
        fs::create_dir(run.backup()).unwrap();
        assert!(!run.is_unfinished(), "an empty folder is no backup");
        fs::write(run.backup().join("backup.keras"), "").unwrap();
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
        // A checkpoint of TensorFlow is its prefix, whichever folder it lies in; of two that are as new the last name counts.
        fs::create_dir(folder.path().join("ckpt")).unwrap();
        fs::write(folder.path().join("ckpt/.cp-0005.ckpt.index.1.tmp"), "").unwrap();
        fs::write(folder.path().join("ckpt/cp-0005.ckpt.data-00000-of-00001"), "").unwrap();
        assert_eq!(run.tensorflow_checkpoints(), Vec::<PathBuf>::new());
        fs::write(folder.path().join("ckpt/cp-0005.ckpt.index"), "").unwrap();
        assert_eq!(run.tensorflow_checkpoints(), [folder.path().join("ckpt/cp-0005.ckpt")]);
        assert!(modified(&folder.path().join("ckpt/cp-0005.ckpt")).is_some());
    }
}
