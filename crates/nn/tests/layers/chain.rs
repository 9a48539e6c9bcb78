//! Runs a built layer by itself, forward and backward, as the executor would.

use maobi_kernels::pool::Pool;
use maobi_nn::layers::{Built, Layer, Shape};
use maobi_nn::op::{Backward, Forward, Random, Scope, WeightGradient};

/// A layer built for `shapes`, and how its calls are made.
pub struct Chain {
    pub built: Built,
    pub samples: usize,
    pub training: bool,
    pub seed: u64,
    pub pool: Pool,
    /// Samples that one call of an op of samples scope gets.
    pub group: usize,
}

/// What a forward pass leaves.
pub struct Trace {
    /// The layer's inputs, then the output of each step.
    inputs: Vec<Vec<f32>>,
    outputs: Vec<Vec<f32>>,
    saved: Vec<Vec<f32>>,
    packed: Vec<Vec<f32>>,
}

impl Trace {
    pub fn output(&self) -> &[f32] {
        self.outputs.last().unwrap_or(&self.inputs[0])
    }
}

/// Gradients with respect to inputs and weights; frozen weights have none.
pub struct Gradients {
    pub inputs: Vec<Vec<f32>>,
    pub weights: Vec<Vec<f32>>,
}

impl Chain {
    pub fn new(layer: &dyn Layer, shapes: &[Shape], samples: usize, training: bool) -> Chain {
        let built = layer.build(shapes).unwrap_or_else(|e| panic!("{}: {e}", layer.class_name()));
        Chain { built, samples, training, seed: 11, pool: Pool::new(2), group: samples }
    }

    fn random(&self, op: usize) -> Random {
        Random { seed: self.seed, step: 3, op: op as u64 }
    }

    /// The calls that cover the batch: (first sample, samples).
    fn calls(&self, scope: Scope) -> Vec<(usize, usize)> {
        let group = if scope == Scope::Batch { self.samples } else { self.group };
        (0..self.samples).step_by(group).map(|first| (first, group.min(self.samples - first))).collect()
    }

    pub fn forward(&self, inputs: &[Vec<f32>], weights: &[Vec<f32>]) -> Trace {
        let mut trace = Trace { inputs: inputs.to_vec(), outputs: vec![], saved: vec![], packed: vec![] };
        for (index, step) in self.built.steps.iter().enumerate() {
            let op = &step.op;
            let own: Vec<&[f32]> = step.weights.iter().map(|&w| weights[w].as_slice()).collect();
            // Memory that nobody has written holds NaN, so that reading it shows.
            let mut packed = vec![f32::NAN; op.packed_len()];
            op.pack(&own, &mut packed);
            let mut saved = vec![f32::NAN; op.saved_len(self.samples)];
            let len: usize = step.output.iter().product();
            let mut output = vec![f32::NAN; len * self.samples];
            let from: Vec<&[f32]> = match trace.outputs.last() {
                Some(before) => vec![before],
                None => inputs.iter().map(Vec::as_slice).collect(),
            };
            for (first, samples) in self.calls(op.scope()) {
                let part: Vec<&[f32]> = from.iter().map(|x| samples_of(x, self.samples, first, samples)).collect();
                op.forward(Forward {
                    samples,
                    first,
                    training: self.training,
                    random: self.random(index),
                    inputs: &part,
                    weights: &own,
                    packed: &packed,
                    output: &mut output[first * len..(first + samples) * len],
                    saved: &mut saved,
                    scratch: &mut vec![f32::NAN; op.scratch_len()],
                    pool: &self.pool,
                });
            }
            trace.outputs.push(output);
            trace.saved.push(saved);
            trace.packed.push(packed);
        }
        trace
    }

    /// Gradients of Σ output · `cotangent`. `start`: weight gradients are added to this value, or overwrite when absent.
    pub fn backward(&self, trace: &Trace, weights: &[Vec<f32>], cotangent: &[f32], start: Option<f32>) -> Gradients {
        let mut d_output = cotangent.to_vec();
        let trainable = |w: usize| self.built.weights[w].trainable;
        let mut d_weights: Vec<Vec<f32>> = (0..weights.len())
            .map(|w| vec![start.unwrap_or(f32::NAN); if trainable(w) { weights[w].len() } else { 0 }])
            .collect();
        let mut d_inputs = vec![cotangent.to_vec()];
        for (index, step) in self.built.steps.iter().enumerate().rev() {
            let op = &step.op;
            let own: Vec<&[f32]> = step.weights.iter().map(|&w| weights[w].as_slice()).collect();
            let from: Vec<&[f32]> = match index.checked_sub(1) {
                Some(before) => vec![&trace.outputs[before]],
                None => trace.inputs.iter().map(Vec::as_slice).collect(),
            };
            d_inputs = from.iter().map(|x| vec![f32::NAN; x.len()]).collect();
            let len: usize = step.output.iter().product();
            for (call, (first, samples)) in self.calls(op.scope()).into_iter().enumerate() {
                let part: Vec<&[f32]> = from.iter().map(|x| samples_of(x, self.samples, first, samples)).collect();
                let mut d_part: Vec<Option<&mut [f32]>> = d_inputs
                    .iter_mut()
                    .map(|d| {
                        let each = d.len() / self.samples;
                        Some(&mut d[first * each..(first + samples) * each])
                    })
                    .collect();
                let mut held: Vec<(usize, Vec<f32>)> =
                    step.weights.iter().map(|&w| (w, std::mem::take(&mut d_weights[w]))).collect();
                let mut targets: Vec<Option<WeightGradient<'_>>> = held
                    .iter_mut()
                    .map(|(w, data)| trainable(*w).then_some(WeightGradient { data, accumulate: call > 0 || start.is_some() }))
                    .collect();
                op.backward(Backward {
                    samples,
                    first,
                    random: self.random(index),
                    inputs: &part,
                    output: &trace.outputs[index][first * len..(first + samples) * len],
                    weights: &own,
                    packed: &trace.packed[index],
                    saved: &trace.saved[index],
                    d_output: &mut d_output[first * len..(first + samples) * len],
                    d_inputs: &mut d_part,
                    d_weights: &mut targets,
                    scratch: &mut vec![f32::NAN; op.scratch_len()],
                    pool: &self.pool,
                });
                drop(targets);
                for (w, data) in held {
                    d_weights[w] = data;
                }
            }
            if index > 0 {
                d_output = d_inputs[0].clone();
            }
        }
        Gradients { inputs: d_inputs, weights: d_weights }
    }

    /// Moves the weights that train without gradient.
    pub fn update_state(&self, trace: &Trace, weights: &mut [Vec<f32>]) {
        for (index, step) in self.built.steps.iter().enumerate().filter(|(_, s)| s.op.has_state()) {
            let mut held: Vec<(usize, Vec<f32>)> = step.weights.iter().map(|&w| (w, std::mem::take(&mut weights[w]))).collect();
            let mut slices: Vec<&mut [f32]> = held.iter_mut().map(|(_, v)| v.as_mut_slice()).collect();
            step.op.update_state(&trace.saved[index], &mut slices);
            for (w, data) in held {
                weights[w] = data;
            }
        }
    }
}

fn samples_of(x: &[f32], batch: usize, first: usize, samples: usize) -> &[f32] {
    let each = x.len() / batch;
    &x[first * each..(first + samples) * each]
}
