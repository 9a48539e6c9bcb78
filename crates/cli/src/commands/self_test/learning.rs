//! The published self-test: fake data on which any sound training reaches accuracy 1.

use anyhow::ensure;
use maobi_nn::Model;
use maobi_train::{Arrays, Fit, ModelExt, Recipe, Targets};

const IMAGES: usize = 256;
const PIXELS: usize = 28 * 28;

/// Labels are i mod 2, all pixels of an image label − 0.5, as in the LeNet sample's `--self_test`.
fn fake(images: usize) -> (Vec<f32>, Vec<f32>) {
    let pixels = (0..images).flat_map(|i| std::iter::repeat_n((i % 2) as f32 - 0.5, PIXELS)).collect();
    let labels = (0..images).flat_map(|i| (0..10).map(move |class| f32::from(u8::from(class == i % 2)))).collect();
    (pixels, labels)
}

fn trained(recipe: &str, images: usize, epochs: usize, threads: usize) -> anyhow::Result<(Model, f64)> {
    let (pixels, labels) = fake(images);
    let data = Arrays::new(images, vec![&pixels], vec![Targets::Values(labels)])?;
    let mut model = Recipe::builtin(recipe)?.model(1)?;
    model.set_threads(threads);
    model.fit(&data, Fit::new().epochs(epochs).batch_size(32))?;
    let logs = model.evaluate(&data)?;
    let accuracy = logs.iter().find(|(name, _)| name == "accuracy").map_or(0.0, |(_, value)| *value);
    Ok((model, accuracy))
}

/// One epoch of keras-lenet on fake data.
pub fn fake_data() -> anyhow::Result<String> {
    let (_, accuracy) = trained("keras-lenet", IMAGES, 1, 2)?;
    ensure!(accuracy == 1.0, "keras-lenet has accuracy {accuracy} after an epoch of fake data, expected 1.0");
    Ok(format!("keras-lenet, 1 epoch of {IMAGES} images, accuracy {accuracy:.1}"))
}

/// The same training on other numbers of threads.
pub fn threads() -> anyhow::Result<String> {
    let bits = |threads| -> anyhow::Result<Vec<u32>> {
        let (model, _) = trained("tiny-cnn", 64, 2, threads)?;
        Ok(model.weights().iter().flat_map(|w| w.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>()).collect())
    };
    let one = bits(1)?;
    for threads in [2, 3] {
        ensure!(bits(threads)? == one, "{threads} threads give other weights than one");
    }
    Ok(format!("tiny-cnn, {} weights", one.len()))
}
