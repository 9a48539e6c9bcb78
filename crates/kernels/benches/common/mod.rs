//! What the benches share: the FMA peak of one core, and a timer that reports the best of many rounds.

use maobi_kernels::isa::Isa;
use maobi_kernels::memory::AlignedVec;
use maobi_kernels::peak::multiply_add_rate;
use maobi_kernels::pool::Pool;
use std::time::{Duration, Instant};

/// How long each case is repeated.
const BUDGET: Duration = Duration::from_millis(250);

/// Times cases and prints a line for each.
pub struct Report {
    peak: f64,
    filters: Vec<String>,
}

impl Report {
    /// Measures the peak of `isa` and prints it.
    pub fn new(isa: Isa) -> Self {
        let peak = 1e-9 * multiply_add_rate(isa, &Pool::new(1));
        println!("{isa}: FMA peak of one core {peak:.1} GFLOP/s");
        let filters = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
        Self { peak, filters }
    }

    /// Counts the peak of `threads` cores as the whole.
    #[allow(dead_code, reason = "only one bench uses threads")]
    pub fn threads(&mut self, threads: usize) {
        self.peak *= threads as f64;
        println!("{threads} threads");
    }

    /// Whether the command line asks for this case.
    pub fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }

    /// Repeats `work` (`flop` operations) and prints its best time.
    pub fn measure(&mut self, name: &str, flop: f64, mut work: impl FnMut()) {
        work();
        let (started, mut best) = (Instant::now(), Duration::MAX);
        while started.elapsed() < BUDGET {
            let begun = Instant::now();
            work();
            best = best.min(begun.elapsed());
        }
        let micros = best.as_secs_f64() * 1e6;
        let rate = flop / best.as_secs_f64() * 1e-9;
        if flop == 0.0 {
            println!("{name:50} {micros:10.1} us");
        } else {
            println!("{name:50} {micros:10.1} us {rate:8.1} GFLOP/s {:5.0} %", 100.0 * rate / self.peak);
        }
    }
}

/// Reproducible values in -0.5..0.5.
pub fn values(len: usize) -> AlignedVec {
    let mut vec = AlignedVec::new(len);
    for (index, value) in vec.iter_mut().enumerate() {
        *value = (index.wrapping_mul(2_654_435_761) >> 8 & 0xffff) as f32 / 65536.0 - 0.5;
    }
    vec
}
