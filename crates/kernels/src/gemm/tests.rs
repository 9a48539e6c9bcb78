use super::*;
use crate::isa::available;

/// Values in -1..1 that depend on `seed` alone.
fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_769).wrapping_add(12_345);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn reference(a: Matrix, b: Matrix, c: &[f32], accumulate: bool, epilogue: Epilogue) -> Vec<f64> {
    let mut out = vec![0.0; a.rows * b.cols];
    for (i, row) in out.chunks_exact_mut(b.cols.max(1)).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            let at = |m: &Matrix, i: usize, j: usize| f64::from(m.data[i * m.row_stride + j * m.col_stride]);
            let sum: f64 = (0..a.cols).map(|k| at(&a, i, k) * at(&b, k, j)).sum();
            *value = sum + if accumulate { f64::from(c[i * b.cols + j]) } else { 0.0 };
            *value += epilogue.bias().map_or(0.0, |bias| f64::from(bias[j]));
            if matches!(epilogue, Epilogue::BiasRelu(_)) {
                *value = value.max(0.0);
            }
        }
    }
    out
}

/// One product by `isa` against the reference, with a guard band around C.
fn check(isa: Isa, pool: &Pool, (m, k, n): (usize, usize, usize), transposed: (bool, bool), kind: usize) {
    let (a, b, bias) = (values(m * k, 1), values(k * n, 2), values(n, 3));
    let a = if transposed.0 { Matrix::new(&a, k, m).t() } else { Matrix::new(&a, m, k) };
    let b = if transposed.1 { Matrix::new(&b, n, k).t() } else { Matrix::new(&b, k, n) };
    let epilogue = [Epilogue::None, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)][kind % 3];
    let accumulate = kind / 3 == 1;
    let guard = 37;
    let mut c = values(m * n + 2 * guard, 4);
    let before = c.clone();
    let expected = reference(a, b, &c[guard..], accumulate, epilogue);
    gemm_with(isa, pool, a, b, &mut c[guard..guard + m * n], accumulate, epilogue);
    // Each of k + 2 roundings is at most half a unit of a partial sum, which stays below about k in size; in practice
    // errors average out, hence the root.
    let tolerance = f64::from(f32::EPSILON) * (k as f64 + 4.0).sqrt() * (k as f64 / 3.0 + 2.0).sqrt() * 2.0;
    for (index, (&got, &want)) in c[guard..].iter().zip(&expected).enumerate() {
        let off = (f64::from(got) - want).abs();
        assert!(off <= tolerance, "{isa} [{m},{k}]x[{k},{n}] {transposed:?} kind {kind}: element {index} is {got}, not {want}");
    }
    assert_eq!(c[..guard], before[..guard], "{isa}: wrote before C");
    assert_eq!(c[guard + m * n..], before[guard + m * n..], "{isa}: wrote behind C");
}

fn small_shapes(isa: Isa) {
    if !isa.is_available() {
        maobi_testing::skip(&format!("this processor has no {isa}"));
        return;
    }
    let pool = Pool::new(2);
    for n in (0..=49).chain([63, 64, 65, 97]) {
        for (m, k) in [(0, 3), (1, 0), (1, 5), (3, 7), (7, 16), (13, 33)] {
            let kind = (n + m) % 6;
            for transposed in [(false, false), (true, false), (false, true), (true, true)] {
                check(isa, &pool, (m, k, n), transposed, kind);
            }
        }
    }
    for m in 1..=45 {
        check(isa, &pool, (m, 9, 20), (m % 2 == 0, m % 3 == 0), m % 6);
    }
    for kind in 0..6 {
        check(isa, &pool, (15, 70, 33), (false, false), kind);
    }
}

fn recipe_shapes(isa: Isa) {
    if !isa.is_available() {
        maobi_testing::skip(&format!("this processor has no {isa}"));
        return;
    }
    let pool = Pool::new(3);
    let shapes = [(64, 784, 128), (64, 512, 10), (32, 576, 64), (32, 64, 10), (100, 784, 10), (1, 3136, 70), (130, 300, 64)];
    for (batch, k, n) in shapes {
        check(isa, &pool, (batch, k, n), (false, false), 2);
        check(isa, &pool, (batch, n, k), (false, true), 0);
        check(isa, &pool, (k, batch, n), (true, false), 3);
    }
}

#[test]
fn scalar_small_shapes() {
    small_shapes(Isa::Scalar);
}

#[test]
fn avx2_small_shapes() {
    small_shapes(Isa::Avx2);
}

#[test]
fn avx512_small_shapes() {
    small_shapes(Isa::Avx512);
}

#[test]
fn scalar_recipe_shapes() {
    recipe_shapes(Isa::Scalar);
}

#[test]
fn avx2_recipe_shapes() {
    recipe_shapes(Isa::Avx2);
}

#[test]
fn avx512_recipe_shapes() {
    recipe_shapes(Isa::Avx512);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    for isa in available() {
        let pools = [1, 2, 5, 16].map(Pool::new);
        for (m, k, n) in [(64, 700, 200), (500, 64, 10), (300, 90, 500), (1, 3136, 512), (20, 2000, 100)] {
            for (ta, tb) in [(false, false), (true, false), (false, true)] {
                let (a, b, bias) = (values(m * k, 5), values(k * n, 6), values(n, 7));
                let a = if ta { Matrix::new(&a, k, m).t() } else { Matrix::new(&a, m, k) };
                let b = if tb { Matrix::new(&b, n, k).t() } else { Matrix::new(&b, k, n) };
                let results = pools.each_ref().map(|pool| {
                    let mut c = vec![0.5; m * n];
                    gemm_with(isa, pool, a, b, &mut c, true, Epilogue::Bias(&bias));
                    c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                });
                assert!(results.iter().all(|bits| *bits == results[0]), "{isa} [{m},{k}]x[{k},{n}]");
            }
        }
    }
}

/// The column of a weight that is not a number is NaN though every input is 0, whichever way the product takes.
fn zeros_times_nan(isa: Isa) {
    if !isa.is_available() {
        maobi_testing::skip(&format!("this processor has no {isa}"));
        return;
    }
    let pool = Pool::new(2);
    // A row by a large matrix, by narrow ones; few rows and many; B as it lies and against its grain; A that lies down.
    let shapes =
        [(1, 1100, 256), (1, 50, 10), (1, 50, 40), (1, 20, 100), (5, 40, 33), (200, 300, 40), (90, 20, 5), (300, 600, 500)];
    for (m, k, n) in shapes {
        for (bad, transposed) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]
            .into_iter()
            .flat_map(|bad| [(false, false), (true, false), (false, true), (true, true)].map(|transposed| (bad, transposed)))
        {
            let (a, mut b, column) = (vec![0.0; m * k], values(k * n, 2), n / 3);
            let row = k / 2;
            b[if transposed.1 { column * k + row } else { row * n + column }] = bad;
            let a = if transposed.0 { Matrix::new(&a, k, m).t() } else { Matrix::new(&a, m, k) };
            let b = if transposed.1 { Matrix::new(&b, n, k).t() } else { Matrix::new(&b, k, n) };
            let mut c = vec![1.0; m * n];
            gemm_with(isa, &pool, a, b, &mut c, false, Epilogue::BiasRelu(&vec![0.0; n]));
            for (index, value) in c.into_iter().enumerate() {
                let name = format!("{isa} [{m},{k}]x[{k},{n}] {transposed:?} {bad}: element {index} is {value}");
                assert!(if index % n == column { value.is_nan() } else { value == 0.0 }, "{name}");
            }
        }
    }
}

#[test]
fn scalar_zeros_times_nan() {
    zeros_times_nan(Isa::Scalar);
}

#[test]
fn avx2_zeros_times_nan() {
    zeros_times_nan(Isa::Avx2);
}

#[test]
fn avx512_zeros_times_nan() {
    zeros_times_nan(Isa::Avx512);
}

#[test]
#[should_panic(expected = "gemm: the columns of A and the rows of B")]
fn shapes_must_fit() {
    let zeros = [0.0; 6];
    let a = Matrix::new(&zeros, 2, 3);
    gemm(&Pool::new(1), a, a, &mut [0.0; 6], false, Epilogue::None);
}

#[test]
#[should_panic(expected = "gemm: B reads element 5 of 4")]
fn a_matrix_must_lie_in_its_slice() {
    let zeros = [0.0; 6];
    let b = Matrix { data: &zeros[..4], rows: 3, cols: 2, row_stride: 2, ..Matrix::new(&[], 0, 0) };
    gemm(&Pool::new(1), Matrix::new(&zeros, 2, 3), b, &mut [0.0; 4], false, Epilogue::None);
}
