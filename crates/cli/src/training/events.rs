//! `--json`: one object for each epoch.

use crate::output::Console;
use maobi_train::Result;
use maobi_train::callbacks::{Action, Callback, Context, EpochLogs};
use serde_json::{Map, Value, json};

/// Prints `{"event":"epoch",…}`.
pub struct EpochEvents {
    /// Where to.
    pub console: Console,
}

impl Callback for EpochEvents {
    fn name(&self) -> &'static str {
        "EpochEvents"
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let mut event = Map::new();
        event.insert("event".into(), json!("epoch"));
        // The position has moved on to the next epoch already, whose number from 0 is this one's from 1.
        event.insert("epoch".into(), json!(context.epoch));
        event.extend(logs.values.iter().map(|(name, value)| (name.clone(), json!(value))));
        event.insert("seconds".into(), json!(logs.seconds));
        event.insert("images_per_second".into(), json!(logs.samples_per_second));
        // Training is worth more than its report: it goes on when nobody reads any more.
        let _ = self.console.event(&Value::Object(event));
        Ok(Action::Continue)
    }
}
