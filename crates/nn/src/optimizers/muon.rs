//! Muon: m ← μ·m + g, w ← w − rate·0.2·√(longer side)·O(g + μ·m) for matrices, where O makes all singular values nearly 1 by
//! Newton–Schulz iterations: X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, from X = G / ‖G‖. All else takes Adam's step
//! (Jordan et al. 2024, Liu et al. 2025; keras/src/optimizers/muon.py).

use super::adam::Moments;
use super::{Base, Formula, Slots, Step, Treatment, Whole};
use crate::object::{ConfigError, range};
use crate::{keras_object, optimizer_base};
use maobi_kernels::gemm::{Epilogue, Matrix, gemm};
use maobi_kernels::pool::Pool;
use maobi_kernels::reduce;

keras_object! {
    /// Momentum whose matrices are made orthogonal. Weights that are not matrices, and excluded ones, take Adam's step; exclude the last
    /// dense layer, as Muon's authors do.
    pub struct Muon("muon") with base: Base = Base { weight_decay: Some(0.004), ..Base::new(0.001) }, {
        /// Adam's decay of the mean; 0.9 by default.
        adam_beta_1: f64 where range::SHARE = 0.9,
        /// Adam's decay of the mean square; 0.999 by default.
        adam_beta_2: f64 where range::SHARE = 0.999,
        /// Added to Adam's root; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
        /// Parts of the paths of weights that take Adam's step, such as the name of a layer; none by default. Keras takes regular
        /// expressions, of which only plain text is known here.
        exclude_layers: Vec<String> = Vec::new(),
        /// The iterations' a; 3.4445 by default.
        muon_a: f64 = 3.4445,
        /// The iterations' b; −4.775 by default.
        muon_b: f64 = -4.775,
        /// The iterations' c; 2.0315 by default.
        muon_c: f64 = 2.0315,
        /// Adam's step size as a multiple of the other; 1 by default.
        adam_lr_ratio: f64 where range::NOT_NEGATIVE = 1.0,
        /// μ, the share of the old momentum; 0.95 by default.
        momentum: f64 where range::SHARE = 0.95,
        /// Number of iterations; 5 by default.
        ns_steps: usize = 5,
        /// Look ahead along the momentum; true by default.
        nesterov: bool = true,
        /// Whether weights with "embedding" in their path take Adam's step; true by default.
        exclude_embeddings: bool = true,
        /// Weight decay of those that take Adam's step; 0.004 by default.
        adam_weight_decay: Option<f64> where range::NOT_NEGATIVE = Some(0.004),
        /// Makes steps as large as Adam's: the factor beside √(longer side); absent, both are left out. 0.2 by default.
        rms_rate: Option<f64> = Some(0.2),
    }
}
optimizer_base!(Muon);

impl Formula for Muon {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "velocity"]]
    }

    fn treatment(&self, path: &str, shape: &[usize]) -> Treatment {
        let excluded = self.exclude_layers.iter().any(|part| path.contains(part.as_str()));
        let embedding = self.exclude_embeddings && path.to_lowercase().contains("embedding");
        match *shape {
            [rows, cols] if !excluded && !embedding => {
                let side = rows.min(cols);
                let scratch = 2 * rows * cols + 3 * side * side;
                Treatment { slots: &[&["momentum"]], weight_decay: self.base.weight_decay, whole: Some(scratch) }
            }
            _ => Treatment { slots: self.slots(), weight_decay: self.adam_weight_decay, whole: None },
        }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let learning_rate = step.learning_rate * self.adam_lr_ratio as f32;
        Moments { beta_1: self.adam_beta_1, beta_2: self.adam_beta_2, epsilon: self.epsilon, amsgrad: false }.update(
            Step { learning_rate, ..step },
            w,
            g,
            slots,
        );
    }

    fn update_whole(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>, whole: Whole<'_>) {
        let &[rows, cols] = whole.shape else { return };
        let (momentum, less) = (self.momentum as f32, (self.momentum - 1.0) as f32);
        let (x, scratch) = whole.scratch.split_at_mut(w.len());
        for ((m, &g), x) in slots.take("momentum").iter_mut().zip(g).zip(&mut *x) {
            *m += g + *m * less;
            *x = if self.nesterov { g + momentum * *m } else { *m };
        }
        let update = self.orthogonal(whole.pool, (rows, cols), x, scratch);
        let root = (rows.max(cols) as f32).sqrt();
        for (w, &update) in w.iter_mut().zip(update) {
            let change = step.learning_rate * update;
            *w -= self.rms_rate.map_or(change, |rate| change * root * rate as f32);
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let expression = |part: &&String| part.contains(|c: char| ".^$*+?{}[]\\|()".contains(c));
        match self.exclude_layers.iter().find(expression) {
            Some(part) => {
                Err(ConfigError::bad_value("Muon", "exclude_layers", "parts of names in plain text", format!("\"{part}\"")))
            }
            None => Ok(()),
        }
    }
}

impl Muon {
    /// The matrix `x`, `[rows, cols]`, with singular values near 1. `scratch` has room for one such matrix and three squares of the
    /// shorter side; the answer is in either of both.
    fn orthogonal<'a>(&self, pool: &Pool, (rows, cols): (usize, usize), x: &'a mut [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        let side = rows.min(cols);
        let (next, squares) = scratch.split_at_mut(rows * cols);
        let (square, rest) = squares.split_at_mut(side * side);
        let (scaled, factor) = rest.split_at_mut(side * side);
        let (mut x, mut next) = (x, next);
        let divisor = reduce::sum_squares(x).sqrt() + 1e-7;
        x.iter_mut().for_each(|x| *x /= divisor);
        let times = |to: &mut [f32], by: f64, from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to = by as f32 * from);
        for _ in 0..self.ns_steps {
            let matrix = Matrix::new(x, rows, cols);
            // Keras transposes matrices that stand.
            let lying = if rows > cols { matrix.t() } else { matrix };
            gemm(pool, lying, lying.t(), square, false, Epilogue::None);
            times(scaled, self.muon_c, square);
            times(factor, self.muon_b, square);
            let a = Matrix::new(square, side, side);
            gemm(pool, Matrix::new(scaled, side, side), a, factor, true, Epilogue::None);
            times(next, self.muon_a, x);
            let factor = Matrix::new(factor, side, side);
            let (left, right) = if rows > cols { (matrix, factor.t()) } else { (factor, matrix) };
            gemm(pool, left, right, next, true, Epilogue::None);
            std::mem::swap(&mut x, &mut next);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::Optimizer;

    #[test]
    fn a_matrix_becomes_nearly_orthogonal() {
        for (rows, cols) in [(4, 7), (7, 4), (5, 5)] {
            let mut x: Vec<f32> = (0..rows * cols).map(|i| ((i * 37 % 23) as f32 - 11.0) / 7.0).collect();
            let side = rows.min(cols);
            let mut scratch = vec![0.0; rows * cols + 3 * side * side];
            // The coefficients of the fifth-order iteration that converges.
            let muon = Muon::new(0.1).muon_a(1.875).muon_b(-1.25).muon_c(0.375).ns_steps(60);
            let x = muon.orthogonal(&Pool::new(2), (rows, cols), &mut x, &mut scratch);
            let at = |i: usize, j: usize| if rows > cols { x[j * cols + i] } else { x[i * cols + j] };
            for i in 0..side {
                for j in 0..side {
                    let product: f32 = (0..rows.max(cols)).map(|k| at(i, k) * at(j, k)).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5, "{rows}×{cols}: ({i}, {j}) is {product}");
                }
            }
        }
    }

    #[test]
    fn regular_expressions_are_refused() {
        let error = Optimizer::from(Muon::new(0.1).exclude_layers(vec!["dense_.*".to_owned()])).check().unwrap_err().to_string();
        assert_eq!(error, "Muon: exclude_layers must be parts of names in plain text, got \"dense_.*\"");
    }
}
