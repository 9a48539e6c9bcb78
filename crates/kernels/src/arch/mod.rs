//! The instruction sets, a folder each.
//!
//! **To add one**, write a folder with a type that implements [`Simd`] (its vectors) and [`Arch`] (what is compiled for it), and list it in
//! [`sets!`]. Nothing else in this crate names an instruction set: `isa.rs` makes `Isa` and its detection out of the
//! list, `versions.rs` compiles the element-wise kernels for each entry, and `run` and `with!` of `isa.rs` dispatch.

mod baseline;
mod scalar;
mod simd;

use crate::pooling::Pool2dShape;
use crate::tile::Tile;
pub(crate) use baseline::{prefetch, transpose_square};
pub(crate) use scalar::Scalar;
pub(crate) use simd::Simd;

/// Gives the macro `then` the instruction sets other than plain Rust, narrowest first, after what else it is given in parentheses. An entry is: the
/// documentation and name of the variant of `Isa` and of the type here, the folder (and the name that `MAOBI_ISA` takes), the processors
/// that may have it, and the features its code is compiled with, all of which `Arch::is_available` must have found.
macro_rules! sets {
    ([$($then:tt)+] $given:tt) => {
        $($then)+! {
            $given
            /// AVX2 with FMA and F16C.
            Avx2, avx2, (target_arch = "x86_64"), "avx2,fma";
            /// AVX-512 F, BW, DQ and VL (AVX2 and FMA included).
            Avx512, avx512, (target_arch = "x86_64"), "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma";
        }
    };
}
pub(crate) use sets;

macro_rules! modules {
    (() $($(#[$doc:meta])* $Set:ident, $folder:ident, $cfg:tt, $features:literal;)*) => {$(
        #[cfg $cfg]
        mod $folder;
        #[cfg $cfg]
        pub(crate) use $folder::$Set;
    )*};
}
sets!([modules]());

/// What an instruction set has beside its vectors.
pub(crate) trait Arch: Simd {
    /// Accumulators that hide the latency of a multiply-add and fit the registers, at most 16.
    const SUMS: usize;

    /// Whether this processor has the instructions.
    fn is_available() -> bool;

    /// [`Task::run`] in code that is compiled for the instruction set.
    ///
    /// # Safety
    /// As the task's, and the processor has the instructions.
    unsafe fn compiled<T: Task>(task: T) -> T::Output;

    /// As [`crate::tile::run`].
    ///
    /// # Safety
    /// As there, and the processor has the instructions.
    unsafe fn tile(tile: &Tile);

    /// 2×2 max pooling of whole images in a way of its own, as [`crate::pooling::max_forward`]; `false` where there is none.
    ///
    /// # Safety
    /// The processor has the instructions.
    unsafe fn two_by_two_forward(shape: &Pool2dShape, x: &[f32], y: &mut [f32]) -> bool {
        let _ = (shape, x, y);
        false
    }

    /// As [`crate::pooling::max_backward`]; otherwise as [`Self::two_by_two_forward`].
    ///
    /// # Safety
    /// The processor has the instructions.
    unsafe fn two_by_two_backward(shape: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) -> bool {
        let _ = (shape, x, y, dy, dx);
        false
    }

    /// `to[column] = Σ x[row] · b[row · n + column]` for the `n` columns of `to` in a way of its own; `false` where there is none.
    ///
    /// # Safety
    /// The processor has the instructions.
    unsafe fn dense_rows(x: &[f32], b: &[f32], to: &mut [f32]) -> bool {
        let _ = (x, b, to);
        false
    }
}

/// An algorithm that is written once for all instruction sets.
pub(crate) trait Task: Sized {
    /// What it answers.
    type Output;

    /// Runs it on vectors of `A`. To be `#[inline(always)]`, so that it is compiled with what calls it.
    ///
    /// # Safety
    /// What the task says, and the caller is compiled for `A`.
    unsafe fn run<A: Arch>(self) -> Self::Output;

    /// Runs it for [`Scalar`], where it has a plainer reference than its own on small vectors.
    ///
    /// # Safety
    /// What the task says.
    unsafe fn reference(self) -> Self::Output {
        // SAFETY: the caller's promise; every processor runs plain Rust.
        unsafe { self.run::<Scalar>() }
    }
}
