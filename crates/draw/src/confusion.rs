//! Confusion matrix as a heat map.

use crate::canvas::{Canvas, Colour, FAINT, INK, MUTED, WHITE, tint};
use crate::font::{Align, Font};

/// Right answers.
const RIGHT: Colour = [37, 99, 235];
/// Wrong answers.
const WRONG: Colour = [220, 38, 38];

/// Draws a confusion matrix: rows are the true class, columns the predicted one, cells hold counts.
///
/// Right answers are blue, wrong ones red, stronger with their share of the row; the column at the right is the share of right
/// answers in the row (recall). Missing cells count 0, missing names become numbers. Cells get smaller from 20 classes on and
/// lose their counts from 60 on.
pub fn confusion_png(matrix: &[Vec<u64>], class_names: &[String]) -> Vec<u8> {
    let classes = matrix.len();
    let name = |i: usize| class_names.get(i).cloned().unwrap_or_else(|| i.to_string());
    let cell = match classes {
        0..=12 => 50.0,
        13..=20 => 42.0,
        21..=60 => 26.0,
        _ => 10.0,
    };
    let font = Font::new(if cell >= 40.0 { 1.5 } else { 1.0 }, INK);
    let label = Font { colour: MUTED, ..font };
    let longest = (0..classes).map(|i| label.width(&name(i))).fold(0.0, f64::max).min(130.0);
    let upright = longest > cell - 8.0;
    let (left, top) = (longest + 52.0, 48.0);
    let below = if upright { longest + 14.0 } else { 26.0 };
    let side = cell * classes as f64;
    let right = if cell >= 26.0 { 76.0 } else { 24.0 };
    let width = (left + side + right).max(240.0);
    let mut canvas = Canvas::new(width as usize, (top + side + below + 32.0) as usize);
    let title = Font::new(1.8, INK).bold();
    title.draw(&mut canvas, (left + side / 2.0, 22.0), Align::Middle, "Confusion matrix");
    if classes == 0 {
        return canvas.png();
    }
    for (row, counts) in matrix.iter().enumerate() {
        let total: u64 = counts.iter().take(classes).fold(0, |sum, &n| sum.saturating_add(n));
        let y = top + row as f64 * cell;
        for column in 0..classes {
            let count = counts.get(column).copied().unwrap_or(0);
            let share = count as f64 / total.max(1) as f64;
            let right = row == column;
            // A single mistake in a thousand should still be seen.
            let strength = if right { share.powi(2) } else { (share * 8.0).sqrt().min(1.0) * 0.9 };
            let colour = if count == 0 { WHITE } else { tint(if right { RIGHT } else { WRONG }, 0.06 + 0.84 * strength) };
            let x = left + column as f64 * cell;
            canvas.fill((x as i64, y as i64), (cell as i64, cell as i64), colour);
            if count > 0 && cell >= 26.0 {
                let ink = if strength > 0.5 { WHITE } else { INK };
                let text = Font { colour: ink, ..font };
                text.draw(&mut canvas, (x + cell / 2.0, y + cell / 2.0), Align::Middle, &short(count, &text, cell - 4.0));
            }
        }
        if cell >= 10.0 {
            let middle = y + cell / 2.0;
            label.draw(&mut canvas, (left - 10.0, middle), Align::Right, &label.fitted(&name(row), longest.max(1.0)));
            if cell >= 26.0 && total > 0 {
                let share = counts.get(row).copied().unwrap_or(0) as f64 / total as f64;
                label.draw(&mut canvas, (left + side + 12.0, middle), Align::Left, &format!("{:.1}%", 100.0 * share));
            }
        }
    }
    for i in 0..=classes {
        let at = i as f64 * cell;
        let (x, y) = ((left + at).floor() + 0.5, (top + at).floor() + 0.5);
        canvas.line((x, top), (x, top + side), 1.0, FAINT);
        canvas.line((left, y), (left + side, y), 1.0, FAINT);
    }
    for column in 0..classes {
        let x = left + (column as f64 + 0.5) * cell;
        let text = label.fitted(&name(column), longest.max(1.0));
        if upright {
            label.draw_up(&mut canvas, (x, top + side + 10.0), Align::Right, &text);
        } else {
            label.draw(&mut canvas, (x, top + side + 15.0), Align::Middle, &text);
        }
    }
    let axis = Font::new(1.5, INK);
    axis.draw(&mut canvas, (left + side / 2.0, top + side + below + 14.0), Align::Middle, "predicted");
    axis.draw_up(&mut canvas, (20.0, top + side / 2.0), Align::Middle, "true");
    if cell >= 26.0 {
        label.draw(&mut canvas, (left + side + 12.0, top - 12.0), Align::Left, "recall");
    }
    canvas.png()
}

/// The count, in thousands where it would not fit.
fn short(count: u64, font: &Font, room: f64) -> String {
    let text = count.to_string();
    if font.width(&text) <= room {
        return text;
    }
    match count {
        0..=999_999 => format!("{}k", count / 1000),
        1_000_000..=999_999_999 => format!("{}M", count / 1_000_000),
        _ => format!("{}G", count / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(matrix: &[Vec<u64>], names: &[String]) -> image::RgbImage {
        image::load_from_memory(&confusion_png(matrix, names)).unwrap().to_rgb8()
    }

    #[test]
    fn rows_are_true_and_columns_predicted() {
        // One mistake: true 0, predicted 2, so red belongs at the top right.
        let png = read(&[vec![9, 0, 9], vec![0, 9, 0], vec![0, 0, 9]], &[]);
        let red = png.enumerate_pixels().filter(|(_, _, p)| p[0] > 200 && p[1] < 120 && p[2] < 120);
        let (mut n, mut x, mut y) = (0, 0, 0);
        for (px, py, _) in red {
            (n, x, y) = (n + 1, x + px, y + py);
        }
        assert!(n > 1000, "{n} red pixels");
        let (x, y) = (x / n, y / n);
        assert!(x > png.width() / 2 && y < png.height() / 2, "{x} {y} of {:?}", png.dimensions());
    }

    #[test]
    fn any_shape_is_drawn() {
        read(&[], &[]);
        read(&[vec![], vec![1, 2, 3, 4, u64::MAX]], &["only one, and quite a long name at that".to_owned()]);
        read(&vec![vec![12_345_678; 30]; 30], &[]);
        read(&vec![vec![1; 300]; 300], &[]);
    }

    #[test]
    fn counts_are_shortened() {
        let font = Font::new(1.0, INK);
        assert_eq!([7, 12_345, 2_500_000, 3_000_000_000].map(|n| short(n, &font, 20.0)), ["7", "12k", "2M", "3G"]);
    }
}
