//! How large a picture may be before it is refused.

/// Bounds checked before memory is taken for the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Largest picture, width × height.
    pub max_pixels: u64,
}

impl Default for Limits {
    /// 64 MB of file and 100 million pixels: above every phone camera, below what hurts a laptop.
    fn default() -> Self {
        Self { max_bytes: 64_000_000, max_pixels: 100_000_000 }
    }
}

impl Limits {
    /// What the decoder itself may allocate: eight bytes a pixel (16-bit RGBA), the compressed file and some tables.
    pub(super) fn max_alloc(&self) -> u64 {
        self.max_pixels.saturating_mul(8).saturating_add(self.max_bytes).saturating_add(16_000_000)
    }
}
