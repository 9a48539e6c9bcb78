//! `compile`: optimizer, losses and metrics, and what training allocates once.

use super::meters::Meters;
use super::{Model, Weight};
use crate::error::{Error, Result};
use crate::exec::{TrainingPlan, Workspace};
use crate::graph::Kind;
use crate::losses::{Loss, Source};
use crate::metrics::Metric;
use crate::op::Logits;
use crate::optimizers::{CHUNK, Optimizer, OptimizerState, WeightRef, Weights, partition};
use crate::precision::Precision;
use maobi_kernels::memory::Buffer;
use maobi_kernels::{pointwise, reduce};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most classes that F1Score counts: its sums take memory before the first step.
const MOST_CLASSES: usize = 1 << 20;

/// The arguments of Keras' `compile`.
///
/// ```
/// use maobi_nn::{Compile, losses::SparseCategoricalCrossentropy, optimizers::Adam};
/// let how = Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new()).metrics(["accuracy"])?;
/// # Ok::<(), maobi_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Compile {
    /// What turns gradients into steps.
    pub optimizer: Optimizer,
    /// One loss per output.
    pub losses: Vec<Loss>,
    /// Factors of the losses in the total; 1 where absent.
    pub loss_weights: Vec<f32>,
    /// Metrics per output.
    pub metrics: Vec<Vec<Metric>>,
}

impl Compile {
    /// One loss, no metrics.
    pub fn new(optimizer: impl Into<Optimizer>, loss: impl Into<Loss>) -> Compile {
        Compile { optimizer: optimizer.into(), losses: vec![loss.into()], loss_weights: vec![], metrics: vec![] }
    }

    /// Losses of a model with several outputs, in the order of the outputs.
    #[must_use]
    pub fn losses(mut self, losses: impl IntoIterator<Item = impl Into<Loss>>) -> Compile {
        self.losses = losses.into_iter().map(Into::into).collect();
        self
    }

    /// Factors of the losses, in the order of the outputs.
    #[must_use]
    pub fn loss_weights(mut self, weights: impl IntoIterator<Item = f32>) -> Compile {
        self.loss_weights = weights.into_iter().collect();
        self
    }

    /// Metrics of every output, by Keras' names.
    ///
    /// # Errors
    /// A name that is no metric; the message lists those there are.
    pub fn metrics<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Result<Compile> {
        let metrics = names.into_iter().map(|n| Ok(Metric::from_value(&n.into())?)).collect::<Result<Vec<_>>>()?;
        self.metrics = vec![metrics; self.losses.len()];
        Ok(self)
    }
}

/// A compiled model's training state.
#[derive(Debug)]
pub struct Training {
    pub(crate) how: Compile,
    pub(crate) plan: TrainingPlan,
    pub(crate) workspace: Workspace,
    /// Indices of the weights that the optimizer changes.
    pub(crate) trainable: Vec<usize>,
    pub(crate) gradients: Gradients,
    pub(crate) state: OptimizerState,
    pub(crate) meters: Meters,
    /// Row weights of the batch, made of class and sample weights.
    pub(crate) row_weights: Vec<f32>,
}

impl Training {
    pub(crate) fn optimizer_params(&self) -> usize {
        self.state.slot_shapes().iter().map(|slot| slot.shape.iter().product::<usize>()).sum::<usize>() + 2
    }
}

/// A gradient for each weight, empty for frozen ones. Takes memory at the first step.
#[derive(Debug, Default)]
pub(crate) struct Gradients(OnceLock<Vec<Buffer>>);

impl Gradients {
    /// The gradients of `weights`; zeros before the first step.
    pub(crate) fn of(&self, weights: &[Weight]) -> &[Buffer] {
        let new = |weight: &Weight| {
            let mut gradient = Buffer::new(if weight.trainable { weight.len() } else { 0 });
            partition(&mut gradient);
            gradient
        };
        self.0.get_or_init(|| weights.iter().map(new).collect())
    }

    /// The same, where there was a step.
    pub(crate) fn get(&self) -> Option<&[Buffer]> {
        self.0.get().map(Vec::as_slice)
    }
}

impl Model {
    /// Sets optimizer, losses and metrics; the optimizer starts anew, and takes memory at the first step. Under the policy `mixed_float16` the optimizer scales the loss
    /// from here on, as Keras' `auto_scale_loss` makes it.
    ///
    /// # Errors
    /// Arguments that the optimizer cannot have, not one loss per output, or a metric of too many classes.
    pub fn compile(&mut self, mut how: Compile) -> Result<()> {
        if self.precision() == Precision::MixedFloat16 {
            how.optimizer.base_mut().loss_scale.get_or_insert_default();
        }
        how.optimizer.check()?;
        let outputs = self.output_shapes();
        if how.losses.len() != outputs.len() {
            return Err(Error::data("losses", format!("{} (one per output)", outputs.len()), how.losses.len().to_string()));
        }
        if !how.loss_weights.is_empty() && how.loss_weights.len() != outputs.len() {
            return Err(Error::data(
                "loss_weights",
                format!("{} (one per output) or none", outputs.len()),
                how.loss_weights.len().to_string(),
            ));
        }
        if !how.metrics.is_empty() && how.metrics.len() != outputs.len() {
            return Err(Error::data(
                "metrics",
                format!("{} lists (one per output)", outputs.len()),
                how.metrics.len().to_string(),
            ));
        }
        for (metrics, shape) in how.metrics.iter().zip(&outputs) {
            let columns = shape.last().copied().unwrap_or(1);
            // Figures of each column, such as F1Score's, take memory that no file has shown to hold.
            let by_column = |metric: &&Metric| metric.function().sums(columns) > metric.function().sums(1);
            if columns > MOST_CLASSES
                && let Some(metric) = metrics.iter().find(by_column)
            {
                let got = format!("an output of {columns} columns");
                let expected = format!("{} of at most {MOST_CLASSES} classes", metric.function().class_name());
                return Err(Error::data("metrics", expected, got));
            }
        }
        if !self.weights.iter().any(|w| w.trainable) {
            return Err(Error::graph(self.name(), "has no trainable weights; there is nothing to train"));
        }
        let trainable: Vec<bool> = self.weights.iter().map(|w| w.trainable).collect();
        let lengths: Vec<usize> = self.weights.iter().map(Weight::len).collect();
        let wants = |output: usize, logits: Logits| {
            let source = source(logits);
            how.losses[output].source_for(source) == source
        };
        let plan = TrainingPlan::new(&self.plan, &trainable, &lengths, wants);
        self.weights.iter_mut().for_each(Weight::part);
        let trainable = (0..trainable.len()).filter(|&w| trainable[w]).collect();
        let meters = self.meters(&how);
        let state = self.optimizer_state(&how.optimizer);
        self.training = Some(Training {
            how,
            plan,
            workspace: Workspace::default(),
            trainable,
            gradients: Gradients::default(),
            state,
            meters,
            row_weights: Vec::new(),
        });
        Ok(())
    }

    /// A fresh state for the trainable weights.
    fn optimizer_state(&self, optimizer: &Optimizer) -> OptimizerState {
        let prefix = match self.graph.kind {
            Kind::Sequential => format!("{}/", self.name()),
            Kind::Functional => String::new(),
        };
        let paths: Vec<(String, &[usize])> =
            self.weights.iter().filter(|w| w.trainable).map(|w| (format!("{prefix}{}", w.path), w.shape.as_slice())).collect();
        OptimizerState::new(optimizer, paths.iter().map(|(path, shape)| (path.as_str(), *shape)))
    }

    /// The optimizer's step with the gradients that backward left; with a scaled loss, only when all of them are finite.
    ///
    /// # Errors
    /// Gradients that stay infinite or NaN until nothing is left of the factor of the loss.
    pub(crate) fn apply_gradients(&self, t: &mut Training) -> Result<()> {
        if let (Some(how), Some(mut factor)) = (t.how.optimizer.base().loss_scale, t.state.loss_scale) {
            let finite = self.unscale(t, factor.scale);
            factor.advance(how, finite);
            t.state.loss_scale = Some(factor);
            if !finite {
                // Below, the scale's inverse would be infinite, and finite gradients with it.
                return match factor.scale >= f32::MIN_POSITIVE {
                    true => Ok(()),
                    false => Err(Error::data(
                        "gradients",
                        "finite numbers at some loss scale",
                        "NaN or infinity at every scale: training has diverged. Lower the learning rate, or train with precision float32",
                    )),
                };
            }
        }
        let weights = Trainable { weights: &self.weights, gradients: t.gradients.of(&self.weights), indices: &t.trainable };
        t.how.optimizer.apply(&mut t.state, &self.pool, &weights);
        // After the moving average of the weights, as in Keras.
        for weight in t.trainable.iter().map(|&weight| &self.weights[weight]) {
            if let Some(constraint) = &weight.constraint {
                constraint.function().project(&weight.shape, &mut weight.buffer().whole_mut());
            }
        }
        Ok(())
    }

    /// Divides all gradients by the factor of the loss; whether all of them were finite.
    fn unscale(&self, t: &Training, factor: f32) -> bool {
        let finite = AtomicBool::new(true);
        for &weight in &t.trainable {
            self.pool.for_each_chunk(&mut t.gradients.of(&self.weights)[weight].whole_mut(), CHUNK, &|_, chunk| {
                if !reduce::is_all_finite(chunk) {
                    finite.store(false, Ordering::Relaxed);
                }
                pointwise::scale(chunk, 1.0 / factor);
            });
        }
        finite.into_inner()
    }

    /// Ends training: gives the weights the values of their moving average where the optimizer keeps one, as Keras does.
    pub fn finalize_weights(&mut self) {
        let Some(t) = self.training.as_ref().filter(|t| t.how.optimizer.base().use_ema) else { return };
        let gradients = t.gradients.of(&self.weights);
        t.how.optimizer.finalize(&t.state, &Trainable { weights: &self.weights, gradients, indices: &t.trainable });
    }

    /// What the model was compiled with.
    pub fn compiled(&self) -> Option<&Compile> {
        self.training.as_ref().map(|t| &t.how)
    }

    /// The optimizer's variables (iteration, learning rate, slots).
    pub fn optimizer_state_ref(&self) -> Option<&OptimizerState> {
        self.training.as_ref().map(|t| &t.state)
    }

    /// The optimizer's variables, to change.
    pub fn optimizer_state_mut(&mut self) -> Option<&mut OptimizerState> {
        self.training.as_mut().map(|t| &mut t.state)
    }

    /// Empty meters for one pass over data with these losses and metrics.
    pub(crate) fn meters(&self, how: &Compile) -> Meters {
        let shapes = self.output_shapes();
        let names = self.output_names();
        Meters::new(
            (0..shapes.len())
                .map(|o| {
                    let columns = shapes[o].last().copied().unwrap_or(1);
                    let metrics = how.metrics.get(o).map(Vec::as_slice).unwrap_or_default();
                    let metrics = metrics.iter().map(|m| m.resolve(&how.losses[o], columns)).collect();
                    (names[o].to_string(), columns, metrics)
                })
                .collect(),
        )
    }
}

/// The losses' word for what an op's input is.
pub(crate) fn source(logits: Logits) -> Source {
    match logits {
        Logits::Softmax => Source::SoftmaxLogits,
        Logits::Sigmoid => Source::SigmoidLogits,
    }
}

/// The trainable weights and their gradients as the optimizer takes them.
struct Trainable<'a> {
    weights: &'a [Weight],
    gradients: &'a [Buffer],
    indices: &'a [usize],
}

impl Weights for Trainable<'_> {
    fn count(&self) -> usize {
        self.indices.len()
    }

    fn weight(&self, index: usize) -> WeightRef<'_> {
        let at = self.indices[index];
        let weight = &self.weights[at];
        WeightRef { value: weight.buffer(), gradient: &self.gradients[at], regularizer: weight.regularizer.as_ref(), decay: true }
    }
}
