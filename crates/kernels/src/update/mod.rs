//! The element-wise optimizer updates, formulas and order of operations as in keras/src/optimizers.
//!
//! Every slice of a call has one length: `w` the weights, `g` their gradient, the others the optimizer's slots, all updated in
//! place. What depends on the step alone (bias corrections) comes in as a scalar.

mod params;
mod scalar;

pub use params::{Adadelta, Adagrad, Adam, Adamax, Ftrl, Lion, Nadam, RMSprop};

use crate::versions::kernels;

fn check(name: &str, lens: &[usize]) {
    assert!(lens.windows(2).all(|pair| pair[0] == pair[1]), "{name}: slices differ in length: {lens:?}");
}

fn len_or(slot: Option<&[f32]>, len: usize) -> usize {
    slot.map_or(len, <[f32]>::len)
}

kernels! {
    /// `w −= lr·g` (sgd.py without momentum).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn sgd / sgd_with(lr: f32, w: &mut [f32], g: &[f32]) {
        check("sgd", &[w.len(), g.len()]);
    }

    /// `m ← momentum·m − lr·g`, then `w += m`, or with Nesterov `w += momentum·m − lr·g` (sgd.py).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn sgd_momentum / sgd_momentum_with(lr: f32, momentum: f32, nesterov: bool, w: &mut [f32], g: &[f32], m: &mut [f32]) {
        check("sgd_momentum", &[w.len(), g.len(), m.len()]);
    }

    /// Adam (adam.py): `m += (g − m)·(1 − β₁)`, `v += (g² − v)·(1 − β₂)`, `w −= α·m / (√v + ε)`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn adam / adam_with(p: &Adam, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        check("adam", &[w.len(), g.len(), m.len(), v.len()]);
    }

    /// [`adam`] with `amsgrad=True`: the root is taken of `v_max ← max(v_max, v)`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn adam_amsgrad / adam_amsgrad_with(
        p: &Adam, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], v_max: &mut [f32],
    ) {
        check("adam_amsgrad", &[w.len(), g.len(), m.len(), v.len(), v_max.len()]);
    }

    /// RMSprop (rmsprop.py): `v ← ρ·v + (1 − ρ)·g²`; `d = v + ε`, less the square of `average ← ρ·average + (1 − ρ)·g` when given;
    /// `i = lr·g / √d`; `w −= i`, or with momentum `m ← momentum·m + i`, `w −= m`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn rmsprop / rmsprop_with(
        p: &RMSprop, w: &mut [f32], g: &[f32], v: &mut [f32], m: Option<&mut [f32]>, average: Option<&mut [f32]>,
    ) {
        let len = w.len();
        check("rmsprop", &[len, g.len(), v.len(), len_or(m.as_deref(), len), len_or(average.as_deref(), len)]);
    }

    /// Adagrad (adagrad.py): `a += g²`, `w −= lr·g / √(a + ε)`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn adagrad / adagrad_with(p: &Adagrad, w: &mut [f32], g: &[f32], a: &mut [f32]) {
        check("adagrad", &[w.len(), g.len(), a.len()]);
    }

    /// Adadelta (adadelta.py): `a ← ρ·a + (1 − ρ)·g²`, `δ = −√(d + ε)·g / √(a + ε)`, `d ← ρ·d + (1 − ρ)·δ²`, `w += lr·δ`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn adadelta / adadelta_with(p: &Adadelta, w: &mut [f32], g: &[f32], a: &mut [f32], d: &mut [f32]) {
        check("adadelta", &[w.len(), g.len(), a.len(), d.len()]);
    }

    /// Nadam (nadam.py): moments as [`adam`]'s; `m̂ = u₊·m / (1 − U₊) + (1 − u)·g / (1 − U)`, `v̂ = v / (1 − β₂ᵗ)`,
    /// `w −= lr·m̂ / (√v̂ + ε)`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn nadam / nadam_with(p: &Nadam, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        check("nadam", &[w.len(), g.len(), m.len(), v.len()]);
    }

    /// Lion (lion.py): `w −= lr·sign(β₁·m + (1 − β₁)·g)`, then `m ← β₂·m + (1 − β₂)·g`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn lion / lion_with(p: &Lion, w: &mut [f32], g: &[f32], m: &mut [f32]) {
        check("lion", &[w.len(), g.len(), m.len()]);
    }

    /// Adamax (adamax.py): `m += (g − m)·(1 − β₁)`, `u ← max(β₂·u, |g|)`, `w −= lr·m / ((1 − β₁ᵗ)·(u + ε))`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn adamax / adamax_with(p: &Adamax, w: &mut [f32], g: &[f32], m: &mut [f32], u: &mut [f32]) {
        check("adamax", &[w.len(), g.len(), m.len(), u.len()]);
    }

    /// FTRL (ftrl.py): `a′ = a + g²`, `z += (g + 2·shrinkage·w) − (a′^power − a^power) / lr · w`, `a ← a′`,
    /// `w ← (clip(z, −l1, l1) − z) / (a^power / lr + 2·l2)`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn ftrl / ftrl_with(p: &Ftrl, w: &mut [f32], g: &[f32], a: &mut [f32], z: &mut [f32]) {
        check("ftrl", &[w.len(), g.len(), a.len(), z.len()]);
    }

    /// Decoupled weight decay (base_optimizer.py): `w −= w · wd · lr`, before the update itself.
    pub fn weight_decay / weight_decay_with(w: &mut [f32], wd: f32, lr: f32) {}

    /// Moving average of the weights (base_optimizer.py): `average ← momentum·average + (1 − momentum)·w`.
    ///
    /// Keras passes a momentum of 0 at the first step.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn ema / ema_with(momentum: f32, average: &mut [f32], w: &[f32]) {
        check("ema", &[average.len(), w.len()]);
    }

    /// `g` limited to [−c, c] (`clipvalue`); a NaN stays.
    pub fn clip_value / clip_value_with(g: &mut [f32], c: f32) {}

    /// The gradient of `l1·Σ|w| + l2·Σw²` (regularizers.py) is added: `g += l1·sign(w) + 2·l2·w`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add_l1_l2_gradient / add_l1_l2_gradient_with(w: &[f32], g: &mut [f32], l1: f32, l2: f32) {
        check("add_l1_l2_gradient", &[w.len(), g.len()]);
    }
}

#[cfg(test)]
mod tests;
