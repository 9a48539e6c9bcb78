//! Connected pieces of ink, and which of them are the drawing.

/// How far a piece may lie from the rest of the drawing, as a share of the drawing's size.
const REACH: (usize, usize) = (2, 5);

/// A connected piece (8 neighbours) of ink.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Its pixels, as indices into the plane.
    pub pixels: Vec<usize>,
    /// left, top, right, bottom; ends exclusive.
    pub rect: (usize, usize, usize, usize),
    /// Touches the frame of the picture.
    pub touches: bool,
}

impl Piece {
    fn longest(&self) -> usize {
        (self.rect.2 - self.rect.0).max(self.rect.3 - self.rect.1)
    }
}

/// Pieces of pixels above `low` with at least one above `high`: faint ends of a stroke stay with it, faint noise does not.
pub(super) fn find(ink: &[f32], (width, height): (usize, usize), low: f32, high: f32) -> Vec<Piece> {
    let mut seen = vec![false; ink.len()];
    let mut pieces = Vec::new();
    for start in 0..ink.len() {
        if seen[start] || ink[start] <= high {
            continue;
        }
        seen[start] = true;
        let mut pixels = vec![start];
        let mut rect = (width, height, 0, 0);
        let mut next = 0;
        while next < pixels.len() {
            let (x, y) = (pixels[next] % width, pixels[next] / width);
            next += 1;
            rect = (rect.0.min(x), rect.1.min(y), rect.2.max(x + 1), rect.3.max(y + 1));
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
        let touches = rect.0 == 0 || rect.1 == 0 || rect.2 == width || rect.3 == height;
        pieces.push(Piece { pixels, rect, touches });
    }
    pieces
}

/// The pieces that make up the drawing, the main one first; empty when there is none.
pub(super) fn choose(mut pieces: Vec<Piece>, (width, height): (usize, usize)) -> Vec<Piece> {
    let weight = |piece: &Piece| {
        // Ink in the middle of the picture counts more than the same ink at its edge.
        let centre = |a: usize, b: usize, n: usize| ((a + b) as f64 / n as f64 - 1.0).abs();
        let away = centre(piece.rect.0, piece.rect.2, width).max(centre(piece.rect.1, piece.rect.3, height));
        piece.pixels.len() as f64 * (1.2 - away)
    };
    pieces.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let Some(heaviest) = pieces.first().map(weight) else { return pieces };
    // Frames, fingers, table edges and neighbours' fragments touch the picture's frame; a drawing rarely does.
    let main = pieces.iter().position(|p| !p.touches && weight(p) >= 0.25 * heaviest && p.longest() * 12 >= width.min(height));
    let main = pieces.remove(main.unwrap_or(0));
    let mut kept = vec![main];
    let mut around = kept[0].rect;
    // Broken lines join up piece by piece: what belongs is judged against all that was kept so far.
    loop {
        let (main, before) = (&kept[0], pieces.len());
        let longest = (around.2 - around.0).max(around.3 - around.1);
        let reach = longest * REACH.0 / REACH.1;
        let belongs = |piece: &mut Piece| {
            let near = piece.rect.0 <= around.2 + reach
                && piece.rect.2 + reach >= around.0
                && piece.rect.1 <= around.3 + reach
                && piece.rect.3 + reach >= around.1;
            let speck = piece.pixels.len() * 40 < main.pixels.len() || piece.longest() * 12 < longest;
            near && !speck && (main.touches || !piece.touches)
        };
        let joined: Vec<Piece> = pieces.extract_if(.., belongs).collect();
        for piece in &joined {
            let (a, b) = (around, piece.rect);
            around = (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3));
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
        assert_eq!((found[0].pixels.len(), found[0].rect, found[0].touches), (4, (1, 1, 5, 2), false));
        assert!(found[1].touches);
    }

    #[test]
    fn pieces_at_the_frame_go_when_the_drawing_is_inside() {
        let (found, size) = pieces(&["9999999999", "..........", "...99.....", "...99.....", "..........", ".........."]);
        let kept = choose(found, size);
        assert_eq!((kept.len(), kept[0].rect), (1, (3, 2, 5, 4)));
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
