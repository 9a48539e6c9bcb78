//! A folder of pictures, one folder for each class.
//!
//! Either `DIR/train/CLASS/*` with `DIR/test/CLASS/*` (and perhaps `DIR/validation/CLASS/*`), or `DIR/CLASS/*`, of which a fifth
//! becomes the test part. Class names are the folders' names in natural order (`2` before `10`). Whether strokes are bright or dark
//! is not judged here; [`Statistics::looks_inverted`](crate::Statistics::looks_inverted) tells.

mod listing;
mod picture;

use std::path::{Path, PathBuf};

pub use picture::{Picture, decode};

use crate::dataset::{Dataset, Splits};
use crate::error::DataError;
use crate::limits::Limits;
use crate::progress::Progress;
use listing::Listing;

/// A data set read from a folder.
#[derive(Debug)]
pub struct Loaded {
    /// Its parts.
    pub splits: Splits,
    /// The pictures that were left out, each with its file and the reason.
    pub unreadable: Vec<DataError>,
}

/// Reads the pictures below `folder` (PNG, JPEG, BMP, GIF, WebP, TIFF), each made `form`.
///
/// A picture that cannot be read is left out and reported.
///
/// # Errors
/// [`DataError::Read`] when the folder cannot be listed, [`DataError::NotFound`] when it has no class with a picture,
/// [`DataError::NoPictures`] when every picture of a part is refused, [`DataError::Content`] beyond `limits`.
pub fn read(folder: impl AsRef<Path>, form: Picture, limits: &Limits, progress: &dyn Progress) -> Result<Loaded, DataError> {
    let folder = folder.as_ref();
    let listing = Listing::of(folder, limits)?;
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    let mut unreadable = Vec::new();
    let mut load = |part: &str, files: &[(PathBuf, u32)]| {
        let name = if part == "train" { name.clone() } else { format!("{name} {part}") };
        load_part(folder, name, files, &listing.classes, form, limits, progress, &mut unreadable)
    };
    let mut splits = Splits::new(load("train", &listing.train)?, load("test", &listing.test)?)?;
    if !listing.validation.is_empty() {
        splits.validation = Some(load("validation", &listing.validation)?);
    }
    Ok(Loaded { splits, unreadable })
}

#[allow(clippy::too_many_arguments)] // one part of one call
fn load_part(
    folder: &Path,
    name: String,
    files: &[(PathBuf, u32)],
    classes: &[String],
    form: Picture,
    limits: &Limits,
    progress: &dyn Progress,
    unreadable: &mut Vec<DataError>,
) -> Result<Dataset, DataError> {
    let shape = form.shape();
    let dims = [files.len(), shape[0], shape[1], shape[2]];
    let size = maobi_files::array_bytes(&dims, 1, limits.max_bytes).map_err(DataError::content(&folder.display().to_string()))?;
    progress.start(&format!("reading {name}"), Some(files.len() as u64), 0);
    let decoded = decode_all(files, form, limits, progress);
    progress.finish();
    let (mut images, mut labels) = (Vec::with_capacity(size as usize), Vec::with_capacity(files.len()));
    let mut refused = Vec::new();
    for ((_, label), pixels) in files.iter().zip(decoded) {
        match pixels {
            Ok(pixels) => {
                images.extend(pixels);
                labels.push(*label);
            }
            Err(error) => refused.push(error),
        }
    }
    if let (true, Some(first)) = (labels.is_empty(), refused.first()) {
        let first = first.to_string();
        return Err(DataError::NoPictures { folder: folder.to_path_buf(), count: files.len(), first });
    }
    unreadable.extend(refused);
    Dataset::new(name, images, labels, shape, classes.to_vec())
}

/// Decodes on all cores; the results stand in the order of the files.
fn decode_all(
    files: &[(PathBuf, u32)],
    form: Picture,
    limits: &Limits,
    progress: &dyn Progress,
) -> Vec<Result<Vec<u8>, DataError>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(threads).max(1);
    let one = |(path, _): &(PathBuf, u32)| {
        let pixels = decode(path, form, limits);
        progress.advance(1);
        pixels
    };
    std::thread::scope(|scope| {
        let work = |files| move || -> Vec<_> { <[(PathBuf, u32)]>::iter(files).map(one).collect() };
        let start = |files| std::thread::Builder::new().spawn_scoped(scope, work(files)).map_err(|_| files);
        let workers: Vec<_> = files.chunks(share).map(start).collect();
        let results = workers.into_iter().map(|worker| match worker {
            Ok(worker) => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // The system gave no thread for these.
            Err(files) => work(files)(),
        });
        results.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use image::{GrayImage, Luma};
    use std::fs;

    /// A gray picture of one value.
    fn save(path: &Path, side: u32, value: u8) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_pixel(side, side, Luma([value])).save(path).unwrap();
    }

    fn load(folder: &Path) -> Result<Loaded, DataError> {
        read(folder, Picture::grey(4, 4), &Limits::default(), &Silent)
    }

    #[test]
    fn parts_by_folder_and_classes_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for (class, value) in [("2", 20), ("10", 100), ("1", 10)] {
            save(&folder.path().join("train").join(class).join("a.png"), 4, value);
            save(&folder.path().join("test").join(class).join("b.PNG"), 8, value + 1);
        }
        save(&folder.path().join("validation/10/c.png"), 4, 9);
        fs::write(folder.path().join("train/1/notes.txt"), "no picture").unwrap();
        fs::create_dir(folder.path().join("train/.hidden")).unwrap();
        let found = load(folder.path()).unwrap();
        assert!(found.unreadable.is_empty());
        let splits = found.splits;
        assert_eq!(splits.train.class_names(), ["1", "2", "10"]);
        let pairs = |set: &Dataset| set.iter().map(|(image, label)| (image[0], label)).collect::<Vec<_>>();
        assert_eq!(pairs(&splits.train), [(10, 0), (20, 1), (100, 2)]);
        assert_eq!(pairs(&splits.test), [(11, 0), (21, 1), (101, 2)]);
        assert_eq!(pairs(&splits.validation.unwrap()), [(9, 2)]);
        assert_eq!(splits.test.shape(), [4, 4, 1]);
    }

    #[test]
    fn without_parts_a_fifth_of_every_class_is_for_testing_always_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for (class, count) in [("cat", 10), ("dog", 25), ("eel", 2)] {
            for i in 0..count {
                save(&folder.path().join(class).join(format!("{i}.png")), 4, i);
            }
        }
        let splits = load(folder.path()).unwrap().splits;
        assert_eq!(splits.train.statistics().class_counts, [8, 20, 1]);
        assert_eq!(splits.test.statistics().class_counts, [2, 5, 1]);
        let again = load(folder.path()).unwrap().splits;
        assert!(splits.test.iter().eq(again.test.iter()));
        // The file names decide, not their order: the test part is not simply the front or the tail.
        let dogs: Vec<u8> = splits.test.iter().filter(|(_, label)| *label == 1).map(|(image, _)| image[0]).collect();
        assert!(dogs.iter().any(|&i| i < 20) && dogs.iter().any(|&i| i > 4), "{dogs:?}");
    }

    #[test]
    fn a_broken_picture_is_reported_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        save(&folder.path().join("train/a/1.png"), 4, 1);
        save(&folder.path().join("test/a/1.png"), 4, 1);
        fs::write(folder.path().join("train/a/2.png"), "broken").unwrap();
        let found = load(folder.path()).unwrap();
        assert_eq!((found.splits.train.len(), found.unreadable.len()), (1, 1));
        let reason = found.unreadable[0].to_string();
        assert!(reason.contains("2.png: is a text file, not a picture"), "{reason}");
        fs::remove_file(folder.path().join("train/a/1.png")).unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("none of its 1 picture(s) can be read; the first: "), "{error}");
    }

    #[test]
    fn an_empty_folder_is_told_what_to_hold() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("CLASS"), "{error}");
        assert!(matches!(load(&folder.path().join("none")), Err(DataError::Read { .. })));
    }
}
