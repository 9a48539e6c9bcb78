//! Small PNG drawings for reports: training curves, a confusion matrix, contact sheets, and what each stage made of a picture.
//!
//! Everything is rasterized here, font included, so reports need neither a plotting library nor fonts on the machine. Every function
//! returns a whole PNG file, whatever it is given.
//!
//! ```
//! use maobi_draw::{Labelled, preview_png};
//!
//! let image = [0u8, 255, 255, 0];
//! let png = preview_png(&[Labelled { image: &image, height: 2, width: 2, channels: 1, label: "7" }]);
//! assert!(png.starts_with(b"\x89PNG"));
//! ```

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
