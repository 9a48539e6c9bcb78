//! Callbacks of recipes: Keras' class names and arguments.

use super::{CALLBACKS, Callback};
use crate::error::{Error, Result};
use maobi_nn::object::{Config, ConfigError, Declared, Entry, Fields, Object};
use std::path::Path;

/// A callback that is declared by [`keras_object!`](maobi_nn::keras_object).
pub trait DeclaredCallback: Callback + Object {}

impl<T: Callback + Object> DeclaredCallback for T {}

/// Makes a callback of your own known: recipes then find it by its class name.
///
/// ```
/// use maobi_nn::keras_object;
/// use maobi_train::callbacks::{self, Action, Callback, Context, EpochLogs};
///
/// keras_object! {
///     /// Ends training when the loss is low enough.
///     pub struct StopBelow("stop_below") {
///         /// The loss to reach; 0.1 by default.
///         loss: f64 = 0.1,
///     }
/// }
///
/// impl Callback for StopBelow {
///     fn name(&self) -> &'static str {
///         "StopBelow"
///     }
///     fn on_epoch_end(&mut self, _: &mut Context<'_>, logs: &EpochLogs) -> maobi_train::Result<Action> {
///         let reached = logs.get("loss").is_some_and(|loss| loss < self.loss);
///         Ok(if reached { Action::Stop } else { Action::Continue })
///     }
/// }
///
/// callbacks::register::<StopBelow>();
/// let config = serde_json::json!({ "loss": 0.2 });
/// let stop = callbacks::from_config("StopBelow", config.as_object().unwrap(), "runs/1".as_ref())?;
/// assert_eq!(stop.name(), "StopBelow");
/// # Ok::<(), maobi_train::Error>(())
/// ```
pub fn register<T: Callback + Declared>() {
    CALLBACKS.register(Entry::of::<T>(|fields| Ok(Box::new(T::read(fields)?))));
}

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
pub fn from_config(class: &str, config: &Config, base: &Path) -> Result<Box<dyn Callback>> {
    let mut callback = read(class, config).map_err(|e| Error::argument("[[callbacks]]", hint(class) + &e.to_string()))?;
    callback.check().map_err(|e| match e {
        Error::Argument { argument, message } => Error::argument("[[callbacks]]", format!("{class} {argument}: {message}")),
        other => Error::argument("[[callbacks]]", other.to_string()),
    })?;
    callback.set_folder(base);
    Ok(callback)
}

fn read(class: &str, config: &Config) -> Result<Box<dyn DeclaredCallback>, ConfigError> {
    // Exactly by its class name: the program that runs a recipe looks for some callbacks by it.
    let entry = CALLBACKS.find(class).filter(|entry| entry.class_name() == class);
    let entry = entry.ok_or_else(|| ConfigError::unknown_name("callback", class, CALLBACKS.names()))?;
    let mut fields = Fields::new(entry.class_name(), config.clone());
    let callback = entry.read(&mut fields)?;
    fields.finish()?;
    Ok(callback)
}

fn hint(class: &str) -> String {
    match class {
        "LearningRateScheduler" => "LearningRateScheduler takes a function; give the optimizer a schedule instead: ".into(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use serde_json::{Value, json};

    fn message(class: &str, config: Value) -> String {
        match from_config(class, config.as_object().unwrap(), Path::new("run")) {
            Ok(callback) => format!("made {}", callback.name()),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn every_class_reads_what_it_writes() {
        let given = json!({ "filepath": "a-{epoch:04d}.keras", "filename": "log.csv", "monitor": "loss", "mode": "max", "patience": 3,
            "min_delta": 0.5, "save_freq": 7, "update_freq": "batch", "separator": ";", "max_to_keep": 3, "raise_error": true,
            "log_every": 9 });
        for entry in CALLBACKS.entries() {
            let known = given.as_object().unwrap().iter().filter(|(key, _)| entry.keys().contains(&key.as_str()));
            let config: Config = known.map(|(key, value)| (key.clone(), value.clone())).collect();
            let callback = read(entry.class_name(), &config).unwrap();
            assert_eq!((callback.class_name(), callback.name()), (entry.class_name(), entry.class_name()));
            callback.check().unwrap();
            let written = callback.arguments();
            for key in config.keys().filter(|key| *key != "update_freq") {
                assert_eq!(written[key], config[key], "{} {key}", entry.class_name());
            }
            let again = read(entry.class_name(), &written).unwrap();
            assert!(again.same(&*callback), "{callback:?} became {again:?}");
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
            "[[callbacks]]: unknown callback \"EarlyStop\"; known: BackupAndRestore, CSVLogger, EarlyStopping, ModelCheckpoint, \
             ProgressBar, ReduceLROnPlateau, TensorBoard, TerminateOnNaN"
        );
        assert!(message("terminate_on_nan", json!({})).contains("unknown callback"));
        assert!(message("LearningRateScheduler", json!({})).contains("give the optimizer a schedule instead"));
        assert_eq!(
            message("TensorBoard", json!({ "update_freq": "step" })),
            "[[callbacks]]: TensorBoard: update_freq must be \"epoch\", \"batch\" or a number of steps, 1 or more, got \"step\""
        );
        assert!(message("TensorBoard", json!({ "profile_batch": 2 })).contains("unknown key \"profile_batch\""));
        assert_eq!(
            message("TerminateOnNaN", json!({ "raise": true })),
            "[[callbacks]]: TerminateOnNaN: unknown key \"raise\"; known: raise_error"
        );
        assert_eq!(
            message("EarlyStopping", json!({ "patience": -1 })),
            "[[callbacks]]: EarlyStopping: patience must be a whole number, 0 or more, got -1"
        );
        assert!(
            message("EarlyStopping", json!({ "mode": "up" }))
                .contains("EarlyStopping: mode must be one of auto, min, max, got \"up\"")
        );
        assert!(message("ModelCheckpoint", json!({})).contains("ModelCheckpoint: key \"filepath\" is missing"));
        assert!(message("ModelCheckpoint", json!({ "filepath": "model.pt" })).contains("ends in .keras"));
        assert!(
            message("ModelCheckpoint", json!({ "filepath": "a.keras", "save_freq": 0 }))
                .contains("save_freq must be \"epoch\", \"batch\" or a number of steps, 1 or more, got 0")
        );
        assert!(
            message("ModelCheckpoint", json!({ "filepath": "a.keras", "save_freq": 5, "period": 5 }))
                .contains("ModelCheckpoint: period is a number of epochs")
        );
        assert!(
            message("ReduceLROnPlateau", json!({ "factor": 2 })).contains("factor must be a number from 0 to below 1, got 2")
        );
        assert!(message("CSVLogger", json!({ "filename": "a", "separator": "ab" })).contains("separator must be one character"));
    }
}
