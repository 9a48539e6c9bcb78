use super::*;
use crate::isa::available;

fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_769).wrapping_add(12_345);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Calls `visit(y index, x index, w index)` for every product of a sample's convolution.
fn products(shape: &Conv2dShape, mut visit: impl FnMut(usize, usize, usize)) {
    let (c_in, c_out) = (shape.group_in(), shape.group_out());
    for (oy, ox) in (0..shape.out_h()).flat_map(|y| (0..shape.out_w()).map(move |x| (y, x))) {
        for (ky, kx) in (0..shape.kh).flat_map(|y| (0..shape.kw).map(move |x| (y, x))) {
            let y = (oy * shape.stride.0 + ky * shape.dilation.0).wrapping_sub(shape.pad.top);
            let x = (ox * shape.stride.1 + kx * shape.dilation.1).wrapping_sub(shape.pad.left);
            if y >= shape.h || x >= shape.w {
                continue;
            }
            for o in 0..shape.c_out {
                for i in 0..c_in {
                    let input = (y * shape.w + x) * shape.c_in + o / c_out * c_in + i;
                    let weight = ((ky * shape.kw + kx) * c_in + i) * shape.c_out + o;
                    visit((oy * shape.out_w() + ox) * shape.c_out + o, input, weight);
                }
            }
        }
    }
}

/// All results in f64: y, dx, dw, db.
fn reference(shape: &Conv2dShape, n: usize, x: &[f32], w: &[f32], dy: &[f32]) -> [Vec<f64>; 4] {
    let (xs, ys) = (shape.input_len(), shape.output_len());
    let (mut y, mut dx) = (vec![0.0; n * ys], vec![0.0; n * xs]);
    let (mut dw, mut db) = (vec![0.0; w.len()], vec![0.0; shape.c_out]);
    for sample in 0..n {
        products(shape, |o, i, k| {
            let (o, i) = (o + sample * ys, i + sample * xs);
            y[o] += f64::from(x[i]) * f64::from(w[k]);
            dx[i] += f64::from(dy[o]) * f64::from(w[k]);
            dw[k] += f64::from(dy[o]) * f64::from(x[i]);
        });
    }
    for (index, &value) in dy.iter().enumerate() {
        db[index % shape.c_out] += f64::from(value);
    }
    [y, dx, dw, db]
}

/// A slice of `len` values inside a guard band, and the check that the band is unharmed.
struct Guarded(Vec<f32>);

impl Guarded {
    const BAND: usize = 33;

    fn new(len: usize) -> Self {
        Self(vec![7.5; len + 2 * Self::BAND])
    }

    fn inner(&mut self) -> &mut [f32] {
        let end = self.0.len() - Self::BAND;
        &mut self.0[Self::BAND..end]
    }

    fn compare(&mut self, what: &str, expected: impl Iterator<Item = f64>, terms: f64) {
        let end = self.0.len() - Self::BAND;
        let intact = self.0[..Self::BAND].iter().chain(&self.0[end..]).all(|&value| value == 7.5);
        assert!(intact, "{what}: wrote outside");
        // Roundings of a sum of `terms` products below 1 in size, averaging out: see the matrix product's tests.
        let tolerance = f64::from(f32::EPSILON) * (terms + 9.0);
        for (index, (&got, want)) in self.inner().iter().zip(expected).enumerate() {
            let off = (f64::from(got) - want).abs();
            assert!(off <= tolerance, "{what}: element {index} is {got}, not {want}");
        }
    }
}

fn check(isa: Isa, shape: Conv2dShape, n: usize) {
    let conv = Conv2d::new(shape);
    let (xs, ys) = (shape.input_len(), shape.output_len());
    let (x, w, dy) = (values(n * xs, 1), values(shape.kernel_len(), 2), values(n * ys, 3));
    let bias = values(shape.c_out, 4);
    let [y_ref, dx_ref, dw_ref, db_ref] = reference(&shape, n, &x, &w, &dy);
    let mut packed = Guarded::new(conv.packed_len());
    conv.pack(&w, packed.inner());
    packed.compare("packed", std::iter::empty(), 0.0);
    let packed = packed.inner();
    let mut scratch = Guarded::new(conv.scratch_len());
    scratch.inner().fill(f32::NAN);
    // Transforms round larger values than they give, by a factor that was measured; and they average out. A direct sum may be off by as
    // many roundings as it has terms, but never by more than a transformed one.
    let transformed = |count: usize| 32.0 * (count as f64).sqrt();
    let direct = |count: usize| transformed(count).min(count as f64);
    let terms = |count: usize| if conv.winograd.is_some() { transformed(count) } else { direct(count) };
    let taps = shape.kh * shape.kw;
    let name = |pass: &str| format!("{isa} {pass} {shape:?}");

    let biases = [None, Some(&bias[..])];
    for (bias, relu) in biases.into_iter().flat_map(|bias| [(bias, false), (bias, true)]) {
        let mut y = Guarded::new(n * ys);
        let weights = Weights { packed, bias, relu };
        conv.forward_with(isa, ForwardPass { samples: n, x: &x, weights, y: y.inner(), scratch: scratch.inner() });
        let expected = y_ref.iter().enumerate().map(|(index, value)| {
            let value = value + bias.map_or(0.0, |bias| f64::from(bias[index % shape.c_out]));
            if relu { value.max(0.0) } else { value }
        });
        y.compare(&name("forward"), expected, terms(taps * shape.group_in()));
    }
    let mut dx = Guarded::new(n * xs);
    let pass = BackwardPass { samples: n, x: &x, dy: &dy, packed, weights: None, dx: Some(dx.inner()), scratch: scratch.inner() };
    conv.backward_with(isa, pass);
    dx.compare(&name("input gradient"), dx_ref.iter().copied(), terms(taps * shape.group_out()));
    for (accumulate, with_bias) in [(false, true), (true, true), (false, false)] {
        let (mut dw, mut db) = (Guarded::new(w.len()), Guarded::new(shape.c_out));
        let before = if accumulate { 7.5 } else { 0.0 };
        let weights = WeightGradients { dw: dw.inner(), db: with_bias.then_some(db.inner()), accumulate };
        // Together with the input gradient and without it.
        let mut dx = Guarded::new(n * xs);
        let (weights, input) = (Some(weights), accumulate.then_some(dx.inner()));
        let pass = BackwardPass { samples: n, x: &x, dy: &dy, packed, weights, dx: input, scratch: scratch.inner() };
        conv.backward_with(isa, pass);
        if accumulate {
            dx.compare(&name("input gradient"), dx_ref.iter().copied(), terms(taps * shape.group_out()));
        }
        let pixels = n * shape.out_h() * shape.out_w();
        dw.compare(&name("weight gradient"), dw_ref.iter().map(|value| value + before), terms(pixels + 30));
        if with_bias {
            db.compare(&name("bias gradient"), db_ref.iter().map(|value| value + before), direct(pixels + 30));
        }
    }
    scratch.compare(&name("scratch"), std::iter::empty(), 0.0);
}

/// `[h, w, c_in] * [kh, kw] -> c_out`, stride 1, no padding.
fn plain((h, w, c_in): (usize, usize, usize), (kh, kw): (usize, usize), c_out: usize) -> Conv2dShape {
    let pad = Padding::default();
    Conv2dShape { h, w, c_in, c_out, kh, kw, stride: (1, 1), dilation: (1, 1), groups: 1, pad }
}

fn padded(shape: Conv2dShape, top: usize, bottom: usize, left: usize, right: usize) -> Conv2dShape {
    Conv2dShape { pad: Padding { top, bottom, left, right }, ..shape }
}

fn every_kind(isa: Isa) {
    if !isa.is_available() {
        maobi_testing::skip(&format!("this processor has no {isa}"));
        return;
    }
    // Channel counts off the lane size.
    for c_out in (1..=50).chain([63, 64, 65]) {
        check(isa, padded(plain((5, 6, 2), (3, 3), c_out), 1, 1, 1, 1), 2);
    }
    for c_in in (1..=34).chain([48, 49]) {
        check(isa, plain((4, 5, c_in), (2, 3), 5), 1);
    }
    // Row lengths on both sides of every tile width.
    for w in 3..=33 {
        check(isa, plain((4, w, 3), (3, 3), 17), 1);
        check(isa, padded(plain((3, w, 1), (5, 5), 32), 2, 2, 2, 2), 1);
    }
    // Strides, dilation, uneven padding, groups, and all of them together.
    let base = plain((9, 11, 6), (3, 2), 8);
    for stride in [(1, 1), (2, 2), (1, 3), (3, 2)] {
        for dilation in [(1, 1), (2, 1), (1, 2), (3, 3)] {
            for groups in [1, 2, 6] {
                let c_out = if groups == 6 { 12 } else { 8 };
                let shape = Conv2dShape { stride, dilation, groups, c_out, ..base };
                check(isa, shape, 1);
                check(isa, padded(shape, 1, 2, 0, 3), 2);
                check(isa, padded(shape, 4, 0, 5, 1), 1);
            }
        }
    }
    for channels in (1..=35).chain([47, 48, 49, 64]) {
        let depthwise = Conv2dShape { groups: channels, ..plain((6, 5, channels), (3, 3), channels) };
        check(isa, padded(depthwise, 1, 1, 1, 1), 1);
        check(isa, Conv2dShape { stride: (2, 2), ..padded(depthwise, 0, 1, 0, 1) }, 2);
        check(isa, Conv2dShape { c_out: 3 * channels, ..depthwise }, 1);
    }
    // Fewer multiplications: whole tiles and cut ones, one block and several, samples together and apart.
    for (h, w, c_in, c_out, n) in
        [(8, 8, 16, 16, 3), (7, 9, 16, 32, 7), (13, 13, 32, 16, 2), (25, 6, 48, 16, 1), (23, 22, 32, 32, 1)]
    {
        for kernel in [3, 5] {
            let shape = plain((h, w, c_in), (kernel, kernel), c_out);
            check(isa, shape, n);
            check(isa, padded(shape, 2, 0, 1, 3), n);
        }
    }
    // A kernel larger than the image, no samples, an image of one pixel.
    check(isa, plain((2, 2, 3), (3, 3), 4), 2);
    check(isa, plain((5, 5, 3), (3, 3), 4), 0);
    check(isa, plain((1, 1, 3), (1, 1), 4), 3);
}

fn recipes(isa: Isa) {
    if !isa.is_available() {
        maobi_testing::skip(&format!("this processor has no {isa}"));
        return;
    }
    check(isa, padded(plain((28, 28, 1), (5, 5), 32), 2, 2, 2, 2), 2);
    check(isa, padded(plain((14, 14, 32), (5, 5), 64), 2, 2, 2, 2), 1);
    check(isa, plain((28, 28, 1), (3, 3), 32), 1);
    check(isa, plain((13, 13, 32), (3, 3), 64), 1);
    check(isa, plain((5, 5, 64), (3, 3), 64), 2);
    check(isa, plain((26, 26, 32), (3, 3), 64), 1);
    check(isa, plain((28, 28, 1), (3, 3), 8), 1);
    check(isa, Conv2dShape { stride: (2, 2), ..padded(plain((28, 28, 1), (3, 3), 8), 0, 1, 0, 1) }, 1);
    check(isa, plain((26, 26, 8), (3, 3), 8), 1);
}

/// Where a weight that is not a number meets inputs or gradients that are 0, the result is NaN, whichever way the convolution takes.
fn zeros_times_nan(isa: Isa) {
    if !isa.is_available() {
        maobi_testing::skip(&format!("this processor has no {isa}"));
        return;
    }
    let depthwise = Conv2dShape { groups: 19, ..plain((6, 5, 19), (3, 3), 19) };
    let shapes = [
        plain((6, 7, 3), (3, 3), 40),                       // windows
        padded(plain((6, 6, 3), (3, 3), 5), 1, 1, 1, 1),    // pairs of pixels
        padded(plain((28, 28, 1), (5, 5), 32), 2, 2, 2, 2), // one channel
        plain((5, 5, 64), (3, 3), 64),                      // a gradient tap by tap
        Conv2dShape { stride: (2, 2), ..padded(plain((9, 9, 4), (3, 3), 20), 0, 1, 0, 1) },
        Conv2dShape { groups: 2, dilation: (2, 1), ..plain((9, 9, 6), (3, 3), 8) },
        padded(depthwise, 1, 1, 1, 1),
        padded(plain((14, 14, 16), (3, 3), 32), 1, 1, 1, 1), // Winograd
        padded(plain((13, 9, 32), (5, 5), 16), 2, 2, 2, 2),
    ];
    for (shape, bad) in shapes.into_iter().flat_map(|shape| [f32::NAN, f32::INFINITY].map(|bad| (shape, bad))) {
        let conv = Conv2d::new(shape);
        let (xs, ys) = (shape.input_len(), shape.output_len());
        let (mut packed, mut scratch) = (vec![0.0; conv.packed_len()], vec![0.0; conv.scratch_len()]);
        let (mut w, zeros) = (values(shape.kernel_len(), 2), vec![0.0; xs.max(ys)]);
        // A weight in the middle of the kernel, so that it meets more than padding; and an output pixel.
        let (weight, output) = (shape.kernel_len() / 2, ys / 2);
        w[weight] = bad;
        conv.pack(&w, &mut packed);
        let (mut y, mut dx, mut dw) = (vec![0.0; ys], vec![0.0; xs], vec![0.0; w.len()]);
        let (x, weights) = (&zeros[..xs], Weights { packed: &packed, bias: None, relu: true });
        conv.forward_with(isa, ForwardPass { samples: 1, x, weights, y: &mut y, scratch: &mut scratch });
        let mut backward = |dy: &[f32], weights, dx| {
            conv.backward_with(isa, BackwardPass { samples: 1, x, dy, packed: &packed, weights, dx, scratch: &mut scratch });
        };
        backward(&zeros[..ys], None, Some(&mut dx));
        let mut dy = vec![0.0; ys];
        dy[output] = bad;
        backward(&dy, Some(WeightGradients { dw: &mut dw, db: None, accumulate: false }), None);
        let mut met = 0;
        products(&shape, |o, i, k| {
            if k == weight {
                met += 1;
                assert!(y[o].is_nan() && dx[i].is_nan(), "{isa} {shape:?}: output {o} is {}, input gradient {i} {}", y[o], dx[i]);
            }
            assert!(o != output || dw[k].is_nan(), "{isa} {shape:?}: weight gradient {k} is {}", dw[k]);
        });
        assert!(met > 0, "{shape:?}");
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
fn scalar_every_kind() {
    every_kind(Isa::Scalar);
}

#[test]
fn avx2_every_kind() {
    every_kind(Isa::Avx2);
}

#[test]
fn avx512_every_kind() {
    every_kind(Isa::Avx512);
}

#[test]
fn scalar_recipes() {
    recipes(Isa::Scalar);
}

#[test]
fn avx2_recipes() {
    recipes(Isa::Avx2);
}

#[test]
fn avx512_recipes() {
    recipes(Isa::Avx512);
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    for isa in available() {
        for shape in
            [padded(plain((14, 14, 32), (5, 5), 64), 2, 2, 2, 2), plain((13, 13, 32), (3, 3), 64), plain((5, 5, 64), (3, 3), 64)]
        {
            let conv = Conv2d::new(shape);
            let (xs, ys, n) = (shape.input_len(), shape.output_len(), 3);
            let (x, w, dy) = (values(n * xs, 1), values(shape.kernel_len(), 2), values(n * ys, 3));
            let (mut packed, mut scratch) = (vec![0.0; conv.packed_len()], vec![0.0; conv.scratch_len()]);
            conv.pack(&w, &mut packed);
            let weights = Weights { packed: &packed, bias: None, relu: false };
            let mut run = |samples: usize, first: usize, threads: Option<usize>| {
                let (x, dy) = (&x[first * xs..][..samples * xs], &dy[first * ys..][..samples * ys]);
                let (mut y, mut dx) = (vec![0.0; samples * ys], vec![0.0; samples * xs]);
                let pass = ForwardPass { samples, x, weights, y: &mut y, scratch: &mut scratch };
                match threads {
                    Some(threads) => conv.forward_one(&Pool::new(threads), pass),
                    None => conv.forward_with(isa, pass),
                }
                let dx_of = Some(&mut dx[..]);
                let scratch = &mut scratch[..];
                conv.backward_with(isa, BackwardPass { samples, x, dy, packed: &packed, weights: None, dx: dx_of, scratch });
                (y, dx)
            };
            let ((y, dx), (y1, dx1)) = (run(n, 0, None), run(1, 2, None));
            if isa == crate::isa::active() {
                assert!(run(1, 2, Some(3)).0 == y1, "{isa} {shape:?} on three threads");
            }
            assert!(y1 == y[2 * ys..] && dx1 == dx[2 * xs..], "{isa} {shape:?}");
        }
    }
}

#[test]
#[should_panic(expected = "Conv2d: 3 groups divide neither 4 nor 6 channels")]
fn groups_must_divide_channels() {
    Conv2d::new(Conv2dShape { groups: 3, ..plain((5, 5, 4), (3, 3), 6) });
}

#[test]
#[should_panic(expected = "Conv2d::forward: the elements of x for 2 samples")]
fn lengths_are_checked() {
    let conv = Conv2d::new(plain((5, 5, 1), (3, 3), 1));
    let packed = vec![0.0; conv.packed_len()];
    let (weights, scratch) = (Weights { packed: &packed, bias: None, relu: false }, &mut vec![0.0; conv.scratch_len()]);
    conv.forward(ForwardPass { samples: 2, x: &[0.0; 25], weights, y: &mut [0.0; 18], scratch });
}
