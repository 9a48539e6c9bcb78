//! One step of training, and evaluation without one.

use super::compile::{Training, source};
use super::meters::{Logs, Meters};
use super::{Model, WeightGuards};
use crate::error::{Error, Result};
use crate::exec::{Feed, GradientPlace, StepWeights, Walk, Workspace, round_on};
use crate::losses::{LossBatch, Source, Target, apply_class_weights};
use maobi_kernels::memory::{Buffer, RefMut};
use maobi_kernels::pointwise;
use serde_json::Value;
use smallvec::SmallVec;

/// One batch: samples, what they should give, and how much each counts.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The samples.
    pub feed: &'a dyn Feed,
    /// One target per output.
    pub targets: &'a [Target<'a>],
    /// `[samples]`; absent means 1 each.
    pub sample_weight: Option<&'a [f32]>,
    /// Weight of each class, by index; absent means 1 each.
    pub class_weight: Option<&'a [f32]>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLogs {
    /// The loss of this batch, regularisation included.
    pub loss: f64,
    /// Samples in the batch.
    pub samples: usize,
}

/// Evaluation in progress: meters of its own, so that training's stay.
#[derive(Debug)]
pub struct Evaluation {
    meters: Meters,
    workspace: Workspace,
}

impl Evaluation {
    /// Loss and metrics so far.
    pub fn logs(&self) -> Logs {
        self.meters.logs()
    }
}

impl Model {
    /// One optimizer step on a batch; `logs` has the running means since `reset_metrics`.
    ///
    /// # Errors
    /// When the model is not compiled, samples do not fit the inputs (which input, expected and actual length) or targets the
    /// outputs (which sample, which label), or class weights are given for several outputs; when there is not the memory for a batch of
    /// that size, before any is taken; when the optimizer's slots were left out.
    pub fn train_on_batch(&mut self, batch: Batch<'_>) -> Result<StepLogs> {
        let samples = batch.feed.samples();
        if samples == 0 {
            return Err(Error::data("batch", "at least one sample", "none"));
        }
        self.check_feed(batch.feed)?;
        check_targets(self.plan.outputs.len(), batch.targets.len())?;
        check_class_weight(&batch, samples)?;
        let t = self.training.as_ref().ok_or(Error::NotCompiled("training"))?;
        if !t.state.has_slots() {
            return Err(Error::WithoutOptimizer);
        }
        if t.workspace.must_grow(samples, true, self.pool.threads()) {
            self.check_memory(samples, true)?;
        }
        let mut training = self.training.take().ok_or(Error::NotCompiled("training"))?;
        let result = self.step(&mut training, batch, samples);
        self.training = Some(training);
        result
    }

    fn step(&mut self, t: &mut Training, batch: Batch<'_>, samples: usize) -> Result<StepLogs> {
        let mut halves = std::mem::take(&mut t.workspace.halves);
        let loss = {
            halves.refresh(&self.plan, &self.weights, &self.pool);
            let guards: WeightGuards<'_> = self.weights.iter().map(|w| w.buffer().whole()).collect();
            let weights = StepWeights { values: &guards, halves: &halves };
            t.workspace.prepare(&self.plan, Some(&t.plan), samples, self.pool.threads());
            t.workspace.pack(&self.plan, weights, &self.pool, |weight| self.weights[weight].buffer().stamp());
            let walk = Walk { plan: &self.plan, weights, pool: &self.pool, seed: self.seed, step: t.state.iterations };
            t.workspace.forward(walk, batch.feed, true);
            let mut own = std::mem::take(&mut t.row_weights);
            let row_weights = row_weights(&mut own, &batch, samples);
            let pass = Pass { workspace: &t.workspace, targets: batch.targets, row_weights, first_row: 0, training: true };
            let each = self.losses(t, &pass)?;
            t.workspace.backward(walk, &t.plan, t.gradients.of(&self.weights));
            let total = self.total(t, &each);
            t.meters.add_loss(samples, total, each.iter().copied());
            for (output, &slot) in self.plan.outputs.iter().enumerate() {
                t.meters.add_output(output, &t.workspace.values[slot].whole(), batch.targets[output], row_weights)?;
            }
            t.row_weights = own;
            total
        };
        t.workspace.halves = halves;
        self.update(t)?;
        Ok(StepLogs { loss, samples })
    }

    /// Mean loss per output; in training also the gradients of the total where backward starts.
    fn losses(&self, t: &Training, pass: &Pass<'_>) -> Result<SmallVec<[f64; 4]>> {
        let mut each = SmallVec::new();
        for (output, loss) in t.how.losses.iter().enumerate() {
            let place = t.plan.losses[output];
            let shape = &self.graph.nodes[self.graph.outputs[output]].shape;
            let columns = shape.last().copied().unwrap_or(1);
            let prediction = pass.workspace.values[place.slot].whole();
            let rows = prediction.len() / columns.max(1);
            let denominator = loss.denominator(rows, pass.targets[output]);
            let batch = LossBatch {
                source: place.logits.map_or(Source::Probabilities, source),
                rows,
                cols: columns,
                prediction: &prediction,
                target: pass.targets[output],
                sample_weight: pass.row_weights,
                denominator,
                first_row: pass.first_row,
            };
            // An output that no trainable weight leads to has no gradient.
            let sum = if pass.training && t.plan.places[place.slot] != GradientPlace::Nowhere {
                // An output that is listed twice has two losses, and their gradients add up.
                let repeated = t.plan.losses[..output].iter().any(|other| other.slot == place.slot);
                let gradients = &pass.workspace.gradients[place.slot];
                let mut values = if repeated { pass.workspace.shared_batch.whole_mut() } else { gradients.whole_mut() };
                let gradient = if repeated { &mut values[..prediction.len()] } else { &mut *values };
                let sum = loss.evaluate(&batch, Some(&mut *gradient), None)?;
                let factor = t.how.loss_weights.get(output).copied().unwrap_or(1.0);
                let factor = t.state.loss_scale.map_or(factor, |l| factor * l.scale);
                if factor != 1.0 {
                    pointwise::scale(gradient, factor);
                }
                if let Some(half) = self.plan.halves[place.slot] {
                    round_on(&self.pool, half, gradient);
                }
                if repeated {
                    pointwise::add_assign(&mut gradients.whole_mut(), gradient);
                }
                sum
            } else {
                loss.evaluate(&batch, None, None)?
            };
            each.push(sum / f64::from(denominator.max(1.0)));
        }
        Ok(each)
    }

    /// The weighted sum of the losses plus the penalties of regularizers.
    fn total(&self, t: &Training, each: &[f64]) -> f64 {
        let weighted: f64 =
            each.iter().enumerate().map(|(o, l)| l * f64::from(t.how.loss_weights.get(o).copied().unwrap_or(1.0))).sum();
        weighted + self.penalty()
    }

    /// Σ of the regularizers' penalties, as the printed loss includes them.
    fn penalty(&self) -> f64 {
        const CHUNK: usize = 1 << 16;
        const TASKS: usize = 64;
        let mut total = 0.0;
        for weight in &self.weights {
            let Some(regularizer) = &weight.regularizer else { continue };
            let values = weight.buffer().whole();
            if values.len() <= 2 * CHUNK {
                total += f64::from(regularizer.function().loss(&values));
                continue;
            }
            // A fixed number of pieces, summed in order: the same bits for any number of threads.
            let mut sums = [0.0f32; TASKS];
            let piece = values.len().div_ceil(TASKS);
            self.pool.for_each_chunk(&mut sums, 1, &|i, sum| {
                let start = (i * piece).min(values.len());
                sum[0] = regularizer.loss_of_part(&values[start..(start + piece).min(values.len())]);
            });
            total += sums.iter().map(|&s| f64::from(s)).sum::<f64>();
        }
        total
    }

    /// The optimizer's step and the weights that move without gradient.
    fn update(&mut self, t: &mut Training) -> Result<()> {
        for (index, step) in self.plan.steps.iter().enumerate().filter(|(_, s)| s.op.has_state()) {
            let mut guards: SmallVec<[RefMut<'_>; 4]> =
                step.weights.iter().map(|&w| self.weights[w].buffer().whole_mut()).collect();
            let mut slices: SmallVec<[&mut [f32]; 4]> = guards.iter_mut().map(|g| &mut **g).collect();
            step.op.update_state(&t.workspace.saved[index].whole(), &mut slices);
        }
        self.apply_gradients(t)
    }

    /// Running means since the last [`Model::reset_metrics`].
    pub fn logs(&self) -> Logs {
        self.training.as_ref().map(|t| t.meters.logs()).unwrap_or_default()
    }

    /// Starts the running means anew, as at the start of an epoch.
    pub fn reset_metrics(&mut self) {
        if let Some(t) = &mut self.training {
            t.meters.reset();
        }
    }

    /// The sums behind [`Model::logs`] as JSON, exactly, so that an epoch that is interrupted can go on; null before `compile`.
    pub fn metrics_state(&self) -> Value {
        self.training.as_ref().map(|t| t.meters.state()).unwrap_or_default()
    }

    /// Takes back what [`Model::metrics_state`] gave. `false`, with the running means started anew, when that was of other outputs or
    /// metrics than the compiled ones.
    pub fn restore_metrics(&mut self, state: &Value) -> bool {
        self.training.as_mut().is_some_and(|t| t.meters.restore(state))
    }

    /// Starts an evaluation with the compiled losses and metrics.
    ///
    /// # Errors
    /// When the model is not compiled.
    pub fn start_evaluation(&self) -> Result<Evaluation> {
        let t = self.training.as_ref().ok_or(Error::NotCompiled("evaluate"))?;
        Ok(Evaluation { meters: self.meters(&t.how), workspace: Workspace::default() })
    }

    /// Adds a batch to an evaluation; the weights stay as they are. `take(output, values)` sees each output.
    ///
    /// # Errors
    /// When samples do not fit the inputs or targets the outputs, or there is not the memory for a batch of that size.
    pub fn test_on_batch(
        &self,
        evaluation: &mut Evaluation,
        batch: Batch<'_>,
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let t = self.training.as_ref().ok_or(Error::NotCompiled("evaluate"))?;
        let samples = batch.feed.samples();
        self.check_feed(batch.feed)?;
        check_targets(self.plan.outputs.len(), batch.targets.len())?;
        check_class_weight(&batch, samples)?;
        let workspace = &mut evaluation.workspace;
        if workspace.must_grow(samples, false, self.pool.threads()) {
            self.check_memory(samples, false)?;
        }
        let mut halves = std::mem::take(&mut workspace.halves);
        halves.refresh(&self.plan, &self.weights, &self.pool);
        let guards: WeightGuards<'_> = self.weights.iter().map(|w| w.buffer().whole()).collect();
        let weights = StepWeights { values: &guards, halves: &halves };
        workspace.prepare(&self.plan, None, samples, self.pool.threads());
        workspace.pack(&self.plan, weights, &self.pool, |weight| self.weights[weight].buffer().stamp());
        workspace.forward(Walk { plan: &self.plan, weights, pool: &self.pool, seed: self.seed, step: 0 }, batch.feed, false);
        drop(guards);
        workspace.halves = halves;
        let mut own = Vec::new();
        let row_weights = row_weights(&mut own, &batch, samples);
        let first_row = evaluation.meters.samples();
        let each = self.losses(t, &Pass { workspace, targets: batch.targets, row_weights, first_row, training: false })?;
        for (output, &slot) in self.plan.outputs.iter().enumerate() {
            let values = workspace.values[slot].whole();
            evaluation.meters.add_output(output, &values, batch.targets[output], row_weights)?;
            take(output, &values);
        }
        let total = self.total(t, &each);
        evaluation.meters.add_loss(samples, total, each.iter().copied());
        Ok(())
    }

    fn check_feed(&self, feed: &dyn Feed) -> Result<()> {
        let lengths: SmallVec<[usize; 4]> = self.plan.inputs.iter().map(|&slot| self.plan.slots[slot]).collect();
        feed.check(&lengths)
    }

    /// The gradients of the last step, for tests and diagnosis: per weight, empty where it is frozen. `None` before the first step.
    pub fn gradients(&self) -> Option<&[Buffer]> {
        self.training.as_ref().and_then(|t| t.gradients.get())
    }
}

/// What the losses look at after a forward walk.
struct Pass<'a> {
    workspace: &'a Workspace,
    targets: &'a [Target<'a>],
    row_weights: Option<&'a [f32]>,
    first_row: usize,
    training: bool,
}

fn check_targets(outputs: usize, targets: usize) -> Result<()> {
    if outputs == targets {
        return Ok(());
    }
    Err(Error::data("targets", format!("{outputs} (one per output)"), targets.to_string()))
}

/// Class weights go by the classes of the one output, as in Keras, and need a target and a weight for each sample.
fn check_class_weight(batch: &Batch<'_>, samples: usize) -> Result<()> {
    let (Some(_), Some(target)) = (batch.class_weight, batch.targets.first()) else { return Ok(()) };
    if batch.targets.len() > 1 {
        let got = format!("{} outputs", batch.targets.len());
        return Err(Error::data("class_weight", "a model of one output (give samples weights instead)", got));
    }
    let (fits, got) = match *target {
        Target::Classes(classes) => (classes.len() == samples, classes.len()),
        Target::Values(values) => (!values.is_empty() && values.len().is_multiple_of(samples), values.len()),
    };
    if !fits {
        return Err(Error::data("targets", format!("one row for each of {samples} samples"), format!("{got} values")));
    }
    match batch.sample_weight {
        Some(weights) if weights.len() != samples => {
            Err(Error::data("sample_weight", format!("{samples} values (one per sample)"), weights.len().to_string()))
        }
        _ => Ok(()),
    }
}

/// What each row counts: class weights times sample weights, or nothing when all count 1.
fn row_weights<'a>(own: &'a mut Vec<f32>, batch: &Batch<'a>, samples: usize) -> Option<&'a [f32]> {
    match (batch.class_weight, batch.sample_weight) {
        (None, weights) => weights,
        (Some(classes), weights) => {
            own.clear();
            match weights {
                Some(weights) => own.extend_from_slice(weights),
                None => own.resize(samples, 1.0),
            }
            if let Some(&target) = batch.targets.first() {
                apply_class_weights(classes, target, own);
            }
            Some(own)
        }
    }
}
