//! What the processor could do: the rate of multiply-adds with operands that never leave the registers.

use crate::isa::Isa;
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
        pool.run(threads, &|_, _| run(isa, calls));
        best = best.min(begun.elapsed().as_secs_f64());
    }
    (2 * threads * calls * lanes(isa)) as f64 / best
}

/// Multiply-adds of one round of the loop: accumulators, enough to hide the latency, by the values in each.
fn lanes(isa: Isa) -> usize {
    match isa {
        Isa::Scalar => 8 * 4,
        Isa::Avx2 => 12 * 8,
        Isa::Avx512 => 16 * 16,
    }
}

/// Rounds of a call.
fn work(isa: Isa) -> usize {
    // Without vectors of its own the portable loop is several times slower.
    PER_CALL / lanes(isa) / if isa == Isa::Scalar { 8 } else { 1 }
}

fn run(isa: Isa, rounds: usize) {
    match isa {
        // SAFETY: `multiply_add_rate` has checked that this processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512(rounds) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2(rounds) },
        _ => portable(rounds),
    }
}

fn portable(rounds: usize) {
    let (a, b) = (black_box(0.999f32), black_box(0.001f32));
    let mut sums = [[1.0f32; 4]; 8];
    for _ in 0..rounds {
        // Written so that the compiler keeps the sums in registers.
        for sum in &mut sums {
            *sum = [sum[0] * a + b, sum[1] * a + b, sum[2] * a + b, sum[3] * a + b];
        }
    }
    black_box(sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(rounds: usize) {
    use std::arch::x86_64::*;
    let (a, b) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(0.001)));
    let mut sums = [_mm512_set1_ps(1.0); 16];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, a, b);
        }
    }
    black_box(sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(rounds: usize) {
    use std::arch::x86_64::*;
    let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
    let mut sums = [_mm256_set1_ps(1.0); 12];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, a, b);
        }
    }
    black_box(sums);
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
