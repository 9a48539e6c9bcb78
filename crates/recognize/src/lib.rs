//! Reads handwriting: a picture in, what stands on it out.
//!
//! `maobi-vision` finds the ink and cuts it into glyphs, a network of `maobi-nn` says what each is, and a [`Recognizer`] is the
//! two together: with the operating point that tells digits from everything else. `docs/reading.md` of the repository is a map of all
//! steps, each with its file and the paper behind it.
//!
//! ```no_run
//! use maobi_recognize::{Options, Recognizer};
//! use maobi_vision::{Limits, decode_file};
//!
//! let recognizer = Recognizer::open("model.keras".as_ref())?;
//! let picture = decode_file("photo.jpg", &Limits::default())?;
//! let reading = recognizer.recognize(&picture, &Options::default())?;
//! if reading.rejected {
//!     println!("no digit; at best {}", reading.digits);
//! } else {
//!     println!("{} ({:.0} %)", reading.digits, 100.0 * reading.confidence);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alternatives;
pub mod built_in;
mod doubt;
mod draft;
mod error;
mod inside;
mod json;
mod options;
pub mod preprocessing;
mod reading;
mod recognizer;

pub use error::{Error, Result};
pub use options::{Layout, OperatingPoint, Options, UnknownLayout};
pub use preprocessing::{Preprocessing, Scaling};
pub use reading::{Item, Reading};
pub use recognizer::{NONE, Recognizer};
