//! Callbacks: what happens around the steps of training, one a file.
//!
//! A callback is a file here and a line in the list below; one of your own implements [`Callback`], and [`register`] makes recipes find it.
//!
//! Hooks see the model and typed logs and answer [`Action::Continue`] or [`Action::Stop`]. A callback that has to survive an
//! interruption gives its memory as JSON ([`Callback::state`]); it is kept in the backup and handed back when training resumes.

mod config;
mod lambda;
mod learning_rate_scheduler;
pub(crate) mod monitor;
mod output;
mod running;
mod save_freq;
mod snapshot;
mod template;

pub use crate::history::EpochLogs;
pub use config::{DeclaredCallback, from_config, register};
pub use lambda::{OnBatchEnd, OnEpochEnd};
pub use learning_rate_scheduler::LearningRateScheduler;
pub use model_checkpoint::VariableNames;
pub use monitor::Mode;
pub use running::Running;
pub use save_freq::SaveFreq;

use crate::error::Result;
use crate::examples::Examples;
use crate::history::History;
use maobi_nn::{Model, objects};
use serde_json::Value;
use std::path::{Path, PathBuf};

objects! {
    /// All callbacks that recipes can name.
    pub(crate) static CALLBACKS: Registry<Box<dyn DeclaredCallback>> = ("callback", "keras.callbacks", Box::new);
    backup_and_restore::BackupAndRestore,
    csv_logger::CSVLogger,
    early_stopping::EarlyStopping,
    model_checkpoint::ModelCheckpoint,
    progress_bar::ProgressBar,
    reduce_lr_on_plateau::ReduceLROnPlateau,
    tensorboard::TensorBoard,
    terminate_on_nan::TerminateOnNaN,
}

/// What a hook wants next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Go on.
    #[default]
    Continue,
    /// End training after this batch or epoch, in good order.
    Stop,
}

/// Where training is, and the model in training.
pub struct Context<'a> {
    /// The model; hooks may change weights and learning rate.
    pub model: &'a mut Model,
    /// Epochs done: the current one counted from 0, and in `on_epoch_end` the one that ends counted from 1.
    pub epoch: usize,
    /// Epochs in all, where known.
    pub epochs: Option<usize>,
    /// Steps done of this epoch: the current one counted from 0, and in `on_batch_end` the one that ends counted from 1.
    pub batch: usize,
    /// Steps of a full epoch.
    pub steps_per_epoch: usize,
    /// Optimizer steps in all so far (`global_step`).
    pub step: u64,
    /// Optimizer steps at which training ends, where asked for.
    pub steps: Option<u64>,
    /// The epochs so far.
    pub history: &'a History,
    /// Names of the figures that every epoch's logs have.
    pub figures: &'a [String],
    /// Gathers the states of the other callbacks, for one that [saves them](Callback::saves_states).
    pub states: &'a dyn Fn() -> Value,
    /// Whether an earlier callback has just answered [`Action::Stop`] in this hook.
    pub stopping: bool,
    /// Whether training ended with an error (in `on_train_end`).
    pub failed: bool,
}

/// What a batch gave.
#[derive(Clone, Copy, Debug)]
pub struct BatchLogs {
    /// Loss of this batch alone, regularisation included.
    pub loss: f64,
    /// Samples in it.
    pub samples: usize,
}

/// Where an interrupted training goes on.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Epoch to go on with, from 0.
    pub epoch: usize,
    /// Steps of it that are done.
    pub batch: usize,
    /// States of the callbacks.
    pub states: Value,
    /// Loss and metrics of the steps that are done ([`Model::metrics_state`]); null when they are not known.
    pub metrics: Value,
    /// The epochs before.
    pub history: History,
    /// Whether a callback stopped training at the end of an epoch: nothing is left to train.
    pub stopped: bool,
}

/// Hooks around training; each does nothing unless written.
#[allow(unused_variables)]
pub trait Callback: Send {
    /// Keras' class name.
    fn name(&self) -> &'static str;
    /// Checks the arguments; `fit` and recipes call it before anything else.
    ///
    /// # Errors
    /// An argument outside its range, or arguments that exclude each other.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// The folder that relative paths among the arguments are under.
    fn set_folder(&mut self, folder: &Path) {}
    /// A figure that must be among the epoch's logs; checked before the first step.
    fn monitors(&self) -> Option<&str> {
        None
    }
    /// Where training should go on, with the model put back to that state. Called once, before everything else, and only until one
    /// callback has an answer.
    ///
    /// # Errors
    /// When there is a saved state that cannot be used.
    fn resume(&mut self, model: &mut Model) -> Result<Option<Resume>> {
        Ok(None)
    }
    /// The data that training is about to begin with, before [`Callback::on_train_begin`].
    ///
    /// # Errors
    /// Ends training before it starts.
    fn on_data(&mut self, model: &Model, data: &dyn Examples) -> Result<()> {
        Ok(())
    }
    /// Before the first step; also after a resume.
    ///
    /// # Errors
    /// What keeps the callback from working ends training before it starts.
    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    /// Before an epoch.
    ///
    /// # Errors
    /// Ends training.
    fn on_epoch_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    /// After a step.
    ///
    /// # Errors
    /// Ends training.
    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        Ok(Action::Continue)
    }
    /// After an epoch and its validation.
    ///
    /// # Errors
    /// Ends training.
    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        Ok(Action::Continue)
    }
    /// When training ends, however it ends.
    ///
    /// # Errors
    /// Reported as the result of training.
    fn on_train_end(&mut self, context: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    /// Whether this callback writes the states of all to a file: it then comes after the others, and before them when training ends.
    fn saves_states(&self) -> bool {
        false
    }
    /// The file with the last good model that this callback has written, for errors that tell where it is.
    fn kept(&self) -> Option<PathBuf> {
        None
    }
    /// What has to survive an interruption.
    fn state(&self) -> Value {
        Value::Null
    }
    /// Takes back what [`Callback::state`] gave.
    fn restore(&mut self, state: &Value) {}
}
