//! A picture's way to an answer: what each stage made of it, what the network saw, and its bars.

use crate::canvas::{Canvas, Colour, FAINT, INK, MUTED};
use crate::font::{Align, Font};
use maobi_vision::preprocess::area;
use maobi_vision::{Rect, Stage};

/// What a network saw, and what it made of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// `[height, width]`, grey.
    pub image: &'a [u8],
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The classes' names.
    pub names: &'a [String],
    /// Their probabilities, 0…1, in the same order; none where no network was asked.
    pub probabilities: &'a [f32],
    /// The answer, for instance `7, 99.2%`.
    pub caption: &'a str,
    /// The answer is "not a digit": the bars are drawn grey.
    pub rejected: bool,
}

const BOX: Colour = [220, 38, 38];
const BAR: Colour = [37, 99, 235];
const REJECTED: Colour = [156, 163, 175];
/// Side of a stage's field.
const SIDE: usize = 240;
const GAP: usize = 16;
/// Stages in a row, and answers in a row.
const STAGES: usize = 4;
const ANSWERS: usize = 2;
/// More answers than this are not drawn.
const MOST: usize = 60;
/// Height of a bar's line, and the side of what the network saw.
const LINE: usize = 18;
const GLYPH: usize = 224;

/// Draws the stages in rows, numbered and captioned, their boxes outlined; below them, for each of `seen`, the image enlarged with
/// its caption and a bar for each class. At most 60 of `seen` are drawn, and said how many are left out.
pub fn explain_png(title: &str, stages: &[Stage], seen: &[Seen<'_>]) -> Vec<u8> {
    let shown = &seen[..seen.len().min(MOST)];
    let classes = shown.iter().map(|s| s.probabilities.len()).max().unwrap_or(0);
    let width = GAP + STAGES * (SIDE + GAP);
    let (head, below) = (GAP + 32, SIDE + 24 + GAP);
    let stages_end = head + stages.len().div_ceil(STAGES) * below;
    let answer = 24 + GLYPH.max(classes * LINE) + GAP;
    let left_out = seen.len() - shown.len();
    let end = stages_end + shown.len().div_ceil(ANSWERS) * answer + if left_out > 0 { 24 } else { 0 };
    let mut canvas = Canvas::new(width, end + GAP);
    let heading = Font::new(1.8, INK).bold();
    let room = (width - 2 * GAP) as f64;
    heading.draw(&mut canvas, (GAP as f64, GAP as f64 + 10.0), Align::Left, &heading.fitted(title, room));
    let caption = Font::new(1.4, INK);
    for (i, stage) in stages.iter().enumerate() {
        let (x, y) = (GAP + i % STAGES * (SIDE + GAP), head + i / STAGES * below);
        let text = caption.fitted(&format!("{}. {}", i + 1, stage.title), SIDE as f64);
        caption.draw(&mut canvas, (x as f64, y as f64 + 8.0), Align::Left, &text);
        panel(&mut canvas, (x, y + 24), stage);
    }
    for (i, one) in shown.iter().enumerate() {
        let across = (width - GAP) / ANSWERS;
        answer_at(&mut canvas, (GAP + i % ANSWERS * across, stages_end + i / ANSWERS * answer), one);
    }
    if left_out > 0 {
        let text = format!("and {left_out} more");
        Font::new(1.4, MUTED).draw(&mut canvas, (GAP as f64, end as f64 - 8.0), Align::Left, &text);
    }
    canvas.png()
}

/// A stage in its field: shrunk by averaging or enlarged in whole steps, in the field's upper left.
fn panel(canvas: &mut Canvas, (x, y): (usize, usize), stage: &Stage) {
    let (w, h) = (stage.width, stage.height);
    let longest = w.max(h);
    let at = (x as i64, y as i64);
    if longest == 0 || stage.grey.len() != w * h {
        return canvas.fill(at, (SIDE as i64, SIDE as i64), FAINT);
    }
    let zoom = (SIDE / longest).max(1);
    let scale = if longest > SIDE { SIDE as f64 / longest as f64 } else { zoom as f64 };
    let side = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    canvas.fill((at.0 - 1, at.1 - 1), (side(w) as i64 + 2, side(h) as i64 + 2), FAINT);
    if longest > SIDE {
        let values: Vec<f32> = stage.grey.iter().map(|&v| f32::from(v)).collect();
        let small = area(&values, (w, h), (0.0, 0.0, w as f64, h as f64), (side(w), side(h)));
        let grey: Vec<u8> = small.iter().map(|v| v.round() as u8).collect();
        canvas.image(at, &grey, (side(h), side(w), 1), 1);
    } else {
        canvas.image(at, &stage.grey, (h, w, 1), zoom);
    }
    for rect in &stage.boxes {
        outline(canvas, at, scale, rect);
    }
}

fn outline(canvas: &mut Canvas, (x, y): (i64, i64), scale: f64, rect: &Rect) {
    const THICK: i64 = 2;
    let at = |n: usize| (n as f64 * scale).round().min(1e6) as i64;
    let (left, top) = (x + at(rect.x), y + at(rect.y));
    let (width, height) = (at(rect.width).max(THICK), at(rect.height).max(THICK));
    for line in [top, top + height - THICK] {
        canvas.fill((left, line), (width, THICK), BOX);
    }
    for column in [left, left + width - THICK] {
        canvas.fill((column, top), (THICK, height), BOX);
    }
}

/// What the network saw, and its bars to the right.
fn answer_at(canvas: &mut Canvas, (x, y): (usize, usize), seen: &Seen<'_>) {
    let caption = Font::new(1.4, if seen.rejected { MUTED } else { INK }).bold();
    let field = (GLYPH + GAP) as f64 + 220.0;
    caption.draw(canvas, (x as f64, y as f64 + 8.0), Align::Left, &caption.fitted(seen.caption, field));
    let top = y + 24;
    let stage = Stage { boxes: Vec::new(), ..Stage::of_grey("", seen.image.to_vec(), seen.width) };
    let zoom = (GLYPH / seen.width.max(seen.height).max(1)).max(1);
    if seen.width.max(seen.height) > GLYPH || stage.height != seen.height {
        panel(canvas, (x, top), &stage);
    } else {
        canvas.image((x as i64, top as i64), seen.image, (seen.height, seen.width, 1), zoom);
    }
    let label = Font::new(1.4, INK);
    let names = seen.names.iter().take(seen.probabilities.len());
    let widest = names.map(|name| label.width(name)).fold(8.0, f64::max).min(70.0);
    let left = (x + GLYPH + GAP) as f64 + widest + 6.0;
    let length = (x + GLYPH + GAP) as f64 + 190.0 - left - 10.0;
    let best = seen.probabilities.iter().copied().fold(0.0, f32::max);
    for (i, &p) in seen.probabilities.iter().enumerate() {
        let middle = (top + i * LINE) as f64 + LINE as f64 / 2.0;
        let name = seen.names.get(i).cloned().unwrap_or_else(|| i.to_string());
        label.draw(canvas, (left - 6.0, middle), Align::Right, &label.fitted(&name, widest));
        canvas.fill((left as i64, middle as i64 - 6), (length as i64, 12), FAINT);
        let strong = p == best && !seen.rejected;
        let long = f64::from(p.clamp(0.0, 1.0)) * length;
        canvas.fill((left as i64, middle as i64 - 6), (long.round() as i64, 12), if strong { BAR } else { REJECTED });
        let share = Font { bold: strong, ..Font::new(1.2, if strong { INK } else { MUTED }) };
        share.draw(canvas, (left + length + 6.0, middle), Align::Left, &format!("{:.1}%", 100.0 * p));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(png: &[u8]) -> image::RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    fn count(png: &image::RgbImage, colour: Colour) -> usize {
        png.pixels().filter(|p| p.0 == colour).count()
    }

    #[test]
    fn stages_boxes_and_bars_are_there() {
        let names: Vec<String> = (0..10).map(|i| i.to_string()).collect();
        let large = Stage::of_grey("photo", vec![90; 480 * 360], 480).with_box(Rect { x: 40, y: 40, width: 100, height: 200 });
        let small = Stage::of_mask("pieces", &[true; 60 * 60], 60);
        let mut probabilities = [0.05f32; 10];
        probabilities[7] = 0.55;
        let seen = Seen {
            image: &[200; 784],
            height: 28,
            width: 28,
            names: &names,
            probabilities: &probabilities,
            caption: "7, 55%",
            rejected: false,
        };
        let png = read(&explain_png("seven.jpg", &[large.clone(), small.clone()], &[seen]));
        // 240 × 180 after shrinking, less the box's outline and what it is mixed into.
        assert!((41_000..=43_200).contains(&count(&png, [90; 3])), "{}", count(&png, [90; 3]));
        assert!(count(&png, BOX) > 200, "{}", count(&png, BOX));
        assert_eq!(count(&png, [200; 3]), 224 * 224);
        let (strong, weak) = (count(&png, BAR), count(&png, REJECTED));
        // 0.55 against nine times 0.05.
        assert!(strong > weak && weak > strong / 2, "{strong} {weak}");
        let rejected = Seen { rejected: true, ..seen };
        let png = read(&explain_png("seven.jpg", &[large, small], &[rejected; 100]));
        assert_eq!((count(&png, BAR), count(&png, [200; 3])), (0, MOST * 224 * 224));
    }

    #[test]
    fn odd_things_still_give_a_picture() {
        read(&explain_png("", &[], &[]));
        let broken = Stage { title: String::new(), grey: vec![0; 5], width: 3, height: 3, boxes: Vec::new() };
        let far = Stage::of_grey("毛笔", vec![0; 4], 2).with_box(Rect { x: 900_000, y: 0, width: 9, height: 1 });
        let probabilities = [f32::NAN, 2.0, -1.0];
        let seen =
            Seen { image: &[1, 2], height: 5, width: 7, names: &[], probabilities: &probabilities, caption: "", rejected: false };
        let empty = Seen { height: 0, width: 0, image: &[], ..seen };
        let large = vec![9; 300 * 300];
        let large = Seen { height: 300, width: 300, image: &large, ..seen };
        read(&explain_png(&"long ".repeat(200), &[broken, far], &[seen, empty, large]));
    }
}
