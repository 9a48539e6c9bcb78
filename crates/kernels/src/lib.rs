//! SIMD numerics on slices for maobi: the only crate with unsafe code.
//!
//! Every kernel folder holds its contract and safe wrappers (`mod.rs`) and either plain loops (`scalar.rs`), which are compiled for each
//! instruction set, or an algorithm written once on vectors of any. `arch/` has the instruction sets themselves, one folder each.
//! [`isa::active`] chooses once per process.

mod arch;
pub mod bytes;
pub mod conv;
pub mod gemm;
pub mod isa;
pub mod memory;
pub mod normalization;
mod parallel;
pub mod peak;
pub mod pointwise;
pub mod pool;
pub mod pooling;
pub mod reduce;
pub mod rng;
pub mod round;
pub mod softmax;
mod sync;
mod tile;
pub mod update;
mod versions;
