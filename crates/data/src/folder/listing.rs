//! Which pictures a folder holds, and which part and class each belongs to.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::limits::Limits;
use maobi_files::FormatError;

/// Files with these endings, in any case, are taken for pictures.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff"];

/// The pictures of each part with the label of each, in order of class and file name.
pub(super) struct Listing {
    pub classes: Vec<String>,
    pub train: Vec<(PathBuf, u32)>,
    pub test: Vec<(PathBuf, u32)>,
    pub validation: Vec<(PathBuf, u32)>,
}

/// A class folder: its name and its pictures.
type Class = (String, Vec<PathBuf>);

impl Listing {
    pub(super) fn of(folder: &Path, limits: &Limits) -> Result<Self, DataError> {
        let part = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_dir());
        let train_folder = part(&["train", "training"]);
        let test_folder = part(&["test", "testing"]);
        let validation_folder = part(&["validation", "val", "valid"]);
        let (train, test, validation) = match &train_folder {
            None => (classes_in(folder)?, None, Vec::new()),
            Some(train) => (
                classes_in(train)?,
                test_folder.as_deref().map(classes_in).transpose()?,
                validation_folder.as_deref().map(classes_in).transpose()?.unwrap_or_default(),
            ),
        };
        let mut classes: Vec<String> =
            train.iter().chain(test.iter().flatten()).chain(&validation).map(|(name, _)| name.clone()).collect();
        classes.sort_by(|a, b| natural(a, b));
        classes.dedup();
        if classes.is_empty() {
            return Err(DataError::NotFound {
                dataset: format!("pictures by class in {}", folder.display()),
                tried: vec![folder.join("train").join("CLASS"), folder.join("CLASS")],
                advice: format!("Put the pictures of each class (.{}) into a folder of its name", ENDINGS.join(", .")),
            });
        }
        if classes.len() > limits.max_classes {
            let (found, limit) = (classes.len() as u64, limits.max_classes as u64);
            let file = folder.display().to_string();
            return Err(DataError::content(&file)(FormatError::TooLarge { what: "the number of classes", found, limit }));
        }
        let (train, test) = match test {
            Some(test) => (train, test),
            None => train.into_iter().map(|(name, files)| split(name, files)).unzip(),
        };
        let (train, test, validation) = (label(train, &classes), label(test, &classes), label(validation, &classes));
        Ok(Listing { train, test, validation, classes })
    }
}

/// The class folders in `folder` that hold a picture.
fn classes_in(folder: &Path) -> Result<Vec<Class>, DataError> {
    let mut classes = Vec::new();
    for path in entries(folder)? {
        let name = name_of(&path);
        if path.is_dir() && !name.starts_with('.') && name != "__MACOSX" {
            let mut files = entries(&path)?;
            files.retain(|file| is_picture(file));
            files.sort_by(|a, b| natural(&name_of(a), &name_of(b)));
            if !files.is_empty() {
                classes.push((name, files));
            }
        }
    }
    Ok(classes)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = fs::read_dir(folder).map_err(DataError::read(folder))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(DataError::read(folder))).collect()
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) && !name_of(path).starts_with('.') && path.is_file()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Pictures with their labels, by class.
fn label(parts: Vec<Class>, classes: &[String]) -> Vec<(PathBuf, u32)> {
    let mut labelled = Vec::new();
    for (name, files) in parts {
        let label = classes.iter().position(|class| *class == name).unwrap_or(0) as u32;
        labelled.extend(files.into_iter().map(|file| (file, label)));
    }
    // Stable: the files of one class keep their order.
    labelled.sort_by_key(|(_, label)| *label);
    labelled
}

/// Four fifths for training, one for testing (at least one of two), those whose hashed names come first: the same on every machine.
fn split(class: String, files: Vec<PathBuf>) -> (Class, Class) {
    let count = if files.len() < 2 { 0 } else { ((files.len() + 2) / 5).max(1) };
    let mut hashes: Vec<u64> = files.iter().map(|file| hash(&class, &name_of(file))).collect();
    hashes.sort_unstable();
    let Some(&limit) = count.checked_sub(1).and_then(|last| hashes.get(last)) else {
        return ((class.clone(), files), (class, Vec::new()));
    };
    let (test, train) = files.into_iter().partition(|file| hash(&class, &name_of(file)) <= limit);
    ((class.clone(), train), (class, test))
}

/// FNV-1a of `class/name`, its bits mixed as in SplitMix64 because similar names differ in few.
fn hash(class: &str, name: &str) -> u64 {
    let bytes = class.bytes().chain([b'/']).chain(name.bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Compares runs of digits by their value: `img2` comes before `img10`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            // `01` and `1` are of one value and yet two names.
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (digits(left), digits(right));
            let (p, q) = (m.trim_start_matches('0'), n.trim_start_matches('0'));
            let order = p.len().cmp(&q.len()).then_with(|| p.cmp(q));
            if order.is_ne() {
                return order;
            }
            (left, right) = (&left[m.len()..], &right[n.len()..]);
        } else if x == y {
            (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
        } else {
            return x.cmp(&y);
        }
    }
}

fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order() {
        let mut names = ["10", "9", "a10b", "a9b", "a", "01", "1", "é2", "é10", "99999999999999999999999", "b"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["01", "1", "9", "10", "99999999999999999999999", "a", "a9b", "a10b", "b", "é2", "é10"]);
    }

    #[test]
    fn the_hash_is_fixed() {
        // Another value would move pictures between training and test part of every user's folder.
        assert_eq!(hash("", ""), hash("", ""));
        assert_ne!(hash("a", "1.png"), hash("a", "2.png"));
        let low = (0..1000).filter(|i| hash("a", &format!("{i}.png")) < u64::MAX / 5).count();
        assert!((150..250).contains(&low), "{low} of 1000 below a fifth");
    }

    #[test]
    fn one_picture_alone_is_for_training() {
        let ((_, train), (_, test)) = split("a".into(), vec!["x.png".into()]);
        assert_eq!((train.len(), test.len()), (1, 0));
    }
}
