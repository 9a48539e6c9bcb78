//! `fit`: epochs of steps, validation and callbacks.

mod arguments;

use crate::callbacks::monitor::{check_monitor, figures};
use crate::callbacks::{Action, BatchLogs, Callback, Context, EpochLogs, Resume};
use crate::error::{Error, Result};
use crate::evaluate::{bad_loss, evaluate_into};
use crate::examples::{Examples, Picked, Targets};
use crate::finite::{Place, Samples, with_kept};
use crate::history::History;
use crate::subset::Subset;
pub use arguments::Fit;
use maobi_kernels::rng::shuffle_indices;
use maobi_nn::losses::Target;
use maobi_nn::{Batch, Model};
use serde_json::Value;
use std::ops::Range;
use std::time::Instant;

/// Trains `model` on `data`.
///
/// The order of samples is a function of the model's seed and the epoch, and every random number of (seed, step, layer, sample), so a
/// run repeats itself bit for bit, and goes on after an interruption as if there had been none.
///
/// # Errors
/// Arguments that do not fit, and what callbacks report. [`Error::NotFinite`] when a loss, the loss of the validation, a weight or
/// something that the optimizer keeps is NaN or infinite: losses are looked at after each step, weights at the end of each epoch and of
/// training, and before a callback saves them. [`Error::NotFiniteData`] when the data is the reason.
pub fn fit(model: &mut Model, data: &dyn Examples, mut how: Fit<'_>) -> Result<History> {
    how.check(model, data)?;
    let (head, tail) = Subset::split_tail(data, how.validation_split);
    if head.is_empty() {
        let (n, share) = (data.len(), how.validation_split);
        return Err(Error::argument("validation_split", format!("a share of {share} leaves none of {n} samples to train on")));
    }
    let data: &dyn Examples = if tail.is_empty() { data } else { &head };
    let validation: Option<&dyn Examples> = if tail.is_empty() { how.validation } else { Some(&tail) };
    let mut callbacks = std::mem::take(&mut how.callbacks);
    let mut run = Run::new(model, data, &how, validation.is_some(), &mut callbacks)?;
    let shown = callbacks.iter_mut().try_for_each(|callback| callback.on_data(model, data));
    let result =
        shown.and_then(|()| run.train(model, data, validation, &how, &mut callbacks)).and_then(|()| run.check_end(model));
    run.failed = result.is_err();
    // Weights are restored and files closed however training ends; its own error comes first.
    let ended = run.end(model, &how, &mut callbacks);
    result.and(ended).map_err(|error| with_kept(error, &callbacks))?;
    Ok(run.history)
}

/// Position and buffers of one call of `fit`.
struct Run {
    epoch: usize,
    batch: usize,
    steps_per_epoch: usize,
    order: Vec<u32>,
    lengths: Vec<usize>,
    targets: Vec<Targets>,
    weights: Vec<f32>,
    history: History,
    figures: Vec<String>,
    /// The training that goes on was stopped by a callback, and its end is all that is left.
    stopped: bool,
    failed: bool,
    /// A callback has ended training at a loss that is not finite, and so answers for it.
    ended_by_nan: bool,
}

impl Run {
    fn new(
        model: &mut Model,
        data: &dyn Examples,
        how: &Fit<'_>,
        validates: bool,
        callbacks: &mut [Box<dyn Callback + '_>],
    ) -> Result<Run> {
        let logs = model.logs();
        if logs.is_empty() {
            return Err(maobi_nn::Error::NotCompiled("fit").into());
        }
        let figures = figures(&logs, validates);
        for callback in callbacks.iter() {
            callback.check()?;
            check_monitor(&**callback, &figures, validates)?;
        }
        let steps_per_epoch = data.len().div_ceil(how.batch_size);
        let mut run = Run {
            epoch: 0,
            batch: 0,
            steps_per_epoch,
            order: (0..data.len() as u32).collect(),
            lengths: data.input_lengths(),
            targets: data.targets(),
            weights: Vec::new(),
            history: History::default(),
            figures,
            stopped: false,
            failed: false,
            ended_by_nan: false,
        };
        let mut resume = None;
        for callback in callbacks.iter_mut() {
            if resume.is_none() {
                resume = callback.resume(model)?;
            }
        }
        model.reset_metrics();
        if let Some(Resume { epoch, batch, states, metrics, history, stopped }) = resume {
            (run.epoch, run.batch, run.history, run.stopped) = (epoch, batch.min(steps_per_epoch), history, stopped);
            model.restore_metrics(&metrics);
            for i in 0..callbacks.len() {
                if let Some(state) = states.get(state_key(callbacks, i)) {
                    callbacks[i].restore(state);
                }
            }
        }
        Ok(run)
    }

    fn train(
        &mut self,
        model: &mut Model,
        data: &dyn Examples,
        validation: Option<&dyn Examples>,
        how: &Fit<'_>,
        callbacks: &mut [Box<dyn Callback + '_>],
    ) -> Result<()> {
        if self.hook(model, how, callbacks, |c, x| c.on_train_begin(x).map(|()| Action::Continue))? == Action::Stop {
            return Ok(());
        }
        if self.stopped {
            return Ok(());
        }
        // A run that was interrupted between its last step and the end of the epoch still owes that end.
        while self.batch > 0 || !self.finished(model, how) {
            self.hook(model, how, callbacks, |c, x| c.on_epoch_begin(x).map(|()| Action::Continue))?;
            let Some(logs) = self.epoch(model, data, validation, how, callbacks)? else { return Ok(()) };
            self.history.epochs.push(logs.clone());
            (self.epoch, self.batch) = (self.epoch + 1, 0);
            if self.hook(model, how, callbacks, |c, x| c.on_epoch_end(x, &logs))? == Action::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    fn finished(&self, model: &Model, how: &Fit<'_>) -> bool {
        match (how.steps, how.epochs) {
            (Some(steps), None) => step_of(model) >= steps,
            (Some(steps), Some(epochs)) => step_of(model) >= steps || self.epoch >= epochs,
            (None, epochs) => self.epoch >= epochs.unwrap_or(1),
        }
    }

    /// One epoch; `None` when a callback stopped it on the way.
    fn epoch(
        &mut self,
        model: &mut Model,
        data: &dyn Examples,
        validation: Option<&dyn Examples>,
        how: &Fit<'_>,
        callbacks: &mut [Box<dyn Callback + '_>],
    ) -> Result<Option<EpochLogs>> {
        let start = Instant::now();
        if how.shuffle {
            shuffle_indices(model.seed(), self.epoch as u64, &mut self.order);
        }
        if self.batch == 0 {
            model.reset_metrics();
        }
        let mut seen = 0;
        while self.batch < self.steps_per_epoch && how.steps.is_none_or(|s| step_of(model) < s) {
            let logs = self.step(model, data, how)?;
            seen += logs.samples;
            self.batch += 1;
            let action = self.hook(model, how, callbacks, |c, x| c.on_batch_end(x, &logs))?;
            if action == Action::Stop {
                self.ended_by_nan = !logs.loss.is_finite();
                return Ok(None);
            }
            if !logs.loss.is_finite() {
                let samples = Samples::Step(self.indices(how), self.epoch as u64);
                return Err(self.place(model).of_figure(("the loss", logs.loss), data, "training data", samples));
            }
        }
        self.place(model).check(model)?;
        let samples_per_second = seen as f64 / start.elapsed().as_secs_f64().max(1e-9);
        let mut values = model.logs();
        if let Some(validation) = validation {
            let logs = evaluate_into(model, validation, how.batch_size, &mut |_, _, _| {})?;
            if let Some(loss) = bad_loss(&logs) {
                return Err(self.place(model).of_figure(("val_loss", loss), validation, "validation data", Samples::All));
            }
            values.extend(logs.into_iter().map(|(name, value)| (format!("val_{name}"), value)));
        }
        if let Some(state) = model.optimizer_state_ref() {
            values.push(("learning_rate".into(), f64::from(state.learning_rate)));
        }
        Ok(Some(EpochLogs { values, seconds: start.elapsed().as_secs_f64(), samples_per_second }))
    }

    fn step(&mut self, model: &mut Model, data: &dyn Examples, how: &Fit<'_>) -> Result<BatchLogs> {
        let indices = &self.order[range(self.batch, how, self.order.len())];
        for (output, targets) in self.targets.iter_mut().enumerate() {
            data.fill_targets(output, indices, targets);
        }
        let weighted = data.fill_weights(indices, &mut self.weights);
        let feed = Picked { examples: data, indices, lengths: &self.lengths, epoch: Some(self.epoch as u64) };
        let targets: smallvec::SmallVec<[Target<'_>; 4]> = self.targets.iter().map(Targets::as_target).collect();
        let logs = model.train_on_batch(Batch {
            feed: &feed,
            targets: &targets,
            sample_weight: weighted.then_some(&self.weights),
            class_weight: how.class_weight.as_deref(),
        })?;
        Ok(BatchLogs { loss: logs.loss, samples: logs.samples })
    }

    /// The samples of the step that is done.
    fn indices(&self, how: &Fit<'_>) -> &[u32] {
        &self.order[range(self.batch.saturating_sub(1), how, self.order.len())]
    }

    fn place(&self, model: &Model) -> Place {
        Place::of(model, self.epoch + 1)
    }

    /// The last update comes after the last loss, so the weights are looked at once more.
    fn check_end(&self, model: &Model) -> Result<()> {
        if self.ended_by_nan {
            return Ok(());
        }
        Place::of(model, if self.batch > 0 { self.epoch + 1 } else { self.epoch.max(1) }).check(model)
    }

    /// Calls a hook of every callback; each is called even when an earlier one stops. Those that save states see what the others did.
    fn hook(
        &mut self,
        model: &mut Model,
        how: &Fit<'_>,
        callbacks: &mut [Box<dyn Callback + '_>],
        mut call: impl FnMut(&mut dyn Callback, &mut Context<'_>) -> Result<Action>,
    ) -> Result<Action> {
        let mut action = Action::Continue;
        for saver in [false, true] {
            for i in 0..callbacks.len() {
                if callbacks[i].saves_states() == saver
                    && self.call(model, how, callbacks, i, action == Action::Stop, &mut call)? == Action::Stop
                {
                    action = Action::Stop;
                }
            }
        }
        Ok(action)
    }

    /// Ends training: positions are saved before weights are restored, and every callback is called even when one fails.
    fn end(&mut self, model: &mut Model, how: &Fit<'_>, callbacks: &mut [Box<dyn Callback + '_>]) -> Result<()> {
        let mut result = Ok(());
        for saver in [true, false] {
            for i in 0..callbacks.len() {
                if callbacks[i].saves_states() == saver {
                    let mut end = |c: &mut dyn Callback, x: &mut Context<'_>| c.on_train_end(x).map(|()| Action::Continue);
                    let ended = self.call(model, how, callbacks, i, false, &mut end);
                    result = result.and(ended.map(|_| ()));
                }
            }
            if saver && !self.failed {
                model.finalize_weights();
            }
        }
        result
    }

    fn call(
        &self,
        model: &mut Model,
        how: &Fit<'_>,
        callbacks: &mut [Box<dyn Callback + '_>],
        index: usize,
        stopping: bool,
        call: &mut dyn FnMut(&mut dyn Callback, &mut Context<'_>) -> Result<Action>,
    ) -> Result<Action> {
        let keys: Vec<String> = match callbacks[index].saves_states() {
            true => (0..callbacks.len()).map(|i| state_key(callbacks, i)).collect(),
            false => Vec::new(),
        };
        let (before, rest) = callbacks.split_at_mut(index);
        let Some((callback, after)) = rest.split_first_mut() else { return Ok(Action::Continue) };
        let (before, after) = (&*before, &*after);
        let states = || {
            let others = before.iter().chain(after).zip(keys.iter().enumerate().filter(|(i, _)| *i != index));
            let states = others.map(|(other, (_, key))| (key.clone(), other.state()));
            Value::Object(states.filter(|(_, s)| !s.is_null()).collect())
        };
        let step = step_of(model);
        let mut context = Context {
            model,
            epoch: self.epoch,
            epochs: how.epochs.or(how.steps.is_none().then_some(1)),
            batch: self.batch,
            steps_per_epoch: self.steps_per_epoch,
            step,
            steps: how.steps,
            history: &self.history,
            figures: &self.figures,
            states: &states,
            stopping,
            failed: self.failed,
        };
        call(&mut **callback, &mut context)
    }
}

/// Name of a callback's state: its class, and its number among those of the same class.
fn state_key(callbacks: &[Box<dyn Callback + '_>], index: usize) -> String {
    let name = callbacks[index].name();
    format!("{name}:{}", callbacks[..index].iter().filter(|c| c.name() == name).count())
}

/// Places of a step's samples in the order of the epoch.
fn range(batch: usize, how: &Fit<'_>, samples: usize) -> Range<usize> {
    let start = batch * how.batch_size;
    start..(start + how.batch_size).min(samples)
}

fn step_of(model: &Model) -> u64 {
    model.optimizer_state_ref().map_or(0, |s| s.iterations)
}
