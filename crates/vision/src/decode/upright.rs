//! EXIF orientation.

use image::metadata::Orientation;

/// Side of the squares that are turned at a time, so that what is read and what is written both stay in the cache.
const SQUARE: usize = 32;

/// Whether rows become columns.
pub(super) fn turns(orientation: Orientation) -> bool {
    use Orientation::*;
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Turns and mirrors `[height, width, N]` as the orientation says; also the new (width, height).
pub(super) fn upright<const N: usize>(
    values: Vec<u8>,
    (w, h): (usize, usize),
    orientation: Orientation,
) -> (Vec<u8>, (usize, usize)) {
    let (mirrored, flipped, turned) = match orientation {
        Orientation::NoTransforms => return (values, (w, h)),
        Orientation::FlipHorizontal => (true, false, false),
        Orientation::Rotate180 => (true, true, false),
        Orientation::FlipVertical => (false, true, false),
        // Rows become columns first; then the picture is mirrored or flipped.
        Orientation::Rotate90FlipH => (false, false, true),
        Orientation::Rotate90 => (true, false, true),
        Orientation::Rotate270FlipH => (true, true, true),
        Orientation::Rotate270 => (false, true, true),
    };
    let (nw, nh) = if turned { (h, w) } else { (w, h) };
    let pixels = values.as_chunks::<N>().0;
    let mut out = vec![[0; N]; pixels.len()];
    for (top, left) in (0..nh).step_by(SQUARE).flat_map(|y| (0..nw).step_by(SQUARE).map(move |x| (y, x))) {
        for y in top..(top + SQUARE).min(nh) {
            let from_y = if flipped { nh - 1 - y } else { y };
            for x in left..(left + SQUARE).min(nw) {
                let from_x = if mirrored { nw - 1 - x } else { x };
                let from = if turned { from_x * w + from_y } else { from_y * w + from_x };
                out[y * nw + x] = pixels[from];
            }
        }
    }
    (out.into_flattened(), (nw, nh))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage};

    #[test]
    fn agrees_with_the_image_crate() {
        let (w, h) = (71, 40);
        let grey: Vec<u8> = (0..w * h).map(|i| (i * 31 % 251) as u8).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut theirs = DynamicImage::ImageLuma8(GrayImage::from_raw(w as u32, h as u32, grey.clone()).unwrap());
            theirs.apply_orientation(orientation);
            let (ours, size) = upright::<1>(grey.clone(), (w, h), orientation);
            assert_eq!(size, (theirs.width() as usize, theirs.height() as usize), "{exif}");
            assert_eq!(ours, theirs.to_luma8().into_raw(), "{exif}");
            let rgb = grey.iter().flat_map(|&v| [v, v / 2, 255 - v]).collect();
            let expected = ours.iter().flat_map(|&v| [v, v / 2, 255 - v]).collect::<Vec<u8>>();
            assert_eq!(upright::<3>(rgb, (w, h), orientation), (expected, size), "{exif}");
        }
    }
}
