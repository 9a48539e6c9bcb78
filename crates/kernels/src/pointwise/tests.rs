//! Tests of [`super`] against f64, on every instruction set by name.

use super::*;
use crate::isa::{self, Isa};

/// The complementary error function in f64: Taylor's series up to 2, the continued fraction beyond.
fn erfc(t: f64) -> f64 {
    if t < 0.0 {
        return 2.0 - erfc(-t);
    }
    if t < 2.0 {
        let (mut term, mut sum) = (t, t);
        for n in 1..60 {
            term *= -t * t / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return 1.0 - sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let mut fraction = t;
    for n in (1..80).rev() {
        fraction = t + f64::from(n) / 2.0 / fraction;
    }
    (-t * t).exp() / fraction / std::f64::consts::PI.sqrt()
}

/// The activation in f64, as its documentation states it.
fn reference(act: Activation, x: f64) -> f64 {
    let elu = |alpha: f64| if x > 0.0 { x } else { alpha * x.exp_m1() };
    match act {
        Activation::Linear => x,
        Activation::Relu { max_value, negative_slope, threshold } => {
            if x > f64::from(threshold) {
                max_value.map_or(x, |max| x.clamp(0.0, f64::from(max)))
            } else {
                f64::from(negative_slope) * (x - f64::from(threshold))
            }
        }
        Activation::LeakyRelu { negative_slope } => {
            if x > 0.0 {
                x
            } else {
                f64::from(negative_slope) * x
            }
        }
        Activation::Elu { alpha } => elu(f64::from(alpha)),
        Activation::Selu => 1.050_700_987_355_480_5 * elu(1.673_263_242_354_377_2),
        Activation::Gelu { approximate: false } => 0.5 * x * erfc(-x / std::f64::consts::SQRT_2),
        Activation::Gelu { approximate: true } => {
            // x/2 · (1 + tanh u) = x / (1 + exp(−2u)), which keeps its digits at negative x.
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            x / (1.0 + (-2.0 * u).exp())
        }
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Activation::Softsign => x / (1.0 + x.abs()),
        Activation::Exponential => x.exp(),
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
    }
}

fn all() -> Vec<Activation> {
    let relu = |max_value, negative_slope, threshold| Activation::Relu { max_value, negative_slope, threshold };
    vec![
        Activation::Linear,
        Activation::RELU,
        relu(Some(6.0), 0.0, 0.0),
        relu(None, 0.1, 0.0),
        relu(Some(2.0), 0.1, 0.0),
        relu(None, 0.0, 1.0),
        relu(Some(3.0), 0.25, -1.0),
        Activation::LeakyRelu { negative_slope: 0.2 },
        Activation::LeakyRelu { negative_slope: -0.5 },
        Activation::Elu { alpha: 1.0 },
        Activation::Elu { alpha: 0.3 },
        Activation::Elu { alpha: -0.3 },
        Activation::Selu,
        Activation::Gelu { approximate: false },
        Activation::Gelu { approximate: true },
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Softplus,
        Activation::Softsign,
        Activation::Exponential,
        Activation::HardSigmoid,
    ]
}

/// A sweep of what networks see, and what they should not.
fn inputs() -> Vec<f32> {
    let sweep = (-44_000..44_000).map(|i| i as f32 * 0.0025 + 0.0011);
    let small = (-300..20).flat_map(|e| [1.0f32, -1.0].map(|s| s * 1.37 * 2f32.powf(e as f32 * 0.42)));
    let edges = [
        0.0,
        1.0,
        -1.0,
        3.0,
        -3.0,
        6.0,
        1e10,
        -1e10,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        1e-40,
        -1e-40,
        88.72,
        -87.33,
        -103.9,
    ];
    sweep.chain(small).chain(edges).collect()
}

/// The distance of `actual` from `expected` in units in the last place of `expected`, subnormals as they are spaced.
fn ulps(actual: f32, expected: f64) -> f64 {
    if expected.abs() > f64::from(f32::MAX) {
        return if f64::from(actual) == f64::INFINITY.copysign(expected) { 0.0 } else { f64::INFINITY };
    }
    let exponent = expected.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (f64::from(actual) - expected).abs() / 2f64.powf(exponent - 23.0)
}

/// Units in the last place: half for one rounding of an exact formula, a few where polynomials or quotients follow each other.
fn bound(act: Activation) -> f64 {
    match act {
        Activation::Linear | Activation::Softsign => 1.5,
        Activation::Relu { .. } | Activation::LeakyRelu { .. } => 1.0,
        // x + 3 cancels near −3: held to an absolute error below.
        Activation::HardSigmoid => 1.0,
        Activation::Exponential => 2.0,
        Activation::Gelu { approximate: false } => 10.0,
        // The argument of the exponential, down to −88, rounds four times: 88 · 4 units.
        Activation::Gelu { approximate: true } => 352.0,
        _ => 3.0,
    }
}

#[test]
fn values_match_f64() {
    let x = inputs();
    for isa in isa::available() {
        for act in all() {
            let mut y = vec![0.0; x.len()];
            forward_with(isa, act, &x, &mut y);
            let mut worst = (0.0, 0.0);
            for (&x, &y) in x.iter().zip(&y) {
                let expected = reference(act, f64::from(x));
                let exact = matches!(act, Activation::HardSigmoid) && (f64::from(y) - expected).abs() < 1e-7;
                // Φ(x) and sigmoid(x) turn subnormal, and lose digits, before x times them does.
                let product = matches!(act, Activation::Gelu { .. } | Activation::Silu);
                let vanished = product && (f64::from(y) - expected).abs() < 1e-43;
                let error = if exact || vanished { 0.0 } else { ulps(y, expected) };
                if error > worst.0 {
                    worst = (error, x);
                }
            }
            assert!(worst.0 <= bound(act), "{isa} {act:?}: {} ulp at {}", worst.0, worst.1);
        }
    }
}

#[test]
fn ranges_and_nan() {
    let x: Vec<f32> = inputs();
    for isa in isa::available() {
        for act in all() {
            let mut y = vec![0.0; x.len()];
            forward_with(isa, act, &x, &mut y);
            let dy = vec![1.0; x.len()];
            let mut dx = vec![0.0; x.len()];
            backward_with(isa, act, &x, &y, &dy, &mut dx);
            if act != Activation::Exponential {
                // 1.05 · f32::MAX is infinite, and so is selu of it.
                let finite = |(&x, v): (&f32, &f32)| v.is_finite() || (act == Activation::Selu && x == f32::MAX);
                assert!(x.iter().zip(&y).all(finite) && dx.iter().all(|v| v.is_finite()), "{isa} {act:?}");
            }
            match act {
                Activation::Sigmoid | Activation::HardSigmoid => assert!(y.iter().all(|v| (0.0..=1.0).contains(v))),
                Activation::Tanh | Activation::Softsign => assert!(y.iter().all(|v| (-1.0..=1.0).contains(v))),
                Activation::Softplus | Activation::Exponential => assert!(y.iter().all(|v| *v >= 0.0)),
                _ => {}
            }
            let mut nan = [1.0, f32::NAN, 2.0];
            forward_in_place_with(isa, act, &mut nan);
            assert!(nan[0].is_finite() && nan[1].is_nan() && nan[2].is_finite(), "{isa} {act:?}: {nan:?}");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_scalar_bits_on_every_length() {
    let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    for isa in isa::available() {
        for act in all() {
            for len in (0..=49).chain([3001]) {
                let x: Vec<f32> = (0..len).map(|i| ((i * 7919) % 1009) as f32 / 100.0 - 5.0).collect();
                let dy: Vec<f32> = x.iter().rev().copied().collect();
                let run = |isa| {
                    // Guard bands: the kernels see the middle only.
                    let (mut y, mut dx) = (vec![5.5; len + 16], vec![5.5; len + 16]);
                    forward_with(isa, act, &x, &mut y[8..8 + len]);
                    backward_with(isa, act, &x, &y[8..8 + len], &dy, &mut dx[8..8 + len]);
                    for v in [&y, &dx] {
                        assert!(v[..8].iter().chain(&v[8 + len..]).all(|v| *v == 5.5));
                    }
                    (y[8..8 + len].to_vec(), dx[8..8 + len].to_vec())
                };
                let (y, dx) = run(isa);
                let (scalar_y, scalar_dx) = run(Isa::Scalar);
                assert_eq!((bits(&y), bits(&dx)), (bits(&scalar_y), bits(&scalar_dx)), "{isa} {act:?} {len}");

                let mut in_place = x.clone();
                forward_in_place_with(isa, act, &mut in_place);
                assert_eq!(in_place, y, "{isa} {act:?} {len}");
                if derivative_from_output(act) {
                    let mut in_place = dy.clone();
                    backward_in_place_with(isa, act, &y, &mut in_place);
                    assert_eq!(in_place, dx, "{isa} {act:?} {len}");
                }
            }
        }
    }
}

/// Central differences of the f64 reference, away from the kinks.
#[test]
fn gradients_match_finite_differences() {
    let x: Vec<f32> = (-4000..4000).map(|i| i as f32 * 0.0025 + 0.0011).collect();
    let kinks = [-3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 6.0];
    for isa in isa::available() {
        for act in all() {
            let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            forward_with(isa, act, &x, &mut y);
            backward_with(isa, act, &x, &y, &vec![1.0; x.len()], &mut dx);
            for (&x, &dx) in x.iter().zip(&dx) {
                let (x, h) = (f64::from(x), 1e-5);
                if kinks.iter().any(|k| (x - k).abs() < 1e-4) {
                    continue;
                }
                let expected = (reference(act, x + h) - reference(act, x - h)) / (2.0 * h);
                // The differences err by 10⁻⁹ of the value, the f32 derivative by a few roundings of terms up to a few units.
                assert!(
                    (f64::from(dx) - expected).abs() < 1.5e-6 * expected.abs().max(1.0),
                    "{isa} {act:?} at {x}: {dx} instead of {expected}"
                );
            }
        }
    }
}

/// Keras: `keras.activations.relu([-10, -5, 0, 5, 10], …)`, the examples of its documentation, and of clipping and threshold together.
#[test]
fn relu_arguments_are_keras() {
    let run = |max_value, negative_slope, threshold| {
        let mut y = [-10.0, -5.0, 0.0, 5.0, 10.0];
        forward_in_place(Activation::Relu { max_value, negative_slope, threshold }, &mut y);
        y
    };
    assert_eq!(run(None, 0.0, 0.0), [0.0, 0.0, 0.0, 5.0, 10.0]);
    assert_eq!(run(None, 0.5, 0.0), [-5.0, -2.5, 0.0, 5.0, 10.0]);
    assert_eq!(run(Some(5.0), 0.0, 0.0), [0.0, 0.0, 0.0, 5.0, 5.0]);
    assert_eq!(run(None, 0.0, 5.0), [0.0, 0.0, 0.0, 0.0, 10.0]);
    assert_eq!(run(Some(6.0), 0.5, 2.0), [-6.0, -3.5, -1.0, 5.0, 6.0]);
}

#[test]
#[should_panic(expected = "needs the input")]
fn a_derivative_that_needs_the_input_is_not_taken_from_the_output() {
    backward_in_place(Activation::Silu, &[0.0], &mut [0.0]);
}

#[test]
fn arithmetic_matches_plain_loops_on_every_length() {
    for isa in isa::available() {
        for len in (0..=49).chain([3001]) {
            let a: Vec<f32> = (0..len).map(|i| (i % 97) as f32 * 0.37 - 9.0).collect();
            let b: Vec<f32> = (0..len).map(|i| (i % 89) as f32 * 0.53 + 0.1).collect();
            let check = |name: &str, kernel: &dyn Fn(&mut [f32]), expected: &dyn Fn(f32, f32) -> f32| {
                let mut out = vec![4.5; len + 16];
                out[8..8 + len].copy_from_slice(&a);
                kernel(&mut out[8..8 + len]);
                assert!(out[..8].iter().chain(&out[8 + len..]).all(|v| *v == 4.5), "{name} wrote beyond its slice");
                for i in 0..len {
                    assert_eq!(out[8 + i], expected(a[i], b[i]), "{isa} {name} {len}");
                }
            };
            check("add", &|o| add_with(isa, &a, &b, o), &|a, b| a + b);
            check("mul", &|o| mul_with(isa, &a, &b, o), &|a, b| a * b);
            check("add_assign", &|o| add_assign_with(isa, o, &b), &|a, b| a + b);
            check("mul_assign", &|o| mul_assign_with(isa, o, &b), &|a, b| a * b);
            check("scale", &|o| scale_with(isa, o, 0.3), &|a, _| a * 0.3);
            check("axpy", &|o| axpy_with(isa, 0.3, &b, o), &|a, b| a + 0.3 * b);
            check("fill", &|o| fill_with(isa, o, 0.3), &|_, _| 0.3);
        }
        for cols in [1usize, 3, 8, 10, 33] {
            let bias: Vec<f32> = (0..cols).map(|i| i as f32).collect();
            let mut y = vec![1.0; 3 * cols];
            add_bias_with(isa, &mut y, &bias);
            assert!((0..3 * cols).all(|i| y[i] == 1.0 + (i % cols) as f32));
        }
    }
}

#[test]
fn dropout_follows_the_stream_and_scales_what_it_keeps() {
    let stream = Stream::new(1, 2, 3, 4);
    for isa in isa::available() {
        for rate in [0.0, 0.25, 0.5, 0.9, 1.0] {
            for len in [0usize, 1, 15, 16, 17, 63, 64, 65, 1000] {
                let x: Vec<f32> = (0..len).map(|i| i as f32 + 1.0).collect();
                let expected: Vec<f32> = (0..len)
                    .map(|i| if stream.uniform_at(i as u64) >= rate { x[i] * (1.0 / (1.0 - rate)) } else { 0.0 })
                    .collect();
                let mut y = vec![4.5; len + 16];
                dropout_with(isa, &stream, rate, &x, &mut y[8..8 + len]);
                assert_eq!(y[8..8 + len], expected, "{isa} {rate} {len}");
                assert!(y[..8].iter().chain(&y[8 + len..]).all(|v| *v == 4.5));
                let mut dx = vec![4.5; len];
                dropout_backward_with(isa, &stream, rate, &x, &mut dx);
                assert_eq!(dx, expected);
                let mut in_place = x;
                dropout_in_place_with(isa, &stream, rate, &mut in_place);
                assert_eq!(in_place, expected);
            }
        }
    }
    // Of 100,000 a quarter is dropped, within 4.5 standard errors.
    let mut y = vec![1.0; 100_000];
    dropout_in_place(&stream, 0.25, &mut y);
    let dropped = y.iter().filter(|v| **v == 0.0).count();
    assert!((24_384..=25_616).contains(&dropped), "{dropped}");
}

#[test]
#[should_panic(expected = "rate must lie in [0, 1], got 1.5")]
fn a_rate_above_one_panics() {
    dropout(&Stream::new(0, 0, 0, 0), 1.5, &[0.0], &mut [0.0]);
}
