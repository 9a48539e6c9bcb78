//! Callbacks around the training of a small network, and trainings that are interrupted and go on.

use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, Dropout, InputLayer};
use maobi_nn::losses::Loss;
use maobi_nn::optimizers::{Adam, Optimizer, Sgd};
use maobi_nn::{Compile, Model};
use maobi_train::callbacks::{BatchLogs, Context, SaveFreq};
use maobi_train::{
    Action, Arrays, BackupAndRestore, CSVLogger, Callback, EarlyStopping, Error, Examples, Fit, History, LearningRateScheduler,
    ModelCheckpoint, ModelExt, OnBatchEnd, OnEpochEnd, ProgressBar, ReduceLROnPlateau, Targets, TerminateOnNaN,
};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

const SAMPLES: usize = 50;
const BATCH: usize = 8;
/// 45 samples train (the rest validates), the last batch being short.
const STEPS: usize = 6;

/// Points in the plane, noisy around one centre per class.
fn points() -> (Vec<f32>, Vec<u32>) {
    let noise = |i: usize| ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
    let x = (0..SAMPLES).flat_map(|i| [(i % 3) as f32 - 1.0 + noise(2 * i), ((i % 3) * 2 % 3) as f32 - 1.0 + noise(2 * i + 1)]);
    (x.collect(), (0..SAMPLES).map(|i| (i % 3) as u32).collect())
}

fn model(seed: u64, optimizer: impl Into<Optimizer>) -> Model {
    let layers = Sequential::new().add(InputLayer::new([2])).add(Dense::new(8).activation("relu")).add(Dropout::new(0.3));
    let mut model = layers.add(Dense::new(3).activation("softmax")).build(seed).unwrap();
    model.compile(Compile::new(optimizer, Loss::sparse_categorical_crossentropy()).metrics(["accuracy"]).unwrap()).unwrap();
    model
}

fn adam(seed: u64) -> Model {
    model(seed, Adam::new(0.05))
}

/// Trains on the points with a tenth of them for validation.
fn train(model: &mut Model, how: Fit<'_>) -> Result<History, Error> {
    let (x, y) = points();
    model.fit(&Arrays::new(SAMPLES, vec![&x], vec![Targets::Classes(y)]).unwrap(), how.batch_size(BATCH).validation_split(0.1))
}

/// Weights, and all that the optimizer keeps, as bits.
fn bits(model: &Model) -> Vec<Vec<u32>> {
    let state = model.optimizer_state_ref().unwrap();
    let of = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    let weights = model.weights().iter().map(|w| of(&w.values()));
    let slots = state.variables().into_iter().map(|v| of(&v.values)).collect::<Vec<_>>();
    weights.chain(slots).chain([vec![state.iterations as u32, state.learning_rate.to_bits()]]).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn message(result: Result<History, Error>) -> String {
    result.map_or_else(|e| e.to_string(), |_| "trained".into())
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Ends training as a kill does: nothing is saved, for `fit` sees an error and tells the callbacks so.
struct Kill(u64);

impl Callback for Kill {
    fn name(&self) -> &'static str {
        "Kill"
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, _: &BatchLogs) -> Result<Action, Error> {
        match context.step == self.0 {
            true => Err(Error::Argument { argument: "kill".into(), message: "now".into() }),
            false => Ok(Action::Continue),
        }
    }
}

/// The training of the tests below: everything that remembers something is there, and the backup comes first on purpose.
fn remembering<'a>(folder: &Path, save_freq: SaveFreq) -> Fit<'a> {
    Fit::new()
        .epochs(14)
        .callback(BackupAndRestore::new(folder.join("backup")).save_freq(save_freq))
        .callback(ReduceLROnPlateau::new("val_loss").factor(0.5).patience(1).cooldown(1))
        .callback(EarlyStopping::new("val_loss").patience(6).restore_best_weights(true))
        .callback(ModelCheckpoint::new("best.keras").unwrap().under(folder).save_best_only(true))
        .callback(
            ModelCheckpoint::new("{step:03d}.keras")
                .unwrap()
                .under(folder.join("steps"))
                .save_freq(SaveFreq::Steps(4))
                .max_to_keep(3),
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
    let sgd = model(1, Sgd::new(0.1));
    let text = refused(sgd, how());
    assert!(text.contains("Adam") || text.contains("cannot be used here"));
    let mut wide = Sequential::new().add(InputLayer::new([2])).add(Dense::new(3).activation("softmax")).build(1).unwrap();
    wide.compile(Compile::new(Adam::new(0.05), Loss::sparse_categorical_crossentropy())).unwrap();
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

/// A rate at which weights are infinite after a few steps.
fn diverging() -> Model {
    model(1, Sgd::new(1e25))
}

#[test]
fn a_ruined_model_never_replaces_a_good_backup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.keras");
    // The first epoch is sound; then the rate explodes.
    let how = || {
        let explode = LearningRateScheduler::new(|epoch, rate| if epoch == 1 { 1e38 } else { rate });
        Fit::new().epochs(3).callback(BackupAndRestore::new(folder.path()).save_freq(SaveFreq::Steps(1))).callback(explode)
    };
    let result = train(&mut model(1, Sgd::new(0.1)), how());
    assert!(matches!(result, Err(Error::NotFinite { .. })), "{}", message(result));
    let mut back = model(1, Sgd::new(0.1));
    maobi_formats::keras::load_into(&mut back, &file).unwrap();
    assert!(back.weights().iter().all(|w| w.values().iter().all(|v| v.is_finite())));
    std::fs::remove_file(&file).unwrap();
    let quiet = TerminateOnNaN::new().sink(Sink::default());
    train(&mut model(1, Sgd::new(0.1)), how().callback(quiet)).unwrap();
    maobi_formats::keras::load_into(&mut back, &file).unwrap();
    assert!(back.weights().iter().all(|w| w.values().iter().all(|v| v.is_finite())));
}

#[test]
fn terminate_on_nan_is_quiet() {
    assert!(matches!(train(&mut diverging(), Fit::new().epochs(5)), Err(Error::NotFinite { .. })));
    let sink = Sink::default();
    let history = train(&mut diverging(), Fit::new().epochs(5).callback(TerminateOnNaN::new().sink(sink.clone()))).unwrap();
    assert!(history.epochs.len() < 5);
    let text = sink.text();
    assert!(
        text.starts_with("Batch ") && text.ends_with(": Invalid loss, terminating training\n") && text.lines().count() == 1,
        "{text}"
    );
    let raised = train(&mut diverging(), Fit::new().epochs(5).callback(TerminateOnNaN::new().raise_error(true)));
    assert!(matches!(raised, Err(Error::NotFinite { .. })));
}

#[test]
fn the_best_weights_come_back_however_training_ends() {
    // Weights after each epoch of a training whose rate explodes, so that the best epoch is an early one.
    let worse = || LearningRateScheduler::new(|epoch, _| if epoch < 3 { 0.05 } else { 2.0 });
    let seen: Mutex<Vec<Vec<Vec<u32>>>> = Mutex::default();
    let weights =
        |m: &Model| m.weights().iter().map(|w| w.values().iter().map(|v| v.to_bits()).collect()).collect::<Vec<Vec<u32>>>();
    let watch = OnEpochEnd(|c, _| {
        seen.lock().unwrap().push(weights(c.model));
        Action::Continue
    });
    let history = train(&mut adam(5), Fit::new().epochs(8).callback(worse()).callback(watch)).unwrap();
    let losses = history.get("loss");
    let best = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert!(best < 5, "{losses:?}");
    let best = seen.lock().unwrap()[best].clone();
    let stop = || EarlyStopping::new("loss").restore_best_weights(true);
    let how = |patience| Fit::new().epochs(8).callback(worse()).callback(stop().patience(patience));

    let mut model = adam(5);
    train(&mut model, how(50)).unwrap();
    assert!(weights(&model) == best, "at the last epoch");
    let mut model = adam(5);
    let history = train(&mut model, how(2)).unwrap();
    assert!(history.epochs.len() < 8 && weights(&model) == best, "stopped by itself");
    let mut model = adam(5);
    train(&mut model, how(50).callback(OnEpochEnd(|c, _| if c.epoch == 7 { Action::Stop } else { Action::Continue }))).unwrap();
    assert!(weights(&model) == best, "stopped by another");
    let mut model = adam(5);
    assert_eq!(message(train(&mut model, how(50).callback(Kill(45)))), "kill: now");
    assert!(weights(&model) == best, "ended by an error");
}

#[test]
fn checkpoints_have_the_names_and_weights_of_their_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("with {braces}");
    let named = |name: &str| ModelCheckpoint::new(name).unwrap().under(&base);
    let mut trained = adam(2);
    let how = Fit::new()
        .epochs(4)
        .callback(named("a/cp-{epoch:04d}-{val_loss:.3f}.keras"))
        .callback(named("b/{epoch}-{batch:02d}-{step}.weights.h5").save_freq(SaveFreq::Steps(5)))
        .callback(named("c/{epoch}.keras").save_freq(SaveFreq::Epochs(2)))
        .callback(named("d/{epoch:02d}.weights.h5").save_weights_only(true).unwrap().max_to_keep(2))
        .callback(named("best.keras").save_best_only(true).monitor("val_accuracy").initial_value_threshold(2.0));
    let history = train(&mut trained, how).unwrap();
    let losses = history.get("val_loss");
    let expected: Vec<String> = losses.iter().enumerate().map(|(e, l)| format!("cp-{:04}-{l:.3}.keras", e + 1)).collect();
    assert_eq!(names(&base.join("a")), expected);
    // 24 steps of 6 an epoch: 5, 10, 15, 20.
    assert_eq!(names(&base.join("b")), ["1-05-5.weights.h5", "2-04-10.weights.h5", "3-03-15.weights.h5", "4-02-20.weights.h5"]);
    assert_eq!(names(&base.join("c")), ["2.keras", "4.keras"]);
    assert_eq!(names(&base.join("d")), ["03.weights.h5", "04.weights.h5"]);
    assert!(!base.join("best.keras").exists(), "no accuracy beats 2");
    let mut loaded = adam(9);
    maobi_formats::keras::load_into(&mut loaded, &base.join("c/4.keras")).unwrap();
    assert!(bits(&loaded) == bits(&trained));
    let mut loaded = adam(9);
    maobi_formats::weights_h5::load(&mut loaded, &base.join("d/04.weights.h5")).unwrap();
    assert!(bits(&loaded)[..4] == bits(&trained)[..4]);
}

#[test]
fn mistakes_are_found_before_the_first_step() {
    let failed = |how: Fit<'_>| {
        let mut model = adam(1);
        let text = message(train(&mut model, how));
        assert_eq!(model.optimizer_state_ref().unwrap().iterations, 0, "{text}");
        text
    };
    let checkpoint = |path: &str| ModelCheckpoint::new(path).unwrap();
    assert_eq!(
        failed(Fit::new().callback(EarlyStopping::new("val_acuracy"))),
        "EarlyStopping: monitor \"val_acuracy\" is not among the figures of this run, which are loss, accuracy, val_loss, val_accuracy, learning_rate"
    );
    assert!(
        failed(Fit::new().callback(ReduceLROnPlateau::new("f1"))).starts_with("ReduceLROnPlateau: monitor \"f1\" is not among")
    );
    assert_eq!(
        failed(Fit::new().callback(checkpoint("{epch}.keras"))),
        "filepath: \"{epch}.keras\": there is no {epch} to fill in; known are epoch, step, loss, accuracy, val_loss, val_accuracy, learning_rate"
    );
    assert_eq!(
        failed(Fit::new().callback(checkpoint("{val_loss:.2f}.keras").save_freq(SaveFreq::Steps(2)))),
        "filepath: \"{val_loss:.2f}.keras\": there is no {val_loss} to fill in; known are epoch, step, batch, loss, accuracy, learning_rate"
    );
    assert!(failed(Fit::new().callback(checkpoint("{loss:d}.keras"))).contains("{loss} is no whole number"));
    assert!(
        failed(Fit::new().callback(checkpoint("a.keras").save_freq(SaveFreq::Steps(0))))
            .contains("save_freq: expected at least 1")
    );
    let best = checkpoint("a.keras").save_best_only(true).save_freq(SaveFreq::Steps(2));
    assert!(failed(Fit::new().callback(best)).contains("val_loss is known at the end of epochs only"));
    assert!(
        failed(Fit::new().callback(ReduceLROnPlateau::new("loss").factor(1.5)))
            .contains("factor: expected 0 to below 1, got 1.5")
    );
    assert!(
        failed(Fit::new().callback(LearningRateScheduler::new(|_, _| f32::NAN))).contains("the schedule gave NaN for epoch 0")
    );
}

/// Data of the right shape without a sample.
struct Nothing;

impl Examples for Nothing {
    fn len(&self) -> usize {
        0
    }

    fn input_lengths(&self) -> Vec<usize> {
        vec![2]
    }

    fn fill(&self, _: usize, _: &[u32], _: &mut [f32]) {}

    fn targets(&self) -> Vec<Targets> {
        vec![Targets::Classes(Vec::new())]
    }

    fn fill_targets(&self, _: usize, _: &[u32], _: &mut Targets) {}
}

#[test]
fn empty_halves_and_endless_batches() {
    let one = |how: Fit<'_>| {
        let data = Arrays::new(1, vec![&[0.5, 0.5]], vec![Targets::Classes(vec![1])]).unwrap();
        message(adam(1).fit(&data, how))
    };
    // Without an end to epochs this would never return.
    assert_eq!(
        one(Fit::new().steps(3).validation_split(0.5)),
        "validation_split: a share of 0.5 leaves none of 1 samples to train on"
    );
    let (x, y) = points();
    let data = Arrays::new(SAMPLES, vec![&x], vec![Targets::Classes(y)]).unwrap();
    assert_eq!(one(Fit::new().validation_data(&data).batch_size(usize::MAX)), "trained");
    let none = Nothing;
    assert_eq!(one(Fit::new().validation_data(&none)), "validation data: there are no samples");
    assert_eq!(adam(1).evaluate(&none).unwrap_err().to_string(), "data: there are no samples");
}

#[test]
fn a_scheduled_rate_cannot_be_set_by_callbacks() {
    let schedule = maobi_nn::optimizers::schedules::Schedule::cosine_decay(0.1, 100);
    let mut scheduled = model(1, Sgd::new(maobi_nn::optimizers::LearningRate::Schedule(schedule)));
    let text = message(train(&mut scheduled, Fit::new().callback(ReduceLROnPlateau::new("loss"))));
    assert!(text.starts_with("ReduceLROnPlateau: the optimizer's learning rate follows a schedule"), "{text}");
}

#[test]
fn the_scheduler_sets_the_rate_of_every_epoch() {
    let sink = Sink::default();
    let half = LearningRateScheduler::new(|epoch, rate| if epoch == 0 { rate } else { rate / 2.0 }).verbose(1).sink(sink.clone());
    let history = train(&mut model(1, Sgd::new(0.5)), Fit::new().epochs(3).callback(half)).unwrap();
    assert_eq!(history.get("learning_rate"), [0.5, 0.25, 0.125]);
    assert!(sink.text().ends_with("Epoch 3: LearningRateScheduler setting learning rate to 0.125.\n"));
}

#[test]
fn csv_rows_are_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logs/training.csv");
    let run =
        |append| train(&mut adam(1), Fit::new().epochs(2).callback(CSVLogger::new(&file).separator(';').append(append))).unwrap();
    let history = run(false);
    let row = |e: usize| {
        let figures = ["accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"].map(|n| history.get(n)[e].to_string());
        format!("{e};{}\n", figures.join(";"))
    };
    let header = "epoch;accuracy;learning_rate;loss;val_accuracy;val_loss\n";
    let once = format!("{header}{}{}", row(0), row(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), once);
    run(false);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), once);
    run(true);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{once}{}{}", row(0), row(1)));
}

#[test]
fn redirected_progress_is_plain_lines() {
    let sink = Sink::default();
    let history = train(&mut adam(1), Fit::new().epochs(2).callback(ProgressBar::new().sink(sink.clone()))).unwrap();
    let line = |e: usize| {
        let (logs, get) = (&history.epochs[e], |n: &str| history.get(n)[e]);
        format!(
            "Epoch {}/2 - {:.1}s - {:.0} images/s - loss: {:.4} - accuracy: {:.4} - val_loss: {:.4} - val_accuracy: {:.4} - learning_rate: 0.0500\n",
            e + 1,
            logs.seconds,
            logs.samples_per_second,
            get("loss"),
            get("accuracy"),
            get("val_loss"),
            get("val_accuracy")
        )
    };
    assert_eq!(sink.text(), line(0) + &line(1));

    let sink = Sink::default();
    train(&mut adam(1), Fit::new().steps(10).callback(ProgressBar::new().log_every(4).sink(sink.clone()))).unwrap();
    let text = sink.text();
    let steps: Vec<&str> = text.lines().filter(|l| l.starts_with("Step ")).map(|l| l.split(" - ").next().unwrap()).collect();
    assert_eq!(steps, ["Step 4/10", "Step 8/10", "Step 10/10"]);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");

    let sink = Sink::default();
    train(&mut adam(1), Fit::new().epochs(2).callback(ProgressBar::new().verbose(0).log_every(1).sink(sink.clone()))).unwrap();
    assert_eq!(sink.text(), "");
}

#[test]
fn messages_of_early_stopping_are_keras_own() {
    let sink = Sink::default();
    let worse = LearningRateScheduler::new(|epoch, _| if epoch < 2 { 0.05 } else { 5.0 });
    let stop = EarlyStopping::new("val_loss").patience(1).restore_best_weights(true).verbose(1).sink(sink.clone());
    let history = train(&mut adam(5), Fit::new().epochs(20).callback(worse).callback(stop)).unwrap();
    let (epochs, losses) = (history.epochs.len(), history.get("val_loss"));
    let best = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0 + 1;
    assert!(epochs < 20);
    assert_eq!(
        sink.text(),
        format!("Epoch {epochs}: early stopping\nRestoring model weights from the end of the best epoch: {best}.\n")
    );
}

#[test]
fn all_callbacks_see_every_step() {
    let mut steps = Vec::new();
    let watch = OnBatchEnd(|c, logs| {
        steps.push((c.epoch, c.batch, c.step, logs.samples));
        Action::Continue
    });
    train(&mut adam(1), Fit::new().epochs(2).callback(watch)).unwrap();
    let expected = (0..2 * STEPS).map(|i| (i / STEPS, i % STEPS + 1, i as u64 + 1, if i % STEPS == 5 { 5 } else { 8 }));
    assert_eq!(steps, expected.collect::<Vec<_>>());
}
