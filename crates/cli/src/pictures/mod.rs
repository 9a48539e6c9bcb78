//! Pictures of the user's own: which files, how they are read, many at once.

mod answers;
mod files;
mod glyphs;
mod labelled;
mod ordered;
mod patterns;
mod reader;
mod scaling;

pub use answers::Answered;
pub use files::expand;
pub use labelled::{Labelled, labelled};
pub use maobi_recognize::NONE;
pub use ordered::in_order;
pub use reader::{How, Reader, Seen};

use crate::output::{Bars, Console, error, terminal};
use maobi_data::Progress;

/// From how many pictures on a bar shows how far it is.
const MANY: usize = 8;

/// A bar for reading `count` pictures, on a terminal; elsewhere nothing, so that logs stay clean.
pub fn bar(count: usize, console: Console) -> Bars {
    let bars = Bars::new(console);
    if terminal() && count >= MANY {
        bars.start("reading pictures", Some(count as u64), 0);
    }
    bars
}

/// Reads all of `items` on all cores behind a bar and hands what was read to `take`, in order. Why an item cannot be read is printed on
/// stderr, also when reading it panics. Returns whether there was such an item; `name` names it.
///
/// # Errors
/// The first of `take`'s, which ends the work.
pub fn read_all<T: Sync, V: Send>(
    items: &[T],
    console: Console,
    name: impl Fn(&T) -> String,
    read: impl Fn(&T) -> Result<V, String> + Sync,
    mut take: impl FnMut(usize, V) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let bars = bar(items.len(), console);
    let mut failed = false;
    let all = in_order(items, read, |index, answer| {
        bars.advance(1);
        let answer = answer.unwrap_or_else(|panicked| {
            let name = name(&items[index]);
            Err(format!("{name}: reading it failed inside maobi ({}); please report this with the file", panicked.message()))
        });
        match answer {
            Ok(value) => take(index, value),
            Err(reason) => {
                error(&reason);
                failed = true;
                Ok(())
            }
        }
    });
    bars.finish();
    all.map(|()| failed)
}

/// A bar for steps of training.
pub fn steps_bar(steps: u64, console: Console) -> Bars {
    let bars = Bars::new(console);
    if terminal() {
        bars.start("reading again and again", Some(steps), 0);
    }
    bars
}
