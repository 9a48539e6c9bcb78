//! The kernels of an instruction set against plain loops in f64.

use anyhow::ensure;
use maobi_kernels::conv::{Conv2d, Conv2dShape, ForwardPass, Padding, Weights};
use maobi_kernels::gemm::{Epilogue, Matrix, gemm_with};
use maobi_kernels::isa::Isa;
use maobi_kernels::pool::Pool;

/// Relative error that is let pass: sums of at most a few hundred products of numbers below 1, rounded at 6e-8 each.
const TOLERANCE: f64 = 1e-5;

/// Numbers from −1 to 1 without a pattern that lanes could hide (Knuth's multiplicative hash).
fn numbers(n: usize, stream: u32) -> Vec<f32> {
    (0..n as u32)
        .map(|i| {
            let h = (i ^ stream.wrapping_mul(0x9E37_79B9)).wrapping_mul(2_654_435_761);
            ((h ^ (h >> 15)) >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn compare(got: &[f32], expected: impl Iterator<Item = f64>) -> anyhow::Result<String> {
    let mut worst = 0.0f64;
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(*got) - expected).abs() / expected.abs().max(1.0);
        // NaN is an error too.
        ensure!(
            error <= TOLERANCE,
            "element {i} is {got}, expected {expected}: the kernels of this instruction set compute wrongly here; use another (MAOBI_ISA=scalar), and report it"
        );
        worst = worst.max(error);
    }
    Ok(format!("largest error {worst:.1e}"))
}

/// A product of odd sizes.
pub fn product(isa: Isa) -> anyhow::Result<String> {
    let (m, k, n) = (37, 131, 75);
    let (a, b, bias) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
    let mut c = vec![f32::NAN; m * n];
    gemm_with(isa, &Pool::new(2), Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut c, false, Epilogue::BiasRelu(&bias));
    let expected = (0..m * n).map(|at| {
        let (row, column) = (at / n, at % n);
        let sum: f64 = (0..k).map(|i| f64::from(a[row * k + i]) * f64::from(b[i * n + column])).sum();
        (sum + f64::from(bias[column])).max(0.0)
    });
    compare(&c, expected)
}

/// A padded convolution of odd sizes.
pub fn convolution(isa: Isa) -> anyhow::Result<String> {
    let pad = Padding { top: 1, bottom: 1, left: 1, right: 1 };
    let shape = Conv2dShape { h: 13, w: 11, c_in: 5, c_out: 19, kh: 3, kw: 3, stride: (1, 1), dilation: (1, 1), groups: 1, pad };
    let conv = Conv2d::new(shape);
    let (x, w) = (numbers(13 * 11 * 5, 4), numbers(9 * 5 * 19, 5));
    let mut packed = vec![0.0; conv.packed_len()];
    conv.pack(&w, &mut packed);
    let (mut y, mut scratch) = (vec![f32::NAN; 13 * 11 * 19], vec![0.0; conv.scratch_len()]);
    let weights = Weights { packed: &packed, bias: None, relu: false };
    conv.forward_with(isa, ForwardPass { samples: 1, x: &x, weights, y: &mut y, scratch: &mut scratch });
    let pixel = |row: usize, column: usize, channel: usize| match (row.checked_sub(1), column.checked_sub(1)) {
        (Some(row), Some(column)) if row < 13 && column < 11 => f64::from(x[(row * 11 + column) * 5 + channel]),
        _ => 0.0,
    };
    let expected = (0..y.len()).map(|at| {
        let (row, column, out) = (at / 19 / 11, at / 19 % 11, at % 19);
        let taps = (0..45).map(|tap| (tap / 15, tap / 5 % 3, tap % 5));
        taps.map(|(i, j, c)| pixel(row + i, column + j, c) * f64::from(w[((i * 3 + j) * 5 + c) * 19 + out])).sum()
    });
    compare(&y, expected)
}
