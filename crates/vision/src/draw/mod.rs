//! Small PNG drawings for reports: training curves, confusion matrix, contact sheets, a picture's way
//! to an answer.
//!
//! Everything is rasterised here, font included, so that reports need neither a plotting library nor fonts on the machine.
//! Every function returns a whole PNG file, whatever it is given.

mod axis;
mod canvas;
mod confusion;
mod curves;
mod explain;
mod font;
mod sheet;

pub use confusion::confusion_png;
pub use curves::{Curves, Panel, Series, curves_png};
pub use explain::{Seen, explain_png};
pub use sheet::{Labelled, Mistake, mistakes_png, preview_png};
