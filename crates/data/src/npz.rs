//! NumPy's `.npz`, a ZIP archive of arrays, in the form in which Keras publishes data sets: `x_train`, `y_train`, `x_test`, `y_test`.

use crate::dataset::{Dataset, Splits};
use crate::error::DataError;
use crate::files::write_whole;
use crate::limits::Limits;
use crate::npy::{Element, Npy};
use maobi_files::{Archive, FormatError};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Writes a `.npz` of deflated arrays, whole or not at all. The same arrays give the same file: no time is stored.
///
/// # Errors
/// [`DataError::Content`] when an array's shape and bytes do not fit, [`DataError::Write`].
pub fn write(path: impl AsRef<Path>, arrays: &[(&str, &Npy)]) -> Result<(), DataError> {
    let path = path.as_ref();
    let member = |(name, array): &(&str, &Npy)| {
        let name = format!("{name}.npy");
        array.to_bytes().map_err(|error| error.within(&name)).map(|bytes| (name, bytes))
    };
    let members: Result<Vec<_>, FormatError> = arrays.iter().map(member).collect();
    let bytes = members.and_then(|members| maobi_files::archive(&members, true));
    let bytes = bytes.map_err(DataError::content(&path.display().to_string()))?;
    write_whole(path, |out| out.write_all(&bytes).map_err(DataError::write(path)))
}

/// Reads `x_train`, `y_train`, `x_test` and `y_test`, as `keras.datasets` publishes them.
///
/// Images are `u8`, `[count, height, width]` or `[count, height, width, channels]`; labels are integers, `[count]` or `[count, 1]`.
/// `class_names` is used when it has a name for every label that occurs, else the labels' own numbers are the names.
///
/// # Errors
/// [`DataError`] naming the file and the array.
pub fn read_splits(path: impl AsRef<Path>, name: &str, class_names: &[&str], limits: &Limits) -> Result<Splits, DataError> {
    let path = path.as_ref();
    let file = maobi_guard::open_file(path).map_err(DataError::read(path))?;
    let archive =
        Archive::new(BufReader::new(file), limits.max_bytes).map_err(DataError::content(&path.display().to_string()))?;
    let mut archive = Npz { path, archive };
    let (train_labels, classes) = labels(&mut archive, "y_train", limits)?;
    let (test_labels, test_classes) = labels(&mut archive, "y_test", limits)?;
    let classes = classes.max(test_classes);
    let class_names: Vec<String> = if class_names.len() >= classes {
        class_names.iter().map(ToString::to_string).collect()
    } else {
        (0..classes).map(|label| label.to_string()).collect()
    };
    let (images, shape) = images(&mut archive, "x_train")?;
    let train = Dataset::new(name, images, train_labels, shape, class_names.clone())?;
    let (images, shape) = self::images(&mut archive, "x_test")?;
    let test = Dataset::new(format!("{name} test"), images, test_labels, shape, class_names)?;
    Splits::new(train, test)
}

/// An open file.
struct Npz<'p> {
    path: &'p Path,
    archive: Archive<BufReader<File>>,
}

impl Npz<'_> {
    /// What `read` makes of the array `name`; errors name the file and the array.
    fn array<T>(&mut self, name: &str, read: impl FnOnce(Npy) -> Result<T, FormatError>) -> Result<T, DataError> {
        let member = format!("{name}.npy");
        let array = self.archive.array(&member).and_then(|array| read(array).map_err(|error| error.within(&member)));
        array.map_err(DataError::content(&self.path.display().to_string()))
    }
}

/// Labels, and how many classes they speak of.
fn labels(archive: &mut Npz<'_>, name: &str, limits: &Limits) -> Result<(Vec<u32>, usize), DataError> {
    archive.array(name, |array| {
        let labels = array.to_labels()?;
        let classes = labels.iter().max().map_or(0, |&most| most as usize + 1);
        if classes > limits.max_classes {
            let (found, limit) = (classes as u64, limits.max_classes as u64);
            return Err(FormatError::TooLarge { what: "the number of classes", found, limit });
        }
        Ok((labels, classes))
    })
}

/// Images, and `[height, width, channels]`.
fn images(archive: &mut Npz<'_>, name: &str) -> Result<(Vec<u8>, [usize; 3]), DataError> {
    archive.array(name, |Npy { element, shape, bytes }| {
        if element != Element::U8 {
            let found = format!("{element}; save them as numpy.uint8 in 0 to 255");
            return Err(FormatError::malformed("images of type uint8", found));
        }
        match shape[..] {
            [_, height, width] => Ok((bytes, [height, width, 1])),
            [_, height, width, channels] => Ok((bytes, [height, width, channels])),
            _ => {
                let expected = "[count, height, width] or [count, height, width, channels]";
                Err(FormatError::malformed(expected, format!("{shape:?}")))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splits(x: &Npy, y: &Npy, names: &[&str]) -> Result<Splits, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        write(&path, &[("x_train", x), ("y_train", y), ("x_test", x), ("y_test", y)]).unwrap();
        let shorten = |e: DataError| e.to_string().replace(&folder.path().display().to_string(), "");
        read_splits(&path, "a", names, &Limits::default()).map_err(shorten)
    }

    #[test]
    fn keras_form() {
        let found = splits(&Npy::from_u8(&[2, 1, 2], &[1, 2, 3, 4]), &Npy::from_i64(&[2, 1], &[0, 2]), &["x", "y"]).unwrap();
        assert_eq!((found.train.len(), found.test.shape()), (2, [1, 2, 1]));
        assert_eq!(found.train.class_names(), ["0", "1", "2"]);
        assert_eq!((found.test.image(1), found.test.label(1)), (&[3, 4][..], 2));
        let named = splits(&Npy::from_u8(&[1, 1, 2, 1], &[1, 2]), &Npy::from_u8(&[1], &[1]), &["x", "y"]).unwrap();
        assert_eq!(named.train.class_names(), ["x", "y"]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let x = Npy::from_u8(&[2, 1, 2], &[1, 2, 3, 4]);
        let error = splits(&x, &Npy::from_u8(&[1], &[0]), &[]).unwrap_err();
        assert_eq!(error, "a: expected 1 images of 1 x 2 x 1 bytes, one for each label, found 4 bytes");
        let error = splits(&Npy::from_f32(&[2, 1, 1], &[0.0, 1.0]), &Npy::from_u8(&[2], &[0, 1]), &[]).unwrap_err();
        assert_eq!(
            error,
            "/a.npz: x_train.npy: expected images of type uint8, found float32; save them as numpy.uint8 in 0 to 255"
        );
        let error = splits(&Npy::from_u8(&[4], &[0; 4]), &Npy::from_u8(&[4], &[0; 4]), &[]).unwrap_err();
        assert!(error.contains("[count, height, width]"), "{error}");
        let error = splits(&x, &Npy::from_i64(&[2], &[0, 4_000_000_000]), &[]).unwrap_err();
        assert!(error.contains("the number of classes is 4000000001"), "{error}");
    }
}
