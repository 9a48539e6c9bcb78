//! The register tile under matrix products and convolutions: `C[row, n] (+)= Σ_k A[row, k] · B[k, n]` for a few rows and
//! a few vectors of columns, summed over `k` in order, in registers.
//!
//! A is read element by element with any strides, so that a convolution reads its input where it lies: rows are pixels,
//! and k runs through segments (the rows of the kernel's window). B is read in vectors.

#[allow(dead_code, unused_imports, unused_macros, reason = "where plain Rust is all there is, only a part is used")]
pub(crate) mod kernel;
mod operands;

use crate::arch::Arch;
use crate::isa::{self, Isa};
pub(crate) use operands::Tile;

/// Computes `tile`, of any size, by the micro-kernels of `isa`.
///
/// # Safety
/// Every element of A and B and the bias that the description names can be read, every element of C written, and
/// nothing else refers to those of C; `isa` is available.
pub(crate) unsafe fn run(isa: Isa, tile: &Tile) {
    // SAFETY: the caller's promise.
    isa::with!(isa, A => unsafe { A::tile(tile) });
}

/// `sums[n] += Σ_row rows[row, n]`, `rows` being dense.
pub(crate) fn add_rows(isa: Isa, rows: &[f32], sums: &mut [f32]) {
    assert!(isa.is_available() && !sums.is_empty() && rows.len().is_multiple_of(sums.len()));
    // Half a vector: two rows at a time, whose sums are then added.
    if sums.len() == 8 && rows.len().is_multiple_of(16) {
        let mut pairs = [0.0; 16];
        add_rows(isa, rows, &mut pairs);
        (0..8).for_each(|lane| sums[lane] += pairs[lane] + pairs[lane + 8]);
        return;
    }
    // SAFETY: the lengths fit, and `isa` is available.
    unsafe { isa::run(isa, kernel::AddRows { rows, sums }) }
}
