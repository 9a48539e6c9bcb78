//! What speaks against a reading, beside what the network says of each glyph.

use crate::options::OperatingPoint;
use crate::reading::Item;
use maobi_vision::{Prepared, Rect};

/// Strokes more uneven than this speak against a pen.
const EVEN: f32 = 0.25;

/// A glyph narrower than this, against its length, is a bare bar: nearly every 1 and hardly any other digit.
const BAR: f32 = 0.28;

/// Probability that a picture's one glyph is no digit: the network's `none`, and what the rest of the picture adds to its odds.
pub(crate) fn alone(none: f32, single: &Prepared, point: &OperatingPoint) -> f32 {
    let against = point.beside * (1.0 - single.share) + point.uneven * (single.uneven - EVEN).max(0.0);
    // A network without that class says 0, and 0 it stays.
    let odds = none / (1.0 - none).max(f32::MIN_POSITIVE) * against.exp();
    if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 }
}

/// Whether several digits in a picture (and frames that wide), which hold that share of the ink and were cut apart at such a cost, are
/// likelier to be something else.
///
/// Bars are everywhere: stripes, seams, trousers, the stems of letters. A reading that rests on them must hold all of the ink, be cut
/// out of nothing, and not run through the picture from top to bottom.
pub(crate) fn several(items: &[Item], (share, cost): (f32, f32), (whole, width): (Rect, usize), point: &OperatingPoint) -> bool {
    let accepted: Vec<&Item> = items.iter().filter(|item| !item.rejected).collect();
    let n = accepted.len().max(1) as f32;
    let solid = accepted.iter().filter(|item| !is_bar(&item.pixels, width)).count() as f32;
    let mean = accepted.iter().map(|item| item.confidence().max(f32::MIN_POSITIVE).ln()).sum::<f32>() / n;
    let through = |item: &&Item| item.rect.y * 20 <= whole.height && (item.rect.y + item.rect.height) * 20 >= 19 * whole.height;
    mean < point.sure.ln()
        || share < point.share + 0.1 * (3.0 - solid).max(0.0)
        || cost > point.torn * (2.0 + solid / n) / 3.0 * (n - 1.0).max(1.0)
        || (solid == 0.0 && accepted.iter().all(through))
}

/// Whether a glyph in a frame that wide is a bare bar: the spread of its ink across against the spread along, by its second moments.
fn is_bar(pixels: &[u8], width: usize) -> bool {
    let width = width.max(1);
    let cells = || pixels.iter().enumerate().map(|(i, &v)| (f32::from(v), (i % width) as f32, (i / width) as f32));
    let mass: f32 = cells().map(|(v, ..)| v).sum::<f32>().max(1.0);
    let mean = |of: &dyn Fn(f32, f32) -> f32| cells().map(|(v, x, y)| v * of(x, y)).sum::<f32>() / mass;
    let (mx, my) = (mean(&|x, _| x), mean(&|_, y| y));
    let (xx, yy) = (mean(&|x, _| (x - mx) * (x - mx)), mean(&|_, y| (y - my) * (y - my)));
    let xy = mean(&|x, y| (x - mx) * (y - my));
    // Eigenvalues of the covariance: variance along and across.
    let (half, apart) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    half - apart < BAR * BAR * (half + apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Rect = Rect { x: 0, y: 0, width: 200, height: 100 };

    /// A glyph that the network is sure of, drawn by `ink`, in the picture's rows `y` to `y + height`.
    fn item((y, height): (usize, usize), ink: impl Fn(f32, f32) -> bool) -> Item {
        let pixels = (0..784).map(|i| if ink((i % 28) as f32, (i / 28) as f32) { 255 } else { 0 }).collect();
        Item {
            digit: 1,
            class: "1".into(),
            probability: 0.999,
            probabilities: vec![],
            none: 0.001,
            rect: Rect { x: 10, y, width: 20, height },
            line: 0,
            rejected: false,
            pixels,
        }
    }

    /// A slanted bar.
    fn bar(rows: (usize, usize)) -> Item {
        item(rows, |x, y| (x - 14.0 + 0.4 * (y - 14.0)).abs() < 2.0 && (4.0..24.0).contains(&y))
    }

    fn ring() -> Item {
        item((20, 60), |x, y| ((x - 14.0).hypot(y - 14.0) - 8.0).abs() < 1.5)
    }

    #[test]
    fn bars() {
        assert!(is_bar(&bar((20, 60)).pixels, 28) && !is_bar(&ring().pixels, 28));
        let seven = item((20, 60), |x, y| {
            (y - 5.0).abs() < 1.5 && (8.0..20.0).contains(&x) || (x - 20.0 + 0.4 * (y - 4.0)).abs() < 1.5 && y > 4.0 && y < 24.0
        });
        assert!(!is_bar(&seven.pixels, 28));
    }

    #[test]
    fn bars_must_hold_all_ink_and_be_whole() {
        let point = OperatingPoint::default();
        let doubtful = |items: &[Item], share, cost| several(items, (share, cost), (WHOLE, 28), &point);
        let eleven = [bar((20, 60)), bar((20, 60))];
        assert!(!doubtful(&eleven, 1.0, 0.2));
        // With ink beside them; cut out of one mark, as V is; stripes through the picture.
        assert!(doubtful(&eleven, 0.9, 0.2) && doubtful(&eleven, 1.0, 1.4));
        assert!(doubtful(&[bar((0, 100)), bar((0, 100))], 1.0, 0.2));
        let zeros = [ring(), ring(), ring()];
        assert!(!doubtful(&zeros, 0.7, 2.8) && doubtful(&zeros, 0.6, 0.2) && doubtful(&zeros, 1.0, 3.2));
    }

    #[test]
    fn what_lies_beside_a_glyph_and_ragged_strokes_count() {
        let picture = maobi_vision::Picture::from_grey(1, 1, vec![0]).unwrap();
        let clean = maobi_vision::prepare(&picture, maobi_vision::Preprocess::None, (28, 28));
        let point = OperatingPoint::default();
        assert!((alone(0.01, &clean, &point) - 0.01).abs() < 1e-6);
        let half = Prepared { share: 0.5, ..clean.clone() };
        // ln odds go up by half of `beside`.
        let expected = (0.01f32 / 0.99).ln() + 0.5 * point.beside;
        assert!((alone(0.01, &half, &point) - 1.0 / (1.0 + (-expected).exp())).abs() < 1e-5);
        assert!(alone(0.01, &Prepared { uneven: 1.0, ..clean.clone() }, &point) > 0.2);
        assert_eq!((alone(0.0, &half, &point), alone(1.0, &half, &point)), (0.0, 1.0));
    }
}
