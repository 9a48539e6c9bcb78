//! The data sets known by name, and the names of their classes.

use std::fmt;
use std::str::FromStr;

use crate::error::DataError;

/// Names of the MNIST classes, by label.
pub const MNIST_CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Names of the Fashion-MNIST classes, by label (Xiao, Rasul, Vollgraf 2017, table 1).
pub const FASHION_MNIST_CLASSES: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

/// A data set that maobi knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatasetName {
    /// Handwritten digits, 60,000 for training and 10,000 for testing (LeCun, Cortes, Burges).
    Mnist,
    /// Zalando's articles of clothing, sizes and form as MNIST.
    FashionMnist,
    /// Digits drawn by the program itself ([`crate::builtin`]): no download.
    Builtin,
}

impl DatasetName {
    /// Every name, in the order help texts list them.
    pub const ALL: [DatasetName; 3] = [DatasetName::Mnist, DatasetName::FashionMnist, DatasetName::Builtin];

    /// The name a user types, also the name of its folder.
    pub fn as_str(self) -> &'static str {
        match self {
            DatasetName::Mnist => "mnist",
            DatasetName::FashionMnist => "fashion-mnist",
            DatasetName::Builtin => "builtin",
        }
    }

    /// The name that a slip of the keyboard may have become `text`; `None` when none is close.
    pub fn nearest(text: &str) -> Option<DatasetName> {
        let text = text.to_ascii_lowercase().replace('_', "-");
        let nearest = DatasetName::ALL.into_iter().min_by_key(|name| strsim::levenshtein(&text, name.as_str()))?;
        (strsim::levenshtein(&text, nearest.as_str()) <= 2).then_some(nearest)
    }

    /// Names of its ten classes, by label.
    pub fn class_names(self) -> [&'static str; 10] {
        match self {
            DatasetName::Mnist | DatasetName::Builtin => MNIST_CLASSES,
            DatasetName::FashionMnist => FASHION_MNIST_CLASSES,
        }
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DatasetName {
    type Err = DataError;

    /// Accepts upper case and `_` for `-`, as Keras writes `fashion_mnist`.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let plain = text.trim().to_ascii_lowercase().replace('_', "-");
        DatasetName::ALL
            .into_iter()
            .find(|name| name.as_str() == plain)
            .ok_or_else(|| DataError::invalid("data set", "mnist, fashion-mnist or builtin", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in DatasetName::ALL {
            assert_eq!(name.as_str().parse::<DatasetName>().unwrap(), name);
        }
        assert_eq!("Fashion_MNIST".parse::<DatasetName>().unwrap(), DatasetName::FashionMnist);
        let near = ["mnits", "fashion_mnst", "buildin", "cifar", "pictures"].map(DatasetName::nearest);
        assert_eq!(near, [Some(DatasetName::Mnist), Some(DatasetName::FashionMnist), Some(DatasetName::Builtin), None, None]);
        let error = "cifar".parse::<DatasetName>().unwrap_err();
        assert_eq!(error.to_string(), "data set: expected mnist, fashion-mnist or builtin, found cifar");
    }
}
