//! From any picture to what a network sees.
//!
//! Three parts, in the order a picture goes through them:
//!
//! * [`decode`]: file or bytes to an 8-bit gray [`Picture`], or to RGB — format by content, EXIF orientation, alpha, limits, cost;
//! * [`preprocess`]: [`Picture`] to the small white-on-black image MNIST networks were trained on. The only place where
//!   pixels of a user's own picture are normalised: command line, library and server all call [`prepare`];
//! * [`segment`](mod@segment): [`Picture`] to everything on it that may be a digit, for a network to choose from: lines, touching
//!   digits, broken strokes;
//!
//! ```
//! use maobi_vision::{Limits, Preprocess, decode_file, prepare};
//!
//! let picture = decode_file("../../fixtures/pictures/seven.png", &Limits::default())?;
//! let prepared = prepare(&picture, Preprocess::Auto, (28, 28));
//! assert_eq!((prepared.pixels.len(), prepared.blank), (28 * 28, false));
//! # Ok::<(), maobi_vision::DecodeError>(())
//! ```

mod bounds;
pub mod decode;
mod effort;
mod glyph;
mod ink;
mod picture;
mod pieces;
pub mod preprocess;
mod resize;
pub mod segment;
mod stage;

pub use decode::{Cost, DecodeError, Limits, cost, decode_bytes, decode_color, decode_file};
pub use effort::{Effort, TooMuch};
pub use picture::{Ground, Picture};
pub use preprocess::{Polarity, Prepared, Preprocess, Rect, explain, prepare};
pub use segment::{Candidate, Score, Segmentation, segment, segment_within};
pub use stage::Stage;
