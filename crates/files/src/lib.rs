//! What data sets and model files share: files that are there in full or not at all ([`write()`]), ZIP archives ([`Archive`]), and NumPy
//! arrays ([`Npy`]). Whatever is read is held against bounds before it takes memory.

mod archive;
mod atomic;
mod error;
pub mod npy;
pub mod numbers;
mod room;

pub use archive::{Archive, archive};
pub use atomic::{temporary_beside, temporary_of, write, write_folder, write_with};
pub use error::FormatError;
pub use npy::Npy;
pub use room::{array_bytes, read_exactly};
