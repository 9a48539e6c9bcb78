//! What is published where, and how to know that it is that.

use crate::names::DatasetName;

/// A published file.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'n> {
    /// Its name once unpacked; mirrors have it as `NAME.gz`.
    pub name: &'n str,
    /// Its bytes once unpacked.
    pub length: u64,
    /// How it is verified.
    pub check: Check<'n>,
}

/// A SHA-256 in lower case hexadecimal.
#[derive(Clone, Copy, Debug)]
pub enum Check<'n> {
    /// Of the unpacked bytes: a mirror may have packed the file anew.
    Unpacked(&'n str),
    /// Of the packed file as published.
    Packed(&'n str),
}

impl Remote<'_> {
    /// The most bytes it can take packed: gzip adds little to what does not shrink.
    pub(super) fn most_packed(&self) -> u64 {
        self.length + self.length / 100 + (1 << 16)
    }
}

const fn images(train: bool, check: Check<'static>) -> Remote<'static> {
    if train {
        Remote { name: "train-images-idx3-ubyte", length: 47_040_016, check }
    } else {
        Remote { name: "t10k-images-idx3-ubyte", length: 7_840_016, check }
    }
}

const fn labels(train: bool, check: Check<'static>) -> Remote<'static> {
    if train {
        Remote { name: "train-labels-idx1-ubyte", length: 60_008, check }
    } else {
        Remote { name: "t10k-labels-idx1-ubyte", length: 10_008, check }
    }
}

/// The original files by Y. LeCun, C. Cortes and C. Burges.
const MNIST: [Remote<'static>; 4] = [
    images(true, Check::Unpacked("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db")),
    labels(true, Check::Unpacked("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5")),
    images(false, Check::Unpacked("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7")),
    labels(false, Check::Unpacked("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")),
];

/// The original files by Zalando Research; digests of the packed files are what is published about them.
const FASHION_MNIST: [Remote<'static>; 4] = [
    images(true, Check::Packed("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84")),
    labels(true, Check::Packed("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845")),
    images(false, Check::Packed("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073")),
    labels(false, Check::Packed("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")),
];

/// The four files of a data set: training images and labels, test images and labels. None for `builtin`.
pub fn files(dataset: DatasetName) -> &'static [Remote<'static>] {
    match dataset {
        DatasetName::Mnist => &MNIST,
        DatasetName::FashionMnist => &FASHION_MNIST,
        DatasetName::Builtin => &[],
    }
}

/// Folders that have them, the quickest first. The first home of MNIST answers 403 more often than not and comes last.
pub fn mirrors(dataset: DatasetName) -> Vec<String> {
    let addresses: &[&str] = match dataset {
        DatasetName::Mnist => &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://yann.lecun.com/exdb/mnist/",
        ],
        DatasetName::FashionMnist => &[
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ],
        DatasetName::Builtin => &[],
    };
    addresses.iter().map(ToString::to_string).collect()
}
