//! Progress of downloads and of reading many pictures.

use super::console::{Console, multi};
use indicatif::{ProgressBar, ProgressStyle};
use maobi_data::Progress;
use std::io::IsTerminal;
use std::sync::Mutex;

/// Whether stderr is a terminal, where bars can move.
pub fn terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Bars on a terminal, a line for each start elsewhere.
pub struct Bars {
    console: Console,
    bar: Mutex<Option<ProgressBar>>,
}

impl Bars {
    /// Bars that are silent when the console is.
    pub fn new(console: Console) -> Bars {
        Bars { console, bar: Mutex::new(None) }
    }

    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A bar is of no use after a panic elsewhere.
        if let Ok(mut bar) = self.bar.lock() {
            act(&mut bar);
        }
    }
}

impl Progress for Bars {
    fn start(&self, what: &str, total: Option<u64>, done: u64) {
        if self.console.quiet {
            return;
        }
        if !terminal() {
            self.console.say(what);
            return;
        }
        // Pictures are counted, everything else is bytes.
        let units = if what.starts_with("reading") { "{pos}/{len}" } else { "{bytes}/{total_bytes}, {bytes_per_sec}" };
        let style = ProgressStyle::with_template(&format!("{{msg}} {{wide_bar}} {units}, {{eta}}"));
        let bar = multi().add(total.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(maobi_nn::text::escaped(what).into_owned());
        bar.set_position(done);
        self.with(|slot| *slot = Some(bar));
    }

    fn advance(&self, units: u64) {
        self.with(|slot| {
            if let Some(bar) = slot {
                bar.inc(units);
            }
        });
    }

    fn finish(&self) {
        self.with(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
    }

    fn message(&self, text: &str) {
        self.console.say(text);
    }
}
