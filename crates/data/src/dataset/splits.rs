//! [`Splits`]: what a source delivers.

use super::Dataset;
use crate::error::DataError;

/// A data set as it is published: a part for training, one for testing and, where there is one, a part for validation.
#[derive(Clone, Debug)]
pub struct Splits {
    /// What the network learns from.
    pub train: Dataset,
    /// What it is judged by.
    pub test: Dataset,
    /// What is looked at while it learns.
    pub validation: Option<Dataset>,
}

impl Splits {
    /// Puts two parts together.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when image shapes or class names differ.
    pub fn new(train: Dataset, test: Dataset) -> Result<Self, DataError> {
        if train.shape() != test.shape() {
            let expected = format!("test images of the training images' shape {:?}", train.shape());
            return Err(DataError::invalid(train.name(), expected, format!("{:?}", test.shape())));
        }
        if train.class_names() != test.class_names() {
            let expected = format!("test classes equal to the training classes {:?}", train.class_names());
            return Err(DataError::invalid(train.name(), expected, format!("{:?}", test.class_names())));
        }
        Ok(Splits { train, test, validation: None })
    }

    /// Moves the first `count` training images to `validation`, as `keras-lenet` does with 5,000.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when fewer than `count` are there.
    pub fn validate_on_head(self, count: usize) -> Result<Self, DataError> {
        let (validation, train) = self.train.split_head(count)?;
        Ok(Splits { train, test: self.test, validation: Some(validation) })
    }

    /// Moves the last `fraction` of the training images to `validation`, as Keras' `validation_split` does.
    ///
    /// # Errors
    /// Those of [`Dataset::split_tail`].
    pub fn validate_on_tail(self, fraction: f64) -> Result<Self, DataError> {
        let (train, validation) = self.train.split_tail(fraction)?;
        Ok(Splits { train, test: self.test, validation: Some(validation) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(count: usize, side: usize, class: &str) -> Dataset {
        Dataset::new("s", vec![0; count * side], vec![0; count], [side, 1, 1], vec![class.into()]).unwrap()
    }

    #[test]
    fn parts_must_agree() {
        assert!(Splits::new(set(2, 1, "a"), set(1, 2, "a")).is_err());
        assert!(Splits::new(set(2, 1, "a"), set(1, 1, "b")).is_err());
        let splits = Splits::new(set(10, 1, "a"), set(1, 1, "a")).unwrap().validate_on_head(4).unwrap();
        assert_eq!((splits.train.len(), splits.validation.unwrap().len()), (6, 4));
        let splits = Splits::new(set(10, 1, "a"), set(1, 1, "a")).unwrap().validate_on_tail(0.2).unwrap();
        assert_eq!((splits.train.len(), splits.validation.unwrap().len()), (8, 2));
    }
}
