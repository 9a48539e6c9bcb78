//! A decoded picture: grey, upright, opaque.

use crate::bounds::Rect;

/// What a transparent picture was laid on before it became grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The picture has no transparent pixel.
    Opaque,
    /// Transparent parts became white: the usual case.
    White,
    /// Transparent parts became black: the drawing itself is light and would vanish on white.
    Black,
    /// Every pixel was fully transparent but the colours hold a picture: alpha was ignored.
    IgnoredAlpha,
}

/// An 8-bit grey picture, upright (EXIF orientation applied) and opaque (alpha laid on [`Picture::ground`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
    /// Luminance `[height, width]`, row by row, 0 is black and 255 is white.
    pub grey: Vec<u8>,
    /// What was put under transparent parts.
    pub ground: Ground,
    /// (width, height) in the file, upright: larger than `width` and `height` for a picture that was shrunk while it was decoded
    /// ([`SHRINK_ABOVE`](crate::decode::SHRINK_ABOVE)).
    pub full: (usize, usize),
}

impl Picture {
    /// An opaque picture from luminance `[height, width]`.
    ///
    /// `None` when a side is zero or `grey` does not hold exactly `width * height` values.
    pub fn from_grey(width: usize, height: usize, grey: Vec<u8>) -> Option<Self> {
        let fits = width > 0 && height > 0 && width.checked_mul(height) == Some(grey.len());
        fits.then_some(Self { width, height, grey, ground: Ground::Opaque, full: (width, height) })
    }

    /// A box of this picture in pixels of the file that it came from.
    pub fn in_file(&self, rect: Rect) -> Rect {
        if self.full == (self.width, self.height) {
            return rect;
        }
        let along = |from: usize, size: usize, n: usize, full: usize| {
            let start = from * full / n.max(1);
            let end = ((from + size) * full).div_ceil(n.max(1)).min(full);
            (start, end.saturating_sub(start))
        };
        let (x, width) = along(rect.x, rect.width, self.width, self.full.0);
        let (y, height) = along(rect.y, rect.height, self.height, self.full.1);
        Rect { x, y, width, height }
    }
}

/// Says the size only: the pixels would drown a test's message.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{}, {:?})", self.width, self.height, self.ground)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_grey_checks_the_length() {
        assert!(Picture::from_grey(2, 3, vec![0; 6]).is_some());
        assert!(Picture::from_grey(2, 3, vec![0; 5]).is_none());
        assert!(Picture::from_grey(0, 3, vec![]).is_none());
        assert!(Picture::from_grey(usize::MAX, 2, vec![]).is_none());
    }

    #[test]
    fn boxes_in_the_file() {
        let rect = Rect { x: 1, y: 1, width: 1, height: 2 };
        let plain = Picture::from_grey(3, 3, vec![0; 9]).unwrap();
        assert_eq!(plain.in_file(rect), rect);
        // 5 × 6 pixels, shrunk by two.
        let shrunk = Picture { full: (5, 6), ..plain };
        assert_eq!(shrunk.in_file(rect), Rect { x: 1, y: 2, width: 3, height: 4 });
        assert_eq!(shrunk.in_file(Rect { x: 0, y: 0, width: 3, height: 3 }), Rect { x: 0, y: 0, width: 5, height: 6 });
    }
}
