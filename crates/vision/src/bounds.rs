//! Boxes: on a plane, and in a picture.

/// A rectangle in pixels of the picture it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A box of a plane's pixels: ends exclusive, never empty unless it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Bounds {
    /// Holds nothing; joined with any box it gives that box.
    pub const NOTHING: Self = Self { left: usize::MAX, top: usize::MAX, right: 0, bottom: 0 };

    pub fn new(left: usize, top: usize, right: usize, bottom: usize) -> Self {
        Self { left, top, right, bottom }
    }

    pub fn width(&self) -> usize {
        self.right.saturating_sub(self.left)
    }

    pub fn height(&self) -> usize {
        self.bottom.saturating_sub(self.top)
    }

    pub fn longest(&self) -> usize {
        self.width().max(self.height())
    }

    pub fn is_empty(&self) -> bool {
        self.width() == 0 || self.height() == 0
    }

    /// The smallest box around both.
    pub fn join(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// The box with a pixel taken in.
    pub fn with(self, x: usize, y: usize) -> Self {
        self.join(Self::new(x, y, x + 1, y + 1))
    }
}
