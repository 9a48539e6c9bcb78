//! What the processor could do: the rate of multiply-adds with operands that never leave the registers.

use crate::arch::{Arch, Simd, Task};
use crate::isa::{self, Isa};
use crate::pool::Pool;
use std::hint::black_box;
use std::time::Instant;

/// Multiply-adds of one call of a measuring loop; a few milliseconds at most.
const PER_CALL: usize = 1 << 27;
/// Times the loop is repeated; the best one counts, as the others were disturbed.
const REPEATS: usize = 24;

/// The most floating-point operations a second (a multiply-add is two) that all threads of `pool` together reach in f32 with the
/// instructions of `isa`: what a kernel's rate is compared with. Takes about 50 ms.
///
/// [`Isa::Scalar`] multiplies and adds in two instructions, as the portable kernels do. On a machine that other programs keep busy the
/// result is too low.
///
/// # Panics
/// When this processor lacks the instructions.
pub fn multiply_add_rate(isa: Isa, pool: &Pool) -> f64 {
    assert!(isa.is_available(), "this processor cannot run {isa}");
    let (threads, calls) = (pool.threads(), work(isa));
    let mut best = f64::MAX;
    for _ in 0..REPEATS {
        let begun = Instant::now();
        // SAFETY: `isa` is available.
        pool.run(threads, &|_, _| unsafe { isa::run(isa, Rounds(calls)) });
        best = best.min(begun.elapsed().as_secs_f64());
    }
    (2 * threads * calls * lanes(isa)) as f64 / best
}

/// Multiply-adds of one round of the loop: accumulators, enough to hide the latency, by the values in each.
fn lanes(isa: Isa) -> usize {
    isa::with!(isa, A => A::SUMS * A::LANES)
}

/// Rounds of a call.
fn work(isa: Isa) -> usize {
    // Without vectors of its own the portable loop is several times slower.
    PER_CALL / lanes(isa) / if isa == Isa::Scalar { 8 } else { 1 }
}

/// Multiplies and adds to every accumulator in each of so many rounds.
struct Rounds(usize);

impl Task for Rounds {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Arch>(self) {
        // SAFETY: the caller is compiled for `A`.
        unsafe {
            let (a, b) = (A::splat(black_box(0.999)), A::splat(black_box(0.001)));
            let mut sums = [A::splat(1.0); 16];
            for _ in 0..self.0 {
                for sum in &mut sums[..A::SUMS] {
                    *sum = A::fma(*sum, a, b);
                }
            }
            black_box(sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa;

    #[test]
    fn the_rate_is_one_a_processor_can_have() {
        let pool = Pool::new(1);
        for isa in isa::available() {
            let rate = multiply_add_rate(isa, &pool);
            // Two vectors of 16 a cycle at 6 GHz are 384 GFLOP/s; a core kept busy by others still does more than 50 MFLOP/s.
            assert!((5e7..1e12).contains(&rate), "{isa}: {rate}");
        }
    }
}
