//! `Dense`: output = activation(input · kernel + bias).

use super::activation::{ActivationOp, lower_activation};
use super::{Built, Layer, Shape, Step, WeightSpec, show, single};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::{GlorotUniform, Initializer, Zeros};
use crate::op::{Backward, Forward, Op, Scope};
use crate::program::{Call, Operation};
use crate::regularizers::Regularizer;
use maobi_kernels::gemm::{Epilogue, Matrix, gemm};
use maobi_kernels::{pointwise, reduce};
use std::sync::atomic::{AtomicU8, Ordering};

keras_layer! {
    /// A fully connected layer on the last axis: `[batch, …, in]` → `[batch, …, units]`, kernel `[in, units]`, bias `[units]`.
    ///
    /// Keras file: `layers/core/dense.py`.
    pub struct Dense("dense") new(
        /// Number of outputs, 1 or more.
        units: usize,
    ) {
        /// Applied to the output; `"linear"` by default.
        activation: Activation = Activation::default(),
        /// Whether a bias is added; true by default.
        use_bias: bool = true,
        /// Initial kernel; Glorot uniform by default.
        kernel_initializer: Initializer = GlorotUniform::new().into(),
        /// Initial bias; zeros by default.
        bias_initializer: Initializer = Zeros::new().into(),
        /// Penalty on the kernel.
        kernel_regularizer: Option<Regularizer> = None,
        /// Penalty on the bias.
        bias_regularizer: Option<Regularizer> = None,
        /// What training does to the kernel after each step; nothing by default.
        kernel_constraint: Option<Constraint> = None,
        /// What training does to the bias after each step; nothing by default.
        bias_constraint: Option<Constraint> = None,
    } null { activity_regularizer }
}

impl Layer for Dense {
    takes_what_follows!();

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let input = single(inputs)?;
        let Some((&n_in, outer)) = input.split_last() else {
            return Err(format!(
                "expects at least one axis after the batch, got {}; put a Flatten or Reshape before it",
                show(input)
            ));
        };
        if self.units == 0 {
            return Err("units must be at least 1, got 0".into());
        }
        let mut weights = vec![
            WeightSpec::new("kernel", vec![n_in, self.units], &self.kernel_initializer, self.kernel_regularizer.as_ref())
                .constraint(self.kernel_constraint.as_ref()),
        ];
        if self.use_bias {
            weights.push(
                WeightSpec::new("bias", vec![self.units], &self.bias_initializer, self.bias_regularizer.as_ref())
                    .constraint(self.bias_constraint.as_ref()),
            );
        }
        let mut output = outer.to_vec();
        output.push(self.units);
        let (fused, separate) = lower_activation(&self.activation, &output)?;
        let op = DenseOp {
            rows: outer.iter().product(),
            n_in,
            units: self.units,
            bias: self.use_bias,
            activation: fused,
            finite: Finite::default(),
        };
        let mut steps = vec![Step { op: Box::new(op), weights: (0..weights.len()).collect(), output }];
        steps.extend(separate);
        Ok(Built { weights, steps })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let value = call.step(Operation::Dense { kernel: call.needs("kernel")?, bias: call.weight("bias") });
        call.activation(&self.activation, value)
    }
}

/// Y[rows, units] = act(X[rows, in] · W + b) over the whole batch; columns are split between threads.
#[derive(Debug)]
struct DenseOp {
    /// Rows of one sample.
    rows: usize,
    n_in: usize,
    units: usize,
    bias: bool,
    activation: ActivationOp,
    finite: Finite,
}

/// Whether all values of a kernel are finite: 0 unknown, 1 no, 2 yes. A single row asks, for which reading the kernel is all that counts.
#[derive(Debug, Default)]
struct Finite(AtomicU8);

impl Finite {
    /// Looks at `kernel` if it has changed since it was last asked.
    fn is(&self, kernel: &[f32]) -> bool {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(1 + u8::from(reduce::is_all_finite(kernel)), Ordering::Relaxed);
        }
        self.0.load(Ordering::Relaxed) == 2
    }

    fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Op for DenseOp {
    fn scope(&self) -> Scope {
        Scope::Batch
    }

    /// A place that nobody reads: [`Op::pack`] is called where there is one.
    fn packed_len(&self) -> usize {
        1
    }

    fn pack(&self, _: &[&[f32]], _: &mut [f32]) {
        self.finite.forget();
    }

    fn forward(&self, c: Forward<'_>) {
        let rows = c.samples * self.rows;
        let kernel = Matrix::new(c.weights[0], self.n_in, self.units);
        let epilogue = match (self.bias, self.activation.is_relu()) {
            (true, true) => Epilogue::BiasRelu(c.weights[1]),
            (true, false) => Epilogue::Bias(c.weights[1]),
            (false, _) => Epilogue::None,
        };
        let fused_relu = matches!(epilogue, Epilogue::BiasRelu(_));
        gemm(
            c.pool,
            Matrix::new(c.inputs[0], rows, self.n_in),
            Matrix { finite: rows == 1 && self.finite.is(kernel.data), ..kernel },
            c.output,
            false,
            epilogue,
        );
        if !fused_relu {
            pointwise::forward_in_place(self.activation.kernel, c.output);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let rows = c.samples * self.rows;
        pointwise::backward_in_place(self.activation.kernel, c.output, c.d_output);
        let dy = Matrix::new(c.d_output, rows, self.units);
        if let Some(dx) = &mut c.d_inputs[0] {
            gemm(c.pool, dy, Matrix::new(c.weights[0], self.n_in, self.units).t(), dx, false, Epilogue::None);
        }
        if let Some(dw) = &mut c.d_weights[0] {
            gemm(c.pool, Matrix::new(c.inputs[0], rows, self.n_in).t(), dy, dw.data, dw.accumulate, Epilogue::None);
        }
        if self.bias
            && let Some(db) = &mut c.d_weights[1]
        {
            reduce::column_sums(rows, self.units, c.d_output, db.data, db.accumulate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dense;
    use crate::graph::Sequential;
    use crate::layers::InputLayer;

    #[test]
    fn zeros_times_a_kernel_that_is_no_longer_finite_are_nan() {
        // Large enough for the product that does not read the rows of zeros.
        let mut model = Sequential::new().add(InputLayer::new([1100])).add(Dense::new(256)).build(1).unwrap();
        for value in [0.5, f32::NAN, 0.25, f32::INFINITY, 1.0] {
            model.weights_mut()[0].values_mut()[7 * 256 + 3] = value;
            for round in 0..2 {
                let y = model.predict(&[&[0.0; 1100]]).unwrap();
                assert!(y[0].iter().enumerate().all(|(i, y)| y.is_nan() == (i == 3 && !value.is_finite())), "{value}, {round}");
            }
        }
    }
}
