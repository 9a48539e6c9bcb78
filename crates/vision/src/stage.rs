//! What the stages of a pipeline made, kept for a picture that explains them.

use crate::bounds::Rect;

/// One stage's picture, for `maobi_draw::explain_png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What it shows, a few words.
    pub title: String,
    /// Grey values `[height, width]`.
    pub grey: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Boxes to outline, in its pixels.
    pub boxes: Vec<Rect>,
}

impl Stage {
    /// Values `[height, width]`, of which `black` is shown black and `white` white.
    pub fn of_values(title: &str, values: &[f32], width: usize, (black, white): (f32, f32)) -> Self {
        let span = if white == black { 1.0 } else { white - black };
        // `as` clamps, and turns NaN into 0.
        let grey: Vec<u8> = values.iter().map(|v| ((v - black) / span * 255.0).round() as u8).collect();
        Self::of_grey(title, grey, width)
    }

    /// Grey values `[height, width]`; a last row that is cut short is left out.
    pub fn of_grey(title: &str, mut grey: Vec<u8>, width: usize) -> Self {
        let height = grey.len().checked_div(width).unwrap_or(0);
        grey.truncate(height * width);
        Self { title: title.to_owned(), grey, width, height, boxes: Vec::new() }
    }

    /// Pixels `[height, width]`: set ones white.
    pub fn of_mask(title: &str, mask: &[bool], width: usize) -> Self {
        Self::of_grey(title, mask.iter().map(|&is| if is { 255 } else { 0 }).collect(), width)
    }

    /// Outlines a box, in the stage's pixels.
    pub fn with_box(mut self, rect: Rect) -> Self {
        self.boxes.push(rect);
        self
    }
}

/// Where stages go; a stage is made only when somebody wants it.
pub(crate) type Trace<'a> = &'a mut dyn FnMut(&dyn Fn() -> Stage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_masks_and_rows_cut_short() {
        let stage = Stage::of_values("ink", &[-5.0, 0.0, 50.0, 100.0, 900.0, f32::NAN, 7.0], 3, (0.0, 100.0));
        assert_eq!((stage.width, stage.height, &stage.grey[..]), (3, 2, &[0, 0, 128, 255, 255, 0][..]));
        assert_eq!(Stage::of_values("", &[1.0], 1, (2.0, 2.0)).grey, [0]);
        assert_eq!(Stage::of_mask("", &[true, false], 1).grey, [255, 0]);
        assert_eq!((Stage::of_grey("", vec![1, 2], 0).grey.len(), Stage::of_grey("", vec![1, 2], 3).height), (0, 0));
    }
}
