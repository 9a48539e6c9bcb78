//! The training of one network: model, callbacks, fit, and the test.

use super::plan::Plan;
use super::session::{self, Session};
use super::{Args, finish};
use crate::exit::Exit;
use crate::output::{Console, multi};
use crate::run::steps;
use crate::training::begun::Begun;
use crate::training::checkpoints;
use crate::training::events::EpochEvents;
use crate::training::interrupt::{self, Interrupt};
use crate::training::record::{EpochRecord, Record};
use crate::training::start_at::StartAt;
use crate::training::step_log::{self, StepLog};
use maobi_nn::Model;
use maobi_train::callbacks::{BackupAndRestore, ProgressBar, SaveFreq, TensorBoard};
use maobi_train::{Fit, ModelExt, callbacks};
use std::time::Duration;

/// Training images that TensorBoard shows.
const SAMPLES: usize = 9;

/// Time between two backups at most: what a crash can cost.
const BACKUP_TIME: Duration = Duration::from_secs(15);

/// Trains as planned, then saves and tests.
pub fn run(plan: Plan, args: &Args, console: Console) -> anyhow::Result<Exit> {
    let before = plan.before.clone();
    let by_steps = plan.recipe.training.steps.is_some();
    let threads = args.threads();
    let (session, model) = session::prepare(plan, threads, console)?;
    let mut model = model;
    let mut done = false;
    if before.is_some() {
        if by_steps {
            match steps::start(&session.folder, &session.recipe, session.config.run.seed, &console)? {
                steps::Start::Done => done = true,
                steps::Start::Checkpoint(furthest) => {
                    model = *furthest;
                    model.set_threads(threads);
                }
                steps::Start::State | steps::Start::Anew => {}
            }
        } else {
            done = !session.folder.is_unfinished();
        }
    }
    if done {
        return interrupt::ends_at_once(|| {
            console.say(&format!("{}: training is complete already; testing the model", session.folder.path.display()));
            finish::test(&session)
        });
    }
    match train(&session, &mut model) {
        Ok(()) if interrupt::asked() => finish::interrupted(&session, &model),
        Ok(()) => finish::trained(&session, &model),
        Err(error) => Err(error),
    }
}

fn train(session: &Session, model: &mut Model) -> anyhow::Result<()> {
    // Not before: while data is fetched and read there is nothing to save, and Ctrl-C ends the process at once.
    interrupt::listen()?;
    let (recipe, console, folder) = (&session.recipe, session.console, &session.folder);
    let training = &recipe.training;
    let mut images = session.images(&session.parts.train);
    if let Some(augment) = recipe.data.augment {
        images = images.augmented(augment, model.seed())?;
    }
    let validation = session.parts.validation.as_ref().map(|set| session.images(set));
    let test = session.images(&session.parts.test);
    let mut how = Fit::new().batch_size(training.batch_size);
    if let Some(validation) = &validation {
        how = how.validation_data(validation);
    }
    // The recipe's own come first: their places name their states in the backup.
    let board = session.config.run.tensorboard.as_ref();
    for (class, arguments) in &recipe.callbacks {
        let mut arguments = arguments.clone();
        if class == "BackupAndRestore" {
            if training.steps.is_some() {
                // The run's own backup does the same, as often as the run needs it.
                continue;
            }
            // As often as the recipe says, where the run looks for it; the run's own backup comes at the end of each epoch.
            arguments.insert("backup_dir".into(), "backup".into());
            arguments.insert("delete_checkpoint".into(), false.into());
        }
        if let ("TensorBoard", Some(dir)) = (class.as_str(), board) {
            // Once is enough: in the folder that the command line names.
            arguments.insert("log_dir".into(), dir.to_string_lossy().into());
        }
        if class == "TerminateOnNaN" {
            // Here a loss that is NaN always ends the run with an error, so that no good model is replaced.
            arguments.insert("raise_error".into(), true.into());
        }
        how = how.callback_boxed(callbacks::from_config(class, &arguments, &folder.path)?);
    }
    if let (Some(dir), true) = (board, recipe.callbacks.iter().all(|(class, _)| class != "TensorBoard")) {
        let mut board = TensorBoard::new(dir).histogram_freq(1).sample_images(SAMPLES);
        if training.steps.is_some() {
            // By steps, epochs are few.
            board = board.update_freq(SaveFreq::Steps(training.log_every.unwrap_or(100)));
        }
        how = how.callback(board);
    }
    let steps_per_epoch = session.parts.train.len().div_ceil(training.batch_size) as u64;
    checkpoints::remarks(recipe, steps_per_epoch).iter().for_each(|remark| console.warn(remark));
    // Removed or kept aside once the trained model is safe, not before.
    let mut backup = BackupAndRestore::new(folder.backup()).delete_checkpoint(false).at_least_every(BACKUP_TIME);
    if let Some(steps) = training.steps {
        backup = backup.save_freq(SaveFreq::Steps(checkpoints::shortest_interval(recipe).unwrap_or(u64::MAX)));
        let every = training.log_every.unwrap_or((steps / 20).max(1));
        let evaluation = training.evaluate_every.map(|every| (every, &test as &dyn maobi_train::Examples));
        // A model that has steps behind it without a backup comes from a checkpoint.
        how = how.steps(steps).callback(backup).callback(StartAt { steps_per_epoch });
        how = how.callback(StepLog::new(console, every, evaluation, folder.history()));
    } else {
        how = how.epochs(training.epochs.unwrap_or(1)).callback(backup);
        let title = format!("{} on {}", session.config.run.recipe, session.config.run.dataset);
        how = how.callback(EpochRecord { history: folder.history(), curves: folder.curves(), title });
    }
    // Runs by steps have lines of their own.
    let bar = ProgressBar::new().verbose(usize::from(!console.quiet)).lines(training.steps.is_none()).among(multi().clone());
    how = how.callback(bar);
    how = how.callback(EpochEvents { console }).callback(Interrupt);
    // Last, so that everything that may refuse to start has been asked.
    how = how.callback(Begun { claim: session.claim.clone() });
    model.fit(&images, how)?;
    if training.steps.is_some() {
        let title = format!("{} on {}", session.config.run.recipe, session.config.run.dataset);
        Record::read(&folder.history(), step_log::KEY).draw(&folder.curves(), &title)?;
    }
    Ok(())
}
