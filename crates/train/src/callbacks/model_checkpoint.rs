//! `ModelCheckpoint`: the model, or its weights, in a file every so often.
//!
//! As Keras' `callbacks/model_checkpoint.py`; the kind of file follows from its name.

use super::output::{Output, sink_setter};
use super::template::{Figure, Template};
use super::{Action, BatchLogs, Callback, Context, EpochLogs, Mode, Running, SaveFreq};
use crate::error::{Error, Result};
use maobi_formats::h5;
use maobi_formats::tensorflow::{checkpoint, saver, state};
use maobi_nn::object::{Declared, range};
use maobi_nn::{Model, keras_object, words};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

words! {
    /// What variables are called in a checkpoint of TensorFlow 1, which knows them by name alone.
    pub enum VariableNames {
        /// `conv2d/kernel`, `conv2d_1/kernel`, …, as `tf.layers` and the estimators name them.
        Layers = "layers",
        /// `Variable`, `Variable_1`, …, as bare `tf.Variable`s are named.
        Variables = "variables",
    }
}

/// Which content a file gets.
#[derive(Clone, Copy)]
enum Content {
    /// A `.keras` file.
    Model,
    /// A `.weights.h5` file.
    Weights,
    /// A checkpoint of TensorFlow 2, of objects.
    Objects,
    /// A checkpoint of TensorFlow 1, of names.
    Names,
    /// A whole model as Keras 2's `.h5` file.
    H5,
    /// The weights alone as such a file.
    H5Weights,
}

impl Content {
    /// What a file of this name holds.
    fn of(text: &str) -> Option<Content> {
        let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
        match name {
            _ if name.ends_with(".keras") => Some(Content::Model),
            _ if name.ends_with(".weights.h5") => Some(Content::Weights),
            _ if name.contains(".ckpt-") => Some(Content::Names),
            _ if name.ends_with(".ckpt") => Some(Content::Objects),
            _ if name.ends_with(".h5") => Some(Content::H5),
            _ => None,
        }
    }

    /// Whether the network is in the file too.
    fn is_model(self) -> bool {
        matches!(self, Content::Model | Content::H5)
    }

    /// Whether it is a prefix of several files, which the folder's file `checkpoint` lists.
    fn is_checkpoint(self) -> bool {
        matches!(self, Content::Objects | Content::Names)
    }
}

keras_object! {
    /// Saves the model, or its weights, every epoch or every so many steps.
    ///
    /// The path may hold figures: `{epoch:04d}` (from 1), `{step:05d}` (optimizer steps in all), `{batch}` (of the epoch, from 1; only with
    /// [`SaveFreq::Steps`]), and those of the run, e.g. `{val_loss:.3f}`. Folders are made.
    ///
    /// | name | file |
    /// |---|---|
    /// | `….keras` | the whole model |
    /// | `….h5` | the whole model, or its weights, in Keras 2's layout; without the optimizer's state |
    /// | `….weights.h5` | its weights |
    /// | `….ckpt` | a checkpoint of TensorFlow 2 (object-based): its weights |
    /// | `….ckpt-{step}` | a checkpoint of TensorFlow 1 (name-based, with `global_step`): its weights, see [`VariableNames`] |
    ///
    /// The others include the optimizer's state. Checkpoints of TensorFlow are noted in the file `checkpoint` of their folder.
    ///
    /// A run by steps ([`Fit::steps`](crate::Fit::steps)) with [`SaveFreq::Steps`] also saves its last step, as TensorFlow's estimators do. A
    /// training that is shorter than one interval saves once, at its end; Keras saves nothing there.
    ///
    /// ```
    /// use maobi_train::ModelCheckpoint;
    /// let best = ModelCheckpoint::new("best-{epoch:02d}.keras").save_best_only(true).monitor("val_accuracy");
    /// ```
    pub struct ModelCheckpoint("model_checkpoint") with run: Running<State>, new(
        /// The file, a name of the table above.
        filepath: PathBuf,
    ) {
        /// The figure that tells which model is best; `val_loss` by default.
        monitor: String = "val_loss".into(),
        /// 1 says what is saved and why not; 0, the default, says nothing.
        verbose: usize = 0,
        /// Whether to save only when the figure is better than ever before; false by default.
        save_best_only: bool = false,
        /// Whether an `.h5` file holds the weights alone; other names say so themselves: `.weights.h5` holds weights, `.keras` a model.
        save_weights_only: Option<bool> = None,
        /// Whether the figure should fall or rise; by its name by default.
        mode: Mode = Mode::Auto,
        /// When to save; after epochs by default.
        save_freq: SaveFreq where range::AT_LEAST_ONE = SaveFreq::Epoch,
        /// Epochs from one file to the next, as in Keras 2; 1 by default.
        period: u64 where range::AT_LEAST_ONE = 1,
        /// The figure to beat from the start, with `save_best_only`; any by default.
        initial_value_threshold: Option<f64> = None,
        /// What variables are called in a `….ckpt-{step}`; as layers by default. Not in Keras.
        variable_names: VariableNames = VariableNames::Layers,
        /// Removes the oldest files of this run beyond so many; none by default. Not in Keras.
        max_to_keep: Option<usize> where range::AT_LEAST_ONE = None,
    }
}

/// What has been so far.
#[derive(Default)]
pub struct State {
    folder: PathBuf,
    output: Output,
    best: Option<f64>,
    seen: u64,
    /// The training is shorter than the interval: save at its end.
    never_due: bool,
    /// Names of the files of this run, oldest first.
    kept: Vec<String>,
}

impl ModelCheckpoint {
    sink_setter!();

    /// The folder that a relative `filepath` is under; its name is taken as it is, braces included.
    #[must_use]
    pub fn under(mut self, folder: impl Into<PathBuf>) -> Self {
        self.run.folder = folder.into();
        self
    }

    /// The name with its figures, and what goes into the file.
    fn plan(&self) -> Result<(Template, Content)> {
        let text = self.filepath.to_str().ok_or_else(|| Error::argument("filepath", "expected a path in UTF-8"))?;
        let content = Content::of(text).ok_or_else(|| {
            let message = format!(
                "expected a name that ends in .keras or .h5 (the whole model), .weights.h5 (its weights), .ckpt or .ckpt-{{step}} (its weights, \
                 for TensorFlow 2 or 1), got \"{text}\""
            );
            Error::argument("filepath", message)
        })?;
        let needs = |ends: &str| {
            let given = self.save_weights_only.unwrap_or_default();
            Err(Error::argument("save_weights_only", format!("{given} needs a filepath that ends in {ends}, got \"{text}\"")))
        };
        let content = match (self.save_weights_only, content) {
            (Some(true), Content::H5) => Content::H5Weights,
            (Some(true), content) if content.is_model() => return needs(".weights.h5 or .ckpt"),
            (Some(false), content) if !content.is_model() => return needs(".keras"),
            (_, content) => content,
        };
        Ok((Template::parse(text)?, content))
    }

    /// The best value so far.
    pub fn best(&self) -> Option<f64> {
        self.run.best.or(self.initial_value_threshold)
    }

    /// Whether the figures there are call for a file; `number` is the epoch's, from 1.
    fn wanted(&mut self, values: &[(String, f64)], number: usize, path: &Path) -> bool {
        let path = path.display();
        if !self.save_best_only {
            self.run.output.say(self.verbose, &format!("Epoch {number}: saving model to {path}"));
            return true;
        }
        let name = &self.monitor;
        let Some(current) = values.iter().find(|(n, _)| n == name).map(|(_, v)| *v) else { return false };
        let before = self.best().map_or_else(|| "None".to_string(), |b| format!("{b:.5}"));
        let better = self.mode.is_improvement(name, 0.0, current, self.best());
        let says = match better {
            true => format!("improved from {before} to {current:.5}, saving model to {path}"),
            false if current.is_nan() => "is NaN, so nothing is saved".into(),
            false => format!("did not improve from {before}"),
        };
        self.run.output.say(self.verbose, &format!("Epoch {number}: {name} {says}"));
        if better {
            self.run.best = Some(current);
        }
        better
    }

    /// Saves when it should; `batch` is given between epochs' ends.
    fn save(&mut self, context: &mut Context<'_>, values: &[(String, f64)], number: usize, batch: Option<usize>) -> Result<()> {
        let mut figures = vec![("epoch", Figure::Count(number as u64)), ("step", Figure::Count(context.step))];
        figures.extend(batch.map(|b| ("batch", Figure::Count(b as u64))));
        figures.extend(values.iter().map(|(n, v)| (n.as_str(), Figure::Number(*v))));
        let (template, content) = self.plan()?;
        let name = template.fill(&figures)?;
        let path = self.run.folder.join(&name);
        if !self.wanted(values, number, &path) {
            return Ok(());
        }
        context.check_finite()?;
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        }
        for note in self.write(content, context.model, &path)? {
            self.run.output.say(self.verbose, &format!("{}: {note}", path.display()));
        }
        self.run.kept.retain(|kept| *kept != name);
        self.run.kept.push(name);
        self.prune(content)
    }

    /// Writes the file; what it cannot hold beyond what its kind never does, in words.
    fn write(&self, content: Content, model: &Model, path: &Path) -> Result<Vec<String>> {
        match content {
            Content::Model => maobi_formats::keras::save(model, path)?,
            Content::Weights => maobi_formats::weights_h5::save(model, path)?,
            Content::Objects => return Ok(checkpoint::save(model, path)?),
            Content::Names => {
                let names = match self.variable_names {
                    VariableNames::Layers => saver::layer_names(model),
                    VariableNames::Variables => saver::variable_names(model),
                };
                return Ok(saver::save(model, path, &names)?);
            }
            Content::H5 => return Ok(h5::save(model, path)?),
            Content::H5Weights => h5::save_weights(model, path)?,
        }
        Ok(Vec::new())
    }

    fn prune(&mut self, content: Content) -> Result<()> {
        let Some(keep) = self.max_to_keep else { return Ok(()) };
        while self.run.kept.len() > keep {
            let oldest = self.run.kept.remove(0);
            let path = self.run.folder.join(oldest);
            if content.is_checkpoint() {
                state::remove(&path)?;
                continue;
            }
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(path, e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether this step ends the training and has to be saved for that alone: a run by steps always leaves its last step, any other
    /// run at least one file.
    fn is_last_step(&self, context: &Context<'_>) -> bool {
        if !matches!(self.save_freq, SaveFreq::Steps(_)) {
            return false;
        }
        let of_epochs = context.epochs == Some(context.epoch + 1) && context.batch == context.steps_per_epoch;
        context.steps.is_some_and(|steps| context.step >= steps) || (self.run.never_due && of_epochs)
    }

    /// Fills the template with figures of the right names before any training is done.
    fn check_figures(&self, context: &Context<'_>) -> Result<()> {
        let steps = matches!(self.save_freq, SaveFreq::Steps(_));
        let at_step = |name: &str| !name.starts_with("val_");
        if steps && self.save_best_only && !at_step(&self.monitor) {
            let message = format!(
                "{} is known at the end of epochs only: use it with save_freq = \"epoch\", or monitor \"loss\"",
                self.monitor
            );
            return Err(Error::argument("monitor", message));
        }
        let mut figures = vec![("epoch", Figure::Count(1)), ("step", Figure::Count(1))];
        figures.extend(steps.then_some(("batch", Figure::Count(1))));
        let known = context.figures.iter().filter(|f| !steps || at_step(f));
        figures.extend(known.map(|f| (f.as_str(), Figure::Number(0.5))));
        self.plan()?.0.fill(&figures).map(|_| ())
    }
}

impl Callback for ModelCheckpoint {
    fn name(&self) -> &'static str {
        "ModelCheckpoint"
    }

    fn check(&self) -> Result<()> {
        self.check_ranges()?;
        self.save_freq.check_period(Self::CLASS, self.period)?;
        self.plan().map(|_| ())
    }

    fn set_folder(&mut self, folder: &Path) {
        self.run.folder = folder.into();
    }

    fn monitors(&self) -> Option<&str> {
        self.save_best_only.then_some(self.monitor.as_str())
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.mode.settle(&self.monitor, context.model);
        self.check_figures(context)?;
        self.run.never_due = self.save_freq.is_never_due(self.period, context);
        Ok(())
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        let due = self.save_freq.step(&mut self.run.seen) || self.is_last_step(context);
        // A step whose loss is not a number has ruined the model; fit ends right after.
        if due && logs.loss.is_finite() {
            let mut values = context.model.logs();
            values.extend(context.model.optimizer_state_ref().map(|s| ("learning_rate".to_string(), f64::from(s.learning_rate))));
            self.save(context, &values, context.epoch + 1, Some(context.batch))?;
        }
        Ok(Action::Continue)
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let of_epochs = !matches!(self.save_freq, SaveFreq::Steps(_));
        let last = context.epochs == Some(context.epoch) || context.steps.is_some_and(|steps| context.step >= steps);
        if self.save_freq.epoch(self.period, &mut self.run.seen) || (of_epochs && self.run.never_due && last) {
            self.save(context, &logs.values, context.epoch, None)?;
        }
        Ok(Action::Continue)
    }

    fn kept(&self) -> Option<PathBuf> {
        self.run.kept.last().map(|name| self.run.folder.join(name))
    }

    fn state(&self) -> Value {
        json!({ "best": self.run.best, "seen": self.run.seen, "kept": self.run.kept })
    }

    fn restore(&mut self, state: &Value) {
        self.run.best = state["best"].as_f64();
        self.run.seen = state["seen"].as_u64().unwrap_or(0);
        self.run.kept = state["kept"].as_array().into_iter().flatten().filter_map(|k| k.as_str().map(String::from)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_is_saved() {
        let message = |path: &str| ModelCheckpoint::new(path).check().err().map(|e| e.to_string()).unwrap_or_default();
        for path in ["model.pt", "model.ckpt/x", "keras", "ckpt"] {
            let expected = "filepath: expected a name that ends in .keras or .h5 (the whole model), .weights.h5";
            assert!(
                message(path).starts_with(expected) && message(path).ends_with(&format!("got \"{path}\"")),
                "{}",
                message(path)
            );
        }
        assert!(message("{epoch.keras").contains("without its }"));
        let weights = |path: &str, only| ModelCheckpoint::new(path).save_weights_only(only).check().err().map(|e| e.to_string());
        for path in ["a.weights.h5", "cp-{epoch:04d}.ckpt", "Model/model.ckpt-{step}", "cnn.h5"] {
            assert_eq!(weights(path, true), None);
        }
        assert_eq!(weights("mnist-model.h5", false), None);
        assert!(weights("cp-{epoch:04d}.ckpt", false).unwrap().contains("needs a filepath that ends in .keras"));
        assert!(weights("a.keras", true).unwrap().contains("needs a filepath that ends in .weights.h5 or .ckpt"));
        assert!(weights("a.weights.h5", false).unwrap().contains("needs a filepath that ends in .keras"));
    }

    #[test]
    fn messages_are_keras_own() {
        let sink = super::super::output::Shared::default();
        let mut c = ModelCheckpoint::new("a.keras").save_best_only(true).verbose(1).sink(sink.clone());
        let values = |v: f64| vec![("val_loss".to_string(), v)];
        assert!(c.wanted(&values(0.5), 1, Path::new("a.keras")));
        assert!(!c.wanted(&values(0.5), 2, Path::new("a.keras")));
        assert!(c.wanted(&values(0.25), 3, Path::new("a.keras")));
        assert!(!c.wanted(&values(f64::NAN), 4, Path::new("a.keras")));
        assert_eq!(
            sink.text(),
            "Epoch 1: val_loss improved from None to 0.50000, saving model to a.keras\n\
             Epoch 2: val_loss did not improve from 0.50000\n\
             Epoch 3: val_loss improved from 0.50000 to 0.25000, saving model to a.keras\n\
             Epoch 4: val_loss is NaN, so nothing is saved\n"
        );
        let mut c = ModelCheckpoint::new("a.keras").save_best_only(true).initial_value_threshold(0.3);
        assert!(!c.wanted(&values(0.5), 1, Path::new("a.keras")) && c.wanted(&values(0.2), 2, Path::new("a.keras")));
    }

    #[test]
    fn the_best_survives() {
        let mut c = ModelCheckpoint::new("a.keras");
        c.restore(&json!({ "best": 0.1, "seen": 3, "kept": ["x"] }));
        assert_eq!((c.best(), c.state()), (Some(0.1), json!({ "best": 0.1, "seen": 3, "kept": ["x"] })));
    }
}
