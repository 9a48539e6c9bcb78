//! How large a picture may be before it is refused.

/// Bounds checked before memory is taken for the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Largest picture, width × height.
    pub max_pixels: u64,
    /// Longest side, in pixels.
    pub max_side: u32,
}

impl Default for Limits {
    /// 64 MB of file and 100 million pixels: above every phone camera, below what hurts a laptop. A side of 32,767 pixels: above every
    /// panorama; what is longer is no picture of writing but a mistake or an attack.
    fn default() -> Self {
        Self { max_bytes: 64_000_000, max_pixels: 100_000_000, max_side: 32_767 }
    }
}

impl Limits {
    /// What the decoder itself may allocate: eight bytes a pixel (16-bit RGBA), the compressed file and some tables.
    pub(super) fn max_alloc(&self) -> u64 {
        self.max_pixels.saturating_mul(8).saturating_add(self.max_bytes).saturating_add(16_000_000)
    }
}
