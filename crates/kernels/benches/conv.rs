//! Convolutions of the recipes, one thread, in GFLOP/s and as a share of the measured FMA peak.
//!
//! `cargo bench -p maobi-kernels --bench conv [-- NAME…]`

mod common;

use common::{Report, values};
use maobi_kernels::conv::{BackwardPass, Conv2d, Conv2dShape, ForwardPass, Padding, WeightGradients, Weights};
use maobi_kernels::isa;

fn main() {
    let isa = isa::active();
    let mut report = Report::new(isa);
    let recipes = [
        ("lenet-1 28x28 1->32 5x5 same", (28, 1, 32, 5, 2)),
        ("lenet-2 14x14 32->64 5x5 same", (14, 32, 64, 5, 2)),
        ("tf2-1 28x28 1->32 3x3", (28, 1, 32, 3, 0)),
        ("tf2-2 13x13 32->64 3x3", (13, 32, 64, 3, 0)),
        ("tf2-3 5x5 64->64 3x3", (5, 64, 64, 3, 0)),
        ("tf1-1 28x28 1->32 3x3 same", (28, 1, 32, 3, 1)),
        ("tf1-2 14x14 32->64 3x3 same", (14, 32, 64, 3, 1)),
        ("mnist-2 26x26 32->64 3x3", (26, 32, 64, 3, 0)),
        ("tiny-1 28x28 1->8 3x3", (28, 1, 8, 3, 0)),
        ("tiny-deep-2 26x26 8->8 3x3", (26, 8, 8, 3, 0)),
    ];
    for (name, (size, c_in, c_out, kernel, pad)) in recipes {
        let shape = Conv2dShape {
            h: size,
            w: size,
            c_in,
            c_out,
            kh: kernel,
            kw: kernel,
            stride: (1, 1),
            dilation: (1, 1),
            groups: 1,
            pad: Padding { top: pad, bottom: pad, left: pad, right: pad },
        };
        run(&mut report, name, shape);
    }
    let pad = Padding { top: 0, bottom: 1, left: 0, right: 1 };
    let strided = Conv2dShape { h: 28, w: 28, c_in: 1, c_out: 8, kh: 3, kw: 3, stride: (2, 2), dilation: (1, 1), groups: 1, pad };
    run(&mut report, "tiny-strided 28x28 1->8 3x3/2 same", strided);
    let pad = Padding { top: 1, bottom: 1, left: 1, right: 1 };
    let depthwise = Conv2dShape { h: 14, w: 14, c_in: 64, c_out: 64, stride: (1, 1), groups: 64, pad, ..strided };
    run(&mut report, "depthwise 14x14 64 3x3 same", depthwise);
}

fn run(report: &mut Report, name: &str, shape: Conv2dShape) {
    if !report.wants(name) {
        return;
    }
    let conv = Conv2d::new(shape);
    let n = 4;
    let pixels = shape.out_h() * shape.out_w();
    let taps = shape.kh * shape.kw * shape.c_in / shape.groups;
    let flop = (2 * n * pixels * taps * shape.c_out) as f64;
    let x = values(n * shape.h * shape.w * shape.c_in);
    let dy = values(n * pixels * shape.c_out);
    let w = values(taps * shape.c_out);
    let bias = values(shape.c_out);
    let (mut y, mut dx) = (values(dy.len()), values(x.len()));
    let (mut dw, mut db) = (values(w.len()), values(bias.len()));
    let (mut packed, mut scratch) = (values(conv.packed_len()), values(conv.scratch_len()));
    report.measure(&format!("{name} pack"), 0.0, || conv.pack(&w, &mut packed));
    report.measure(&format!("{name} forward"), flop, || {
        let weights = Weights { packed: &packed, bias: Some(&bias), relu: true };
        conv.forward(ForwardPass { samples: n, x: &x, weights, y: &mut y, scratch: &mut scratch });
    });
    let mut backward = |pass: &str, flop: f64, of_weights: bool, of_input: bool| {
        report.measure(&format!("{name} {pass}"), flop, || {
            let weights = WeightGradients { dw: &mut dw, db: Some(&mut db), accumulate: true };
            let (weights, dx) = (of_weights.then_some(weights), of_input.then_some(&mut dx[..]));
            conv.backward(BackwardPass { samples: n, x: &x, dy: &dy, packed: &packed, weights, dx, scratch: &mut scratch });
        });
    };
    if shape.c_in > 1 {
        backward("input gradient", flop, false, true);
        backward("both gradients", 2.0 * flop, true, true);
    }
    backward("weight gradient", flop, true, false);
}
