//! `pool.rs`, `parallel.rs` and `buffer.rs` of maobi-kernels as they are, with loom's types in place of the standard library's.

#[allow(dead_code)]
#[path = "../../src/memory/aligned.rs"]
mod aligned;
#[allow(dead_code)]
#[path = "../../src/memory/buffer.rs"]
mod buffer;
#[allow(dead_code)]
#[path = "../../src/parallel.rs"]
mod parallel;
#[path = "../../src/pool.rs"]
pub mod pool;
mod sync;

pub use aligned::AlignedVec;
pub use buffer::{Buffer, Ref, RefMut, Stamp};
