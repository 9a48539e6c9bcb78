//! Data sets of maobi: IDX, npz, image folders, downloads, built-in digits.
//!
//! Every source ends in a [`Dataset`]: pixels stay `u8`, shaped `[count, height, width, channels]`, and are shared, so that taking a
//! subset or splitting copies no pixel. Scaling happens when a batch is gathered ([`Dataset::gather`]).
//!
//! [`mnist`], [`fashion_mnist`], [`builtin_digits`] and [`open`] read a data set in one call. [`source::resolve`] takes all options, and
//! says where it found the data.

pub mod augment;
pub mod builtin;
#[cfg(test)]
mod damage;
pub mod dataset;
pub mod download;
pub mod error;
mod files;
pub mod folder;
mod front;
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
pub use front::{builtin_digits, fashion_mnist, mnist, open};
pub use limits::Limits;
pub use names::DatasetName;
pub use progress::{Progress, Silent};
