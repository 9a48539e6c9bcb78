//! Damaged copies of every format's files. The campaign (`campaign/`) makes as many as one likes, with changes that know the formats.

#[path = "support/damage.rs"]
mod damage;

use damage::{Count, Random, of_folder, of_model, peak_memory};
use maobi_formats::{Error, format};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Flatten, InputLayer, MaxPooling2D};
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_nn::optimizers::Adam;
use maobi_nn::{Compile, Model};

fn model() -> Model {
    let mut model = Sequential::new()
        .add(InputLayer::new([8, 8, 1]))
        .add(Conv2D::new(2, 3).activation("relu"))
        .add(MaxPooling2D::new(2))
        .add(BatchNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(3).activation("softmax"))
        .build(1)
        .unwrap();
    model.compile(Compile::new(Adam::new(1e-3), SparseCategoricalCrossentropy::new())).unwrap();
    model
}

#[test]
fn damaged_files_are_errors_or_sound_models() {
    let folder = tempfile::tempdir().unwrap();
    let mut samples = of_model(&model(), &folder.path().join("made"));
    assert!(samples.len() >= 5, "{} formats were written", samples.len());
    for (index, sample) in samples.iter().enumerate() {
        let path = folder.path().join("made").join(index.to_string()).join(&sample.name);
        // Whole, they all open, or say that such files are only written.
        let only_written = || matches!(format::detect(&path).unwrap().load(&path, 1), Err(Error::Unsupported { .. }));
        assert!(sample.opens(&path) || only_written(), "{}", sample.name.display());
    }
    if let Some(dir) = maobi_testing::data("../interop/samples") {
        samples.extend(of_folder(&dir));
    }
    let mut random = Random::new(1);
    let mut count = Count::default();
    for sample in &samples {
        for _ in 0..30 {
            sample.open_damaged(&folder.path().join("copy"), &mut random, &mut count);
        }
    }
    assert!(count.refused * 4 > count.copies, "{count:?}: most damage must be noticed");
    if let Some(peak) = peak_memory() {
        assert!(peak < 1 << 30, "{peak} bytes of memory");
    }
}
