//! Connected pieces of ink, and which of them are the drawing.

use crate::bounds::Bounds;

/// How far a piece may lie from the rest of the drawing, as a share of the drawing's size.
const REACH: (usize, usize) = (2, 5);

/// A connected piece (8 neighbours) of ink.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Its pixels, as indices into the plane.
    pub pixels: Vec<usize>,
    pub bounds: Bounds,
    /// Touches the frame of the picture.
    pub touches: bool,
}

impl Piece {
    pub fn longest(&self) -> usize {
        self.bounds.longest()
    }
}

/// Pieces of pixels above `low` with at least one above `high`: faint ends of a stroke stay with it, faint noise does not.
pub(crate) fn find(ink: &[f32], (width, height): (usize, usize), low: f32, high: f32) -> Vec<Piece> {
    let mut seen = vec![false; ink.len()];
    let mut pieces = Vec::new();
    for start in 0..ink.len() {
        if seen[start] || ink[start] <= high {
            continue;
        }
        seen[start] = true;
        let mut pixels = vec![start];
        let mut bounds = Bounds::NOTHING;
        let mut next = 0;
        while next < pixels.len() {
            let (x, y) = (pixels[next] % width, pixels[next] / width);
            next += 1;
            bounds = bounds.with(x, y);
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    let i = ny * width + nx;
                    if !seen[i] && ink[i] > low {
                        seen[i] = true;
                        pixels.push(i);
                    }
                }
            }
        }
        let touches = bounds.left == 0 || bounds.top == 0 || bounds.right == width || bounds.bottom == height;
        pieces.push(Piece { pixels, bounds, touches });
    }
    pieces
}

/// The pieces that make up the drawing, the main one first; empty when there is none.
pub(crate) fn choose(mut pieces: Vec<Piece>, (width, height): (usize, usize)) -> Vec<Piece> {
    let weight = |piece: &Piece| {
        // Ink in the middle of the picture counts more than the same ink at its edge.
        let centre = |a: usize, b: usize, n: usize| ((a + b) as f64 / n as f64 - 1.0).abs();
        let away =
            centre(piece.bounds.left, piece.bounds.right, width).max(centre(piece.bounds.top, piece.bounds.bottom, height));
        piece.pixels.len() as f64 * (1.2 - away)
    };
    pieces.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let Some(heaviest) = pieces.first().map(weight) else { return pieces };
    // Frames, fingers, table edges and neighbours' fragments touch the picture's frame; a drawing rarely does.
    let main = pieces.iter().position(|p| !p.touches && weight(p) >= 0.25 * heaviest && p.longest() * 12 >= width.min(height));
    let main = pieces.remove(main.unwrap_or(0));
    let mut kept = vec![main];
    let mut around = kept[0].bounds;
    // Broken lines join up piece by piece: what belongs is judged against all that was kept so far.
    loop {
        let (main, before) = (&kept[0], pieces.len());
        let longest = around.longest();
        let reach = longest * REACH.0 / REACH.1;
        let belongs = |piece: &mut Piece| {
            let near = piece.bounds.left <= around.right + reach
                && piece.bounds.right + reach >= around.left
                && piece.bounds.top <= around.bottom + reach
                && piece.bounds.bottom + reach >= around.top;
            let speck = piece.pixels.len() * 40 < main.pixels.len() || piece.longest() * 12 < longest;
            near && !speck && (main.touches || !piece.touches)
        };
        let joined: Vec<Piece> = pieces.extract_if(.., belongs).collect();
        for piece in &joined {
            around = around.join(piece.bounds);
        }
        kept.extend(joined);
        if pieces.len() == before {
            return kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(rows: &[&str]) -> (Vec<Piece>, (usize, usize)) {
        let size = (rows[0].len(), rows.len());
        let ink: Vec<f32> = rows.concat().bytes().map(|b| if b == b'.' { 0.0 } else { f32::from(b - b'0') }).collect();
        (find(&ink, size, 2.0, 5.0), size)
    }

    #[test]
    fn faint_ends_stay_faint_noise_goes() {
        let (found, _) = pieces(&["..........", ".3393..3..", "......1...", ".........9"]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].pixels.len(), found[0].bounds, found[0].touches), (4, Bounds::new(1, 1, 5, 2), false));
        assert!(found[1].touches);
    }

    #[test]
    fn pieces_at_the_frame_go_when_the_drawing_is_inside() {
        let (found, size) = pieces(&["9999999999", "..........", "...99.....", "...99.....", "..........", ".........."]);
        let kept = choose(found, size);
        assert_eq!((kept.len(), kept[0].bounds), (1, Bounds::new(3, 2, 5, 4)));
    }

    #[test]
    fn a_drawing_that_touches_is_kept() {
        let (found, size) = pieces(&["...9......", "...9......", "...9......", ".........."]);
        assert_eq!(choose(found, size).len(), 1);
        assert!(choose(Vec::new(), size).is_empty());
    }

    #[test]
    fn two_strokes_of_one_drawing_stay_together() {
        let (found, size) =
            pieces(&["..........", "...9999...", "..........", "...9......", "...999....", "..........", ".........."]);
        assert_eq!(choose(found, size).len(), 2);
    }
}
