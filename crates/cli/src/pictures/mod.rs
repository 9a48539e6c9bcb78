//! Pictures of the user's own: which files, how they are read, many at once.

mod answers;
mod files;
mod glyphs;
mod labelled;
mod ordered;
mod reader;
mod scaling;

pub use answers::Answered;
pub use files::expand;
pub use labelled::{Labelled, NONE, labelled};
pub use ordered::in_order;
pub use reader::{How, Reader, Seen};

use crate::output::{Bars, Console, terminal};
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

/// The same for steps of training.
pub fn steps_bar(steps: u64, console: Console) -> Bars {
    let bars = Bars::new(console);
    if terminal() {
        bars.start("reading again and again", Some(steps), 0);
    }
    bars
}
