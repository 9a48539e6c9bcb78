//! What an optimizer does with the elements of a weight.

use super::Base;
use crate::object::{ConfigError, Object};
use maobi_kernels::pool::Pool;

/// Most slots that a formula may have.
pub const MOST_SLOTS: usize = 4;

/// What an optimizer does. Its arguments are declared by [`keras_object!`](crate::keras_object) with a [`Base`];
/// [`optimizer_base!`](crate::optimizer_base) adds `new` and the setters that all optimizers have.
///
/// ```
/// use maobi_nn::optimizers::{Base, Formula, Optimizer, Slots, Step};
/// use maobi_nn::{keras_object, optimizer_base};
///
/// keras_object! {
///     /// w ← w − rate·(m ← decay·m + g).
///     pub struct HeavyBall("heavy_ball") with base: Base = Base::new(0.01), {
///         /// Share of the old m that stays; 0.9 by default.
///         decay: f32 = 0.9,
///     }
/// }
/// optimizer_base!(HeavyBall);
///
/// impl Formula for HeavyBall {
///     fn slots(&self) -> &'static [&'static [&'static str]] {
///         &[&["momentum"]]
///     }
///
///     fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
///         for ((w, g), m) in w.iter_mut().zip(g).zip(slots.take("momentum")) {
///             *m = self.decay * *m + g;
///             *w -= step.learning_rate * *m;
///         }
///     }
/// }
///
/// Optimizer::register::<HeavyBall>();
/// let optimizer: Optimizer = HeavyBall::new(0.1).decay(0.5).clipnorm(1.0).into();
/// assert_eq!(Optimizer::from_value(&optimizer.to_value()).unwrap(), optimizer);
/// ```
pub trait Formula: HasBase + Object {
    /// Names of the slot variables, in groups: files hold a group for all weights before the next group begins. At most [`MOST_SLOTS`].
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[]
    }

    /// How one weight is treated, by its path ("sequential/dense/kernel") and shape; all alike by default.
    fn treatment(&self, path: &str, shape: &[usize]) -> Treatment {
        let _ = (path, shape);
        Treatment { slots: self.slots(), weight_decay: self.base().weight_decay, whole: None }
    }

    /// The value a slot starts at; 0 by default.
    fn initial(&self, slot: &str) -> f32 {
        let _ = slot;
        0.0
    }

    /// For a formula that needs the product of a factor over all steps (Nadam): the factor of step `number`, from 1. Files hold the
    /// product as a variable.
    fn factor(&self, number: u64) -> Option<f32> {
        let _ = number;
        None
    }

    /// One step on a run of elements of a weight `w`, with gradient `g` of the same length. Must not depend on where a run begins, and
    /// must not allocate.
    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>);

    /// One step on a weight whose [`Treatment::whole`] asks for it; as [`Formula::update`] by default.
    fn update_whole(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>, whole: Whole<'_>) {
        let _ = whole;
        self.update(step, w, g, slots);
    }

    /// Checks what the ranges of the arguments do not say.
    ///
    /// # Errors
    /// [`ConfigError`] for arguments that do not go together.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// An optimizer with a [`Base`]; [`optimizer_base!`](crate::optimizer_base) implements it.
pub trait HasBase {
    /// What all optimizers have in common.
    fn base(&self) -> &Base;

    /// The same, to change.
    fn base_mut(&mut self) -> &mut Base;

    /// A copy.
    fn boxed(&self) -> Box<dyn Formula>;
}

/// How an optimizer treats a weight.
#[derive(Clone, Copy, Debug)]
pub struct Treatment {
    /// Names of its slots, as in [`Formula::slots`].
    pub slots: &'static [&'static [&'static str]],
    /// Its weight decay.
    pub weight_decay: Option<f64>,
    /// Set where runs of elements will not do: [`Formula::update_whole`] gets the whole weight and so many values of scratch memory.
    pub whole: Option<usize>,
}

/// What [`Formula::update_whole`] works with.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The weight's shape.
    pub shape: &'a [usize],
    /// The threads.
    pub pool: &'a Pool,
    /// As many values as [`Treatment::whole`] says; they hold anything.
    pub scratch: &'a mut [f32],
}

/// What is the same for all elements in one step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The step size.
    pub learning_rate: f32,
    /// Number of this step, from 1: Keras' `iterations + 1`.
    pub number: u64,
    /// The product of [`Formula::factor`] up to and with this step; 1 without one.
    pub product: f32,
}

/// The slot values of a run of elements.
#[derive(Debug)]
pub struct Slots<'a> {
    pub(super) names: [&'static str; MOST_SLOTS],
    pub(super) values: [&'a mut [f32]; MOST_SLOTS],
}

impl<'a> Slots<'a> {
    /// The values of a slot, as many as the run has elements; none when it is taken already or [`Formula::slots`] does not name it.
    pub fn take(&mut self, name: &str) -> &'a mut [f32] {
        match self.names.iter().position(|own| *own == name) {
            Some(at) => std::mem::take(&mut self.values[at]),
            None => &mut [],
        }
    }
}

/// Keras' `power(cast(beta), cast(step))`, in f32 as there: 1 − βᵗ must round the same way.
pub(super) fn power(beta: f64, step: u64) -> f32 {
    (beta as f32).powf(step as f32)
}
