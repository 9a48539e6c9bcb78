//! Which pixels are ink, cut out with their box.

use crate::bounds::Bounds;

/// Ink or not, `[height, width]`, its box touching ink on all four sides.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub width: usize,
    pub height: usize,
    pub ink: Vec<bool>,
    /// The box on the plane that the pixels were taken from.
    pub bounds: Bounds,
}

impl Mask {
    /// From indices of pixels on a plane `plane_width` wide; `None` when there are none.
    pub fn of(pixels: impl Iterator<Item = usize> + Clone, plane_width: usize) -> Option<Self> {
        let bounds = pixels.clone().fold(Bounds::NOTHING, |b, i| b.with(i % plane_width, i / plane_width));
        if bounds.is_empty() {
            return None;
        }
        let (width, height) = (bounds.width(), bounds.height());
        let mut ink = vec![false; width * height];
        pixels.for_each(|i| ink[(i / plane_width - bounds.top) * width + i % plane_width - bounds.left] = true);
        Some(Self { width, height, ink, bounds })
    }

    /// Whether there is ground that ink encloses, of more than a few pixels.
    pub fn encloses(&self) -> bool {
        const FEW: usize = 4;
        let (mut open, (w, h)) = self.padded(1);
        let mut stack = vec![0];
        while let Some(i) = stack.pop() {
            // Ground that was reached counts as ink from here on.
            if open[i] {
                continue;
            }
            open[i] = true;
            let (x, y) = (i % w, i / w);
            let inside = [x > 0, x + 1 < w, y > 0, y + 1 < h];
            let beside = [i.wrapping_sub(1), i + 1, i.wrapping_sub(w), i + w];
            stack.extend(inside.into_iter().zip(beside).filter(|p| p.0).map(|p| p.1));
        }
        open.iter().filter(|reached| !**reached).count() > FEW
    }

    /// With `room` empty pixels on each side; also (width, height).
    pub fn padded(&self, room: usize) -> (Vec<bool>, (usize, usize)) {
        let (w, h) = (self.width + 2 * room, self.height + 2 * room);
        let mut out = vec![false; w * h];
        for (y, row) in self.ink.chunks_exact(self.width).enumerate() {
            out[(y + room) * w + room..][..self.width].copy_from_slice(row);
        }
        (out, (w, h))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_out_and_padded() {
        let mask = Mask::of([11, 22, 23].into_iter(), 10).unwrap();
        assert_eq!((mask.width, mask.height, mask.bounds), (3, 2, Bounds::new(1, 1, 4, 3)));
        assert_eq!(mask.ink, [true, false, false, false, true, true]);
        let (padded, size) = mask.padded(1);
        assert_eq!((size, padded.iter().filter(|i| **i).count(), padded[6]), ((5, 4), 3, true));
        assert!(Mask::of(std::iter::empty(), 10).is_none());
    }

    #[test]
    fn a_loop_encloses_a_bay_does_not() {
        let square = |gap: bool| {
            let ink = move |i: &usize| {
                let (x, y) = (i % 10, i / 10);
                (x == 0 || x == 9 || y == 0 || y == 9) && !(gap && x == 9 && y == 4)
            };
            Mask::of((0..100).filter(ink).collect::<Vec<_>>().into_iter(), 10).unwrap()
        };
        assert!(square(false).encloses());
        assert!(!square(true).encloses());
    }
}
