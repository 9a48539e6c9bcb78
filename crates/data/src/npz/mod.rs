//! NumPy's `.npz`, a zip of `.npy` members, and the form Keras publishes data sets in: `x_train`, `y_train`, `x_test`, `y_test`.

mod archive;
mod keras;

pub use archive::{Archive, write};
pub use keras::read_splits;
