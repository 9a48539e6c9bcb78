//! NaN and infinity in training: what became NaN is named, and no file with a good model is replaced.

mod common;

use common::names;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use maobi_nn::losses::MeanSquaredError;
use maobi_nn::optimizers::{Adam, Optimizer, SGD, SavedVariable};
use maobi_nn::{Compile, Model};
use maobi_train::callbacks::SaveFreq;
use maobi_train::{
    Action, Arrays, BackupAndRestore, EarlyStopping, Error, Fit, LearningRateScheduler, ModelCheckpoint, ModelExt, OnBatchEnd,
    Targets, TerminateOnNaN,
};

const SAMPLES: usize = 40;
const BATCH: usize = 10;

/// A line through the origin; inputs of 100 make gradients of some thousands.
fn line(optimizer: impl Into<Optimizer>) -> Model {
    let mut model = Sequential::new().add(InputLayer::new([1])).add(Dense::new(1)).build(1).unwrap();
    model.compile(Compile::new(optimizer, MeanSquaredError::new())).unwrap();
    model
}

fn values(first: f32) -> Vec<f32> {
    (0..SAMPLES).map(|i| first + i as f32).collect()
}

fn arrays<'a>(x: &'a [f32], y: &[f32]) -> Arrays<'a> {
    Arrays::new(x.len(), vec![x], vec![Targets::Values(y.to_vec())]).unwrap()
}

fn train(model: &mut Model, how: Fit<'_>) -> Result<(), Error> {
    let (x, y) = (values(100.0), values(0.0));
    model.fit(&arrays(&x, &y), how.batch_size(BATCH)).map(drop)
}

/// The rate becomes so large that the next update makes weights infinite, while the loss before it is still a number.
fn explode_after(
    step: u64,
) -> OnBatchEnd<impl FnMut(&mut maobi_train::callbacks::Context<'_>, &maobi_train::callbacks::BatchLogs) -> Action> {
    OnBatchEnd(move |context, logs| {
        assert!(logs.loss.is_finite());
        if let Some(state) = context.model.optimizer_state_mut().filter(|_| context.step == step) {
            state.learning_rate = 3e38;
        }
        Action::Continue
    })
}

fn finite(model: &Model) -> bool {
    model.check_finite_training().is_ok()
}

#[test]
fn the_update_of_the_last_step_is_looked_at() {
    for how in [
        Fit::new().epochs(1),
        Fit::new().steps(4),
        Fit::new().epochs(9).callback(OnBatchEnd(|c, _| if c.step == 4 { Action::Stop } else { Action::Continue })),
    ] {
        let error = train(&mut line(SGD::new(1e-9)), how.callback(explode_after(3))).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::NotFinite { epoch: 1, step: 4, kept: None, .. }), "{text}");
        for part in
            ["weight kernel of layer \"dense\" holds ", "at step 4 (epoch 1)", "Lower the learning rate (it is 3e38)", "clipnorm"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("kept"), "{text}");
    }
}

#[test]
fn no_checkpoint_is_written_between_the_update_and_the_next_loss() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in
        [("a.keras", "a.keras"), ("a.weights.h5", "a.weights.h5"), ("a.ckpt", "a.ckpt"), ("a.ckpt-{step}", "a.ckpt-5")]
    {
        let saved = ModelCheckpoint::new(name).under(folder.path()).save_freq(SaveFreq::Steps(1));
        let how = Fit::new().epochs(2).callback(saved).callback(explode_after(5));
        let error = train(&mut line(SGD::new(1e-9)), how).unwrap_err();
        // The update of step 6 makes weights infinite; the checkpoint of step 5 is the last one.
        assert!(matches!(error, Error::NotFinite { epoch: 2, step: 6, .. }), "{error}");
        assert!(
            error.to_string().ends_with(&format!("The last good model is kept in {}", folder.path().join(file).display())),
            "{error}"
        );
        let mut back = line(SGD::new(1e-9));
        maobi_formats::format::detect(&folder.path().join(file))
            .unwrap()
            .load_weights(&mut back, &folder.path().join(file))
            .unwrap();
        assert!(finite(&back), "{name}");
    }
}

#[test]
fn the_backup_stays_the_last_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let backup = || BackupAndRestore::new(folder.path());
    let file = backup().path();
    for (freq, kept, step) in [(SaveFreq::Epoch, 4, 8), (SaveFreq::Steps(1), 7, 8)] {
        let how = Fit::new().epochs(2).callback(backup().save_freq(freq)).callback(explode_after(7));
        let error = train(&mut line(SGD::new(1e-9)), how).unwrap_err();
        assert!(
            matches!(&error, Error::NotFinite { step: at, kept: Some(at_file), .. } if *at == step && *at_file == file),
            "{error}"
        );
        let mut back = line(SGD::new(1e-9));
        maobi_formats::keras::load_into(&mut back, &file).unwrap();
        assert!(finite(&back) && back.optimizer_state_ref().unwrap().iterations == kept);
        std::fs::remove_file(&file).unwrap();
    }
    // Stopped in the middle of an epoch, at the very step that ruined the weights.
    let stop = OnBatchEnd(|c, _| if c.step == 3 { Action::Stop } else { Action::Continue });
    let how = Fit::new().epochs(2).callback(backup()).callback(explode_after(2)).callback(stop);
    assert!(matches!(train(&mut line(SGD::new(1e-9)), how), Err(Error::NotFinite { step: 3, .. })));
    // What is there is the state before the first step.
    let mut back = line(SGD::new(1e-9));
    maobi_formats::keras::load_into(&mut back, &file).unwrap();
    assert!(finite(&back) && back.optimizer_state_ref().unwrap().iterations == 0);
}

#[test]
fn a_backup_that_is_not_finite_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let backup = || BackupAndRestore::new(folder.path()).delete_checkpoint(false);
    train(&mut line(SGD::new(1e-9)), Fit::new().epochs(1).callback(backup())).unwrap();
    let mut bad = line(SGD::new(1e-9));
    let extras = maobi_formats::keras::load_into(&mut bad, &backup().path()).unwrap();
    bad.weights_mut()[0].values_mut()[0] = f32::NAN;
    let extras: Vec<(&str, &[u8])> = extras.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    maobi_formats::keras::save_with(&bad, &backup().path(), &extras).unwrap();
    let mut model = line(SGD::new(1e-9));
    let text = train(&mut model, Fit::new().epochs(2).callback(backup())).unwrap_err().to_string();
    assert!(text.contains("weight kernel of layer \"dense\" holds NaN") && text.contains("delete the file"), "{text}");
    assert!(finite(&model));
}

#[test]
fn a_validation_that_is_nan_ends_training_before_anything_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let good = values(1.0);
    let run = |x: &[f32]| {
        let validation = arrays(x, &good);
        let saved = ModelCheckpoint::new("a.keras").under(folder.path());
        let how = Fit::new().epochs(2).validation_data(&validation).callback(saved);
        let mut model = line(SGD::new(1e-9));
        let text = train(&mut model, how).unwrap_err().to_string();
        assert!(names(folder.path()).is_empty() && finite(&model));
        text
    };
    let mut x = values(1.0);
    x[31] = f32::NAN;
    assert_eq!(
        run(&x),
        "val_loss is NaN at step 4 (epoch 1) because of NaN in input 0 of sample 31 (counted from 0) of the validation data. Correct that \
         sample or leave it out"
    );
    // Every value is a number, but its square is none.
    let text = run(&[3e38; SAMPLES]);
    assert!(text.starts_with("val_loss is inf at step 4 (epoch 1): training has diverged"), "{text}");
}

#[test]
fn samples_that_hold_nan_are_named() {
    let run = |x: &[f32], y: &[f32], weights: &[f32]| {
        let data = arrays(x, y).sample_weight(weights).unwrap();
        line(SGD::new(1e-9)).fit(&data, Fit::new().batch_size(BATCH)).unwrap_err().to_string()
    };
    let (x, y, w) = (values(1.0), values(0.0), vec![1.0; SAMPLES]);
    let with =
        |values: &[f32], bad: f32| values.iter().enumerate().map(|(i, v)| if i == 17 { bad } else { *v }).collect::<Vec<f32>>();
    for (text, place) in [
        (run(&with(&x, f32::NAN), &y, &w), "NaN in input 0 of sample 17"),
        (run(&x, &with(&y, f32::INFINITY), &w), "inf in target 0 of sample 17"),
        (run(&x, &y, &with(&w, f32::NAN)), "NaN in the weight of sample 17"),
    ] {
        assert!(
            text.contains(place) && text.contains("(counted from 0) of the training data") && !text.contains("learning rate"),
            "{text}"
        );
    }
}

#[test]
fn the_optimizers_own_values_and_its_rate_are_looked_at() {
    let spoil = OnBatchEnd(|context, _| {
        let Some(state) = context.model.optimizer_state_mut() else { return Action::Continue };
        let kept: Vec<(Vec<usize>, Vec<f32>)> =
            state.variables().iter().map(|v| (v.shape.clone(), vec![f32::NAN; v.values.len()])).collect();
        let saved: Vec<SavedVariable<'_>> = kept.iter().map(|(shape, values)| SavedVariable { shape, values }).collect();
        state.load_variables(&saved).unwrap();
        Action::Continue
    });
    let mut averaged: Optimizer = SGD::new(1e-9).into();
    averaged.base_mut().use_ema = true;
    let mut model = line(averaged);
    let text = train(&mut model, Fit::new().steps(1).callback(spoil)).unwrap_err().to_string();
    assert!(text.starts_with("optimizer variable sequential_dense_kernel_average holds NaN"), "{text}");
    // The average is not put in the place of the weights.
    assert!(model.check_finite().is_ok());
    let rate = OnBatchEnd(|context, _| {
        context.model.optimizer_state_mut().unwrap().learning_rate = f32::NAN;
        Action::Continue
    });
    let text = train(&mut line(Adam::new(1e-9)), Fit::new().steps(1).callback(rate)).unwrap_err().to_string();
    assert!(text.starts_with("the learning rate is NaN at step 1"), "{text}");
}

#[test]
fn the_best_weights_come_back_after_an_update_that_ruined_the_model() {
    let stop = EarlyStopping::new("loss").patience(9).restore_best_weights(true);
    let mut model = line(SGD::new(1e-9));
    let error = train(&mut model, Fit::new().epochs(2).callback(stop).callback(explode_after(7))).unwrap_err();
    assert!(matches!(error, Error::NotFinite { .. }) && model.check_finite().is_ok(), "{error}");
}

#[test]
fn terminate_on_nan_saves_nothing_and_says_where_the_last_good_model_is() {
    let folder = tempfile::tempdir().unwrap();
    let rates = LearningRateScheduler::new(|epoch, rate| if epoch == 1 { 1e36 } else { rate });
    let saved = ModelCheckpoint::new("{epoch}.keras").under(folder.path());
    let how = Fit::new().epochs(3).callback(rates).callback(saved).callback(TerminateOnNaN::new().raise_error(true));
    let text = train(&mut line(SGD::new(1e-9)), how).unwrap_err().to_string();
    assert!(text.starts_with("the loss is ") && text.contains("(epoch 2)"), "{text}");
    assert!(text.ends_with(&format!("The last good model is kept in {}", folder.path().join("1.keras").display())), "{text}");
    assert_eq!(names(folder.path()), ["1.keras"]);
}
