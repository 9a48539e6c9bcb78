//! Aligned storage: a plain vector, and a buffer whose parts the tasks of a parallel region borrow at run time.

mod aligned;
mod buffer;

pub use aligned::AlignedVec;
pub use buffer::{Buffer, Guard, Ref, RefMut, Stamp};
