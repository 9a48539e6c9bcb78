//! The arithmetic of [`BatchNormalization`](super::BatchNormalization): with the batch's statistics, and with the moving ones.
//!
//! The batch is a matrix `[rows, channels]`. Runs of rows, whose length depends on the shape alone, are summed each on one thread
//! and combined in order, so the bits do not depend on the number of threads.

use crate::op::{Backward, Forward, Op, Scope, WeightGradient};
use maobi_kernels::normalization::{gradient, gradient_sums, moments, scale_shift};
use maobi_kernels::pool::Pool;

/// Most runs of rows.
const MAX_RUNS: usize = 64;
/// Fewest values in a run: below, waking a thread costs more than it gives.
const MIN_VALUES: usize = 4096;

/// What both ops know of their layer.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    pub(super) channels: usize,
    /// Rows of one sample.
    pub(super) rows: usize,
    pub(super) epsilon: f32,
    pub(super) momentum: f32,
    pub(super) scale: bool,
    pub(super) center: bool,
}

impl Statistics {
    fn gamma<'a>(&self, weights: &[&'a [f32]]) -> Option<&'a [f32]> {
        self.scale.then(|| weights[0])
    }

    fn beta<'a>(&self, weights: &[&'a [f32]]) -> Option<&'a [f32]> {
        self.center.then(|| weights[usize::from(self.scale)])
    }

    /// Index of the moving mean; the moving variance follows it.
    fn moving(&self) -> usize {
        usize::from(self.scale) + usize::from(self.center)
    }

    /// Values of a run.
    fn run(&self, samples: usize) -> usize {
        let rows = samples * self.rows;
        rows.div_ceil(MAX_RUNS).max(MIN_VALUES.div_ceil(self.channels)) * self.channels
    }

    /// The moving statistics as factors: y = x · scale + shift.
    fn pack(&self, weights: &[&[f32]], packed: &mut [f32]) {
        let (mean, variance) = (weights[self.moving()], weights[self.moving() + 1]);
        let (scale, shift) = packed.split_at_mut(self.channels);
        for (scale, &variance) in scale.iter_mut().zip(variance) {
            *scale = 1.0 / (variance + self.epsilon).sqrt();
        }
        self.factors(weights, mean, scale, shift);
    }

    /// Turns the inverse deviations in `scale` into factors.
    fn factors(&self, weights: &[&[f32]], mean: &[f32], scale: &mut [f32], shift: &mut [f32]) {
        if let Some(gamma) = self.gamma(weights) {
            scale.iter_mut().zip(gamma).for_each(|(s, gamma)| *s *= gamma);
        }
        for ((shift, &mean), &scale) in shift.iter_mut().zip(mean).zip(&*scale) {
            *shift = -mean * scale;
        }
        if let Some(beta) = self.beta(weights) {
            shift.iter_mut().zip(beta).for_each(|(s, beta)| *s += beta);
        }
    }
}

/// Runs `task(index, chunk)` for the chunks of `data`, on the pool when there are several.
fn each(pool: &Pool, data: &mut [f32], chunk: usize, runs: usize, task: &(dyn Fn(usize, &mut [f32]) + Sync)) {
    if runs < 2 {
        data.chunks_mut(chunk).enumerate().for_each(|(i, chunk)| task(i, chunk));
    } else {
        pool.for_each_chunk(data, chunk, task);
    }
}

/// Batch normalisation of a layer that trains. `saved` is mean, biased variance and inverse deviation of the batch.
#[derive(Debug)]
pub(super) struct TrainingBatchNormOp(pub(super) Statistics);

impl Op for TrainingBatchNormOp {
    fn scope(&self) -> Scope {
        Scope::Batch
    }

    fn scratch_len(&self) -> usize {
        // Two sums for each run, and three vectors.
        (2 * MAX_RUNS + 3) * self.0.channels
    }

    fn reads_f32_weights(&self) -> bool {
        true
    }

    fn packed_len(&self) -> usize {
        2 * self.0.channels
    }

    fn pack(&self, weights: &[&[f32]], packed: &mut [f32]) {
        self.0.pack(weights, packed);
    }

    fn saved_len(&self, _samples: usize) -> usize {
        3 * self.0.channels
    }

    fn forward(&self, c: Forward<'_>) {
        let s = &self.0;
        let (n, run, x) = (s.channels, s.run(c.samples), c.inputs[0]);
        let runs = x.len().div_ceil(run);
        if !c.training {
            let (scale, shift) = c.packed.split_at(n);
            each(c.pool, c.output, run, runs, &|i, y| scale_shift(&x[i * run..][..y.len()], scale, shift, y));
            return;
        }
        let (factors, rest) = c.scratch.split_at_mut(2 * n);
        let partial = &mut rest[..2 * n * runs];
        each(c.pool, partial, 2 * n, runs, &|i, part| {
            let (mean, m2) = part.split_at_mut(n);
            moments(&x[i * run..x.len().min((i + 1) * run)], mean, m2);
        });
        let (mean, rest) = c.saved.split_at_mut(n);
        let (variance, inverse) = rest.split_at_mut(n);
        let inverse = &mut inverse[..n];
        combine_moments(partial, x.len() / n, run / n, mean, variance);
        for (inverse, &variance) in inverse.iter_mut().zip(&*variance) {
            *inverse = 1.0 / (variance + s.epsilon).sqrt();
        }
        let (scale, shift) = factors.split_at_mut(n);
        scale.copy_from_slice(inverse);
        s.factors(c.weights, mean, scale, shift);
        let (scale, shift) = (&*scale, &*shift);
        each(c.pool, c.output, run, runs, &|i, y| scale_shift(&x[i * run..][..y.len()], scale, shift, y));
    }

    /// With x̂ = (x − mean) · inverse: dβ = Σ dy, dγ = Σ dy·x̂, dx = γ · inverse · (dy − dβ/N − x̂ · dγ/N) over N rows.
    fn backward(&self, c: Backward<'_, '_>) {
        let s = &self.0;
        let (n, run, x) = (s.channels, s.run(c.samples), c.inputs[0]);
        let runs = x.len().div_ceil(run);
        let (mean, inverse) = (&c.saved[..n], &c.saved[2 * n..3 * n]);
        let (vectors, rest) = c.scratch.split_at_mut(3 * n);
        let partial = &mut rest[..2 * n * runs];
        let dy = &*c.d_output;
        each(c.pool, partial, 2 * n, runs, &|i, part| {
            let (d_beta, d_gamma) = part.split_at_mut(n);
            let span = i * run..x.len().min((i + 1) * run);
            gradient_sums(&x[span.clone()], &dy[span], mean, inverse, d_beta, d_gamma);
        });
        let (a, rest) = vectors.split_at_mut(n);
        let (d_gamma, d_beta) = rest.split_at_mut(n);
        combine_sums(partial, 0, d_beta);
        combine_sums(partial, n, d_gamma);
        if s.scale {
            deliver(c.d_weights[0].as_mut(), d_gamma);
        }
        if s.center {
            deliver(c.d_weights[usize::from(s.scale)].as_mut(), d_beta);
        }
        let Some(dx) = &mut c.d_inputs[0] else { return };
        a.copy_from_slice(inverse);
        if let Some(gamma) = s.gamma(c.weights) {
            a.iter_mut().zip(gamma).for_each(|(a, gamma)| *a *= gamma);
        }
        let rows = (x.len() / n) as f32;
        for channel in 0..n {
            d_gamma[channel] *= a[channel] * inverse[channel] / rows;
            d_beta[channel] *= a[channel] / rows;
        }
        let (a, b, shift) = (&*a, &*d_gamma, &*d_beta);
        each(c.pool, dx, run, runs, &|i, dx| {
            let span = i * run..i * run + dx.len();
            gradient(&x[span.clone()], &dy[span], mean, a, b, shift, dx);
        });
    }

    fn has_state(&self) -> bool {
        true
    }

    fn update_state(&self, saved: &[f32], weights: &mut [&mut [f32]]) {
        let (n, momentum) = (self.0.channels, self.0.momentum);
        for (i, batch) in [&saved[..n], &saved[n..2 * n]].into_iter().enumerate() {
            for (moving, &batch) in weights[self.0.moving() + i].iter_mut().zip(batch) {
                *moving = *moving * momentum + batch * (1.0 - momentum);
            }
        }
    }
}

/// Adds up (mean, Σ(x − mean)²) of the runs in order, in f64 (Chan, Golub, LeVeque 1979), to mean and biased variance.
fn combine_moments(partial: &[f32], rows: usize, run_rows: usize, mean: &mut [f32], variance: &mut [f32]) {
    let n = mean.len();
    for channel in 0..n {
        let (mut count, mut centre, mut m2) = (0.0f64, 0.0f64, 0.0f64);
        for (i, part) in partial.chunks_exact(2 * n).enumerate() {
            let more = run_rows.min(rows - i * run_rows) as f64;
            let delta = f64::from(part[channel]) - centre;
            let total = count + more;
            centre += delta * more / total;
            m2 += f64::from(part[n + channel]) + delta * delta * count * more / total;
            count = total;
        }
        mean[channel] = centre as f32;
        variance[channel] = (m2 / count) as f32;
    }
}

/// Adds up the vectors at `offset` of the runs in order, in f64.
fn combine_sums(partial: &[f32], offset: usize, sums: &mut [f32]) {
    let n = sums.len();
    for (channel, sum) in sums.iter_mut().enumerate() {
        *sum = partial.chunks_exact(2 * n).map(|part| f64::from(part[offset + channel])).sum::<f64>() as f32;
    }
}

fn deliver(target: Option<&mut WeightGradient<'_>>, values: &[f32]) {
    let Some(target) = target else { return };
    if target.accumulate {
        target.data.iter_mut().zip(values).for_each(|(t, v)| *t += v);
    } else {
        target.data.copy_from_slice(values);
    }
}

/// Batch normalisation of a layer that does not train: a fixed factor and summand per channel.
#[derive(Debug)]
pub(super) struct FrozenBatchNormOp(pub(super) Statistics);

impl Op for FrozenBatchNormOp {
    fn reads_f32_weights(&self) -> bool {
        true
    }

    fn packed_len(&self) -> usize {
        2 * self.0.channels
    }

    fn pack(&self, weights: &[&[f32]], packed: &mut [f32]) {
        self.0.pack(weights, packed);
    }

    fn forward(&self, c: Forward<'_>) {
        let (scale, shift) = c.packed.split_at(self.0.channels);
        scale_shift(c.inputs[0], scale, shift, c.output);
    }

    /// Its weights are frozen, so only the input has a gradient.
    fn backward(&self, c: Backward<'_, '_>) {
        let scale = &c.packed[..self.0.channels];
        if let Some(dx) = &mut c.d_inputs[0] {
            for (dx, dy) in dx.chunks_exact_mut(scale.len()).zip(c.d_output.chunks_exact(scale.len())) {
                for ((dx, &dy), &scale) in dx.iter_mut().zip(dy).zip(scale) {
                    *dx = dy * scale;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_kernels::rng::Stream;

    #[test]
    fn statistics_do_not_depend_on_threads_and_agree_with_f64() {
        // Enough rows for dozens of runs, and a mean that would cancel in Σx² − (Σx)².
        let (n, samples, rows) = (5, 40, 784);
        let mut x = vec![0.0; samples * rows * n];
        Stream::new(3, 0, 0, 0).fill_normal(0, &mut x);
        x.iter_mut().for_each(|v| *v += 100.0);
        let op = TrainingBatchNormOp(Statistics { channels: n, rows, epsilon: 1e-3, momentum: 0.9, scale: false, center: false });
        let run = |threads: usize| {
            let (mut y, mut saved) = (vec![0.0; x.len()], vec![0.0; op.saved_len(samples)]);
            op.forward(Forward {
                samples,
                first: 0,
                training: true,
                random: crate::op::Random { seed: 0, step: 0, op: 0 },
                inputs: &[&x],
                weights: &[],
                packed: &[],
                output: &mut y,
                saved: &mut saved,
                scratch: &mut vec![f32::NAN; op.scratch_len()],
                pool: &Pool::new(threads),
            });
            (y, saved)
        };
        let (y, saved) = run(1);
        assert!(run(2) == (y.clone(), saved.clone()) && run(5) == (y, saved.clone()));
        for channel in 0..n {
            let values = || x.iter().skip(channel).step_by(n).map(|&v| f64::from(v));
            let count = (samples * rows) as f64;
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            assert!((f64::from(saved[channel]) - mean).abs() < 1e-5 * mean, "mean {} against {mean}", saved[channel]);
            assert!(
                (f64::from(saved[n + channel]) - variance).abs() < 1e-5,
                "variance {} against {variance}",
                saved[n + channel]
            );
        }
    }
}
