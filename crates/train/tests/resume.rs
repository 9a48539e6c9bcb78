//! Trainings that are interrupted and go on as if they had not been.

mod common;

use common::{BATCH, Kill, STEPS, adam, bits, message, model, names, points, train};
use maobi_nn::Compile;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_nn::optimizers::{Adam, LossScale, SGD};
use maobi_nn::{Model, Precision};
use maobi_train::callbacks::SaveFreq;
use maobi_train::{
    Action, Arrays, BackupAndRestore, CSVLogger, EarlyStopping, Fit, History, LearningRateScheduler, ModelCheckpoint, ModelExt,
    OnBatchEnd, ReduceLROnPlateau, Targets, TerminateOnNaN,
};
use std::path::Path;

/// The training of the tests below: everything that remembers something is there, and the backup comes first on purpose.
fn remembering<'a>(folder: &Path, save_freq: SaveFreq) -> Fit<'a> {
    Fit::new()
        .epochs(14)
        .callback(BackupAndRestore::new(folder.join("backup")).save_freq(save_freq))
        .callback(ReduceLROnPlateau::new("val_loss").factor(0.5).patience(1).cooldown(1))
        .callback(EarlyStopping::new("val_loss").patience(6).restore_best_weights(true))
        .callback(ModelCheckpoint::new("best.keras").under(folder).save_best_only(true))
        .callback(
            ModelCheckpoint::new("{step:03d}.keras").under(folder.join("steps")).save_freq(SaveFreq::Steps(4)).max_to_keep(3),
        )
        .callback(CSVLogger::new(folder.join("log.csv")))
        .callback(LearningRateScheduler::new(|_, rate| rate * 0.97))
}

/// Weights and optimizer, log, names of checkpoints, the figures of all epochs as bits.
type Left = (Vec<Vec<u32>>, String, Vec<String>, Vec<(String, u64)>);

/// What a training of [`remembering`] leaves behind.
fn left(folder: &Path, model: &Model, history: &History) -> Left {
    let log = std::fs::read_to_string(folder.join("log.csv")).unwrap();
    let figures = history.epochs.iter().flat_map(|e| &e.values).map(|(name, value)| (name.clone(), value.to_bits()));
    (bits(model), log, names(&folder.join("steps")), figures.collect())
}

#[test]
fn an_interrupted_training_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = adam(7);
    let history = train(&mut whole, remembering(folder.path(), SaveFreq::Epoch)).unwrap();
    let expected = left(folder.path(), &whole, &history);
    let rates = history.get("learning_rate");
    assert!(rates.windows(2).any(|w| w[1] < w[0] * 0.6), "the rate was never halved: {rates:?}");
    let losses = history.get("val_loss");
    let best = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert!(best > 0 && best + 1 < losses.len(), "the best epoch should be on the way: {losses:?}");
    assert!(!folder.path().join("backup").exists(), "a complete training leaves no backup");

    let best_bits = std::fs::read(folder.path().join("best.keras")).unwrap();
    // Steps 5 and 9 are on the way, 12 ends an epoch, 40 comes after the best epoch.
    for stop in [1, 5, 9, 12, 40, 47] {
        let folder = tempfile::tempdir().unwrap();
        let mut first = adam(7);
        let pause = OnBatchEnd(|c, _| if c.step == stop { Action::Stop } else { Action::Continue });
        train(&mut first, remembering(folder.path(), SaveFreq::Epoch).callback(pause)).unwrap();
        drop(first);
        assert!(folder.path().join("backup/backup.keras").exists());
        let mut second = adam(7);
        let history = train(&mut second, remembering(folder.path(), SaveFreq::Epoch)).unwrap();
        assert!(left(folder.path(), &second, &history) == expected, "stopped after step {stop}");
        assert_eq!(std::fs::read(folder.path().join("best.keras")).unwrap().len(), best_bits.len());
    }
    // Killed: back to the last epoch's end, or the last third step.
    for (kill, freq) in
        [(8, SaveFreq::Epoch), (29, SaveFreq::Epoch), (4, SaveFreq::Steps(3)), (45, SaveFreq::Steps(3)), (3, SaveFreq::Epoch)]
    {
        let folder = tempfile::tempdir().unwrap();
        let killed = train(&mut adam(7), remembering(folder.path(), freq).callback(Kill(kill)));
        assert_eq!(message(killed), "kill: now");
        let mut second = adam(7);
        let history = train(&mut second, remembering(folder.path(), freq)).unwrap();
        let (weights, log, _, figures) = left(folder.path(), &second, &history);
        assert!((&weights, &log, &figures) == (&expected.0, &expected.1, &expected.3), "killed at step {kill}");
    }
}

#[test]
fn skipped_steps_of_float16_neither_end_a_training_nor_are_lost() {
    let fresh = || {
        let mut model = adam(7);
        let mut how = model.compiled().unwrap().clone();
        how.optimizer.base_mut().loss_scale = Some(LossScale { initial_scale: 2f32.powi(30), dynamic_growth_steps: 20 });
        model.set_precision(Precision::MixedFloat16).unwrap();
        model.compile(how).unwrap();
        model
    };
    let plain = |folder: &Path| {
        Fit::new()
            .epochs(14)
            .callback(TerminateOnNaN::new().raise_error(true))
            .callback(BackupAndRestore::new(folder.join("backup")))
    };
    let folder = tempfile::tempdir().unwrap();
    let mut whole = fresh();
    let history = train(&mut whole, plain(folder.path())).unwrap();
    let state = whole.optimizer_state_ref().unwrap();
    assert!(state.iterations < 14 * STEPS as u64, "no step was skipped");
    let losses = history.get("loss");
    assert!(losses[13] < 0.8 * losses[0] && losses.iter().all(|l| l.is_finite()), "{losses:?}");
    for stop in [0, 2, 30] {
        let folder = tempfile::tempdir().unwrap();
        // Step 0 ends with the first step that was skipped.
        let pause = OnBatchEnd(|c, _| if c.step == stop { Action::Stop } else { Action::Continue });
        train(&mut fresh(), plain(folder.path()).callback(pause)).unwrap();
        let mut second = fresh();
        assert_eq!(train(&mut second, plain(folder.path())).unwrap().get("loss"), losses);
        assert!(bits(&second) == bits(&whole), "stopped after step {stop}");
        assert_eq!(second.optimizer_state_ref().unwrap().loss_scale, whole.optimizer_state_ref().unwrap().loss_scale);
    }
}

#[test]
fn interrupted_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = adam(3);
    let history = train(&mut whole, remembering(folder.path(), SaveFreq::Epoch)).unwrap();
    let expected = left(folder.path(), &whole, &history);
    let folder = tempfile::tempdir().unwrap();
    let (mut last, mut history) = (adam(3), History::default());
    for run in 0..100 {
        last = adam(3);
        let mut steps = 0;
        let mut stopped = false;
        let pause = OnBatchEnd(|_, _| {
            steps += 1;
            stopped = steps == 7;
            if stopped { Action::Stop } else { Action::Continue }
        });
        history = train(&mut last, remembering(folder.path(), SaveFreq::Epoch).callback(pause)).unwrap();
        if !folder.path().join("backup").exists() {
            assert!(run > 3);
            break;
        }
    }
    assert!(left(folder.path(), &last, &history) == expected);
}

#[test]
fn backups_of_other_runs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let how = || Fit::new().epochs(3).callback(BackupAndRestore::new(folder.path()));
    let pause = OnBatchEnd(|c, _| if c.step == 8 { Action::Stop } else { Action::Continue });
    train(&mut adam(1), how().callback(pause)).unwrap();
    let file = folder.path().join("backup.keras");
    let refused = |mut model: Model, how: Fit<'_>| {
        let before = bits(&model);
        let message = message(train(&mut model, how));
        assert!(bits(&model) == before, "the model was changed: {message}");
        let start = format!("BackupAndRestore: {}: the backup ", file.display());
        let rest = message.strip_prefix(&start).unwrap_or_else(|| panic!("{message}")).to_string();
        assert!(rest.ends_with("; delete the file to start anew"), "{message}");
        rest
    };
    assert!(refused(adam(2), how()).starts_with("is of a run with seed 1, this one has 2;"));
    let sgd = model(1, SGD::new(0.1));
    let text = refused(sgd, how());
    assert!(text.contains("Adam") || text.contains("cannot be used here"));
    let mut wide = Sequential::new().add(InputLayer::new([2])).add(Dense::new(3).activation("softmax")).build(1).unwrap();
    wide.compile(Compile::new(Adam::new(0.05), SparseCategoricalCrossentropy::new())).unwrap();
    assert!(refused(wide, how()).starts_with("cannot be used here"));
    std::fs::write(&file, b"not a backup").unwrap();
    assert!(refused(adam(1), how()).starts_with("cannot be used here"));
}

#[test]
fn a_backup_of_other_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pause = OnBatchEnd(|c, _| if c.step == 8 { Action::Stop } else { Action::Continue });
    train(&mut adam(1), Fit::new().epochs(3).callback(BackupAndRestore::new(folder.path())).callback(pause)).unwrap();
    let (x, y) = points();
    let half = Arrays::new(20, vec![&x[..40]], vec![Targets::Classes(y[..20].to_vec())]).unwrap();
    let result = adam(1).fit(&half, Fit::new().epochs(3).batch_size(BATCH).callback(BackupAndRestore::new(folder.path())));
    assert!(
        message(result)
            .contains("is of a run with 6 steps per epoch, this one has 3 (other data or batch size); delete the file")
    );
}

#[test]
fn a_training_that_was_killed_after_its_last_epoch_trains_no_more() {
    let folder = tempfile::tempdir().unwrap();
    // The backup of the epoch in which EarlyStopping stops is there, but training did not get to its end.
    let how = || {
        let backup = BackupAndRestore::new(folder.path().join("backup")).delete_checkpoint(false);
        Fit::new().epochs(9).callback(EarlyStopping::new("loss").min_delta(100.0)).callback(backup)
    };
    let mut whole = adam(3);
    let history = train(&mut whole, how()).unwrap();
    assert_eq!(history.epochs.len(), 2);
    let mut resumed = adam(3);
    assert_eq!(train(&mut resumed, how()).unwrap().epochs.len(), 2);
    assert_eq!(bits(&resumed), bits(&whole));
}
