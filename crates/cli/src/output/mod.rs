//! What the user sees: results on stdout, everything else on stderr, nothing that panics when nobody listens.

mod bars;
mod console;
mod format;
mod quoted;

pub use bars::{Bars, terminal};
pub use console::{Console, error, multi, raw};
pub use format::{column, percent};
pub use maobi_train::figures::{count, duration, figures, rounded};
pub use quoted::quoted;
