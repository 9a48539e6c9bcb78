//! Fit, evaluate, predict, callbacks and recipes of maobi.

pub mod callbacks;
pub mod ensemble;
mod error;
mod evaluate;
mod examples;
pub mod figures;
mod finetune;
mod finite;
mod fit;
mod flops;
mod history;
mod model_ext;
pub mod recipe;
mod subset;
pub mod temperature;

pub use callbacks::{
    Action, BackupAndRestore, CSVLogger, Callback, EarlyStopping, LearningRateScheduler, ModelCheckpoint, OnBatchEnd, OnEpochEnd,
    ProgressBar, ReduceLROnPlateau, TensorBoard, TerminateOnNaN,
};
pub use error::{Error, Result};
pub use evaluate::bad_loss;
pub use examples::{Arrays, Examples, Images, Targets};
pub use finetune::{FineTune, FineTuneStep, finetune, has_forgotten};
pub use fit::{Fit, fit};
pub use flops::Flops;
pub use history::History;
pub use model_ext::ModelExt;
pub use recipe::Recipe;
