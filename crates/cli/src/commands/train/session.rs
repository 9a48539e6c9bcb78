//! What one training session works with: data, model and run folder.

use super::plan::{Place, Plan};
use super::start;
use crate::dataset::{self, Choice, Outputs, Parts};
use crate::output::{Console, count};
use crate::run::{self, Claim, Preprocessing, RunConfig, RunFolder, RunSection, Written, finished};
use maobi_data::dataset::fingerprint;
use maobi_data::{DatasetName, builtin, source};
use maobi_kernels::isa;
use maobi_nn::Model;
use maobi_recognize::preprocessing::{MEMBER, starts_with_rescaling};
use maobi_train::recipe::Validation;
use maobi_train::{Images, Recipe};
use std::sync::Arc;

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
        dataset: dataset::portable(&chosen.dataset),
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
    /// Saves the model with all that its pictures need; one that is not finite never replaces what is there.
    pub fn save(&self, model: &Model) -> anyhow::Result<()> {
        let file = self.folder.model();
        run::model_file::refuse_nan(model.check_finite_training(), &file)?;
        maobi_formats::keras::save_with(model, &file, &[(MEMBER, &self.preprocessing.to_bytes()?)])?;
        Ok(())
    }
}
