//! The model in the box: a network of the recipe `digits`, part of the program. `model/README.md` is its card.

use crate::error::Result;
use crate::recognizer::Recognizer;
use std::path::Path;

/// The file, as Keras reads it too.
pub const FILE: &[u8] = include_bytes!("../model/digits.keras");

/// Its name in messages.
pub const NAME: &str = "the model in the box";

impl Recognizer {
    /// With the model in the box, which knows the ten digits and what is none.
    ///
    /// ```
    /// let recognizer = maobi_recognize::Recognizer::built_in()?;
    /// assert_eq!(recognizer.classes().len(), 10);
    /// assert!(recognizer.knows_none());
    /// # Ok::<(), maobi_recognize::Error>(())
    /// ```
    ///
    /// # Errors
    /// None that could happen to a program that was built from its sources as they are.
    pub fn built_in() -> Result<Self> {
        Self::of(maobi_formats::keras::load_bytes(Path::new(NAME), FILE.to_vec(), 0)?, NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small_and_whole() {
        assert!(FILE.len() <= 1_000_000, "{} bytes", FILE.len());
        let recognizer = Recognizer::built_in().unwrap();
        assert_eq!((recognizer.frame(), recognizer.classes().join("")), ((28, 28), "0123456789".into()));
        assert!(recognizer.knows_none());
    }
}
