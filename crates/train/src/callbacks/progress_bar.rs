//! `ProgressBar`: what training does, on a terminal as a bar, elsewhere as plain lines.
//!
//! Keras' `ProgbarLogger` and its `verbose` levels.

use super::output::Output;
use super::{Action, BatchLogs, Callback, Context, EpochLogs, Running};
use crate::error::Result;
use indicatif::{ProgressBar as Bar, ProgressDrawTarget, ProgressStyle};
use maobi_nn::keras_object;
use maobi_nn::object::{Declared, range};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often figures on the bar are made anew.
const REFRESH: Duration = Duration::from_millis(100);

keras_object! {
    /// Shows epochs, steps, speed, loss and metrics on standard error.
    ///
    /// On a terminal there is a bar with the time that is left. Elsewhere, e.g. in a file, there are plain lines without any control
    /// characters: one per epoch, and one every so many steps where training is told to take a number of steps.
    pub struct ProgressBar("progress_bar") with run: Running<State>, {
        /// 0: nothing, 1: a bar (lines where there is no terminal), 2: lines; 1 by default.
        verbose: usize = 1,
        /// A line every so many steps; 100 by default where training is told to take a number of steps, none otherwise.
        log_every: Option<u64> where range::AT_LEAST_ONE = None,
    }
}

/// What is shown.
pub struct State {
    terminal: bool,
    output: Output,
    target: Option<ProgressDrawTarget>,
    bar: Option<Bar>,
    epoch_started: Instant,
    refreshed: Instant,
    epoch_samples: usize,
    line: Line,
}

/// What has been since the last step line.
struct Line {
    since: Instant,
    steps: u64,
    samples: usize,
    loss: f64,
}

impl Line {
    fn new() -> Line {
        Line { since: Instant::now(), steps: 0, samples: 0, loss: 0.0 }
    }
}

impl Default for State {
    fn default() -> Self {
        let now = Instant::now();
        State {
            terminal: std::io::stderr().is_terminal(),
            output: Output::default(),
            target: None,
            bar: None,
            epoch_started: now,
            refreshed: now,
            epoch_samples: 0,
            line: Line::new(),
        }
    }
}

impl ProgressBar {
    /// Plain lines to here instead of standard error.
    #[must_use]
    pub fn sink(mut self, sink: impl Write + Send + 'static) -> Self {
        (self.run.output, self.run.terminal) = (Output::to(sink), false);
        self
    }

    /// A bar on this terminal instead of standard error.
    #[must_use]
    pub fn terminal(mut self, target: ProgressDrawTarget) -> Self {
        (self.run.target, self.run.terminal) = (Some(target), true);
        self
    }

    fn draws(&self) -> bool {
        self.run.terminal && self.verbose == 1
    }

    /// A line that stays, above the bar where there is one.
    fn say(&mut self, text: &str) {
        match &self.run.bar {
            _ if self.verbose == 0 => {}
            Some(bar) => bar.println(text),
            None => self.run.output.line(text),
        }
    }

    fn start_bar(&mut self, context: &Context<'_>) {
        let (length, prefix) = match context.steps {
            Some(steps) => (steps, String::new()),
            None => (context.steps_per_epoch as u64, format!("{} ", epoch_name(context.epoch + 1, context.epochs))),
        };
        // The style is fixed text; a test draws it.
        let style = ProgressStyle::with_template("{prefix}{bar:30} {pos}/{len} {eta} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = self.run.target.take().unwrap_or_else(ProgressDrawTarget::stderr);
        let bar = self.run.bar.get_or_insert_with(|| Bar::with_draw_target(None, target));
        bar.reset();
        bar.set_length(length);
        bar.set_style(style.progress_chars("━╸─"));
        bar.set_prefix(prefix);
        bar.set_message("");
        bar.set_position(if context.steps.is_some() { context.step } else { context.batch as u64 });
        bar.reset_eta();
    }

    fn line_every(&self, context: &Context<'_>) -> Option<u64> {
        // A bar shows the same better.
        self.log_every.or((context.steps.is_some() && !self.draws()).then_some(100))
    }
}

/// `Epoch 3/12`, or `Epoch 3` where there is no last one.
fn epoch_name(epoch: usize, epochs: Option<usize>) -> String {
    epochs.map_or_else(|| format!("Epoch {epoch}"), |of| format!("Epoch {epoch}/{of}"))
}

/// `loss: 0.1234 - accuracy: 0.9876`, four decimals as Keras; small figures with an exponent.
fn figures(values: &[(String, f64)]) -> String {
    let figure = |(name, value): &(String, f64)| match value.abs() {
        small if small > 0.0 && small < 1e-3 => format!("{name}: {value:.4e}"),
        _ => format!("{name}: {value:.4}"),
    };
    values.iter().map(figure).collect::<Vec<_>>().join(" - ")
}

/// The line of an epoch.
fn epoch_line(epoch: usize, epochs: Option<usize>, logs: &EpochLogs) -> String {
    let (name, figures) = (epoch_name(epoch, epochs), figures(&logs.values));
    format!("{name} - {:.1}s - {:.0} images/s - {figures}", logs.seconds, logs.samples_per_second)
}

fn step_line(step: u64, steps: Option<u64>, loss: f64, images_per_second: f64) -> String {
    let of = steps.map_or_else(String::new, |steps| format!("/{steps}"));
    format!("Step {step}{of} - loss: {loss:.4} - {images_per_second:.0} images/s")
}

fn per_second(samples: usize, since: Instant) -> f64 {
    samples as f64 / since.elapsed().as_secs_f64().max(1e-9)
}

impl Callback for ProgressBar {
    fn name(&self) -> &'static str {
        "ProgressBar"
    }

    fn check(&self) -> Result<()> {
        Ok(self.check_ranges()?)
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.run.line = Line::new();
        if context.epoch > 0 || context.batch > 0 {
            let place = epoch_name(context.epoch + 1, context.epochs);
            self.say(&format!("Going on with {place}, step {} of {}", context.batch + 1, context.steps_per_epoch));
        }
        Ok(())
    }

    fn on_epoch_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.run.epoch_started = Instant::now();
        self.run.epoch_samples = 0;
        if self.draws() && (context.steps.is_none() || self.run.bar.is_none()) {
            self.start_bar(context);
        }
        Ok(())
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        self.run.epoch_samples += logs.samples;
        self.run.line.steps += 1;
        self.run.line.samples += logs.samples;
        self.run.line.loss += logs.loss * logs.samples as f64;
        let last = context.steps.is_some_and(|steps| context.step >= steps);
        if self.line_every(context).is_some_and(|every| context.step.is_multiple_of(every) || last) {
            let loss = self.run.line.loss / self.run.line.samples.max(1) as f64;
            self.say(&step_line(context.step, context.steps, loss, per_second(self.run.line.samples, self.run.line.since)));
            self.run.line = Line::new();
        }
        let run = &mut *self.run;
        if let Some(bar) = run.bar.as_ref().filter(|_| run.refreshed.elapsed() >= REFRESH) {
            run.refreshed = Instant::now();
            bar.set_position(if context.steps.is_some() { context.step } else { context.batch as u64 });
            let speed = per_second(run.epoch_samples, run.epoch_started);
            bar.set_message(format!("{speed:.0} images/s - {}", figures(&context.model.logs())));
        }
        Ok(Action::Continue)
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        if context.steps.is_none() {
            self.say(&epoch_line(context.epoch, context.epochs, logs));
            // Others' messages find no bar in their way.
            self.run.bar.iter().for_each(Bar::finish_and_clear);
        } else if logs.values.iter().any(|(name, _)| name.starts_with("val_")) {
            self.say(&epoch_line(context.epoch, None, logs));
        }
        Ok(Action::Continue)
    }

    fn on_train_end(&mut self, _context: &mut Context<'_>) -> Result<()> {
        if let Some(bar) = self.run.bar.take() {
            bar.finish_and_clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs() -> EpochLogs {
        let values = [("loss", 0.287_14), ("accuracy", 0.912_34), ("val_loss", 0.1), ("learning_rate", 1e-4)];
        EpochLogs { values: values.map(|(n, v)| (n.to_string(), v)).to_vec(), seconds: 3.21, samples_per_second: 18_750.4 }
    }

    #[test]
    fn lines_are_exact() {
        let expected =
            "Epoch 1/12 - 3.2s - 18750 images/s - loss: 0.2871 - accuracy: 0.9123 - val_loss: 0.1000 - learning_rate: 1.0000e-4";
        assert_eq!(epoch_line(1, Some(12), &logs()), expected);
        assert!(epoch_line(3, None, &logs()).starts_with("Epoch 3 - 3.2s"));
        assert_eq!(step_line(50, Some(20_000), 2.289_31, 1930.2), "Step 50/20000 - loss: 2.2893 - 1930 images/s");
        assert_eq!(step_line(50, None, f64::NAN, 1.0), "Step 50 - loss: NaN - 1 images/s");
    }
}
