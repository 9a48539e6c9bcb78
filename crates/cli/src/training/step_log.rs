//! Runs by steps: a line every so many steps, a look at the test set every so many.

use super::record::Record;
use crate::output::{Console, count, figures};
use maobi_train::callbacks::{Action, BatchLogs, Callback, Context};
use maobi_train::{Examples, ModelExt, Result, bad_loss};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the table counts in.
pub const KEY: &str = "step";

/// Reports on stderr, as JSON where asked for, and in the run's table.
pub struct StepLog<'a> {
    console: Console,
    /// Steps between two lines.
    every: u64,
    /// Steps between two evaluations, and on what.
    evaluation: Option<(u64, &'a dyn Examples)>,
    record: Record,
    history: PathBuf,
    /// The step before, which mixed_float16 may leave out and try again.
    step: u64,
    /// Since the last line: losses, images, when, and time that was not training.
    loss: f64,
    steps: u64,
    images: u64,
    since: Instant,
    aside: Duration,
}

impl<'a> StepLog<'a> {
    /// A log every `every` steps; the table goes to `history`.
    pub fn new(console: Console, every: u64, evaluation: Option<(u64, &'a dyn Examples)>, history: PathBuf) -> Self {
        let (record, since, aside) = (Record::new(KEY), Instant::now(), Duration::ZERO);
        let every = every.max(1);
        StepLog { console, every, evaluation, record, history, step: 0, loss: 0.0, steps: 0, images: 0, since, aside }
    }

    fn line(&mut self, context: &Context<'_>) -> Result<()> {
        let step = context.step;
        let seconds = self.since.elapsed().saturating_sub(self.aside).as_secs_f64().max(1e-9);
        let (loss, speed) = (self.loss / self.steps.max(1) as f64, self.images as f64 / seconds);
        // The running metrics of the epoch so far.
        let metrics: Vec<(String, f64)> = context.model.logs().into_iter().filter(|(name, _)| name != "loss").collect();
        let shown = std::iter::once(("loss", loss)).chain(metrics.iter().map(|(name, value)| (name.as_str(), *value)));
        let total = context.steps.map(|n| format!("/{n}")).unwrap_or_default();
        self.console.say(&format!("step {step}{total}: {}, {} images/s", figures(shown.clone()), count(speed as u64)));
        let mut event = Map::new();
        event.insert("event".into(), json!("step"));
        event.insert("step".into(), json!(step));
        event.extend(shown.clone().map(|(name, value)| (name.to_owned(), json!(value))));
        event.insert("seconds".into(), json!(seconds));
        event.insert("images_per_second".into(), json!(speed));
        let _ = self.console.event(&Value::Object(event));
        let figures: Vec<(&str, f64)> = shown.collect();
        self.record.set(step, figures);
        (self.loss, self.steps, self.images) = (0.0, 0, 0);
        (self.since, self.aside) = (Instant::now(), Duration::ZERO);
        Ok(())
    }

    fn evaluate(&mut self, context: &Context<'_>, test: &dyn Examples) -> Result<()> {
        let start = Instant::now();
        let logs = context.model.evaluate(test)?;
        if let Some(loss) = bad_loss(&logs) {
            return Err(context.not_finite(format!("the loss on the test set is {loss}")));
        }
        let step = context.step;
        let shown = figures(logs.iter().map(|(name, value)| (name.as_str(), *value)));
        self.console.say(&format!("step {step}, on the test set: {shown}"));
        let mut event = Map::new();
        event.insert("event".into(), json!("evaluation"));
        event.insert("step".into(), json!(step));
        event.extend(logs.iter().map(|(name, value)| (name.clone(), json!(value))));
        event.insert("images".into(), json!(test.len()));
        let _ = self.console.event(&Value::Object(event));
        let named: Vec<(String, f64)> = logs.into_iter().map(|(name, value)| (format!("test_{name}"), value)).collect();
        self.record.set(step, named.iter().map(|(name, value)| (name.as_str(), *value)));
        self.aside += start.elapsed();
        Ok(())
    }
}

impl Callback for StepLog<'_> {
    fn name(&self) -> &'static str {
        "StepLog"
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.since = Instant::now();
        self.step = context.step;
        // Rows behind the point that training goes on from are made again.
        self.record = if context.step > 0 { Record::read(&self.history, KEY) } else { Record::new(KEY) };
        self.record.cut(context.step);
        Ok(())
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        self.loss += logs.loss;
        self.steps += 1;
        self.images += logs.samples as u64;
        let before = std::mem::replace(&mut self.step, context.step);
        if before == context.step {
            return Ok(Action::Continue);
        }
        let logged = context.step.is_multiple_of(self.every);
        if logged {
            self.line(context)?;
        }
        let mut evaluated = false;
        if let Some((every, test)) = self.evaluation
            && context.step.is_multiple_of(every.max(1))
        {
            self.evaluate(context, test)?;
            evaluated = true;
        }
        if logged || evaluated {
            self.record.write(&self.history)?;
        }
        Ok(Action::Continue)
    }

    fn state(&self) -> Value {
        json!({ "loss": self.loss, "steps": self.steps, "images": self.images })
    }

    fn restore(&mut self, state: &Value) {
        self.loss = state["loss"].as_f64().unwrap_or(0.0);
        self.steps = state["steps"].as_u64().unwrap_or(0);
        self.images = state["images"].as_u64().unwrap_or(0);
    }
}
