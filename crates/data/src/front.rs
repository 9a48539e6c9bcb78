//! Data sets in one call.

use crate::names::DatasetName;
use crate::progress::Silent;
use crate::source::{BuiltinSize, Request, Wanted, resolve};
use crate::{DataError, Splits};
use std::path::Path;

/// MNIST: 60,000 training and 10,000 test images of handwritten digits, `[28, 28, 1]`. It is looked for in the folder that
/// `MAOBI_DATA_DIR` names and in the user's cache, and otherwise downloaded into the cache.
///
/// # Errors
/// As [`resolve`]: the download fails, or the files are damaged.
pub fn mnist() -> Result<Splits, DataError> {
    splits(Wanted::Name(DatasetName::Mnist))
}

/// Fashion-MNIST: as [`mnist`], with ten kinds of clothes.
///
/// # Errors
/// As [`mnist`].
pub fn fashion_mnist() -> Result<Splits, DataError> {
    splits(Wanted::Name(DatasetName::FashionMnist))
}

/// Digits that the program draws itself, `[28, 28, 1]`: no file and no network is needed. The same sizes give the same digits.
///
/// ```
/// let splits = maobi_data::builtin_digits(60, 20)?;
/// assert_eq!((splits.train.len(), splits.test.len()), (60, 20));
/// # Ok::<(), maobi_data::DataError>(())
/// ```
///
/// # Errors
/// When a part is to have no images, or more than fit into memory.
pub fn builtin_digits(train: usize, test: usize) -> Result<Splits, DataError> {
    let size = BuiltinSize { train, test, ..BuiltinSize::default() };
    let request = Request { builtin: size, ..Request::new(Wanted::Name(DatasetName::Builtin), &Silent) };
    Ok(resolve(&request)?.splits)
}

/// A folder with one folder of pictures per class, or an `.npz` file.
///
/// # Errors
/// As [`resolve`]: nothing is there, or it cannot be read.
pub fn open(path: impl AsRef<Path>) -> Result<Splits, DataError> {
    splits(Wanted::Path(path.as_ref().to_path_buf()))
}

fn splits(wanted: Wanted) -> Result<Splits, DataError> {
    Ok(resolve(&Request::new(wanted, &Silent))?.splits)
}
