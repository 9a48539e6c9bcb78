//! Callbacks of recipes: Keras' class names and arguments.

use super::{
    BackupAndRestore, CSVLogger, Callback, EarlyStopping, Mode, ModelCheckpoint, ProgressBar, ReduceLROnPlateau, SaveFreq,
    TensorBoard, TerminateOnNaN, VariableNames,
};
use crate::error::{Error, Result};
use crate::recipe::Table;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Classes that recipes can name.
const KNOWN: [&str; 8] = [
    "BackupAndRestore",
    "CSVLogger",
    "EarlyStopping",
    "ModelCheckpoint",
    "ProgressBar",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
];

/// The callback of a recipe's `[[callbacks]]` entry; relative paths are under `base`.
///
/// ```
/// use maobi_train::callbacks::from_config;
/// let config = serde_json::json!({ "monitor": "val_accuracy", "patience": 3 });
/// let stop = from_config("EarlyStopping", config.as_object().unwrap(), "runs/1".as_ref())?;
/// assert_eq!(stop.monitors(), Some("val_accuracy"));
/// # Ok::<(), maobi_train::Error>(())
/// ```
///
/// # Errors
/// A class that is not known (the message lists those that are), a key it does not have (likewise), a value out of range.
pub fn from_config(class: &str, config: &Map<String, Value>, base: &Path) -> Result<Box<dyn Callback>> {
    // The table's errors are about a recipe, whose name its reader adds.
    make(class, Table::new("", class, config.clone()), base).map_err(|e| match e {
        Error::Recipe { message, .. } => Error::argument("[[callbacks]]", message),
        Error::Argument { argument, message } if argument != "[[callbacks]]" => {
            Error::argument("[[callbacks]]", format!("{class} {argument}: {message}"))
        }
        other => other,
    })
}

fn make(class: &str, t: Table, base: &Path) -> Result<Box<dyn Callback>> {
    match class {
        "BackupAndRestore" => backup_and_restore(t, base),
        "CSVLogger" => csv_logger(t, base),
        "EarlyStopping" => early_stopping(t),
        "ModelCheckpoint" => model_checkpoint(t, base),
        "ProgressBar" => progress_bar(t),
        "ReduceLROnPlateau" => reduce_lr_on_plateau(t),
        "TensorBoard" => tensor_board(t, base),
        "TerminateOnNaN" => terminate_on_nan(t),
        _ => Err(Error::argument("[[callbacks]]", unknown(class))),
    }
}

fn unknown(class: &str) -> String {
    let known = KNOWN.join(", ");
    match class {
        "LearningRateScheduler" => {
            format!("LearningRateScheduler takes a function; give the optimizer a schedule instead. Known are {known}")
        }
        _ => format!("there is no callback \"{class}\"; known are {known}"),
    }
}

fn model_checkpoint(mut t: Table, base: &Path) -> Result<Box<dyn Callback>> {
    let path = t
        .text("filepath")?
        .ok_or_else(|| t.error("filepath", "is missing; expected a name such as model.keras or cp-{epoch:04d}.ckpt"))?;
    let mut c = ModelCheckpoint::new(path)?.under(base).monitor(monitor(&mut t)?).mode(mode(&mut t)?).verbose(verbose(&mut t)?);
    if let Some(only) = t.flag("save_weights_only")? {
        c = c.save_weights_only(only)?;
    }
    c = c.save_best_only(t.flag("save_best_only")?.unwrap_or(false)).save_freq(save_freq(&mut t)?);
    if let Some(names) = t.text("variable_names")? {
        c = c.variable_names(VariableNames::parse(&names)?);
    }
    if let Some(files) = t.count("max_to_keep")? {
        c = c.max_to_keep(files as usize);
    }
    if let Some(value) = t.number("initial_value_threshold")? {
        c = c.initial_value_threshold(value);
    }
    done(t, c)
}

fn early_stopping(mut t: Table) -> Result<Box<dyn Callback>> {
    let mut c = EarlyStopping::new(monitor(&mut t)?).mode(mode(&mut t)?).verbose(verbose(&mut t)?);
    c = c.min_delta(t.number("min_delta")?.unwrap_or(0.0)).patience(whole(&mut t, "patience")?.unwrap_or(0));
    c = c
        .restore_best_weights(t.flag("restore_best_weights")?.unwrap_or(false))
        .start_from_epoch(whole(&mut t, "start_from_epoch")?.unwrap_or(0));
    if let Some(baseline) = t.number("baseline")? {
        c = c.baseline(baseline);
    }
    done(t, c)
}

fn reduce_lr_on_plateau(mut t: Table) -> Result<Box<dyn Callback>> {
    let mut c = ReduceLROnPlateau::new(monitor(&mut t)?).mode(mode(&mut t)?).verbose(verbose(&mut t)?);
    c = c.factor(t.number("factor")?.unwrap_or(0.1)).patience(whole(&mut t, "patience")?.unwrap_or(10));
    c = c.min_delta(t.number("min_delta")?.unwrap_or(1e-4)).cooldown(whole(&mut t, "cooldown")?.unwrap_or(0));
    c = c.min_lr(t.number("min_lr")?.unwrap_or(0.0));
    c.check()?;
    done(t, c)
}

fn csv_logger(mut t: Table, base: &Path) -> Result<Box<dyn Callback>> {
    let filename = t.text("filename")?.ok_or_else(|| t.error("filename", "is missing; expected e.g. \"training.csv\""))?;
    let mut c = CSVLogger::new(base.join(filename)).append(t.flag("append")?.unwrap_or(false));
    if let Some(text) = t.text("separator")? {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => c = c.separator(letter),
            _ => return Err(t.error("separator", format!("expected one character, got \"{text}\""))),
        }
    }
    done(t, c)
}

fn backup_and_restore(mut t: Table, base: &Path) -> Result<Box<dyn Callback>> {
    let folder = t.text("backup_dir")?.map_or_else(|| PathBuf::from("backup"), PathBuf::from);
    let c = BackupAndRestore::new(base.join(folder)).save_freq(save_freq(&mut t)?);
    let delete = t.flag("delete_checkpoint")?.unwrap_or(true);
    done(t, c.delete_checkpoint(delete))
}

fn tensor_board(mut t: Table, base: &Path) -> Result<Box<dyn Callback>> {
    let folder = t.text("log_dir")?.unwrap_or_else(|| "logs".into());
    let mut c = TensorBoard::new(base.join(folder)).histogram_freq(whole(&mut t, "histogram_freq")?.unwrap_or(0));
    c = c.write_graph(t.flag("write_graph")?.unwrap_or(true)).write_images(t.flag("write_images")?.unwrap_or(false));
    c = c.write_steps_per_second(t.flag("write_steps_per_second")?.unwrap_or(false));
    c = c.sample_images(whole(&mut t, "sample_images")?.unwrap_or(0));
    match t.take("update_freq") {
        None => {}
        Some(Value::String(text)) if text == "epoch" => {}
        Some(Value::String(text)) if text == "batch" => c = c.update_freq(1),
        Some(value) => match value.as_u64().filter(|&n| n > 0) {
            Some(steps) => c = c.update_freq(steps),
            None => {
                let message = format!("expected \"epoch\", \"batch\" or a number of steps, at least 1, got {value}");
                return Err(t.error("update_freq", message));
            }
        },
    }
    done(t, c)
}

fn terminate_on_nan(mut t: Table) -> Result<Box<dyn Callback>> {
    let raise = t.flag("raise_error")?.unwrap_or(false);
    done(t, TerminateOnNaN::new().raise_error(raise))
}

fn progress_bar(mut t: Table) -> Result<Box<dyn Callback>> {
    let mut c = ProgressBar::new();
    if let Some(level) = whole(&mut t, "verbose")? {
        c = c.verbose(level.min(2) as u8);
    }
    if let Some(steps) = t.count("log_every")? {
        c = c.log_every(steps);
    }
    done(t, c)
}

fn done(t: Table, callback: impl Callback + 'static) -> Result<Box<dyn Callback>> {
    t.finish()?;
    Ok(Box::new(callback))
}

fn monitor(t: &mut Table) -> Result<String> {
    Ok(t.text("monitor")?.unwrap_or_else(|| "val_loss".into()))
}

fn mode(t: &mut Table) -> Result<Mode> {
    t.text("mode")?.map_or(Ok(Mode::Auto), |text| Mode::parse(&text))
}

fn verbose(t: &mut Table) -> Result<u8> {
    Ok(whole(t, "verbose")?.unwrap_or(0).min(2) as u8)
}

/// `"epoch"` or a number of steps; `period` is a number of epochs.
fn save_freq(t: &mut Table) -> Result<SaveFreq> {
    let freq = match t.take("save_freq") {
        None => SaveFreq::Epoch,
        Some(Value::String(text)) if text == "epoch" => SaveFreq::Epoch,
        Some(value) => match value.as_u64().filter(|&n| n > 0) {
            Some(steps) => SaveFreq::Steps(steps),
            None => return Err(t.error("save_freq", format!("expected \"epoch\" or a number of steps, at least 1, got {value}"))),
        },
    };
    match (t.count("period")?, freq) {
        (None, freq) => Ok(freq),
        (Some(epochs), SaveFreq::Epoch) => Ok(SaveFreq::Epochs(epochs)),
        (Some(_), _) => Err(t.error("period", "is a number of epochs and needs save_freq = \"epoch\"")),
    }
}

/// A whole number, 0 included.
fn whole(t: &mut Table, key: &'static str) -> Result<Option<usize>> {
    match t.take(key) {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => Err(t.error(key, format!("expected a whole number of at least 0, got {value}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use serde_json::json;

    fn message(class: &str, config: Value) -> String {
        match from_config(class, config.as_object().unwrap(), Path::new("run")) {
            Ok(callback) => format!("made {}", callback.name()),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn every_known_class_is_made() {
        for class in KNOWN {
            let config = match class {
                "ModelCheckpoint" => {
                    json!({ "filepath": "a-{epoch:04d}.keras", "save_freq": "epoch", "period": 5, "max_to_keep": 3 })
                }
                "CSVLogger" => json!({ "filename": "log.csv", "separator": ";" }),
                _ => json!({}),
            };
            assert_eq!(message(class, config), format!("made {class}"));
        }
    }

    #[test]
    fn callbacks_of_the_built_in_recipes_are_made() {
        for name in Recipe::names() {
            for (class, config) in Recipe::builtin(name).unwrap().callbacks {
                assert_eq!(message(&class, Value::Object(config)), format!("made {class}"), "{name}");
            }
        }
    }

    #[test]
    fn errors_name_the_class_the_key_and_what_is_known() {
        assert_eq!(
            message("EarlyStop", json!({})),
            "[[callbacks]]: there is no callback \"EarlyStop\"; known are BackupAndRestore, CSVLogger, EarlyStopping, ModelCheckpoint, \
             ProgressBar, ReduceLROnPlateau, TensorBoard, TerminateOnNaN"
        );
        assert!(message("TensorBoard", json!({ "update_freq": "step" })).contains("expected \"epoch\", \"batch\" or a number"));
        assert!(message("TensorBoard", json!({ "profile_batch": 2 })).contains("profile_batch: is not known"));
        assert_eq!(
            message("TerminateOnNaN", json!({ "raise": true })),
            "[[callbacks]]: TerminateOnNaN raise: is not known; known are raise_error"
        );
        assert_eq!(
            message("EarlyStopping", json!({ "patience": -1 })),
            "[[callbacks]]: EarlyStopping patience: expected a whole number of at least 0, got -1"
        );
        assert!(
            message("EarlyStopping", json!({ "mode": "up" }))
                .contains("EarlyStopping mode: expected \"auto\", \"min\" or \"max\", got \"up\"")
        );
        assert!(message("ModelCheckpoint", json!({})).contains("filepath: is missing"));
        assert!(message("ModelCheckpoint", json!({ "filepath": "model.pt" })).contains("ends in .keras"));
        assert!(
            message("ModelCheckpoint", json!({ "filepath": "a.keras", "save_freq": 0 }))
                .contains("expected \"epoch\" or a number of steps")
        );
        assert!(
            message("ModelCheckpoint", json!({ "filepath": "a.keras", "save_freq": 5, "period": 5 }))
                .contains("period: is a number of epochs")
        );
        assert!(message("ReduceLROnPlateau", json!({ "factor": 2 })).contains("factor: expected 0 to below 1, got 2"));
        assert!(message("CSVLogger", json!({ "filename": "a", "separator": "ab" })).contains("expected one character"));
    }
}
