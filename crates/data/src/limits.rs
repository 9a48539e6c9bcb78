//! Bounds that every reader checks before it takes memory.

/// Upper bounds for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one array once unpacked. Default 4 GiB.
    pub max_bytes: u64,
    /// Bounds of one picture, as for pictures to predict from.
    pub pictures: maobi_vision::Limits,
    /// Classes of one data set. Default 65,536.
    pub max_classes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 4 << 30, pictures: maobi_vision::Limits::default(), max_classes: 65_536 }
    }
}
