//! The data of a run: found, or drawn when there is none; cut, and looked at for what usually goes wrong.

use crate::exit::usage;
use crate::output::{Bars, Console, count};
use anyhow::{Context, bail};
use maobi_data::folder::Picture;
use maobi_data::source::{BuiltinSize, Found, Origin, Request, Wanted, resolve};
use maobi_data::{DataError, Dataset, DatasetName, Splits};
use std::path::{Path, PathBuf};

/// Size of the built-in set here: as many as in MNIST, since they cost little.
const BUILTIN: BuiltinSize = BuiltinSize { seed: 0, train: 60_000, test: 10_000 };

/// Data, and where it comes from.
#[derive(Debug)]
pub struct Chosen {
    /// The parts.
    pub splits: Splits,
    /// What `--dataset` takes to get it again.
    pub dataset: String,
    /// Folder or file.
    pub place: Option<PathBuf>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// What the user asked for, if anything.
    pub asked: Option<&'a str>,
    /// What is taken otherwise.
    pub otherwise: &'a str,
    /// `--data-dir`.
    pub data_dir: Option<&'a Path>,
    /// `[height, width, channels]` that the network takes; folders of pictures are made that size.
    pub shape: [usize; 3],
    /// Whether the built-in digits may take its place when it is missing and `asked` is `None`.
    pub fall_back: bool,
    /// Whether nothing may be downloaded.
    pub offline: bool,
}

/// Finds the data.
///
/// # Errors
/// When it cannot be had, and either was asked for or no other will do.
pub fn choose(choice: Choice<'_>, console: Console) -> anyhow::Result<Chosen> {
    let name = choice.asked.unwrap_or(choice.otherwise);
    let wanted = wanted(name);
    if let (Some(dir), Wanted::Path(_) | Wanted::Name(DatasetName::Builtin)) = (choice.data_dir, &wanted) {
        return Err(usage(format!(
            "--data-dir {} says where mnist/ and fashion-mnist/ are, but the data set is {name}. Leave --data-dir out, or name another \
             data set",
            dir.display()
        )));
    }
    let bars = Bars::new(console);
    let mut request = Request::new(wanted, &bars);
    request.data_dir = choice.data_dir.map(Path::to_path_buf);
    request.offline = choice.offline;
    request.builtin = BUILTIN;
    // Whatever a network takes that pictures cannot be made, the folder's pictures stay 28 by 28 and the shapes are compared later.
    request.picture = Picture::of_shape(choice.shape).unwrap_or_default();
    let may_fall_back = choice.fall_back && choice.asked.is_none() && choice.data_dir.is_none();
    let found = match resolve(&request) {
        Err(error) if may_fall_back && is_absence(&error) => {
            console.say(&format!(
                "{name} is not on this machine and cannot be downloaded, so this run uses the built-in digits \
                 (for {name}: put its files into DIR/{name} and give --data-dir DIR, or try: maobi data download {name})"
            ));
            request.wanted = Wanted::Name(DatasetName::Builtin);
            resolve(&request)?
        }
        other => other?,
    };
    for error in found.unreadable.iter().take(5) {
        console.warn(&format!("left out: {error}"));
    }
    if found.unreadable.len() > 5 {
        console.warn(&format!("left out: {} more pictures that cannot be read", found.unreadable.len() - 5));
    }
    let dataset = if found.origin == Origin::Builtin { DatasetName::Builtin.to_string() } else { name.to_owned() };
    Ok(Chosen { dataset, place: place(&found), splits: found.splits })
}

fn place(found: &Found) -> Option<PathBuf> {
    found.place.as_ref().map(|place| std::path::absolute(place).unwrap_or_else(|_| place.clone()))
}

/// A name or a path.
pub fn wanted(name: &str) -> Wanted {
    match name.parse() {
        Ok(wanted) => wanted,
        Err(never) => match never {},
    }
}

/// A name as it is; a path so that it is found again from any folder.
pub fn portable(dataset: &str) -> String {
    match wanted(dataset) {
        Wanted::Name(name) => name.to_string(),
        Wanted::Path(path) => {
            std::path::absolute(&path).unwrap_or(path).to_str().map_or_else(|| dataset.to_owned(), str::to_owned)
        }
    }
}

/// Whether the data is merely not there, as against damaged.
fn is_absence(error: &DataError) -> bool {
    matches!(error, DataError::NotFound { .. } | DataError::Offline { .. } | DataError::Download { .. })
}

/// The outputs of a network, one for each class.
#[derive(Clone, Copy, Debug)]
pub enum Outputs<'a> {
    /// So many, which are to be trained: the data has to have as many classes.
    New(usize),
    /// Those of a trained network, by name: the data may lack the last ones, such as "none".
    Trained(&'a [String]),
}

/// Checks that a network can take the data. How labels are written, as numbers or one-hot, makes no difference.
pub fn check_fit(set: &Dataset, shape: &[usize], outputs: Outputs<'_>) -> anyhow::Result<()> {
    let name = set.name();
    let [height, width, channels] = set.shape();
    if shape != set.shape() {
        let takes = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        bail!(
            "the images of {name} are {height} × {width} × {channels} (height, width, channels), the network takes {takes}. Set \
             input_shape = [{height}, {width}, {channels}] in a copy of the recipe (maobi recipes show NAME > mine.toml), or use \
             other data"
        );
    }
    let (classes, names) = (set.classes(), set.class_names());
    match outputs {
        Outputs::New(outputs) if classes != outputs => bail!(
            "{name} has {classes} classes, the network {outputs} outputs. Set units = {classes} in the last layer of a copy of the \
             recipe (maobi recipes show NAME > mine.toml), or use other data"
        ),
        Outputs::Trained(outputs) if classes > outputs.len() || (classes < outputs.len() && !outputs.starts_with(names)) => {
            bail!(
                "{name} has {classes} classes ({}), the network {} outputs ({}). Use data with the classes that it was trained on",
                some(names),
                outputs.len(),
                some(outputs)
            )
        }
        _ => {}
    }
    if set.is_empty() {
        bail!("{name} has no images");
    }
    Ok(())
}

/// The first of some names.
fn some(names: &[String]) -> String {
    let rest = if names.len() > 10 { ", …" } else { "" };
    format!("{}{rest}", names.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// What usually goes wrong with data, as sentences that say what to do.
pub fn remarks(set: &Dataset, scale: f32, offset: f32, rescales: bool) -> Vec<String> {
    let statistics = set.statistics();
    let name = set.name();
    let mut remarks = Vec::new();
    if statistics.is_constant() {
        remarks.push(format!("every pixel of {name} has the value {}: nothing can be learnt from that", statistics.min));
    }
    let [low, high] = [statistics.min, statistics.max].map(|pixel| f32::from(pixel) * scale + offset);
    // Networks here start from weights made for inputs of about 1.
    if !rescales && low.abs().max(high.abs()) > 16.0 {
        remarks.push(format!(
            "the network sees pixels from {low} to {high}: training is likely to get stuck. Set scale = \"1/255\" under [data] in the recipe"
        ));
    }
    if statistics.looks_inverted() {
        remarks.push(format!(
            "{name} looks inverted: its pixels have a mean of {:.0} of 255, dark strokes on a bright ground, where MNIST has bright \
             strokes on black. Invert the pictures, or expect that pictures prepared like MNIST are not read",
            statistics.mean
        ));
    }
    let empty: Vec<String> = statistics.empty_classes().take(10).map(|label| set.class_names()[label].clone()).collect();
    if !empty.is_empty() {
        remarks.push(format!("{name} has no image of class {}", empty.join(", ")));
    }
    remarks
}

/// Parts as a run uses them.
#[derive(Debug)]
pub struct Parts {
    /// Trains.
    pub train: Dataset,
    /// Looked at after each epoch.
    pub validation: Option<Dataset>,
    /// Judged by.
    pub test: Dataset,
}

/// Cuts off the validation images, then keeps the first `limit` of those that train. The test part stays whole.
pub fn parts(splits: Splits, head: Option<usize>, tail: Option<f64>, limit: Option<usize>) -> anyhow::Result<Parts> {
    let splits = match (splits.validation.is_some(), head, tail) {
        (false, Some(head), _) => {
            let total = splits.train.len();
            if head >= total {
                bail!(
                    "the recipe sets aside the first {} training images for validation, but {} has {} in all. \
                     Set validation = {{ head = {} }} under [data] in a copy of the recipe",
                    count(head as u64),
                    splits.train.name(),
                    count(total as u64),
                    total / 10
                );
            }
            splits.validate_on_head(head)?
        }
        (false, None, Some(share)) => splits.validate_on_tail(share)?,
        _ => splits,
    };
    let train = limit.map_or_else(|| splits.train.clone(), |limit| splits.train.take(limit));
    Ok(Parts { train, validation: splits.validation, test: splits.test })
}

/// `[height, width, channels]` of a network's pictures.
pub fn picture_shape(shapes: &[impl AsRef<[usize]>]) -> anyhow::Result<[usize; 3]> {
    let [shape] = shapes else { bail!("the network has {} inputs; pictures go into networks with one", shapes.len()) };
    let shape = shape.as_ref();
    shape
        .try_into()
        .ok()
        .with_context(|| format!("the network takes inputs of shape {shape:?}; pictures are [height, width, channels]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pixels: u8, labels: Vec<u32>) -> Dataset {
        let images = vec![pixels; labels.len() * 4];
        Dataset::new("mine", images, labels, [2, 2, 1], vec!["a".into(), "b".into()]).unwrap()
    }

    #[test]
    fn misfits_say_what_to_change() {
        let data = set(0, vec![0, 1]);
        check_fit(&data, &[2, 2, 1], Outputs::New(2)).unwrap();
        let message = |shape: &[usize], outputs| check_fit(&data, shape, outputs).unwrap_err().to_string();
        let shape = message(&[28, 28, 1], Outputs::New(2));
        assert!(shape.contains("2 × 2 × 1") && shape.contains("28 × 28 × 1") && shape.contains("input_shape = [2, 2, 1]"));
        for outputs in [1, 10] {
            let text = message(&[2, 2, 1], Outputs::New(outputs));
            assert!(text.contains(&format!("2 classes, the network {outputs} outputs")) && text.contains("units = 2"), "{text}");
        }
    }

    #[test]
    fn a_trained_network_may_know_more_classes_than_the_data_if_the_first_are_the_same() {
        let data = set(0, vec![0, 1]);
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            check_fit(&data, &[2, 2, 1], Outputs::Trained(&names)).map_err(|e| e.to_string())
        };
        for names in [&["a", "b"][..], &["a", "b", "none"], &["0", "1"]] {
            check(names).unwrap();
        }
        assert!(check(&["a", "c", "b"]).unwrap_err().contains("has 2 classes (a, b), the network 3 outputs (a, c, b)"));
        assert!(check(&["a"]).unwrap_err().contains("1 outputs (a)"));
    }

    #[test]
    fn remarks_on_constant_unscaled_inverted_and_lopsided_data() {
        let all = remarks(&set(200, vec![0, 0]), 1.0, 0.0, false).join("\n");
        for part in ["nothing can be learnt", "from 200 to 200", "looks inverted", "no image of class b"] {
            assert!(all.contains(part), "{part}: {all}");
        }
        let images = vec![0, 255, 0, 0, 0, 255, 0, 0];
        let good = Dataset::new("good", images, vec![0, 1], [2, 2, 1], vec!["a".into(), "b".into()]).unwrap();
        assert_eq!(remarks(&good, 1.0 / 255.0, -0.5, false), Vec::<String>::new());
        assert_eq!(remarks(&good, 1.0, 0.0, true), Vec::<String>::new());
    }

    #[test]
    fn limits_come_after_validation() {
        let splits = || Splits::new(set(0, vec![0; 10]), set(0, vec![1; 3])).unwrap();
        let cut = parts(splits(), Some(4), None, Some(5)).unwrap();
        assert_eq!((cut.train.len(), cut.validation.map(|v| v.len()), cut.test.len()), (5, Some(4), 3));
        let message = parts(splits(), Some(10), None, None).unwrap_err().to_string();
        assert!(message.contains("head = 1"), "{message}");
        assert_eq!(parts(splits(), None, Some(0.2), None).unwrap().train.len(), 8);
    }
}
