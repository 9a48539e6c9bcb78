//! The parts of a weight that tasks share out.

use maobi_kernels::memory::Buffer;

/// Elements of a weight that one task updates: 64 KiB of each of its arrays, and the unit in which norms are summed.
pub const CHUNK: usize = 16_384;

/// Parts a buffer in chunks of [`CHUNK`] elements: the parts that let [`Optimizer::apply`](super::Optimizer::apply) use all threads.
pub fn partition(buffer: &mut Buffer) {
    let len = buffer.len();
    let bounds: Vec<usize> = (0..len.div_ceil(CHUNK)).map(|part| part * CHUNK).chain([len]).collect();
    // An empty buffer has one empty part.
    buffer.partition(if len == 0 { &[0, 0] } else { &bounds });
}

/// A run of at most [`CHUNK`] elements of one weight, or all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) weight: usize,
    /// Which run; absent for the whole weight.
    pub(super) part: Option<usize>,
}
