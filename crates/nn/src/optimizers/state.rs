//! What an optimizer remembers between steps, and its order in files.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use maobi_kernels::memory::{Buffer, Ref};

use super::chunk::{CHUNK, Chunk, partition};
use super::{DynamicScale, LearningRate, MOST_SLOTS, Optimizer, Treatment};

/// The iteration, the learning rate and the slot variables of one training run.
///
/// Made for the trainable weights of a model, in their order.
#[derive(Debug)]
pub struct OptimizerState {
    /// Steps taken so far.
    pub iterations: u64,
    /// The current step size. Callbacks may set it; a schedule sets it anew at each step.
    pub learning_rate: f32,
    /// The factor of the loss, where the optimizer scales it.
    pub loss_scale: Option<DynamicScale>,
    /// The running product of [`Formula::factor`](super::Formula::factor); 1 and unused where there is none.
    pub(super) product: f32,
    pub(super) weights: Vec<WeightInfo>,
    /// The slots of all weights, from `WeightInfo::first` on; the moving average, where kept, is the last of each. Made when first needed.
    slots: OnceLock<Vec<Buffer>>,
    /// What each slot starts with.
    initial: Vec<f32>,
    /// Scratch memory of weights that are updated as a whole, and how much the largest needs.
    pub(super) scratch: Vec<f32>,
    pub(super) scratch_len: usize,
    left_out: bool,
    pub(super) use_ema: bool,
    /// Every chunk of every weight, in order: what a step's tasks are.
    pub(super) chunks: Vec<Chunk>,
    /// Sums of squares of the chunks' gradients, as bits of f64.
    pub(super) squares: Vec<AtomicU64>,
    /// The factor of each weight's gradient that clipping asks for.
    pub(super) scales: Vec<f32>,
    has_rate_variable: bool,
    has_product: bool,
}

/// A weight as the state knows it.
#[derive(Clone, Debug)]
pub(super) struct WeightInfo {
    pub(super) path: String,
    pub(super) shape: Vec<usize>,
    pub(super) len: usize,
    pub(super) treatment: Treatment,
    /// The place of its first slot among all.
    pub(super) first: usize,
}

impl WeightInfo {
    /// The names of its slots, without the moving average.
    pub(super) fn slots(&self) -> impl Iterator<Item = &'static str> {
        self.treatment.slots.iter().copied().flatten().copied()
    }

    /// The place of its moving average.
    pub(super) fn average(&self) -> usize {
        self.first + self.slots().count()
    }
}

/// What a slot variable is called and how large it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotShape {
    /// As in [`StateVariable`].
    pub name: String,
    /// As in [`StateVariable`].
    pub weight: Option<usize>,
    /// As in [`StateVariable`].
    pub slot: &'static str,
    /// As in [`StateVariable`].
    pub shape: Vec<usize>,
}

/// A slot variable as files hold it.
pub struct StateVariable<'a> {
    /// Keras' name: the weight's path with `_` for `/`, then the slot, such as `sequential_dense_kernel_momentum`.
    pub name: String,
    /// Its weight's index among the trainable weights; `None` for a variable of the optimizer as a whole.
    pub weight: Option<usize>,
    /// The slot alone, such as `momentum`.
    pub slot: &'static str,
    /// The weight's shape, or `[]`.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: VariableValues<'a>,
}

/// The values of a [`StateVariable`].
pub enum VariableValues<'a> {
    /// A slot.
    Slot(Ref<'a>),
    /// A scalar.
    Scalar([f32; 1]),
}

impl std::ops::Deref for VariableValues<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            VariableValues::Slot(values) => values,
            VariableValues::Scalar(value) => value,
        }
    }
}

/// A slot variable as read from a file.
#[derive(Clone, Copy, Debug)]
pub struct SavedVariable<'a> {
    /// Its shape.
    pub shape: &'a [usize],
    /// Its values, row-major.
    pub values: &'a [f32],
}

/// Why saved variables do not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StateError {
    /// Too few or too many.
    #[error(
        "the optimizer has {expected} slot variables for this model, the file has {got}; it was saved with another model or optimizer"
    )]
    Count {
        /// Slot variables of this state.
        expected: usize,
        /// Variables given.
        got: usize,
    },
    /// A variable with another shape.
    #[error("optimizer variable {index} ({name}) has shape {expected:?}, in the file {got:?} with {len} values")]
    Shape {
        /// Its index among the slot variables.
        index: usize,
        /// Its name.
        name: String,
        /// The shape it has here.
        expected: Vec<usize>,
        /// The shape in the file.
        got: Vec<usize>,
        /// The number of values in the file.
        len: usize,
    },
}

impl OptimizerState {
    /// The state before the first step: slots at their starting values, which take no memory before they are needed.
    ///
    /// `weights` are the paths ("sequential/dense/kernel") and shapes of the trainable weights, in model order.
    ///
    /// # Panics
    /// When the optimizer names more than [`MOST_SLOTS`] slots.
    pub fn new<'a>(optimizer: &Optimizer, weights: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> OptimizerState {
        let (formula, base) = (optimizer.formula(), optimizer.base());
        let mut initial = Vec::new();
        let info = |(path, shape): (&str, &[usize])| {
            let (treatment, first) = (formula.treatment(path, shape), initial.len());
            let info = WeightInfo { path: path.into(), shape: shape.into(), len: shape.iter().product(), treatment, first };
            initial.extend(info.slots().map(|slot| formula.initial(slot)));
            assert!(initial.len() - first <= MOST_SLOTS, "{} has more than {MOST_SLOTS} slots", optimizer.class_name());
            initial.extend(base.use_ema.then_some(0.0));
            info
        };
        let weights: Vec<WeightInfo> = weights.into_iter().map(info).collect();
        let chunks: Vec<Chunk> = weights
            .iter()
            .enumerate()
            .flat_map(|(index, weight)| {
                (0..weight.len.div_ceil(CHUNK)).map(move |part| Chunk { weight: index, part: Some(part) })
            })
            .collect();
        OptimizerState {
            iterations: 0,
            learning_rate: base.learning_rate.initial(),
            loss_scale: base.loss_scale.map(DynamicScale::new),
            product: 1.0,
            squares: chunks.iter().map(|_| AtomicU64::new(0)).collect(),
            scales: vec![1.0; weights.len()],
            chunks,
            slots: OnceLock::new(),
            initial,
            scratch: Vec::new(),
            scratch_len: weights.iter().filter_map(|w| w.treatment.whole.map(|scratch| w.len + scratch)).max().unwrap_or(0),
            left_out: false,
            use_ema: base.use_ema,
            has_rate_variable: matches!(base.learning_rate, LearningRate::Constant(_)),
            has_product: optimizer.formula().factor(1).is_some(),
            weights,
        }
    }

    /// Whether files hold a learning-rate variable after the iteration: not where a schedule rules.
    pub fn has_learning_rate_variable(&self) -> bool {
        self.has_rate_variable
    }

    /// Whether there are slots: not in a model that only predicts and evaluates, see [`OptimizerState::leave_out_slots`].
    pub fn has_slots(&self) -> bool {
        !self.left_out
    }

    /// Gives up the slots, and their memory, for good. Iteration and learning rate stay; the model can no longer train, and files that
    /// are written from it hold no optimizer state.
    pub fn leave_out_slots(&mut self) {
        self.left_out = true;
        self.slots = OnceLock::new();
    }

    /// Names and shapes of [`OptimizerState::variables`], in the same order; takes no memory for the slots.
    pub fn slot_shapes(&self) -> Vec<SlotShape> {
        let slots = self.order().into_iter().map(|(weight, _, slot)| SlotShape {
            name: self.variable_name(weight, slot),
            weight: Some(weight),
            slot,
            shape: self.weights[weight].shape.clone(),
        });
        let product = SlotShape { name: "variable".into(), weight: None, slot: "variable", shape: Vec::new() };
        slots.chain(self.has_product.then_some(product)).collect()
    }

    /// The slot variables in the order of Keras' `optimizer.variables` after iteration and learning rate: moving averages, then
    /// group by group the slots of all weights, then the product, where the optimizer has one.
    pub fn variables(&self) -> Vec<StateVariable<'_>> {
        let places = self.order().into_iter().map(|(_, place, _)| Some(place)).chain([None]);
        let variable = |(SlotShape { name, weight, slot, shape }, place): (SlotShape, Option<usize>)| {
            let values = match place {
                Some(place) => VariableValues::Slot(self.slots()[place].whole()),
                None => VariableValues::Scalar([self.product]),
            };
            StateVariable { name, weight, slot, shape, values }
        };
        self.slot_shapes().into_iter().zip(places).map(variable).collect()
    }

    /// The slots, at their starting values when nothing has changed them yet.
    pub(super) fn slots(&self) -> &[Buffer] {
        self.slots.get_or_init(|| self.new_slots())
    }

    /// Whether the slots have memory.
    pub(crate) fn is_allocated(&self) -> bool {
        self.slots.get().is_some()
    }

    /// Values of all slots and of scratch memory.
    pub(crate) fn slot_values(&self) -> usize {
        let slots = |weight: &WeightInfo| weight.slots().count() + usize::from(self.use_ema);
        self.weights.iter().map(|weight| weight.len * slots(weight)).sum::<usize>() + self.scratch_len
    }

    fn new_slots(&self) -> Vec<Buffer> {
        let mut slots = Vec::with_capacity(self.initial.len());
        for weight in &self.weights {
            for place in weight.first..weight.average() + usize::from(self.use_ema) {
                let mut buffer = Buffer::new(weight.len);
                if self.initial[place] != 0.0 {
                    buffer.get_mut().fill(self.initial[place]);
                }
                partition(&mut buffer);
                slots.push(buffer);
            }
        }
        slots
    }

    /// Puts back what [`OptimizerState::variables`] gave, in the same order. Changes nothing on failure.
    ///
    /// `iterations` and `learning_rate` are public fields; set them beside this.
    ///
    /// # Errors
    /// [`StateError`] when the number of variables or a shape differs.
    pub fn load_variables(&mut self, saved: &[SavedVariable<'_>]) -> Result<(), StateError> {
        let order = self.order();
        let expected = order.len() + usize::from(self.has_product);
        if saved.len() != expected {
            return Err(StateError::Count { expected, got: saved.len() });
        }
        for (index, variable) in saved.iter().enumerate() {
            let (name, shape, len) = match order.get(index) {
                Some(&(weight, _, name)) => {
                    let info = &self.weights[weight];
                    (self.variable_name(weight, name), info.shape.as_slice(), info.len)
                }
                None => ("variable".into(), [].as_slice(), 1),
            };
            if variable.shape != shape || variable.values.len() != len {
                let (expected, got) = (shape.to_vec(), variable.shape.to_vec());
                return Err(StateError::Shape { index, name, expected, got, len: variable.values.len() });
            }
        }
        for ((_, place, _), variable) in order.iter().zip(saved) {
            self.slots()[*place].whole_mut().copy_from_slice(variable.values);
        }
        if let (true, Some(product)) = (self.has_product, saved.last()) {
            self.product = product.values[0];
        }
        Ok(())
    }

    /// (weight, place among all slots, slot name) in file order.
    fn order(&self) -> Vec<(usize, usize, &'static str)> {
        let mut order = Vec::new();
        if self.use_ema {
            order.extend(self.weights.iter().enumerate().map(|(index, weight)| (index, weight.average(), "average")));
        }
        let groups = self.weights.iter().map(|weight| weight.treatment.slots.len()).max().unwrap_or(0);
        for group in 0..groups {
            for (index, weight) in self.weights.iter().enumerate() {
                let slots = weight.treatment.slots;
                let first = weight.first + slots.iter().take(group).map(|group| group.len()).sum::<usize>();
                let names = slots.get(group).copied().unwrap_or_default();
                order.extend(names.iter().enumerate().map(|(i, name)| (index, first + i, *name)));
            }
        }
        order
    }

    fn variable_name(&self, weight: usize, slot: &str) -> String {
        format!("{}_{slot}", self.weights[weight].path.replace('/', "_"))
    }
}

impl Clone for OptimizerState {
    fn clone(&self) -> OptimizerState {
        let copy = |buffer: &Buffer| {
            let mut copy = Buffer::new(buffer.len());
            copy.get_mut().copy_from_slice(&buffer.whole());
            partition(&mut copy);
            copy
        };
        OptimizerState {
            iterations: self.iterations,
            learning_rate: self.learning_rate,
            loss_scale: self.loss_scale,
            product: self.product,
            weights: self.weights.clone(),
            slots: self
                .slots
                .get()
                .map_or_else(OnceLock::new, |slots| OnceLock::from(slots.iter().map(copy).collect::<Vec<_>>())),
            initial: self.initial.clone(),
            scratch: Vec::new(),
            scratch_len: self.scratch_len,
            left_out: self.left_out,
            use_ema: self.use_ema,
            chunks: self.chunks.clone(),
            squares: self.squares.iter().map(|bits| AtomicU64::new(bits.load(Ordering::Relaxed))).collect(),
            scales: self.scales.clone(),
            has_rate_variable: self.has_rate_variable,
            has_product: self.has_product,
        }
    }
}
