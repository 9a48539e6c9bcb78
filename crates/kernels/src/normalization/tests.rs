use super::*;
use crate::isa::Isa;
use crate::rng::Stream;

fn values(stream: u64, len: usize) -> Vec<f32> {
    let mut values = vec![0.0; len];
    Stream::new(5, 0, 0, stream).fill_normal(0, &mut values);
    values
}

fn close(got: &[f32], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len());
    for (i, (&g, &e)) in got.iter().zip(expected).enumerate() {
        // A few hundred additions of values around 1, in f32.
        assert!((f64::from(g) - e).abs() < 2e-5 * e.abs().max(1.0), "{what}[{i}]: {g} against {e}");
    }
}

fn isas() -> impl Iterator<Item = Isa> {
    [Isa::Scalar, Isa::Avx2, Isa::Avx512].into_iter().filter(|isa| isa.is_available())
}

/// Rows and columns below, at and above the lane counts.
const SIZES: [(usize, usize); 9] = [(1, 1), (2, 3), (17, 5), (40, 8), (33, 16), (50, 32), (9, 64), (7, 65), (12, 130)];

#[test]
fn column_kernels_agree_with_f64() {
    for (rows, cols) in SIZES {
        let (x, dy) = (values(1, rows * cols), values(2, rows * cols));
        let column = |f: &dyn Fn(usize) -> f64, c: usize| (0..rows).map(|r| f(r * cols + c)).sum::<f64>();
        let means: Vec<f64> = (0..cols).map(|c| column(&|i| f64::from(x[i]), c) / rows as f64).collect();
        let squares: Vec<f64> = (0..cols).map(|c| column(&|i| (f64::from(x[i]) - means[c]).powi(2), c)).collect();
        for isa in isas() {
            let (mut mean, mut m2) = (vec![9.0; cols], vec![9.0; cols]);
            moments_with(isa, &x, &mut mean, &mut m2);
            close(&mean, &means, "mean");
            close(&m2, &squares, "m2");
            let inverse = values(3, cols);
            let (mut db, mut dg) = (vec![9.0; cols], vec![9.0; cols]);
            gradient_sums_with(isa, &x, &dy, &mean, &inverse, &mut db, &mut dg);
            close(&db, &(0..cols).map(|c| column(&|i| f64::from(dy[i]), c)).collect::<Vec<_>>(), "d_beta");
            let product =
                |c: usize| column(&|i| f64::from(dy[i]) * (f64::from(x[i]) - f64::from(mean[c])), c) * f64::from(inverse[c]);
            close(&dg, &(0..cols).map(product).collect::<Vec<_>>(), "d_gamma");
            let (a, b, c) = (values(4, cols), values(5, cols), values(6, cols));
            let mut dx = vec![9.0; x.len()];
            gradient_with(isa, &x, &dy, &mean, &a, &b, &c, &mut dx);
            let expected = |i: usize| a[i % cols] * dy[i] - b[i % cols] * (x[i] - mean[i % cols]) - c[i % cols];
            assert!((0..x.len()).all(|i| dx[i] == expected(i)), "{isa} dx of {rows} x {cols}");
            scale_shift_with(isa, &x, &a, &b, &mut dx);
            assert!((0..x.len()).all(|i| dx[i] == x[i] * a[i % cols] + b[i % cols]), "{isa} scale_shift of {rows} x {cols}");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_rows() {
    for (rows, cols) in SIZES {
        let (x, dy, gamma, beta) = (values(1, rows * cols), values(2, rows * cols), values(3, cols), values(4, cols));
        let run = |isa: Isa| {
            let (mut y, mut dx, mut dg, mut db) = (vec![9.0; x.len()], vec![9.0; x.len()], vec![1.0; cols], vec![2.0; cols]);
            layer_forward_with(isa, cols, 1e-3, &x, Some(&gamma), Some(&beta), &mut y);
            layer_backward_with(isa, cols, 1e-3, &x, Some(&gamma), &dy, Some(&mut dx), Some(&mut dg), Some(&mut db));
            (y, dx, dg, db)
        };
        let reference = run(Isa::Scalar);
        assert!(isas().all(|isa| run(isa) == reference), "{rows} x {cols}");
    }
}

#[test]
fn rows_are_normalised_and_their_gradient_is_the_slope() {
    let cols = 21;
    let (x, dy, gamma) = (values(1, cols), values(2, cols), values(3, cols));
    let mut y = vec![0.0; cols];
    layer_forward(cols, 0.0, &x, None, None, &mut y);
    let mean: f32 = y.iter().sum::<f32>() / cols as f32;
    let variance: f32 = y.iter().map(|v| v * v).sum::<f32>() / cols as f32;
    assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
    let loss = |x: &[f32]| {
        let mut y = vec![0.0; cols];
        layer_forward(cols, 1e-3, x, Some(&gamma), None, &mut y);
        y.iter().zip(&dy).map(|(y, dy)| f64::from(*y) * f64::from(*dy)).sum::<f64>()
    };
    let (mut dx, mut dg) = (vec![0.0; cols], vec![0.0; cols]);
    layer_backward(cols, 1e-3, &x, Some(&gamma), &dy, Some(&mut dx), Some(&mut dg), None);
    for i in 0..cols {
        let (mut up, mut down) = (x.clone(), x.clone());
        up[i] += 1e-2;
        down[i] -= 1e-2;
        let slope = (loss(&up) - loss(&down)) / f64::from(up[i] - down[i]);
        // Third derivatives times 10⁻⁴, and rounding of the outputs over 0.02.
        assert!((slope - f64::from(dx[i])).abs() < 1e-3, "dx[{i}]: {} against {slope}", dx[i]);
    }
}

#[test]
#[should_panic(expected = "whole rows of 3")]
fn parts_of_rows_are_refused() {
    moments(&[1.0; 4], &mut [0.0; 3], &mut [0.0; 3]);
}
