//! Tests of [`super`] against plain loops over indices, on every instruction set by name, and by finite differences.

use super::*;

/// Distinct values in a scrambled order, so that maxima are unique.
fn distinct(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + 5) % 10_007) as f32 / 1000.0 - 5.0).collect()
}

/// Many equal values.
fn tied(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + 5) % 10_007 % 3) as f32).collect()
}

/// The elements of each window, in row-major order: (output index, input indices).
fn windows(s: &Pool2dShape, n: usize) -> Vec<(usize, Vec<usize>)> {
    let mut all = Vec::new();
    for sample in 0..n {
        for i in 0..s.out_h {
            for j in 0..s.out_w {
                for k in 0..s.c {
                    let mut inputs = Vec::new();
                    for p in 0..s.pool.0 {
                        for q in 0..s.pool.1 {
                            let (row, column) = (i * s.stride.0 + p, j * s.stride.1 + q);
                            if (s.pad.0..s.pad.0 + s.h).contains(&row) && (s.pad.1..s.pad.1 + s.w).contains(&column) {
                                inputs.push(((sample * s.h + row - s.pad.0) * s.w + column - s.pad.1) * s.c + k);
                            }
                        }
                    }
                    all.push((((sample * s.out_h + i) * s.out_w + j) * s.c + k, inputs));
                }
            }
        }
    }
    all
}

fn shapes() -> Vec<Pool2dShape> {
    let mut shapes = Vec::new();
    for c in [1, 3, 8, 16, 17, 24, 32, 40, 64] {
        shapes.push(Pool2dShape::valid(6, 8, c, (2, 2), (2, 2)));
        shapes.push(Pool2dShape::valid(7, 5, c, (2, 2), (2, 2)));
        shapes.push(Pool2dShape::same(5, 7, c, (2, 2), (2, 2)));
        shapes.push(Pool2dShape::same(7, 6, c, (3, 3), (2, 2)));
        shapes.push(Pool2dShape::valid(7, 6, c, (3, 2), (1, 2)));
        shapes.push(Pool2dShape::valid(7, 7, c, (2, 2), (3, 3)));
    }
    shapes.push(Pool2dShape::same(4, 4, 2, (5, 5), (1, 1)));
    shapes.push(Pool2dShape::valid(70, 70, 1, (2, 2), (2, 2)));
    shapes.push(Pool2dShape::valid(1, 1, 3, (2, 2), (2, 2)));
    shapes.push(Pool2dShape::valid(3, 1, 8, (2, 2), (2, 2)));
    shapes.push(Pool2dShape::valid(4, 4, 0, (2, 2), (2, 2)));
    shapes
}

/// Runs `kernel` on the middle of a buffer and checks that it keeps to it.
fn guarded(len: usize, kernel: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut out = vec![77.0; len + 16];
    kernel(&mut out[8..8 + len]);
    assert!(out[..8].iter().chain(&out[8 + len..]).all(|v| *v == 77.0), "wrote beyond its slice");
    out[8..8 + len].to_vec()
}

#[test]
fn shapes_are_keras() {
    let s = Pool2dShape::same(28, 28, 1, (3, 3), (2, 2));
    assert_eq!((s.out_h, s.out_w, s.pad), (14, 14, (0, 0)));
    let s = Pool2dShape::same(5, 7, 1, (3, 4), (1, 2));
    assert_eq!((s.out_h, s.out_w, s.pad), (5, 4, (1, 1)));
    let s = Pool2dShape::valid(11, 11, 1, (2, 2), (2, 2));
    assert_eq!((s.out_h, s.out_w, s.pad), (5, 5, (0, 0)));
}

#[test]
fn max_matches_plain_loops_exactly() {
    for isa in isa::available() {
        for s in shapes() {
            for x in [distinct(2 * s.input_len()), tied(2 * s.input_len())] {
                let dy = distinct(2 * s.output_len() + 3)[3..].to_vec();
                let y = guarded(dy.len(), |y| max_forward_with(isa, &s, 2, &x, y));
                let dx = guarded(x.len(), |dx| max_backward_with(isa, &s, 2, &x, &y, &dy, dx));
                let mut expected_dx = vec![0.0; x.len()];
                for (o, inputs) in windows(&s, 2) {
                    let max = inputs.iter().map(|i| x[*i]).fold(f32::NEG_INFINITY, f32::max);
                    assert_eq!(y[o], max, "{isa} {s:?}");
                    let first = inputs.iter().find(|i| x[**i] == max).expect("a window has a maximum");
                    expected_dx[*first] += dy[o];
                }
                assert_eq!(dx, expected_dx, "{isa} {s:?}");
            }
        }
    }
}

#[test]
fn average_matches_plain_loops() {
    for isa in isa::available() {
        for s in shapes() {
            let (x, dy) = (distinct(2 * s.input_len()), distinct(2 * s.output_len() + 3)[3..].to_vec());
            let y = guarded(dy.len(), |y| avg_forward_with(isa, &s, 2, &x, y));
            let dx = guarded(x.len(), |dx| avg_backward_with(isa, &s, 2, &dy, dx));
            let mut expected_dx = vec![0f64; x.len()];
            for (o, inputs) in windows(&s, 2) {
                let mean = inputs.iter().map(|i| f64::from(x[*i])).sum::<f64>() / inputs.len() as f64;
                // Up to 25 terms below 5 in magnitude: a rounding each.
                assert!((f64::from(y[o]) - mean).abs() < 8e-6, "{isa} {s:?}: {} {mean}", y[o]);
                for i in &inputs {
                    expected_dx[*i] += f64::from(dy[o]) / inputs.len() as f64;
                }
            }
            for (a, b) in dx.iter().zip(expected_dx) {
                assert!((f64::from(*a) - b).abs() < 8e-6, "{isa} {s:?}");
            }
        }
    }
}

/// The loss Σ dy·y, moved by ±h in each input: pooling is linear between ties, so the difference is exact but for rounding.
#[test]
fn gradients_match_finite_differences() {
    for isa in isa::available() {
        for s in [
            Pool2dShape::valid(4, 4, 8, (2, 2), (2, 2)),
            Pool2dShape::valid(5, 4, 1, (2, 2), (2, 2)),
            Pool2dShape::same(4, 5, 3, (3, 3), (2, 2)),
            Pool2dShape::valid(5, 5, 2, (3, 3), (1, 1)),
        ] {
            // Quarters of small integers: sums of them are exact in f32.
            let x: Vec<f32> = (0..s.input_len()).map(|i| ((i * 37) % 199) as f32).collect();
            let dy: Vec<f32> = (0..s.output_len()).map(|i| ((i * 5) % 7) as f32 - 3.0).collect();
            let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
            for average in [false, true] {
                let forward = if average { avg_forward_with } else { max_forward_with };
                forward(isa, &s, 1, &x, &mut y);
                if average {
                    avg_backward_with(isa, &s, 1, &dy, &mut dx);
                } else {
                    max_backward_with(isa, &s, 1, &x, &y, &dy, &mut dx);
                }
                for i in 0..x.len() {
                    let mut loss = |step: f32| {
                        let mut moved = x.clone();
                        moved[i] += step;
                        forward(isa, &s, 1, &moved, &mut y);
                        y.iter().zip(&dy).map(|(y, d)| f64::from(*y) * f64::from(*d)).sum::<f64>()
                    };
                    let expected = (loss(0.25) - loss(-0.25)) / 0.5;
                    // A mean of up to 9 values below 200 rounds by 10⁻⁵, which the step of ½ doubles for each of 9 windows.
                    assert!((f64::from(dx[i]) - expected).abs() < 1e-3, "{isa} average {average} {s:?} {i}");
                }
            }
        }
    }
}

#[test]
fn a_nan_reaches_its_window_only_and_its_gradient_the_first_element() {
    for isa in isa::available() {
        for c in [1usize, 3, 8, 32] {
            for s in [Pool2dShape::valid(4, 4, c, (2, 2), (2, 2)), Pool2dShape::same(4, 4, c, (2, 2), (2, 2))] {
                for at in [0, 1, 4, 5] {
                    let mut x = distinct(s.input_len());
                    x[at * c] = f32::NAN;
                    let (mut y, mut dx) = (vec![0.0; s.output_len()], vec![9.0; x.len()]);
                    max_forward_with(isa, &s, 1, &x, &mut y);
                    assert!(y[0].is_nan(), "{isa} {c} {at}");
                    assert!(y[1..].iter().all(|v| v.is_finite()));
                    let dy = vec![1.0; y.len()];
                    max_backward_with(isa, &s, 1, &x, &y, &dy, &mut dx);
                    assert_eq!((dx[0], dx[c], dx[4 * c], dx[5 * c]), (1.0, 0.0, 0.0, 0.0), "{isa} {c} {at}");
                }
            }
        }
        let s = Pool2dShape::valid(3, 3, 1, (3, 3), (1, 1));
        for at in 0..9 {
            let mut x = distinct(9);
            x[at] = f32::NAN;
            let mut y = [0.0];
            max_forward_with(isa, &s, 1, &x, &mut y);
            assert!(y[0].is_nan());
        }
    }
}

#[test]
fn global_pooling() {
    for isa in isa::available() {
        for c in [1usize, 3, 8, 64, 70] {
            let (n, spatial) = (2, 5);
            let x = distinct(n * spatial * c);
            let dy = distinct(n * c + 1)[1..].to_vec();
            let mean = guarded(n * c, |y| global_avg_forward_with(isa, n, spatial, c, &x, y));
            let max = guarded(n * c, |y| global_max_forward_with(isa, n, spatial, c, &x, y));
            let dmean = guarded(x.len(), |dx| global_avg_backward_with(isa, n, spatial, c, &dy, dx));
            let dmax = guarded(x.len(), |dx| global_max_backward_with(isa, n, spatial, c, &x, &max, &dy, dx));
            for sample in 0..n {
                for k in 0..c {
                    let at = |i: usize| (sample * spatial + i) * c + k;
                    let o = sample * c + k;
                    let sum: f32 = (0..spatial).map(|i| x[at(i)]).sum();
                    assert_eq!(mean[o], sum / spatial as f32);
                    assert_eq!(max[o], (0..spatial).map(|i| x[at(i)]).fold(f32::NEG_INFINITY, f32::max));
                    for i in 0..spatial {
                        assert_eq!(dmean[at(i)], dy[o] / spatial as f32);
                        assert_eq!(dmax[at(i)], if x[at(i)] == max[o] { dy[o] } else { 0.0 });
                    }
                }
            }
        }
        // Two maxima share, as in TensorFlow's reduce_max.
        let mut dx = [9.0; 3];
        global_max_backward_with(isa, 1, 3, 1, &[2.0, 1.0, 2.0], &[2.0], &[3.0], &mut dx);
        assert_eq!(dx, [1.5, 0.0, 1.5]);
        let mut y = [0.0];
        global_max_forward_with(isa, 1, 3, 1, &[2.0, f32::NAN, 3.0], &mut y);
        assert!(y[0].is_nan());
    }
}

#[test]
#[should_panic(expected = "a window without an element")]
fn a_window_in_the_padding_alone_panics() {
    let shape = Pool2dShape { out_h: 4, ..Pool2dShape::valid(4, 4, 1, (2, 2), (2, 2)) };
    max_forward(&shape, 1, &[0.0; 16], &mut [0.0; 8]);
}

#[test]
#[should_panic(expected = "do not fit 1 samples")]
fn a_wrong_length_panics() {
    max_forward(&Pool2dShape::valid(4, 4, 1, (2, 2), (2, 2)), 1, &[0.0; 16], &mut [0.0; 3]);
}
