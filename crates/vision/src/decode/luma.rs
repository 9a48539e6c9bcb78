//! The luminance of a color.

/// Luminance as PIL's mode "L" has it: `(19595 R + 38470 G + 7471 B + 32768) >> 16` (ITU-R 601-2).
pub(super) fn luma(r: u8, g: u8, b: u8) -> u8 {
    ((19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b) + 32768) >> 16) as u8
}

/// 0…65535 to 0…255, rounded.
pub(super) fn narrow(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// As [`luma`], from 0…65535 to 0…255.
pub(super) fn luma16(r: u16, g: u16, b: u16) -> u8 {
    narrow(((19595 * u64::from(r) + 38470 * u64::from(g) + 7471 * u64::from(b) + 32768) >> 16) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_is_pils() {
        // Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0)), Pillow 13
        let expected = [((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29), ((12, 200, 77), 130), ((255, 255, 255), 255)];
        for ((r, g, b), grey) in expected {
            assert_eq!(luma(r, g, b), grey, "{r} {g} {b}");
        }
    }

    #[test]
    fn sixteen_bits_round() {
        assert_eq!([0u16, 128, 129, 257, 32768, 65535].map(narrow), [0, 0, 1, 1, 128, 255]);
        assert_eq!(luma16(65535, 65535, 65535), 255);
    }
}
