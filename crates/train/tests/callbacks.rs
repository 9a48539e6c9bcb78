//! Callbacks around the training of a small network.

mod common;

use common::{Kill, SAMPLES, STEPS, adam, bits, message, model, names, points, train};
use maobi_nn::Model;
use maobi_nn::object::{Declared, range};
use maobi_nn::optimizers::SGD;
use maobi_train::callbacks::{self, Callback, Context, EpochLogs, Running, SaveFreq};
use maobi_train::{
    Action, Arrays, BackupAndRestore, CSVLogger, EarlyStopping, Error, Examples, Fit, LearningRateScheduler, ModelCheckpoint,
    ModelExt, OnBatchEnd, OnEpochEnd, ProgressBar, Recipe, ReduceLROnPlateau, Targets, TerminateOnNaN,
};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

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

/// A rate at which weights are infinite after a few steps.
fn diverging() -> Model {
    model(1, SGD::new(1e25))
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
    let result = train(&mut model(1, SGD::new(0.1)), how());
    assert!(matches!(result, Err(Error::NotFinite { .. })), "{}", message(result));
    let mut back = model(1, SGD::new(0.1));
    maobi_formats::keras::load_into(&mut back, &file).unwrap();
    assert!(back.weights().iter().all(|w| w.values().iter().all(|v| v.is_finite())));
    std::fs::remove_file(&file).unwrap();
    let quiet = TerminateOnNaN::new().sink(Sink::default());
    train(&mut model(1, SGD::new(0.1)), how().callback(quiet)).unwrap();
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
    let named = |name: &str| ModelCheckpoint::new(name).under(&base);
    let mut trained = adam(2);
    let how = Fit::new()
        .epochs(4)
        .callback(named("a/cp-{epoch:04d}-{val_loss:.3f}.keras"))
        .callback(named("b/{epoch}-{batch:02d}-{step}.weights.h5").save_freq(SaveFreq::Steps(5)))
        .callback(named("c/{epoch}.keras").save_freq(SaveFreq::Epoch).period(2))
        .callback(named("d/{epoch:02d}.weights.h5").save_weights_only(true).max_to_keep(2))
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
    let checkpoint = |path: &str| ModelCheckpoint::new(path);
    assert!(failed(Fit::new().callback(checkpoint("model.pt"))).contains("filepath: expected a name that ends in .keras"));
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
            .contains("ModelCheckpoint: save_freq must be a whole number, 1 or more, got 0")
    );
    let best = checkpoint("a.keras").save_best_only(true).save_freq(SaveFreq::Steps(2));
    assert!(failed(Fit::new().callback(best)).contains("val_loss is known at the end of epochs only"));
    assert!(
        failed(Fit::new().callback(ReduceLROnPlateau::new("loss").factor(1.5)))
            .contains("ReduceLROnPlateau: factor must be a number from 0 to below 1, got 1.5")
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
    let schedule = maobi_nn::optimizers::schedules::CosineDecay::new(0.1, 100);
    let mut scheduled = model(1, SGD::new(schedule));
    let text = message(train(&mut scheduled, Fit::new().callback(ReduceLROnPlateau::new("loss"))));
    assert!(text.starts_with("ReduceLROnPlateau: the optimizer's learning rate follows a schedule"), "{text}");
}

#[test]
fn the_scheduler_sets_the_rate_of_every_epoch() {
    let sink = Sink::default();
    let half = LearningRateScheduler::new(|epoch, rate| if epoch == 0 { rate } else { rate / 2.0 }).verbose(1).sink(sink.clone());
    let history = train(&mut model(1, SGD::new(0.5)), Fit::new().epochs(3).callback(half)).unwrap();
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
            "epoch {}/2: loss {:.4}, accuracy {:.4}, val_loss {:.4}, val_accuracy {:.4}, {}, {} images/s\n",
            e + 1,
            get("loss"),
            get("accuracy"),
            get("val_loss"),
            get("val_accuracy"),
            maobi_train::figures::duration(logs.seconds),
            maobi_train::figures::count(logs.samples_per_second as u64)
        )
    };
    assert_eq!(sink.text(), line(0) + &line(1));

    let sink = Sink::default();
    train(&mut adam(1), Fit::new().steps(10).callback(ProgressBar::new().log_every(4).sink(sink.clone()))).unwrap();
    let text = sink.text();
    let steps: Vec<&str> = text.lines().filter(|l| l.starts_with("step ")).map(|l| l.split(": ").next().unwrap()).collect();
    assert_eq!(steps, ["step 4/10", "step 8/10", "step 10/10"]);
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

maobi_nn::keras_object! {
    /// Ends training after so many epochs.
    pub struct StopAfter("stop_after") with run: Running<u64>, {
        /// The epochs; 1 or more, 2 by default.
        epochs: u64 where range::AT_LEAST_ONE = 2,
    }
}

impl Callback for StopAfter {
    fn name(&self) -> &'static str {
        Self::CLASS
    }

    fn check(&self) -> maobi_train::Result<()> {
        Ok(self.check_ranges()?)
    }

    fn on_epoch_end(&mut self, _: &mut Context<'_>, _: &EpochLogs) -> maobi_train::Result<Action> {
        *self.run += 1;
        Ok(if *self.run >= self.epochs { Action::Stop } else { Action::Continue })
    }
}

#[test]
fn a_recipe_finds_a_callback_of_the_user() {
    let recipe = |epochs: u64| {
        let text = format!(
            "[[layers]]\ntype = \"Flatten\"\n[training]\nloss = \"mse\"\n[[callbacks]]\ntype = \"StopAfter\"\nepochs = {epochs}"
        );
        let (class, config) = Recipe::parse(&text, "mine").unwrap().callbacks.remove(0);
        callbacks::from_config(&class, &config, Path::new(""))
    };
    assert!(recipe(3).err().unwrap().to_string().contains("unknown callback \"StopAfter\"; known: BackupAndRestore, "));
    callbacks::register::<StopAfter>();
    let history = train(&mut adam(1), Fit::new().epochs(9).callback_boxed(recipe(3).unwrap())).unwrap();
    assert_eq!(history.epochs.len(), 3);
    let wrong = recipe(0).err().unwrap().to_string();
    assert_eq!(wrong, "[[callbacks]]: StopAfter: epochs must be a whole number, 1 or more, got 0");
    let failed = message(train(&mut adam(1), Fit::new().callback(StopAfter::new().epochs(0))));
    assert_eq!(failed, "StopAfter: epochs must be a whole number, 1 or more, got 0");
}
