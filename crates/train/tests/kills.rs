//! Trainings that are killed again and again leave the same bytes in every file as one that is never interrupted.

mod common;

use common::{BATCH, bits, points};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{BatchNormalization, Dense, Dropout, InputLayer};
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_nn::optimizers::Optimizer;
use maobi_nn::{Compile, Model, Precision};
use maobi_train::callbacks::{BatchLogs, Context, EpochLogs, SaveFreq, TensorBoard, VariableNames};
use maobi_train::{
    Action, Arrays, BackupAndRestore, CSVLogger, Callback, EarlyStopping, Error, Fit, History, ModelCheckpoint, ModelExt,
    ReduceLROnPlateau, Targets,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Steps of a run by steps: three epochs of seven and two more, not a multiple of the checkpoints' four.
const STEPS: u64 = 23;

/// Every optimizer, with the options that give it other state.
fn optimizers() -> Vec<Value> {
    vec![
        json!({ "type": "SGD", "learning_rate": 0.05 }),
        json!({ "type": "SGD", "learning_rate": 0.05, "momentum": 0.9 }),
        json!({ "type": "SGD", "learning_rate": 0.05, "momentum": 0.9, "nesterov": true }),
        json!({ "type": "Adam", "learning_rate": 0.02 }),
        json!({ "type": "Adam", "learning_rate": 0.02, "amsgrad": true }),
        json!({ "type": "AdamW", "learning_rate": 0.02 }),
        json!({ "type": "Nadam", "learning_rate": 0.02 }),
        json!({ "type": "Adamax", "learning_rate": 0.02 }),
        json!({ "type": "Adagrad", "learning_rate": 0.05 }),
        json!({ "type": "Adadelta", "learning_rate": 1.0 }),
        json!({ "type": "RMSprop", "learning_rate": 0.02 }),
        json!({ "type": "RMSprop", "learning_rate": 0.02, "momentum": 0.5, "centered": true }),
        json!({ "type": "Lion", "learning_rate": 0.01 }),
        json!({ "type": "Ftrl", "learning_rate": 0.1, "l1_regularization_strength": 0.001 }),
        json!({ "type": "Muon", "learning_rate": 0.02 }),
    ]
}

/// What all optimizers have in common.
fn options() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "use_ema": true, "ema_momentum": 0.9 }),
        json!({ "use_ema": true, "ema_momentum": 0.8, "ema_overwrite_frequency": 5, "clipnorm": 0.5 }),
        json!({ "weight_decay": 0.01, "global_clipnorm": 0.4 }),
        json!({ "clipvalue": 0.1, "learning_rate": { "type": "ExponentialDecay", "initial_learning_rate": 0.05, "decay_steps": 5, "decay_rate": 0.7 } }),
    ]
}

/// How a model computes, and with what its loss is scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Numbers {
    Full,
    /// With a factor so large that steps are left out at first, and that grows soon.
    Half,
}

#[derive(Clone, Debug)]
struct Case {
    optimizer: Value,
    numbers: Numbers,
}

impl Case {
    fn has_schedule(&self) -> bool {
        self.optimizer["learning_rate"].is_object()
    }

    fn model(&self) -> Model {
        let layers = Sequential::new().add(InputLayer::new([2])).add(Dense::new(4).activation("relu"));
        let layers = layers.add(BatchNormalization::new()).add(Dropout::new(0.3));
        let mut model = layers.add(Dense::new(3).activation("softmax")).build(11).unwrap();
        let optimizer = match self.numbers {
            Numbers::Full => self.optimizer.clone(),
            Numbers::Half => json!({
                "type": "LossScaleOptimizer", "inner_optimizer": self.optimizer, "initial_scale": 1048576.0, "dynamic_growth_steps": 4
            }),
        };
        if self.numbers == Numbers::Half {
            model.set_precision(Precision::MixedFloat16).unwrap();
        }
        let optimizer = Optimizer::from_value(&optimizer).unwrap();
        let how = Compile::new(optimizer, SparseCategoricalCrossentropy::new()).metrics(["accuracy"]).unwrap();
        model.compile(how).unwrap();
        model
    }
}

/// The length of a training.
#[derive(Clone, Copy, Debug)]
enum Length {
    Steps(u64),
    Epochs(usize),
}

/// A training with everything that writes files or remembers something.
fn training<'a>(case: &Case, length: Length, folder: &Path, backup: BackupAndRestore, end: Option<End>) -> Fit<'a> {
    let checkpoint = |name: &str| ModelCheckpoint::new(name).under(folder).save_freq(SaveFreq::Steps(4));
    let mut how = match length {
        Length::Steps(steps) => Fit::new().steps(steps),
        Length::Epochs(epochs) => Fit::new().epochs(epochs),
    };
    how = how
        .callback(checkpoint("keras/{step:03d}.keras").max_to_keep(2))
        .callback(checkpoint("weights/{step:03d}.weights.h5"))
        .callback(checkpoint("h5/{step:03d}.h5").max_to_keep(3))
        .callback(checkpoint("tf2/{step:03d}.ckpt").max_to_keep(2))
        .callback(checkpoint("tf1/model.ckpt-{step}"));
    let dies_between = end.filter(|end| end.place == Place::Between);
    how = dies_between.into_iter().fold(how, Fit::callback);
    how = how
        .callback(checkpoint("tf1/other.ckpt-{step}").variable_names(VariableNames::Variables).save_freq(SaveFreq::Steps(6)))
        .callback(ModelCheckpoint::new("best.keras").under(folder).save_best_only(true).monitor("loss"))
        .callback(CSVLogger::new(folder.join("log.csv")))
        .callback(TensorBoard::new(folder.join("logs")).update_freq(SaveFreq::Steps(1)).histogram_freq(1))
        .callback(EarlyStopping::new("loss").patience(9).restore_best_weights(true));
    if !case.has_schedule() {
        how = how.callback(ReduceLROnPlateau::new("loss").factor(0.5).patience(1).min_delta(0.5));
    }
    how = how.callback(backup);
    end.filter(|end| end.place == Place::AfterBackup).into_iter().fold(how, Fit::callback)
}

fn fit(model: &mut Model, how: Fit<'_>, validates: bool) -> Result<History, Error> {
    let (x, y) = points();
    let data = Arrays::new(y.len(), vec![&x], vec![Targets::Classes(y)]).unwrap();
    model.fit(&data, how.batch_size(BATCH).validation_split(if validates { 0.1 } else { 0.0 }))
}

fn backup(folder: &Path) -> BackupAndRestore {
    BackupAndRestore::new(folder.join("backup")).delete_checkpoint(false)
}

/// Where among the callbacks of a step a training dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// When some checkpoints of the step are written, others not.
    Between,
    /// When all is written.
    AfterBackup,
}

/// Ends a session at its step of that number, as a kill does.
#[derive(Clone, Copy, Debug)]
struct End {
    place: Place,
    steps: u64,
}

impl Callback for End {
    fn name(&self) -> &'static str {
        "End"
    }

    fn on_batch_end(&mut self, _: &mut Context<'_>, _: &BatchLogs) -> Result<Action, Error> {
        self.steps -= 1;
        match self.steps {
            0 => Err(Error::Argument { argument: "kill".into(), message: "now".into() }),
            _ => Ok(Action::Continue),
        }
    }

    fn saves_states(&self) -> bool {
        self.place == Place::AfterBackup
    }
}

/// A folder that need not survive a power failure.
fn temporary() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// All files below a folder with their bytes, the backup left out; event files under one name, without the time of each event.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::<String, Vec<u8>>::new(), vec![folder.to_path_buf()]);
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.extend((name != "backup").then_some(path));
            } else if name.contains("tfevents") {
                let events = files.entry(format!("{}/events", at.file_name().unwrap().to_str().unwrap())).or_default();
                events.extend(events_of(&std::fs::read(&path).unwrap()));
            } else {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The events of a file without their first field, the time: a tag of one byte and eight more.
fn events_of(bytes: &[u8]) -> Vec<u8> {
    let (mut rest, mut events) = (bytes, Vec::new());
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let event = &rest[12..12 + length];
        assert_eq!(event[0], 9);
        events.extend_from_slice(&event[9..]);
        rest = &rest[16 + length..];
    }
    events
}

/// What a training leaves: files, weights and optimizer, figures.
#[derive(PartialEq)]
struct Left {
    files: BTreeMap<String, Vec<u8>>,
    bits: Vec<Vec<u32>>,
    scale: String,
    figures: Vec<(String, u64)>,
}

fn left(folder: &Path, model: &Model, history: &History) -> Left {
    let figures = history.epochs.iter().flat_map(|e| &e.values).map(|(name, value)| (name.clone(), value.to_bits()));
    let scale = format!("{:?}", model.optimizer_state_ref().unwrap().loss_scale);
    Left { files: files(folder), bits: bits(model), scale, figures: figures.collect() }
}

#[track_caller]
fn assert_same(one: &Left, other: &Left, what: &str) {
    let names = |left: &Left| left.files.keys().cloned().collect::<Vec<String>>();
    assert_eq!(names(one), names(other), "{what}");
    for (name, bytes) in &one.files {
        let text =
            || [bytes, &other.files[name]].map(|bytes| String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned());
        assert!(*bytes == other.files[name], "{what}: {name} differs: {:?}", text());
    }
    assert_eq!(one.figures, other.figures, "{what}");
    assert_eq!(one.scale, other.scale, "{what}");
    assert!(one.bits == other.bits, "{what}: the model differs");
}

fn whole(case: &Case, length: Length) -> Left {
    let (folder, mut model) = (temporary(), case.model());
    let how = training(case, length, folder.path(), backup(folder.path()), None);
    let history = fit(&mut model, how, matches!(length, Length::Epochs(_))).unwrap();
    left(folder.path(), &model, &history)
}

/// The same, in sessions that each die at their step `each`, with backups as `save` has them.
fn killed(
    case: &Case,
    length: Length,
    place: Place,
    each: u64,
    save: impl Fn(BackupAndRestore) -> BackupAndRestore,
) -> (Left, usize) {
    let folder = temporary();
    for kills in 0..1000 {
        let mut model = case.model();
        let how = training(case, length, folder.path(), save(backup(folder.path())), Some(End { place, steps: each }));
        match fit(&mut model, how, matches!(length, Length::Epochs(_))) {
            Ok(history) => return (left(folder.path(), &model, &history), kills),
            Err(Error::Argument { argument, .. }) if argument == "kill" => {}
            Err(error) => panic!("{case:?}: {error}"),
        }
    }
    panic!("{case:?}: no progress");
}

fn by_steps(number: u64) -> impl Fn(BackupAndRestore) -> BackupAndRestore {
    move |backup| backup.save_freq(SaveFreq::Steps(number))
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, optimizer) in optimizers().into_iter().enumerate() {
        for (other, options) in options().into_iter().enumerate() {
            let mut optimizer = optimizer.clone();
            optimizer.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            // Half precision with every optimizer, and with every option.
            let both = other == 0 || (number + other) % 3 == 0;
            let numbers = [Some(Numbers::Full), both.then_some(Numbers::Half)];
            cases.extend(numbers.into_iter().flatten().map(|numbers| Case { optimizer: optimizer.clone(), numbers }));
        }
    }
    cases
}

#[test]
fn by_steps_every_optimizer_and_option_survives_kills() {
    for (number, case) in cases().into_iter().enumerate() {
        let expected = whole(&case, Length::Steps(STEPS));
        // Checkpoints at 4, 8, …, and the last step, which is none of them.
        assert!(expected.files.contains_key("tf1/model.ckpt-23.index") && expected.files.contains_key("keras/023.keras"));
        let list = String::from_utf8_lossy(&expected.files["tf2/checkpoint"]).into_owned();
        assert!(list.starts_with("model_checkpoint_path: \"023.ckpt\"\n") && list.lines().count() == 3, "{list}");
        let place = [Place::Between, Place::AfterBackup][number % 2];
        let (left, kills) = killed(&case, Length::Steps(STEPS), place, 4 + number as u64 % 2, by_steps(3));
        assert!(kills >= 4, "{kills}");
        assert_same(&left, &expected, &format!("{case:?}, {place:?}"));
    }
}

#[test]
fn by_epochs_every_optimizer_and_option_survives_kills() {
    for (number, case) in cases().into_iter().enumerate() {
        let expected = whole(&case, Length::Epochs(4));
        let place = [Place::Between, Place::AfterBackup][number % 2];
        let (left, kills) = killed(&case, Length::Epochs(4), place, 8, |backup| backup);
        assert!(kills >= 2, "{kills}");
        assert_same(&left, &expected, &format!("{case:?}, {place:?}"));
    }
}

#[test]
fn a_kill_at_any_step_changes_nothing() {
    let optimizer = json!({ "type": "Adam", "learning_rate": 0.02, "use_ema": true, "ema_momentum": 0.9 });
    for (numbers, length) in
        [(Numbers::Full, Length::Steps(STEPS)), (Numbers::Half, Length::Steps(STEPS)), (Numbers::Full, Length::Epochs(4))]
    {
        let case = Case { optimizer: optimizer.clone(), numbers };
        let expected = whole(&case, length);
        for place in [Place::Between, Place::AfterBackup] {
            for each in 2..=STEPS + 1 {
                for save in [1, each - 1] {
                    let (left, _) = killed(&case, length, place, each, by_steps(save));
                    assert_same(&left, &expected, &format!("{numbers:?} {length:?} {place:?}, each {each}, backup every {save}"));
                }
            }
        }
    }
}

/// Dies at the end of an epoch, when its backup is written.
struct EndOfEpoch(usize);

impl Callback for EndOfEpoch {
    fn name(&self) -> &'static str {
        "EndOfEpoch"
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, _: &EpochLogs) -> Result<Action, Error> {
        match context.epoch == self.0 {
            true => Err(Error::Argument { argument: "kill".into(), message: "now".into() }),
            false => Ok(Action::Continue),
        }
    }

    fn saves_states(&self) -> bool {
        true
    }
}

#[test]
fn a_training_that_was_stopped_early_does_not_go_on_after_a_kill() {
    let case = Case { optimizer: json!({ "type": "Adam", "learning_rate": 0.02, "use_ema": true }), numbers: Numbers::Full };
    let how = |folder: &Path| {
        let stop = EarlyStopping::new("loss").min_delta(10.0).patience(3).restore_best_weights(true);
        Fit::new().epochs(20).callback(stop).callback(CSVLogger::new(folder.join("log.csv"))).callback(backup(folder))
    };
    let (folder, mut model) = (temporary(), case.model());
    let history = fit(&mut model, how(folder.path()), true).unwrap();
    assert_eq!(history.epochs.len(), 4);
    let expected = left(folder.path(), &model, &history);
    for epoch in 1..=4 {
        let folder = temporary();
        fit(&mut case.model(), how(folder.path()).callback(EndOfEpoch(epoch)), true).unwrap_err();
        let mut model = case.model();
        let history = fit(&mut model, how(folder.path()), true).unwrap();
        assert_same(&left(folder.path(), &model, &history), &expected, &format!("killed after epoch {epoch}"));
    }
}

#[test]
fn backups_by_time_change_nothing() {
    let case = Case { optimizer: json!({ "type": "Adam", "learning_rate": 0.02 }), numbers: Numbers::Full };
    let expected = whole(&case, Length::Steps(STEPS));
    // Every step is late.
    let save = |backup: BackupAndRestore| by_steps(1000)(backup).at_least_every(Duration::ZERO);
    let (left, kills) = killed(&case, Length::Steps(STEPS), Place::AfterBackup, 5, save);
    assert!(kills >= 4, "{kills}");
    assert_same(&left, &expected, "by time");
}

#[test]
fn a_finished_run_goes_further_as_if_it_had_been_longer() {
    for case in cases().into_iter().step_by(4) {
        // 14 ends an epoch, 11 is on the way through one.
        for first in [11, 14] {
            let folder = temporary();
            let mut model = case.model();
            fit(&mut model, training(&case, Length::Steps(first), folder.path(), backup(folder.path()), None), false).unwrap();
            assert!(folder.path().join("backup/backup.keras").is_file());
            let mut model = case.model();
            let further = training(&case, Length::Steps(STEPS), folder.path(), backup(folder.path()), None);
            let history = fit(&mut model, further, false).unwrap();
            let (expected, left) = (whole(&case, Length::Steps(STEPS)), left(folder.path(), &model, &history));
            let figures =
                |left: &Left| left.figures.iter().map(|(name, bits)| (name.clone(), f64::from_bits(*bits))).collect::<Vec<_>>();
            assert_eq!(figures(&left), figures(&expected), "{case:?}, {first} steps first");
            assert!(left.bits == expected.bits && left.scale == expected.scale, "{case:?}, {first} steps first");
            for file in
                ["log.csv", "train/events", "keras/023.keras", "weights/023.weights.h5", "tf1/model.ckpt-23.data-00000-of-00001"]
            {
                assert!(left.files[file] == expected.files[file], "{case:?}: {file}");
            }
        }
    }
}
