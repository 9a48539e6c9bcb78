//! Files and pictures.

use anyhow::ensure;
use maobi_draw::{Labelled, preview_png};
use maobi_formats::keras;
use maobi_train::Recipe;
use maobi_vision::{Limits, Preprocess, decode_bytes, prepare};
use std::path::PathBuf;

/// A file that is gone when this is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A model written and read again gives the same answers.
pub fn model_file() -> anyhow::Result<String> {
    let file = Temporary(std::env::temp_dir().join(format!("maobi-self-test-{}.keras", std::process::id())));
    let model = Recipe::builtin("tiny-cnn")?.model(3)?;
    keras::save(&model, &file.0)?;
    let size = std::fs::metadata(&file.0)?.len();
    let back = keras::load(&file.0, 4)?.model;
    let picture: Vec<f32> = (0..784).map(|i| (i % 29) as f32 / 29.0).collect();
    ensure!(model.predict(&[&picture])? == back.predict(&[&picture])?, "a model read back from its file answers differently");
    Ok(format!("written and read, {size} bytes"))
}

/// A drawn digit goes through PNG and preprocessing.
pub fn pictures() -> anyhow::Result<String> {
    let (digit, label) = maobi_data::builtin::digit(1, 0);
    let png = preview_png(&[Labelled { image: &digit, height: 28, width: 28, channels: 1, label: "" }]);
    let picture = decode_bytes(&png, "drawn.png", &Limits::default())?;
    let seen = prepare(&picture, Preprocess::Auto, (28, 28));
    ensure!(!seen.blank && seen.pixels.len() == 784, "no ink is found on a picture of a {label}");
    Ok(format!("a drawn {label} is found on a PNG of {} × {}", picture.width, picture.height))
}
