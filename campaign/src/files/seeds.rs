//! The files that are damaged: what the program writes itself, the files of other programs in `fixtures/`, pictures of every kind.

use super::pictures;
use crate::binary::root;
use crate::place;
use anyhow::{Context as _, Result};
use maobi_data::npy::Npy;
use maobi_data::{builtin, npz};
use maobi_formats::format::{self, FORMATS};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{
    BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, GlobalAveragePooling2D, InputLayer, MaxPooling2D,
    SeparableConv2D, UpSampling2D, ZeroPadding2D,
};
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_nn::optimizers::{Adam, SGD};
use maobi_nn::{Compile, Model};
use maobi_train::Recipe;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The kind that the program alone reads.
pub const TABLE: &str = "table of labels";

/// A file, or several that belong together.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its kind, the report's row.
    pub kind: String,
    /// Its files, by their names within a folder.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// What is opened, within that folder.
    pub target: PathBuf,
    /// The network that its weights go into.
    pub network: Option<String>,
}

/// Makes the seeds in a folder: a folder each, with `seed.json` beside its files.
pub fn make(folder: &Path) -> Result<()> {
    let mut seeds = models(&folder.join("made"))?;
    seeds.extend(fixtures()?);
    seeds.extend(data(&folder.join("made-data"))?);
    seeds.extend(recipes());
    for (kind, pictures) in pictures::all()? {
        for (index, (ending, bytes)) in pictures.into_iter().enumerate() {
            let name = PathBuf::from(format!("{index}.{ending}"));
            seeds.push(Seed { kind: kind.to_owned(), files: vec![(name.clone(), bytes)], target: name, network: None });
        }
    }
    for (index, seed) in seeds.iter().enumerate() {
        let own = folder.join(format!("seeds/{index:03}"));
        for (name, bytes) in &seed.files {
            let path = own.join("files").join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(&own))?;
            std::fs::write(path, bytes)?;
        }
        let about = json!({"kind": seed.kind, "target": seed.target, "network": seed.network});
        std::fs::write(own.join("seed.json"), about.to_string())?;
    }
    Ok(())
}

/// Reads what [`make`] made, in its order.
pub fn read(folder: &Path) -> Result<Vec<Seed>> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder.join("seeds"))?.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders
        .iter()
        .map(|own| {
            let about: Value = serde_json::from_slice(&std::fs::read(own.join("seed.json"))?)?;
            let text = |key: &str| about[key].as_str().map(str::to_owned);
            Ok(Seed {
                kind: text("kind").context("seed.json: kind")?,
                files: files_of(&own.join("files"))?,
                target: text("target").context("seed.json: target")?.into(),
                network: text("network"),
            })
        })
        .collect()
}

fn files_of(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(folder.join(&inner))?.flatten() {
            let name = inner.join(entry.file_name());
            match entry.path().is_dir() {
                true => folders.push(name),
                false => files.push((name, std::fs::read(entry.path())?)),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Small networks that between them have most kinds of layers and of optimizer state.
fn networks() -> Result<Vec<Model>> {
    let mut plain = Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(2, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(BatchNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(3).activation("softmax"))
        .build(1)?;
    plain.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new()))?;
    let mut many = Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(ZeroPadding2D::new(1))
        .add(DepthwiseConv2D::new(3))
        .add(SeparableConv2D::new(2, 3).activation("elu"))
        .add(UpSampling2D::new(2))
        .add(Dropout::new(0.5))
        .add(GlobalAveragePooling2D::new())
        .add(Dense::new(3))
        .build(2)?;
    many.compile(Compile::new(SGD::new(0.1).momentum(0.9).ema(0.9, None), SparseCategoricalCrossentropy::new()))?;
    Ok(vec![plain, many])
}

/// The networks in every format that is written.
fn models(folder: &Path) -> Result<Vec<Seed>> {
    let mut seeds = Vec::new();
    for (n, model) in networks()?.iter().enumerate() {
        for format in FORMATS {
            let inner = folder.join(format!("{n}-{}", format.name()));
            std::fs::create_dir_all(&inner)?;
            let target = PathBuf::from(format!("m{}", format.extensions().first().copied().unwrap_or_default()));
            // SavedModels are written and never read.
            if format.name() == "saved-model" || format.save(model, &inner.join(&target), &[]).is_err() {
                continue;
            }
            seeds.push(Seed { kind: format.name().to_owned(), files: files_of(&inner)?, target, network: Some(model.to_json()) });
        }
    }
    Ok(seeds)
}

/// Models that Keras, TensorFlow and PyTorch wrote.
fn fixtures() -> Result<Vec<Seed>> {
    let mut seeds: Vec<Seed> = Vec::new();
    for inner in ["interop/resume", "interop/h5", "interop/onnx", "interop/checkpoints"] {
        let folder = root().join("fixtures").join(inner);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (files, target) = match name.strip_suffix(".index") {
                Some(prefix) => {
                    let shard = format!("{prefix}.data-00000-of-00001");
                    let files = vec![
                        (PathBuf::from(&name), std::fs::read(&path)?),
                        (PathBuf::from(&shard), std::fs::read(folder.join(&shard))?),
                    ];
                    (files, PathBuf::from(prefix))
                }
                None if [".keras", ".h5", ".onnx"].iter().any(|ending| name.ends_with(ending)) => {
                    (vec![(PathBuf::from(&name), std::fs::read(&path)?)], PathBuf::from(&name))
                }
                None => continue,
            };
            let kind = format::detect(&folder.join(&target))?.name().to_owned();
            seeds.push(Seed { kind, files, target, network: None });
        }
    }
    // Weights alone need a network: any of these into which they fit.
    let folder = tempfile::tempdir()?;
    let mut known = Vec::new();
    for seed in &seeds {
        let path = seed.write(folder.path())?;
        if let Ok(loaded) = format::detect(&path)?.load(&path, 1) {
            known.push(loaded.model.to_json());
        }
    }
    for seed in &mut seeds {
        let path = seed.write(folder.path())?;
        let fits = |json: &&String| {
            let loads = |model: &mut Model| format::detect(&path).is_ok_and(|format| format.load_weights(model, &path).is_ok());
            Model::from_json(json, 1).is_ok_and(|mut model| loads(&mut model))
        };
        seed.network = known.iter().find(fits).cloned();
    }
    Ok(seeds)
}

/// Data sets: IDX plain and packed, npz, npy, a folder of pictures, a table of labels.
fn data(folder: &Path) -> Result<Vec<Seed>> {
    place::write_small(folder, 40, 10)?;
    let seed = |kind: &str, files, target: &str| Seed { kind: kind.to_owned(), files, target: target.into(), network: None };
    let plain: Vec<_> = files_of(&folder.join("data"))?;
    let packed = plain
        .iter()
        .map(|(name, bytes)| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gz, bytes)?;
            Ok((PathBuf::from(format!("{}.gz", name.display())), gz.finish()?))
        })
        .collect::<std::io::Result<Vec<_>>>()?;
    let digits = builtin::generate(5, 30);
    let labels = Npy::from_u8(&[20], &digits.labels[..20]);
    let test_labels = Npy::from_u8(&[10], &digits.labels[20..]);
    let images = Npy::from_u8(&[20, 28, 28], &digits.images[..20 * 784]);
    let test_images = Npy::from_u8(&[10, 28, 28], &digits.images[20 * 784..]);
    let archive = folder.join("set.npz");
    npz::write(&archive, &[("x_train", &images), ("y_train", &labels), ("x_test", &test_images), ("y_test", &test_labels)])?;
    let array = Npy::from_f32(&[2, 3, 4], &[0.5; 24]).to_bytes()?;
    let picture = |index: u64| pictures::digit_png(index);
    let mut classes = Vec::new();
    for class in 0..2 {
        for index in 0..3 {
            classes.push((PathBuf::from(format!("set/{class}/{index}.png")), picture(class * 3 + index)));
        }
    }
    let mut table = String::from("file,label,kind,certain\n");
    let mut labelled = Vec::new();
    for index in 0..3 {
        table.push_str(&format!("{index}.png,{index},photo,sure\n"));
        labelled.push((PathBuf::from(format!("{index}.png")), picture(index)));
    }
    labelled.push((PathBuf::from("table.csv"), table.into_bytes()));
    Ok(vec![
        seed("idx", plain, "mnist"),
        seed("idx.gz", packed, "mnist"),
        seed("npz data set", vec![(PathBuf::from("set.npz"), std::fs::read(&archive)?)], "set.npz"),
        seed("npy", vec![(PathBuf::from("array.npy"), array)], "array.npy"),
        seed("folder of pictures", classes, "set"),
        seed(TABLE, labelled, "table.csv"),
    ])
}

/// The built-in recipes.
fn recipes() -> Vec<Seed> {
    let seed = |name: &str| {
        let file = PathBuf::from(format!("{name}.toml"));
        let text = Recipe::text(name).unwrap_or_default().as_bytes().to_vec();
        Seed { kind: "recipe".to_owned(), files: vec![(file.clone(), text)], target: file, network: None }
    };
    // The large networks take long to build and have the same keys as the small ones.
    Recipe::names().filter(|name| name.starts_with("tiny") || *name == "softmax").map(seed).collect()
}

impl Seed {
    /// Writes one of the files anew.
    pub fn write_one(&self, name: &Path, folder: &Path) -> Result<()> {
        for (own, bytes) in self.files.iter().filter(|(own, _)| own == name) {
            std::fs::write(folder.join(own), bytes)?;
        }
        Ok(())
    }

    /// Writes the files into a folder; returns the path that is opened.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, bytes)?;
        }
        Ok(folder.join(&self.target))
    }
}
