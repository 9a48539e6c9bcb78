//! `ProgressBar`: what training does, on a terminal as a bar, elsewhere as plain lines.
//!
//! Keras' `ProgbarLogger` and its `verbose` levels.

use super::output::Output;
use super::{Action, BatchLogs, Callback, Context, EpochLogs, Running};
use crate::error::Result;
use crate::figures::{count, duration, figures};
use indicatif::{MultiProgress, ProgressBar as Bar, ProgressStyle};
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
    /// characters: one per epoch, and one every so many steps where training runs by steps.
    pub struct ProgressBar("progress_bar") with run: Running<State>, {
        /// 0: nothing, 1: a bar (lines where there is no terminal), 2: lines; 1 by default.
        verbose: usize = 1,
        /// A line every so many steps; 100 by default where training runs by steps, none otherwise.
        log_every: Option<u64> where range::AT_LEAST_ONE = None,
    }
}

/// What is shown.
pub struct State {
    lines: bool,
    terminal: bool,
    output: Output,
    bars: MultiProgress,
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
            lines: true,
            terminal: std::io::stderr().is_terminal(),
            output: Output::default(),
            bars: MultiProgress::new(),
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

    /// Whether there are lines; without them the bar alone is left, for a program that writes its own.
    #[must_use]
    pub fn lines(mut self, lines: bool) -> Self {
        self.run.lines = lines;
        self
    }

    /// The bar stands among the others of a program, and lines go around all of them.
    #[must_use]
    pub fn among(mut self, bars: MultiProgress) -> Self {
        self.run.bars = bars;
        self
    }

    fn draws(&self) -> bool {
        self.run.terminal && self.verbose == 1
    }

    /// A line that stays, above the bars.
    fn say(&mut self, text: &str) {
        if self.verbose > 0 && self.run.lines {
            let State { bars, output, .. } = &mut *self.run;
            bars.suspend(|| output.line(text));
        }
    }

    fn start_bar(&mut self, context: &Context<'_>) {
        let (length, prefix) = match context.steps {
            Some(steps) => (steps, "step".to_owned()),
            None => (context.steps_per_epoch as u64, epoch_name(context.epoch + 1, context.epochs)),
        };
        let State { bar, bars, .. } = &mut *self.run;
        let bar = bar.get_or_insert_with(|| {
            let bar = bars.add(Bar::new(length));
            if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}, {eta} left, {msg}") {
                bar.set_style(style);
            }
            bar
        });
        bar.reset();
        bar.set_length(length);
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

/// `epoch 3/12`, or `epoch 3` where there is no last one.
fn epoch_name(epoch: usize, epochs: Option<usize>) -> String {
    epochs.map_or_else(|| format!("epoch {epoch}"), |of| format!("epoch {epoch}/{of}"))
}

/// The line of an epoch.
fn epoch_line(epoch: usize, epochs: Option<usize>, logs: &EpochLogs) -> String {
    let shown = logs.values.iter().filter(|(name, _)| name != "learning_rate");
    let shown = figures(shown.map(|(name, value)| (name.as_str(), *value)));
    let (name, speed) = (epoch_name(epoch, epochs), count(logs.samples_per_second as u64));
    format!("{name}: {shown}, {}, {speed} images/s", duration(logs.seconds))
}

fn step_line(step: u64, steps: Option<u64>, loss: f64, images_per_second: f64) -> String {
    let of = steps.map_or_else(String::new, |steps| format!("/{steps}"));
    format!("step {step}{of}: {}, {} images/s", figures([("loss", loss)]), count(images_per_second as u64))
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
            self.say(&format!("going on with {place}, step {} of {}", context.batch + 1, context.steps_per_epoch));
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
            let speed = count(per_second(run.epoch_samples, run.epoch_started) as u64);
            let running = context.model.logs();
            let running = figures(running.iter().map(|(name, value)| (name.as_str(), *value)));
            bar.set_message(format!("{speed} images/s, {running}"));
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
        let expected = "epoch 1/12: loss 0.2871, accuracy 0.9123, val_loss 0.1000, 3.2 s, 18,750 images/s";
        assert_eq!(epoch_line(1, Some(12), &logs()), expected);
        assert!(epoch_line(3, None, &logs()).starts_with("epoch 3: loss"));
        assert_eq!(step_line(50, Some(20_000), 2.289_31, 1930.2), "step 50/20000: loss 2.2893, 1,930 images/s");
        assert_eq!(step_line(50, None, f64::NAN, 1.0), "step 50: loss NaN, 1 images/s");
    }
}
