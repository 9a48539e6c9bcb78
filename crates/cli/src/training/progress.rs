//! Progress by epochs: a bar on a terminal, a line for each epoch elsewhere.

use crate::output::{Console, count, duration, figures, multi, terminal};
use indicatif::{ProgressBar, ProgressStyle};
use maobi_train::Result;
use maobi_train::callbacks::{Action, BatchLogs, Callback, Context, EpochLogs};
use std::time::{Duration, Instant};

/// Time between two looks at the running figures.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows how training goes, on stderr.
pub struct Progress {
    console: Console,
    /// A line at the end of each epoch; runs by steps have their own.
    lines: bool,
    bar: Option<ProgressBar>,
    start: Instant,
    drawn: Instant,
    samples: u64,
}

impl Progress {
    /// Progress for epochs, or without their lines.
    pub fn new(console: Console, lines: bool) -> Progress {
        Progress { console, lines, bar: None, start: Instant::now(), drawn: Instant::now(), samples: 0 }
    }

    fn epochs(context: &Context<'_>) -> String {
        context.epochs.map(|n| format!("/{n}")).unwrap_or_default()
    }
}

impl Callback for Progress {
    fn name(&self) -> &'static str {
        "Progress"
    }

    fn on_epoch_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        (self.start, self.drawn, self.samples) = (Instant::now(), Instant::now(), 0);
        if self.console.quiet || !terminal() {
            return Ok(());
        }
        let (length, done) = match context.steps {
            Some(steps) => (steps, context.step),
            None => (context.steps_per_epoch as u64, context.batch as u64),
        };
        let bar = self.bar.get_or_insert_with(|| {
            let bar = multi().add(ProgressBar::new(length));
            if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}, {eta} left, {msg}") {
                bar.set_style(style);
            }
            bar
        });
        if context.steps.is_none() {
            bar.reset();
            bar.set_prefix(format!("epoch {}{}", context.epoch + 1, Self::epochs(context)));
        } else {
            bar.set_prefix("step");
        }
        bar.set_length(length);
        bar.set_position(done);
        Ok(())
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        let Some(bar) = &self.bar else { return Ok(Action::Continue) };
        self.samples += logs.samples as u64;
        let now = Instant::now();
        if now.duration_since(self.drawn) >= REDRAW {
            self.drawn = now;
            bar.set_position(if context.steps.is_some() { context.step } else { context.batch as u64 });
            let speed = self.samples as f64 / now.duration_since(self.start).as_secs_f64().max(1e-9);
            let running = context.model.logs();
            let running = figures(running.iter().map(|(name, value)| (name.as_str(), *value)));
            bar.set_message(format!("{} images/s, {running}", count(speed as u64)));
        }
        Ok(Action::Continue)
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        if self.lines {
            let shown = logs.values.iter().filter(|(name, _)| name != "learning_rate");
            let shown = figures(shown.map(|(name, value)| (name.as_str(), *value)));
            let (epochs, speed) = (Self::epochs(context), count(logs.samples_per_second as u64));
            self.console.say(&format!("epoch {}{epochs}: {shown}, {}, {speed} images/s", context.epoch, duration(logs.seconds)));
        }
        Ok(Action::Continue)
    }

    fn on_train_end(&mut self, _: &mut Context<'_>) -> Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        Ok(())
    }
}
