//! One training session: data, model, callbacks, fit.

use super::plan::{Place, Plan};
use super::{Args, finish, start};
use crate::dataset::{self, Choice, Outputs, Parts};
use crate::exit::Exit;
use crate::output::{Console, count, multi};
use crate::run::{self, Claim, Preprocessing, RunConfig, RunFolder, RunSection, Written, finished, steps};
use crate::training::begun::Begun;
use crate::training::checkpoints;
use crate::training::events::EpochEvents;
use crate::training::interrupt::{self, Interrupt};
use crate::training::record::{EpochRecord, Record};
use crate::training::start_at::StartAt;
use crate::training::step_log::{self, StepLog};
use maobi_data::dataset::fingerprint;
use maobi_data::{DatasetName, builtin, source};
use maobi_kernels::{isa, pool::Pool};
use maobi_nn::Model;
use maobi_recognize::preprocessing::{MEMBER, starts_with_rescaling};
use maobi_train::callbacks::{BackupAndRestore, ProgressBar, SaveFreq, TensorBoard};
use maobi_train::recipe::Validation;
use maobi_train::{Fit, Images, ModelExt, Recipe, callbacks};
use std::sync::Arc;
use std::time::Duration;

/// Training images that TensorBoard shows.
const SAMPLES: usize = 9;

/// Time between two backups at most: what a crash can cost.
const BACKUP_TIME: Duration = Duration::from_secs(15);

/// Everything a run works with.
pub struct Session {
    /// Where it is kept.
    pub folder: RunFolder,
    /// What it is made of.
    pub config: RunConfig,
    /// The recipe with all changes.
    pub recipe: Recipe,
    /// Its data.
    pub parts: Parts,
    /// What goes into the model's file.
    pub preprocessing: Preprocessing,
    /// Who listens.
    pub console: Console,
    /// Holds the run folder as long as the session lives.
    pub claim: Arc<Claim>,
}

/// Trains as planned, then saves and tests.
pub fn run(plan: Plan, args: &Args, console: Console) -> anyhow::Result<Exit> {
    let before = plan.before.clone();
    let by_steps = plan.recipe.training.steps.is_some();
    let threads = threads(args);
    let (session, model) = prepare(plan, threads, console)?;
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
        console.say(&format!("{}: training is complete already; testing the model", session.folder.path.display()));
        return finish::test(&session);
    }
    match train(&session, &mut model) {
        Ok(()) if interrupt::asked() => finish::interrupted(&session, &model),
        Ok(()) => finish::trained(&session, &model),
        Err(error) => Err(error),
    }
}

/// `--threads`, or all cores.
pub fn threads(args: &Args) -> usize {
    args.threads.map_or_else(Pool::default_threads, |n| n as usize)
}

/// Data, model and folder, checked and said.
pub fn prepare(plan: Plan, threads: usize, console: Console) -> anyhow::Result<(Session, Model)> {
    let Plan { recipe, table, place, parent, before, seed, dataset, data_dir, limit, tensorboard, weights, .. } = plan;
    let mut model = recipe.model(seed)?;
    model.set_threads(threads);
    // Before the data is looked for: weights, gradients and optimizer alone may be too much.
    model.check_memory(1, true)?;
    let shape = dataset::picture_shape(&model.input_shapes())?;
    let asked = dataset.as_deref();
    let otherwise = recipe.data.dataset.as_str();
    // Other data than the recipes' own is named on purpose: a slip in its name is an error.
    let fall_back = dataset::wanted(otherwise) == source::Wanted::Name(DatasetName::Mnist);
    let choice = Choice { asked, otherwise, data_dir: data_dir.as_deref(), shape, fall_back, offline: false };
    let chosen = dataset::choose(choice, console)?;
    let outputs = model.output_shapes().first().and_then(|s| s.last().copied()).unwrap_or(0);
    let (head, tail) = match recipe.data.validation {
        Validation::Head(n) => (Some(n), None),
        Validation::Tail(share) => (None, Some(share)),
        Validation::None | Validation::Test => (None, None),
    };
    let mut parts = dataset::parts(chosen.splits, head, tail, limit)?;
    let data_hash = fingerprint([&parts.train].into_iter().chain(&parts.validation).chain([&parts.test]));
    parts.train = builtin::extend(&parts.train, recipe.data.builtin, recipe.data.non_digits)?;
    if recipe.data.validation == Validation::Test && parts.validation.is_none() {
        parts.validation = Some(parts.test.clone());
    }
    dataset::check_fit(&parts.train, &shape, Outputs::New(outputs))?;
    for remark in dataset::remarks(&parts.train, recipe.data.scale, recipe.data.offset, starts_with_rescaling(&model)) {
        console.warn(&remark);
    }
    model.check_memory(recipe.training.batch_size.min(parts.train.len()), true)?;
    start::check_callbacks(&recipe)?;
    // A run that goes on has its own weights, unless it was stopped before it could save any.
    let begun = match &place {
        Place::Held(claim) if before.is_some() => claim.folder().backup_model().is_some() || claim.folder().model().is_file(),
        _ => false,
    };
    if let Some(file) = weights.as_ref().filter(|_| !begun) {
        start::begin_with(&mut model, &recipe, file, plan.learning_rate, console)?;
    }
    let mut section = RunSection {
        recipe: table.name.clone(),
        maobi: env!("CARGO_PKG_VERSION").into(),
        seed,
        threads,
        isa: isa::active().to_string(),
        then_isa: Vec::new(),
        dataset: portable(&chosen.dataset),
        data_dir: data_dir.map(|dir| std::path::absolute(&dir).unwrap_or(dir)),
        found_at: chosen.place,
        limit,
        tensorboard: tensorboard.map(|dir| std::path::absolute(&dir).unwrap_or(dir)),
        weights: weights.map(|file| std::path::absolute(&file).unwrap_or(file)),
        ensemble: plan.ensemble,
        training_images: parts.train.len(),
        validation_images: parts.validation.as_ref().map_or(0, |v| v.len()),
        test_images: parts.test.len(),
        data_hash: Some(data_hash),
        classes: parts.train.class_names().to_vec(),
        options: plan.options,
    };
    if let Some(before) = &before {
        start::same_data(&before.run, &section)?;
        start::keep_beginning(&mut section, &before.run, console);
    }
    let config = RunConfig { run: section, recipe: table.table };
    let written = Written::of(&recipe);
    let claim = place.claim(&table.name, &console)?;
    if let Some(parent) = parent {
        claim.set_parent(parent);
    }
    let folder = claim.folder().clone();
    claim.remove_leftovers(&written);
    match &before {
        None => {
            let old = start::old_files(&folder, &written, plan.overwrite)?;
            claim.begin_anew(written, &old)?;
            config.write(&folder)?;
        }
        Some(before) => {
            if plan.bring_back {
                finished::bring_back(&folder)?;
            }
            // The file stays as it was unless the run goes further or on in another way.
            let run = |config: &RunConfig| (config.run.tensorboard.clone(), config.run.then_isa.clone(), config.run.ensemble);
            if plan.further || run(before) != run(&config) {
                config.write(&folder)?;
            }
        }
    }
    let preprocessing = run::preprocessing::of_run(&config, &recipe);
    say_what(&config, &recipe, &model, &folder, console);
    Ok((Session { folder, config, recipe, parts, preprocessing, console, claim }, model))
}

/// A name as it is; a path so that it is found again from any folder.
pub fn portable(dataset: &str) -> String {
    match dataset::wanted(dataset) {
        maobi_data::source::Wanted::Name(name) => name.to_string(),
        maobi_data::source::Wanted::Path(path) => {
            std::path::absolute(&path).unwrap_or(path).to_str().map_or_else(|| dataset.to_owned(), str::to_owned)
        }
    }
}

fn say_what(config: &RunConfig, recipe: &Recipe, model: &Model, folder: &RunFolder, console: Console) {
    let run = &config.run;
    let validation = match run.validation_images {
        0 => String::new(),
        n => format!(", {} for validation", count(n as u64)),
    };
    let length = match (recipe.training.steps, recipe.training.epochs.unwrap_or(1)) {
        (Some(steps), _) => format!("{} steps", count(steps)),
        (None, 1) => "1 epoch".to_owned(),
        (None, epochs) => format!("{epochs} epochs"),
    };
    console.say(&format!(
        "{}: {} weights, {length} of {} images a step on {} ({} images to train{validation}, {} to test)",
        run.recipe,
        count(model.count_params() as u64),
        recipe.training.batch_size,
        run.dataset,
        count(run.training_images as u64),
        count(run.test_images as u64),
    ));
    let threads = if run.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", run.threads) };
    console.say(&format!("run folder {}, seed {}, {threads}, {}", folder.path.display(), run.seed, run.isa));
}

impl Session {
    /// Pictures as the network sees them, labels as its loss takes them.
    pub fn images<'a>(&self, set: &'a maobi_data::Dataset) -> Images<'a> {
        let data = &self.recipe.data;
        Images::new(set).scaled(data.scale, data.offset).one_hot(data.one_hot).outputs(self.parts.train.classes())
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
            board = board.update_freq(training.log_every.unwrap_or(100));
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
    let bar = ProgressBar::new().verbose(u8::from(!console.quiet)).lines(training.steps.is_none()).among(multi().clone());
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

/// Saves the model with all that its pictures need; one that is not finite never replaces what is there.
pub fn save(session: &Session, model: &Model) -> anyhow::Result<()> {
    run::model_file::refuse_nan(model.check_finite_training(), &session.folder.model())?;
    let member = session.preprocessing.to_bytes()?;
    maobi_formats::keras::save_with(model, &session.folder.model(), &[(MEMBER, &member)])?;
    Ok(())
}
