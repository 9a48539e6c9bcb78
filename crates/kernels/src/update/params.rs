//! The scalars of each update. Fields called `one_minus_…` are separate because Keras rounds `1 − β` from f64.

/// Scalars of [`super::adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// `lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, t counting from 1.
    pub alpha: f32,
    /// `1 − β₁`; Keras' β₁ is 0.9.
    pub one_minus_beta_1: f32,
    /// `1 − β₂`; Keras' β₂ is 0.999.
    pub one_minus_beta_2: f32,
    /// Added to the root, uncorrected; Keras' default is 1e-7.
    pub epsilon: f32,
}

/// Scalars of [`super::rmsprop`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RMSprop {
    /// The learning rate.
    pub lr: f32,
    /// Decay of the averages; Keras' default is 0.9.
    pub rho: f32,
    /// `1 − ρ`.
    pub one_minus_rho: f32,
    /// Momentum; used only with its slot.
    pub momentum: f32,
    /// Added under the root; Keras' default is 1e-7.
    pub epsilon: f32,
}

/// Scalars of [`super::adagrad`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// The learning rate.
    pub lr: f32,
    /// Added under the root; Keras' default is 1e-7.
    pub epsilon: f32,
}

/// Scalars of [`super::adadelta`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta {
    /// The learning rate.
    pub lr: f32,
    /// Decay of both averages; Keras' default is 0.95.
    pub rho: f32,
    /// `1 − ρ`.
    pub one_minus_rho: f32,
    /// Added under both roots; Keras' default is 1e-7.
    pub epsilon: f32,
}

/// Scalars of [`super::nadam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nadam {
    /// The learning rate.
    pub lr: f32,
    /// `1 − β₁`; Keras' β₁ is 0.9.
    pub one_minus_beta_1: f32,
    /// `1 − β₂`; Keras' β₂ is 0.999.
    pub one_minus_beta_2: f32,
    /// `1 − u` for this step's `u = β₁·(1 − 0.5·0.96ᵗ)`, t counting from 1.
    pub one_minus_u: f32,
    /// The next step's `u₊ = β₁·(1 − 0.5·0.96ᵗ⁺¹)`.
    pub u_next: f32,
    /// `1 − U`, U the product of u over the steps up to this one.
    pub one_minus_u_product: f32,
    /// `1 − U·u₊`.
    pub one_minus_u_product_next: f32,
    /// `1 − β₂ᵗ`.
    pub one_minus_beta_2_power: f32,
    /// Added to the root; Keras' default is 1e-7.
    pub epsilon: f32,
}

/// Scalars of [`super::lion`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lion {
    /// The learning rate.
    pub lr: f32,
    /// Share of the momentum in the step; Keras' default is 0.9.
    pub beta_1: f32,
    /// `1 − β₁`.
    pub one_minus_beta_1: f32,
    /// Decay of the momentum; Keras' default is 0.99.
    pub beta_2: f32,
    /// `1 − β₂`.
    pub one_minus_beta_2: f32,
}

/// Scalars of [`super::adamax`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adamax {
    /// The learning rate.
    pub lr: f32,
    /// `1 − β₁`; Keras' β₁ is 0.9.
    pub one_minus_beta_1: f32,
    /// Decay of the largest gradient; Keras' default is 0.999.
    pub beta_2: f32,
    /// `1 − β₁ᵗ`, t counting from 1.
    pub one_minus_beta_1_power: f32,
    /// Added to the largest gradient; Keras' default is 1e-7.
    pub epsilon: f32,
}

/// Scalars of [`super::ftrl`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ftrl {
    /// The learning rate.
    pub lr: f32,
    /// The exponent of sums of squares: −`learning_rate_power`, 0.5 by default.
    pub power: f32,
    /// The absolute sum below which a weight is 0.
    pub l1: f32,
    /// `2 · (l2 + β / (2 · lr))`.
    pub twice_l2: f32,
    /// `2 · l2_shrinkage`.
    pub twice_shrinkage: f32,
}
