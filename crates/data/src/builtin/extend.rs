//! A data set of digits with built-in pictures beside it.

use super::{CLASSES, PIXELS, many_hands, non_digits};
use crate::dataset::Dataset;
use crate::error::DataError;

/// Name of the class of pictures that show no digit.
pub const NONE: &str = "none";

/// The seed that separates these pictures from the built-in data set's own.
const SEED: u64 = 0x6D61_6F62;

/// The images of `set`, then `digits` of [`many_hands`], then `others` pictures without a digit, whose class is a new one, the last,
/// called [`NONE`]. With neither the set stays as it is.
///
/// # Errors
/// [`DataError::Invalid`] when the set does not hold the ten digits as 28 × 28 grey pictures.
pub fn extend(set: &Dataset, digits: usize, others: usize) -> Result<Dataset, DataError> {
    if digits + others == 0 {
        return Ok(set.clone());
    }
    if set.shape() != [28, 28, 1] || set.classes() != CLASSES {
        let found = format!("{} classes of pictures of {:?}", set.classes(), set.shape());
        return Err(DataError::invalid(set.name(), "ten digits of 28 x 28 x 1, to put built-in pictures beside them", found));
    }
    let drawn = many_hands(SEED, digits);
    let mut images = Vec::with_capacity((set.len() + digits + others) * PIXELS);
    set.iter().for_each(|(image, _)| images.extend_from_slice(image));
    images.extend_from_slice(&drawn.images);
    images.extend_from_slice(&non_digits(SEED, others));
    let mut labels: Vec<u32> = set.labels().chain(drawn.labels.iter().map(|&label| u32::from(label))).collect();
    let mut names = set.class_names().to_vec();
    if others > 0 {
        labels.resize(labels.len() + others, CLASSES as u32);
        names.push(NONE.into());
    }
    Dataset::new(set.name().to_owned(), images, labels, set.shape(), names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::generate;

    #[test]
    fn built_in_pictures_come_behind_and_none_is_the_last_class() {
        let digits = generate(1, 20);
        let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        let labels = digits.labels.iter().map(|&l| u32::from(l)).collect();
        let set = Dataset::new("s", digits.images, labels, [28, 28, 1], names.clone()).unwrap();
        let more = extend(&set, 30, 5).unwrap();
        assert_eq!((more.len(), more.classes(), more.class_names().last().map(String::as_str)), (55, 11, Some("none")));
        assert_eq!((more.image(19), more.label(19)), (set.image(19), set.label(19)));
        assert!((50..55).all(|at| more.label(at) == 10) && (0..50).all(|at| more.label(at) < 10));
        assert_eq!(extend(&set, 3, 0).unwrap().classes(), 10);
        assert_eq!(extend(&set, 0, 0).unwrap().len(), 20);
        let other = Dataset::new("s", vec![0; 4], vec![0], [2, 2, 1], names).unwrap();
        assert!(extend(&other, 1, 0).is_err());
    }
}
