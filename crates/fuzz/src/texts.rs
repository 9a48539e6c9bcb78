//! Text files: recipes, the state of an interrupted run, the list of checkpoints, the scaling of pictures.

use crate::scratch;
use maobi_formats::tensorflow::state;
use maobi_recognize::Preprocessing;
use maobi_train::callbacks::from_config;
use maobi_train::{BackupAndRestore, CSVLogger, Callback, EarlyStopping, History, ModelCheckpoint, Recipe, ReduceLROnPlateau};
use serde_json::Value;
use std::path::Path;

/// Any text is a recipe whose network and callbacks can be built, or an error.
pub fn recipe(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(recipe) = Recipe::parse(text, "input") else { return };
    for (class, config) in &recipe.callbacks {
        let _ = from_config(class, config, Path::new("nowhere"));
    }
    let _ = recipe.graph();
}

/// Any bytes are a member of a model file or are refused: the scaling of pictures, and the state of an interrupted run.
pub fn members(bytes: &[u8]) {
    preprocessing(bytes);
    backup(bytes);
}

/// Whatever a callback takes back, it can give again.
fn backup(bytes: &[u8]) {
    let Ok(state) = serde_json::from_slice::<Value>(bytes) else { return };
    let _ = History::from_json(&state).map(|history| history.to_json());
    let callbacks: [Box<dyn Callback>; 5] = [
        Box::new(BackupAndRestore::new("nowhere")),
        Box::new(CSVLogger::new("nowhere.csv")),
        Box::new(EarlyStopping::new("loss").restore_best_weights(true)),
        Box::new(ModelCheckpoint::new("nowhere.keras")),
        Box::new(ReduceLROnPlateau::new("loss")),
    ];
    for mut callback in callbacks {
        callback.restore(&state);
        let kept = callback.state();
        callback.restore(&kept);
        assert_eq!(callback.state(), kept, "{}", callback.name());
    }
}

/// Any bytes are a list of checkpoints or an error. Taking out a checkpoint that is not on the list changes nothing.
pub fn checkpoint_state(bytes: &[u8]) {
    let folder = scratch();
    if std::fs::write(folder.join("checkpoint"), bytes).is_err() {
        return;
    }
    if let Ok(before) = state::latest(folder) {
        let after = state::remove(&folder.join("no checkpoint")).and_then(|()| state::latest(folder));
        assert!(matches!(after, Ok(after) if after == before));
    }
}

fn preprocessing(bytes: &[u8]) {
    if let Ok(read) = Preprocessing::from_bytes(bytes) {
        assert!(read.scale.is_finite() && read.offset.is_finite());
        let written = read.to_bytes().map(|bytes| Preprocessing::from_bytes(&bytes));
        assert!(matches!(written, Ok(Ok(_))), "{read:?}");
    }
}
