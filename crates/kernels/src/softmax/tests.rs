//! Tests of [`super`] against f64 and finite differences, on every instruction set by name.

use super::*;
use crate::isa::{self, Isa};

fn data(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + 13) % 1009) as f32 / 100.0 - 5.0).collect()
}

fn reference(row: &[f32]) -> Vec<f64> {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e: Vec<f64> = row.iter().map(|v| (f64::from(*v) - f64::from(max)).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.into_iter().map(|v| v / sum).collect()
}

const SHAPES: [(usize, usize); 14] = [
    (0, 3),
    (3, 0),
    (1, 1),
    (2, 2),
    (5, 9),
    (64, 10),
    (300, 10),
    (4, 15),
    (3, 16),
    (3, 17),
    (2, 49),
    (2, 100),
    (1, 1000),
    (3, 3000),
];

/// x − max rounds once (relative 2⁻²⁴ of at most 10, so 10 · 6·10⁻⁸ after the exponential), the rest a few times more.
const RELATIVE: f64 = 1.5e-6;

#[test]
fn forward_and_log_match_f64() {
    for isa in isa::available() {
        for (rows, cols) in SHAPES {
            let x = data(rows * cols);
            // Guard bands: the kernel sees the middle only.
            let mut guarded = vec![7.0; x.len() + 8];
            forward_with(isa, rows, cols, &x, &mut guarded[4..4 + x.len()]);
            assert!(guarded[..4].iter().chain(&guarded[4 + x.len()..]).all(|v| *v == 7.0));
            let y = guarded[4..4 + x.len()].to_vec();
            let mut log = vec![0.0; x.len()];
            log_softmax_with(isa, rows, cols, &x, &mut log);
            for r in 0..rows {
                let range = r * cols..(r + 1) * cols;
                for ((y, log), expected) in y[range.clone()].iter().zip(&log[range.clone()]).zip(reference(&x[range])) {
                    assert!((f64::from(*y) - expected).abs() <= RELATIVE * expected, "{isa} {rows}x{cols}: {y} {expected}");
                    assert!((0.0..=1.0).contains(y));
                    assert!((f64::from(*log) - expected.ln()).abs() <= RELATIVE * (1.0 + expected.ln().abs()), "{isa} {log}");
                }
            }
            let mut scalar = vec![0.0; x.len()];
            forward_with(Isa::Scalar, rows, cols, &x, &mut scalar);
            assert_eq!(y, scalar, "{isa} {rows}x{cols}");
        }
    }
}

#[test]
fn large_logits_do_not_overflow_and_a_nan_stays_in_its_row() {
    for isa in isa::available() {
        let x = [1e30, 0.0, -1e30, f32::NAN, 0.0, 0.0, -500.0, -500.0, -500.0];
        let mut y = [0.0; 9];
        forward_with(isa, 3, 3, &x, &mut y);
        assert_eq!(y[..3], [1.0, 0.0, 0.0]);
        assert!(y[3..6].iter().all(|v| v.is_nan()));
        assert_eq!(y[6..], [1.0 / 3.0; 3]);
    }
}

/// Rows do not see each other: a split changes no bit.
#[test]
fn a_split_of_the_rows_changes_nothing() {
    for isa in isa::available() {
        let x = data(301 * 10);
        let (mut whole, mut parts) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        forward_with(isa, 301, 10, &x, &mut whole);
        for (x, y) in x.chunks(70).zip(parts.chunks_mut(70)) {
            forward_with(isa, 7, 10, x, y);
        }
        assert_eq!(whole, parts);
    }
}

#[test]
fn backward_matches_finite_differences() {
    for isa in isa::available() {
        for cols in [1usize, 2, 10, 17] {
            let (x, dy) = (data(cols), data(cols + 3)[3..].to_vec());
            let (mut y, mut dx) = (vec![0.0; cols], vec![0.0; cols]);
            forward_with(isa, 1, cols, &x, &mut y);
            backward_with(isa, 1, cols, &y, &dy, &mut dx);
            for (k, dx) in dx.iter().enumerate() {
                let loss = |step: f64| {
                    let e: Vec<f64> = (0..cols).map(|i| (f64::from(x[i]) + if i == k { step } else { 0.0 }).exp()).collect();
                    let sum: f64 = e.iter().sum();
                    e.iter().zip(&dy).map(|(e, d)| e / sum * f64::from(*d)).sum::<f64>()
                };
                let expected = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                // Central differences in f64 err by 1e-9; the f32 result by a few roundings of terms up to 5.
                assert!((f64::from(*dx) - expected).abs() < 3e-6, "{isa} {cols} {k}: {} {expected}", dx);
            }
        }
    }
}

#[test]
#[should_panic(expected = "softmax forward: expected slices of 2 x 3")]
fn a_wrong_length_panics() {
    forward(2, 3, &[0.0; 6], &mut [0.0; 5]);
}
