//! Models that only predict and evaluate leave aside what the optimizer keeps of each weight, and its memory. One test alone in its
//! program, so that nobody else allocates.

use maobi_formats::{Loaded, format, h5};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use maobi_nn::losses::{MeanSquaredError, Target};
use maobi_nn::optimizers::Adam;
use maobi_nn::{Batch, Compile, Model, Samples};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::path::Path;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Values of the network's weights.
const VALUES: usize = 1000 * 1000;

fn network() -> Model {
    let mut model = Sequential::new().add(InputLayer::new([1000])).add(Dense::new(1000).use_bias(false)).build(1).unwrap();
    model.compile(Compile::new(Adam::new(0.125), MeanSquaredError::new())).unwrap();
    model
}

fn train(model: &mut Model) -> maobi_nn::Result<()> {
    let feed = Samples { samples: 1, inputs: &[&[0.5; 1000]] };
    let batch = Batch { feed: &feed, targets: &[Target::Values(&[1.0; 1000])], sample_weight: None, class_weight: None };
    model.train_on_batch(batch).map(drop)
}

/// What a call allocates in bytes, beside what it gives.
fn allocated<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let region = Region::new(ALLOCATOR);
    let result = f();
    (result, region.change().bytes_allocated)
}

#[test]
fn slots_are_neither_read_nor_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut trained = network();
    train(&mut trained).unwrap();
    train(&mut trained).unwrap();
    let (keras, h5_file) = (folder.path().join("m.keras"), folder.path().join("m.h5"));
    format::named("keras").unwrap().save(&trained, &keras, &[]).unwrap();
    h5::save_with(&trained, &h5_file, h5::Options::default().optimizer_variables(true)).unwrap();
    let weights = |model: &Model| model.weights()[0].values().to_vec();
    let slots = |model: &Model| -> Vec<Vec<f32>> {
        model.optimizer_state_ref().unwrap().variables().iter().map(|variable| variable.values.to_vec()).collect()
    };

    for path in [&keras, &h5_file] {
        let format = format::detect(path).unwrap();
        let (whole, most) = allocated(|| format.load(path, 1).unwrap().model);
        let (loaded, less) = allocated(|| format.load_without_slots(path, 1).unwrap());
        let Loaded { mut model, notes, .. } = loaded;
        // Two slots of each weight: their bytes, their numbers, and where they stay.
        let spared = 2 * 3 * VALUES * size_of::<f32>();
        assert!(less + spared <= most, "{}: {less} bytes without slots, {most} with", path.display());
        assert_eq!(notes, Vec::<String>::new());
        assert_eq!((weights(&model) == weights(&trained), slots(&whole) == slots(&trained)), (true, true));
        let state = model.optimizer_state_ref().unwrap();
        assert_eq!((state.iterations, state.learning_rate, state.has_slots()), (2, 0.125, false));
        assert_eq!(model.summary(), trained.summary());
        assert!(model.summary().contains("Optimizer params: 2,000,002"), "{}", model.summary());
        let message = train(&mut model).unwrap_err().to_string();
        assert!(message.contains("without the optimizer's state"), "{message}");
        // What is written from it says that it has none, instead of zeros that look like a state.
        let again = folder.path().join("again.keras");
        format::named("keras").unwrap().save(&model, &again, &[]).unwrap();
        let notes = format::detect(&again).unwrap().load(&again, 1).unwrap().notes;
        assert!(notes[0].contains("no optimizer state"), "{notes:?}");
    }

    // Checkpoints, which hold no network.
    for name in ["tf-checkpoint", "tf1-checkpoint"] {
        let format = format::named(name).unwrap();
        let path = folder.path().join(name);
        format.save(&trained, &path, &[]).unwrap();
        let into = |leave_out: bool, path: &Path| {
            let mut model = network();
            if leave_out {
                model.optimizer_state_mut().unwrap().leave_out_slots();
            }
            let (notes, bytes) = allocated(|| format.load_weights(&mut model, path).unwrap());
            assert_eq!(notes, Vec::<String>::new(), "{name}");
            (model, bytes)
        };
        let ((whole, most), (model, less)) = (into(false, &path), into(true, &path));
        let spared = 2 * 2 * VALUES * size_of::<f32>();
        assert!(less + spared <= most, "{name}: {less} bytes without slots, {most} with");
        assert_eq!((weights(&model) == weights(&trained), slots(&whole) == slots(&trained)), (true, true), "{name}");
        let state = model.optimizer_state_ref().unwrap();
        assert_eq!((state.iterations, state.has_slots()), (2, false), "{name}");
    }
}
