//! Finding and reading the files of a data set in a folder.

use std::path::{Path, PathBuf};

use crate::dataset::{Dataset, Splits};
use crate::error::DataError;
use crate::idx;
use crate::limits::Limits;
use crate::names::DatasetName;

/// Stems and ranks of the four files: training images and labels, test images and labels.
const PARTS: [(&str, u8); 4] = [("train-images", 3), ("train-labels", 1), ("t10k-images", 3), ("t10k-labels", 1)];

/// The files of a data set.
#[derive(Debug, PartialEq)]
pub(super) enum Files {
    /// Training images and labels, test images and labels.
    Idx([PathBuf; 4]),
    /// All in one.
    Npz(PathBuf),
}

/// Looks for a named data set in `dir` and in its folders of that name; what is looked at and not there goes to `tried`.
pub(super) fn find(dir: &Path, name: DatasetName, tried: &mut Vec<PathBuf>) -> Option<Files> {
    // Keras' and torchvision's own folders are understood too.
    let (folders, archives): (&[&str], &[&str]) = match name {
        DatasetName::Mnist => (&["mnist", "MNIST/raw"], &["mnist.npz"]),
        DatasetName::FashionMnist => {
            (&["fashion-mnist", "fashion_mnist", "FashionMNIST/raw"], &["fashion-mnist.npz", "fashion_mnist.npz"])
        }
        DatasetName::Builtin => (&[], &[]),
    };
    let mut places: Vec<PathBuf> = folders.iter().map(|folder| dir.join(folder)).filter(|dir| dir.is_dir()).collect();
    if places.is_empty() {
        tried.extend(folders.first().map(|folder| dir.join(folder)));
    }
    // Files right in `dir` count unless the folder's name says that they are another data set's.
    if !belongs_to_another(dir, name) {
        places.push(dir.to_path_buf());
    }
    for place in &places {
        if let Some(files) = idx_in(place, tried) {
            return Some(files);
        }
        let archive = archives.iter().map(|archive| place.join(archive)).find(|path| path.is_file());
        if let Some(archive) = archive {
            return Some(Files::Npz(archive));
        }
    }
    tried.extend(places.iter().flat_map(|place| archives.first().map(|archive| place.join(archive))));
    None
}

fn belongs_to_another(dir: &Path, name: DatasetName) -> bool {
    let called = dir.file_name().and_then(|called| called.to_str()).and_then(|called| called.parse::<DatasetName>().ok());
    called.is_some_and(|called| called != name)
}

/// The four IDX files in `dir`, when all are there; those that are not go to `tried`.
pub(super) fn idx_in(dir: &Path, tried: &mut Vec<PathBuf>) -> Option<Files> {
    let mut missing = Vec::new();
    let found = PARTS.map(|(stem, rank)| {
        let names = [
            format!("{stem}-idx{rank}-ubyte"),
            format!("{stem}.idx{rank}-ubyte"),
            format!("{stem}-idx{rank}-ubyte.gz"),
            format!("{stem}.idx{rank}-ubyte.gz"),
        ];
        let path = names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
        if path.is_none() {
            missing.push(dir.join(format!("{}(.gz)", names[0])));
        }
        path
    });
    if let [Some(a), Some(b), Some(c), Some(d)] = found {
        return Some(Files::Idx([a, b, c, d]));
    }
    tried.append(&mut missing);
    None
}

/// Reads the four files, the training images beside the others.
///
/// `classes` names the classes; when empty, the labels' own numbers do.
pub(super) fn load_idx(
    [train_images, train_labels, test_images, test_labels]: &[PathBuf; 4],
    name: &str,
    classes: &[&str],
    limits: &Limits,
) -> Result<Splits, DataError> {
    let (train, others) = std::thread::scope(|scope| {
        let train = std::thread::Builder::new().spawn_scoped(scope, || idx::read_images(train_images, limits));
        let others = (
            idx::read_labels(train_labels, limits),
            idx::read_images(test_images, limits),
            idx::read_labels(test_labels, limits),
        );
        let train = match train {
            Ok(train) => train.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // The system gives no thread: one after the other, then.
            Err(_) => idx::read_images(train_images, limits),
        };
        (train, others)
    });
    let (train, labels, test, test_labels_read) = (train?, others.0?, others.1?, others.2?);
    let classes = class_names(classes, &[(train_labels, &labels), (test_labels, &test_labels_read)], limits)?;
    let splits = [(train_images, name.to_owned(), train, labels), (test_images, format!("{name} test"), test, test_labels_read)];
    let [train, test] = splits.map(|(path, name, (images, count, shape), labels)| {
        if count != labels.len() {
            let file = path.display().to_string();
            return Err(DataError::malformed(&file, format!("{} images, one for each label", labels.len()), count));
        }
        Dataset::new(name, images, labels, shape, classes.clone())
    });
    Splits::new(train?, test?)
}

fn class_names(names: &[&str], files: &[(&PathBuf, &Vec<u32>)], limits: &Limits) -> Result<Vec<String>, DataError> {
    let most = if names.is_empty() { limits.max_classes } else { names.len() };
    let mut count = 0;
    for (path, labels) in files {
        let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
        if classes > most {
            let file = path.display().to_string();
            return Err(DataError::malformed(&file, format!("labels below {most}"), classes - 1));
        }
        count = count.max(classes);
    }
    Ok(match names {
        [] => (0..count).map(|label| label.to_string()).collect(),
        names => names.iter().map(ToString::to_string).collect(),
    })
}
