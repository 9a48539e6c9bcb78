//! IDX, the format of MNIST's own files, packed with gzip or not.
//!
//! Layout (<http://yann.lecun.com/exdb/mnist/>, "the IDX file format"): two zero bytes, a type byte, the number of dimensions, each
//! dimension as a big-endian `u32`, then the elements, big-endian, the last dimension fastest.

mod header;
mod read;
mod write;

pub use maobi_files::numbers::Element;
pub use read::{parse, read, read_images, read_labels};
pub use write::{write, write_gz};

/// An array of an IDX file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// Type of the elements.
    pub element: Element,
    /// The sides, slowest first: `[count, height, width]` of images, `[count]` of labels.
    pub dims: Vec<usize>,
    /// The elements as stored: big-endian.
    pub bytes: Vec<u8>,
}
