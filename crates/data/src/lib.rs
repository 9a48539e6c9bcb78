//! Data sets of maobi: IDX, npz, image folders, downloads, built-in digits.
//!
//! Every source ends in a [`Dataset`]: pixels stay `u8`, shaped `[count, height, width, channels]`, and are shared, so that taking a
//! subset or splitting copies no pixel. Scaling happens when a batch is gathered ([`Dataset::gather`]).
//!
//! [`source::resolve`] is the front door: a name (`mnist`, `fashion-mnist`, `builtin`), a folder of images or an `.npz` file in,
//! [`Splits`] out, with the place where they were found.

pub mod augment;
pub mod builtin;
#[cfg(test)]
mod damage;
pub mod dataset;
pub mod download;
pub mod error;
mod files;
pub mod folder;
pub mod idx;
pub mod limits;
pub mod names;
mod noise;
pub mod npy;
pub mod npz;
pub mod progress;
pub mod source;

pub use augment::Augment;
pub use dataset::{Dataset, Splits, Statistics};
pub use error::DataError;
pub use limits::Limits;
pub use names::DatasetName;
pub use progress::{Progress, Silent};
