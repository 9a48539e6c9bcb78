//! The dense layers of the recipes, forward and backward, in GFLOP/s and as a share of the FMA peak of the threads.
//!
//! `cargo bench -p maobi-kernels --bench gemm [-- NAME…]`; MAOBI_THREADS sets the threads (all by default).

mod common;

use common::{Report, values};
use maobi_kernels::gemm::{Epilogue, Matrix, gemm};
use maobi_kernels::isa;
use maobi_kernels::pool::Pool;

fn main() {
    let mut report = Report::new(isa::active());
    let threads = std::env::var("MAOBI_THREADS").ok().and_then(|threads| threads.parse().ok());
    let pool = Pool::new(threads.unwrap_or_else(Pool::default_threads));
    report.threads(pool.threads());
    report.measure("an empty region of 2 tasks", 0.0, || pool.run(2, &|_, _| ()));
    let shapes = [
        (64, 3136, 512),
        (64, 512, 10),
        (100, 3136, 1024),
        (100, 1024, 10),
        (250, 3136, 1024),
        (250, 1024, 10),
        (32, 576, 64),
        (32, 64, 10),
        (32, 1352, 10),
        (100, 784, 10),
        (128, 9216, 128),
        (500, 3136, 512),
        (1, 3136, 512),
        (1, 3136, 1024),
        (1, 576, 64),
        (1, 1352, 10),
        (1, 784, 10),
    ];
    for (batch, k, n) in shapes {
        let name = format!("[{batch},{k}]x[{k},{n}]");
        if !report.wants(&name) {
            continue;
        }
        let flop = (2 * batch * k * n) as f64;
        let (x, w, bias) = (values(batch * k), values(k * n), values(n));
        let (mut y, mut dx, mut dw) = (values(batch * n), values(batch * k), values(k * n));
        let (x, w) = (Matrix::new(&x, batch, k), Matrix::new(&w, k, n));
        let dy = values(batch * n);
        let dy = Matrix::new(&dy, batch, n);
        report.measure(&format!("{name} forward"), flop, || gemm(&pool, x, w, &mut y, false, Epilogue::BiasRelu(&bias)));
        if batch > 1 {
            report.measure(&format!("{name} dX"), flop, || gemm(&pool, dy, w.t(), &mut dx, false, Epilogue::None));
            report.measure(&format!("{name} dW"), flop, || gemm(&pool, x.t(), dy, &mut dw, false, Epilogue::None));
        }
    }
}
