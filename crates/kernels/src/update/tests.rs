//! Tests of [`super`]: numbers of real Keras, and every instruction set by name against the scalar loops.

use super::*;
use crate::isa::{self, Isa};

const START: [f32; 3] = [0.5, -1.0, 2.0];
const GRADIENTS: [[f32; 3]; 3] = [[0.1, -0.2, 0.0], [0.3, 0.4, -1e-3], [-0.5, 0.1, 2.0]];

/// Three steps of `step(t, w, g, slots)`, t from 1, held against what Keras 3 on TensorFlow answered for
///
/// ```text
/// v = keras.Variable(np.array(START, "float32")); o.build([v])
/// for g in GRADIENTS: o.apply([keras.ops.convert_to_tensor(np.array(g, "float32"))], [v])
/// print(v.numpy())
/// ```
///
/// Both round in f32 a few times per step: 1e-6.
fn trajectory(name: &str, expected: [f32; 3], mut step: impl FnMut(i32, &mut [f32], &[f32], [&mut [f32]; 3])) {
    let (mut w, mut slots) = (START, [[0.0; 3]; 3]);
    for (t, g) in (1..).zip(&GRADIENTS) {
        let [a, b, c] = &mut slots;
        step(t, &mut w, g, [a, b, c]);
    }
    for (a, e) in w.iter().zip(expected) {
        assert!((a - e).abs() <= 1e-6 * e.abs().max(1.0), "{name}: {w:?} instead of {expected:?}");
    }
}

/// Adam's scalars at step t.
fn adam_at(t: i32, lr: f32, beta_2: f64) -> Adam {
    let alpha = lr * (1.0 - (beta_2 as f32).powi(t)).sqrt() / (1.0 - 0.9f32.powi(t));
    Adam { alpha, one_minus_beta_1: 0.1, one_minus_beta_2: (1.0 - beta_2) as f32, epsilon: 1e-7 }
}

#[test]
fn trajectories_are_keras() {
    let rms = RMSprop { lr: 0.1, rho: 0.9, one_minus_rho: 0.1, momentum: 0.9, epsilon: 1e-7 };
    for isa in isa::available() {
        trajectory("SGD(0.1)", [0.51, -1.03, 1.800_099_8], |_, w, g, _| sgd_with(isa, 0.1, w, g));
        trajectory("SGD(0.1, momentum=0.9)", [0.4659, -1.0318, 1.800_189_9], |_, w, g, [m, ..]| {
            sgd_momentum_with(isa, 0.1, 0.9, false, w, g, m);
        });
        trajectory("SGD(0.1, momentum=0.9, nesterov=True)", [0.479_309_98, -1.058_620_1, 1.620_271], |_, w, g, [m, ..]| {
            sgd_momentum_with(isa, 0.1, 0.9, true, w, g, m);
        });
        trajectory("Adam(0.1)", [0.324_318_83, -0.978_176_65, 2.010_326_1], |t, w, g, [m, v, _]| {
            adam_with(isa, &adam_at(t, 0.1, 0.999), w, g, m, v);
        });
        trajectory("AdamW(0.1, weight_decay=0.1)", [0.312_376_02, -0.950_099_47, 1.950_182_4], |t, w, g, [m, v, _]| {
            weight_decay_with(isa, w, 0.1, 0.1);
            adam_with(isa, &adam_at(t, 0.1, 0.999), w, g, m, v);
        });
        trajectory("Adam(0.1, amsgrad=True, beta_2=0.5)", [0.331_771_88, -0.967_712_6, 2.015_658_6], |t, w, g, [m, v, h]| {
            adam_amsgrad_with(isa, &adam_at(t, 0.1, 0.5), w, g, m, v, h);
        });
        trajectory("RMSprop(0.1)", [0.153_800_49, -1.042_734_4, 1.907_379_2], |_, w, g, [v, ..]| {
            rmsprop_with(isa, &rms, w, g, v, None, None);
        });
        let expected = [-0.753_563_76, -0.721_418_6, 2.102_573_2];
        trajectory("RMSprop(0.1, momentum=0.9, centered=True)", expected, |_, w, g, [v, m, a]| {
            rmsprop_with(isa, &rms, w, g, v, Some(m), Some(a));
        });
        trajectory("Adagrad(0.1)", [0.477_302_43, -1.037_537_9, 1.901_543_1], |t, w, g, [a, ..]| {
            if t == 1 {
                a.fill(0.1); // Keras' initial_accumulator_value
            }
            adagrad_with(isa, &Adagrad { lr: 0.1, epsilon: 1e-7 }, w, g, a);
        });
        trajectory("Adadelta(1.0)", [0.499_019_47, -1.000_983_6, 1.999_183_5], |_, w, g, [a, d, _]| {
            adadelta_with(isa, &Adadelta { lr: 1.0, rho: 0.95, one_minus_rho: 0.05, epsilon: 1e-7 }, w, g, a, d);
        });
        let ftrl = Ftrl { lr: 0.1, power: 0.5, l1: 0.0, twice_l2: 0.0, twice_shrinkage: 0.0 };
        let options = Ftrl { power: 0.7, l1: 0.1, twice_l2: 2.0 * (0.2 + 0.3 / 0.2), twice_shrinkage: 0.1, ..ftrl };
        let names = [
            "Ftrl(0.1)",
            "Ftrl(0.1, learning_rate_power=-0.7, l1_regularization_strength=0.1, l2_regularization_strength=0.2, \
             l2_shrinkage_regularization_strength=0.05, beta=0.3)",
        ];
        let expected = [[0.000_571_136_13, -0.192_383_7, -0.098_456_725], [0.0, -0.085_422_575, -0.084_061_48]];
        for ((name, p), expected) in names.into_iter().zip([ftrl, options]).zip(expected) {
            trajectory(name, expected, |t, w, g, [a, z, _]| {
                if t == 1 {
                    a.fill(0.1);
                }
                ftrl_with(isa, &p, w, g, a, z);
            });
        }
        let mut product = 1.0;
        trajectory("Nadam(0.1)", [0.379_184_2, -1.009_337_1, 1.995_300_8], |t, w, g, [m, v, _]| {
            let u = |t| 0.9 * (1.0 - 0.5 * 0.96f32.powi(t));
            product *= u(t);
            let p = Nadam {
                lr: 0.1,
                one_minus_beta_1: 0.1,
                one_minus_beta_2: 0.001,
                one_minus_u: 1.0 - u(t),
                u_next: u(t + 1),
                one_minus_u_product: 1.0 - product,
                one_minus_u_product_next: 1.0 - product * u(t + 1),
                one_minus_beta_2_power: 1.0 - 0.999f32.powi(t),
                epsilon: 1e-7,
            };
            nadam_with(isa, &p, w, g, m, v);
        });
        trajectory("Lion(0.1)", [0.4, -1.1, 2.0], |_, w, g, [m, ..]| {
            let p = Lion { lr: 0.1, beta_1: 0.9, one_minus_beta_1: 0.1, beta_2: 0.99, one_minus_beta_2: 0.01 };
            lion_with(isa, &p, w, g, m);
        });
        trajectory("Adamax(0.1)", [0.342_575_4, -0.956_465_7, 2.015_742_5], |t, w, g, [m, u, _]| {
            let power = 1.0 - 0.9f32.powi(t);
            let p = Adamax { lr: 0.1, one_minus_beta_1: 0.1, beta_2: 0.999, one_minus_beta_1_power: power, epsilon: 1e-7 };
            adamax_with(isa, &p, w, g, m, u);
        });
    }
}

fn data(len: usize, salt: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + salt * 31) % 1009) as f32 / 500.0 - 1.0).collect()
}

/// Every update on `len` elements between guard bands; answers all that was written.
fn run_all(isa: Isa, len: usize) -> Vec<Vec<f32>> {
    let g = data(len, 1);
    let mut written = Vec::new();
    let mut run = |step: &mut dyn FnMut([&mut [f32]; 4])| {
        let mut slices: Vec<Vec<f32>> = (0..4)
            .map(|salt| {
                let mut padded = vec![55.0; len + 16];
                for (p, v) in padded[8..8 + len].iter_mut().zip(data(len, salt + 2)) {
                    // Slots are mean squares for some: not negative.
                    *p = if salt == 0 { v } else { v.abs() };
                }
                padded
            })
            .collect();
        let [w, a, b, c] = slices.as_mut_slice() else { unreachable!("four slices were made") };
        step([w, a, b, c].map(|s| &mut s[8..8 + len]));
        for slice in &slices {
            assert!(slice[..8].iter().chain(&slice[8 + len..]).all(|v| *v == 55.0), "wrote beyond its slice");
        }
        written.append(&mut slices);
    };
    let adam = Adam { alpha: 0.1, one_minus_beta_1: 0.1, one_minus_beta_2: 0.001, epsilon: 1e-7 };
    let rms = RMSprop { lr: 0.1, rho: 0.9, one_minus_rho: 0.1, momentum: 0.9, epsilon: 1.0 };
    run(&mut |[w, ..]| sgd_with(isa, 0.1, w, &g));
    run(&mut |[w, m, ..]| sgd_momentum_with(isa, 0.1, 0.9, false, w, &g, m));
    run(&mut |[w, m, ..]| sgd_momentum_with(isa, 0.1, 0.9, true, w, &g, m));
    run(&mut |[w, m, v, _]| adam_with(isa, &adam, w, &g, m, v));
    run(&mut |[w, m, v, h]| adam_amsgrad_with(isa, &adam, w, &g, m, v, h));
    run(&mut |[w, v, ..]| rmsprop_with(isa, &rms, w, &g, v, None, None));
    run(&mut |[w, v, m, _]| rmsprop_with(isa, &rms, w, &g, v, Some(m), None));
    run(&mut |[w, v, _, a]| rmsprop_with(isa, &rms, w, &g, v, None, Some(a)));
    run(&mut |[w, v, m, a]| rmsprop_with(isa, &rms, w, &g, v, Some(m), Some(a)));
    run(&mut |[w, a, ..]| adagrad_with(isa, &Adagrad { lr: 0.1, epsilon: 1e-7 }, w, &g, a));
    run(&mut |[w, a, d, _]| {
        adadelta_with(isa, &Adadelta { lr: 1.0, rho: 0.95, one_minus_rho: 0.05, epsilon: 1e-7 }, w, &g, a, d)
    });
    run(&mut |[w, m, v, _]| {
        let p = Nadam {
            lr: 0.1,
            one_minus_beta_1: 0.1,
            one_minus_beta_2: 0.001,
            one_minus_u: 0.4,
            u_next: 0.5,
            one_minus_u_product: 0.3,
            one_minus_u_product_next: 0.4,
            one_minus_beta_2_power: 0.01,
            epsilon: 1e-7,
        };
        nadam_with(isa, &p, w, &g, m, v);
    });
    run(&mut |[w, m, ..]| {
        let p = Lion { lr: 0.1, beta_1: 0.9, one_minus_beta_1: 0.1, beta_2: 0.99, one_minus_beta_2: 0.01 };
        lion_with(isa, &p, w, &g, m);
    });
    run(&mut |[w, m, u, _]| {
        let p = Adamax { lr: 0.1, one_minus_beta_1: 0.1, beta_2: 0.999, one_minus_beta_1_power: 0.1, epsilon: 1e-7 };
        adamax_with(isa, &p, w, &g, m, u);
    });
    for power in [0.5, 0.7] {
        let p = Ftrl { lr: 0.1, power, l1: 0.2, twice_l2: 0.1, twice_shrinkage: 0.05 };
        run(&mut |[w, a, z, _]| ftrl_with(isa, &p, w, &g, a, z));
    }
    run(&mut |[w, ..]| weight_decay_with(isa, w, 0.1, 0.01));
    run(&mut |[w, a, ..]| ema_with(isa, 0.99, a, w));
    run(&mut |[w, ..]| clip_value_with(isa, w, 0.5));
    run(&mut |[w, a, ..]| add_l1_l2_gradient_with(isa, w, a, 0.1, 0.01));
    run(&mut |[w, a, ..]| add_l1_l2_gradient_with(isa, w, a, 0.0, 0.01));
    written
}

#[test]
fn every_instruction_set_gives_the_scalar_bits() {
    for len in (0..=49).chain([1003, 4096]) {
        let expected = run_all(Isa::Scalar, len);
        for isa in isa::available() {
            assert_eq!(run_all(isa, len), expected, "{isa} {len}");
        }
    }
}

#[test]
fn small_updates_by_hand() {
    let mut g = [-3.0, 0.25, 3.0, f32::NAN];
    clip_value(&mut g, 0.5);
    assert_eq!(g[..3], [-0.5, 0.25, 0.5]);
    assert!(g[3].is_nan());

    let mut g = [1.0; 3];
    add_l1_l2_gradient(&[-2.0, 0.0, 2.0], &mut g, 0.5, 0.25);
    assert_eq!(g, [-0.5, 1.0, 2.5]);

    let mut average = [1.0, 2.0];
    ema(0.75, &mut average, &[5.0, 2.0]);
    assert_eq!(average, [2.0, 2.0]);

    let mut w = [4.0];
    weight_decay(&mut w, 0.5, 0.25);
    assert_eq!(w, [3.5]);
}

/// The L1/L2 gradient is that of the penalty, by central differences, which are exact for a square.
#[test]
fn the_penalty_gradient_matches_finite_differences() {
    let penalty = |w: f64| 0.01 * w.abs() + 0.03 * w * w;
    for w in [-1.5f32, -0.2, 0.4, 3.0] {
        let mut g = [0.0];
        add_l1_l2_gradient(&[w], &mut g, 0.01, 0.03);
        let h = 1e-3;
        let expected = (penalty(f64::from(w) + h) - penalty(f64::from(w) - h)) / (2.0 * h);
        assert!((f64::from(g[0]) - expected).abs() < 1e-7, "{w}");
    }
}

#[test]
#[should_panic(expected = "adam: slices differ in length: [2, 2, 2, 1]")]
fn a_wrong_length_panics() {
    let p = Adam { alpha: 0.1, one_minus_beta_1: 0.1, one_minus_beta_2: 0.001, epsilon: 1e-7 };
    adam(&p, &mut [0.0; 2], &[0.0; 2], &mut [0.0; 2], &mut [0.0; 1]);
}
