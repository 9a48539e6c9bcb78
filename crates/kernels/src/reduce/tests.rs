//! Tests of [`super`] against f64, on every instruction set by name.

use super::*;
use crate::isa::{self, Isa};

fn data(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + 13) % 1009) as f32 / 300.0 - 1.5).collect()
}

fn lengths() -> impl Iterator<Item = usize> {
    (0..=193).chain([4095, 4096, 4097, 20_011])
}

/// |a − b| within 70 roundings of the sum of absolute values, the bound of the module's documentation.
fn assert_sum(name: &str, actual: f32, terms: impl Iterator<Item = f64> + Clone) {
    let expected: f64 = terms.clone().sum();
    let bound = terms.map(f64::abs).sum::<f64>() * 70.0 * 2f64.powi(-24);
    assert!((f64::from(actual) - expected).abs() <= bound, "{name}: {actual} instead of {expected} ± {bound}");
}

#[test]
fn sums_match_f64_and_are_the_same_bits_on_every_instruction_set() {
    for len in lengths() {
        let (x, y) = (data(len), data(len + 5)[5..].to_vec());
        let wide = |v: &f32| f64::from(*v);
        for isa in isa::available() {
            assert_sum("sum", sum_with(isa, &x), x.iter().map(wide));
            assert_sum("sum_squares", sum_squares_with(isa, &x), x.iter().map(|v| wide(v) * wide(v)));
            assert_sum("sum_abs", sum_abs_with(isa, &x), x.iter().map(|v| wide(v).abs()));
            assert_sum("dot", dot_with(isa, &x, &y), x.iter().zip(&y).map(|(a, b)| wide(a) * wide(b)));
            let exact: f64 = x.iter().map(wide).sum();
            // f64 has 29 digits more than f32; both orders round below this.
            assert!((sum_f64_with(isa, &x) - exact).abs() < 1e-9);

            assert_eq!(sum_with(isa, &x).to_bits(), sum_with(Isa::Scalar, &x).to_bits());
            assert_eq!(dot_with(isa, &x, &y).to_bits(), dot_with(Isa::Scalar, &x, &y).to_bits());
            assert_eq!(sum_squares_with(isa, &x).to_bits(), sum_squares_with(Isa::Scalar, &x).to_bits());
        }
    }
}

/// A plain loop in f32 would stop at 2²⁴.
#[test]
fn a_long_sum_does_not_lose_its_tail() {
    let x = vec![1.0; (1 << 24) + 4096];
    assert_eq!(sum(&x), x.len() as f32);
}

#[test]
fn extremes_and_finiteness() {
    for isa in isa::available() {
        assert_eq!(max_abs_with(isa, &[]), 0.0);
        assert!(is_all_finite_with(isa, &[]));
        for len in 1..=67 {
            for at in [0, len / 2, len - 1] {
                let mut x = data(len);
                x[at] = -9.5;
                assert_eq!(max_abs_with(isa, &x), 9.5);
                assert!(is_all_finite_with(isa, &x));
                x[at] = f32::NEG_INFINITY;
                assert_eq!(max_abs_with(isa, &x), f32::INFINITY);
                assert!(!is_all_finite_with(isa, &x));
                x[at] = -f32::NAN;
                assert!(max_abs_with(isa, &x).is_nan());
                assert!(!is_all_finite_with(isa, &x));
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_found_anywhere() {
    for isa in isa::available() {
        assert!(is_all_finite_with(isa, &[]) && is_all_finite_with(isa, &[f32::MAX; 100]));
        for at in [0, 7, 31, 64, 99] {
            for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
                let mut values = [1.0; 100];
                values[at] = bad;
                assert!(!is_all_finite_with(isa, &values), "{isa} {at} {bad}");
            }
        }
    }
}

#[test]
fn column_sums_match_f64() {
    for isa in isa::available() {
        for cols in [0usize, 1, 3, 8, 10, 16, 33, 64, 65, 130, 200] {
            for rows in [0usize, 1, 2, 4, 5, 13, 131] {
                let x = data(rows * cols);
                // Guard bands: the kernel sees the middle only.
                let mut out = vec![100.0; cols + 8];
                column_sums_with(isa, rows, cols, &x, &mut out[4..4 + cols], true);
                let mut scalar = vec![100.0; cols];
                column_sums_with(Isa::Scalar, rows, cols, &x, &mut scalar, true);
                assert_eq!(out[4..4 + cols], scalar, "{isa}");
                assert!(out[..4].iter().chain(&out[4 + cols..]).all(|v| *v == 100.0));
                let mut fresh = vec![f32::NAN; cols];
                column_sums_with(isa, rows, cols, &x, &mut fresh, false);
                for k in 0..cols {
                    let column = (0..rows).map(|r| f64::from(x[r * cols + k]));
                    let expected: f64 = column.clone().sum();
                    // At most one rounding of the running sum per row.
                    let bound = (rows as f64 + 1.0) * 2f64.powi(-24) * (column.map(f64::abs).sum::<f64>() + 100.0);
                    assert!((f64::from(fresh[k]) - expected).abs() <= bound, "{rows} x {cols}");
                    assert!((f64::from(scalar[k]) - 100.0 - expected).abs() <= bound, "{rows} x {cols}");
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "column_sums: x must be 2 x 3")]
fn a_wrong_length_panics() {
    column_sums(2, 3, &[0.0; 5], &mut [0.0; 3], false);
}
