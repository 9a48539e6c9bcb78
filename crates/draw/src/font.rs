//! A small built-in font. Glyphs are dots on a 5×7 grid, drawn as smooth strokes from dot to neighbouring dot.

use crate::canvas::{Canvas, Colour};

/// ASCII from space on: seven rows, the highest of five bits is the left column.
#[rustfmt::skip]
const GLYPHS: [[u8; 7]; 95] = [
    [0, 0, 0, 0, 0, 0, 0],        [4, 4, 4, 4, 4, 0, 4],        [10, 10, 0, 0, 0, 0, 0],      [10, 10, 31, 10, 31, 10, 10], // space ! " #
    [4, 15, 20, 14, 5, 30, 4],    [24, 25, 2, 4, 8, 19, 3],     [8, 20, 20, 8, 21, 18, 13],   [4, 4, 0, 0, 0, 0, 0],        // $ % & '
    [2, 4, 8, 8, 8, 4, 2],        [8, 4, 2, 2, 2, 4, 8],        [0, 4, 21, 14, 21, 4, 0],     [0, 4, 4, 31, 4, 4, 0],       // ( ) * +
    [0, 0, 0, 0, 4, 4, 8],        [0, 0, 0, 14, 0, 0, 0],       [0, 0, 0, 0, 0, 0, 4],        [0, 1, 2, 4, 8, 16, 0],       // , - . /
    [14, 17, 17, 17, 17, 17, 14], [4, 12, 4, 4, 4, 4, 14],      [14, 17, 1, 2, 4, 8, 31],     [14, 17, 1, 6, 1, 17, 14],    // 0 1 2 3
    [2, 6, 10, 18, 31, 2, 2],     [31, 16, 30, 1, 1, 17, 14],   [6, 8, 16, 30, 17, 17, 14],   [31, 1, 2, 4, 8, 8, 8],       // 4 5 6 7
    [14, 17, 17, 14, 17, 17, 14], [14, 17, 17, 15, 1, 2, 12],   [0, 0, 4, 0, 0, 0, 4],        [0, 0, 4, 0, 4, 4, 8],        // 8 9 : ;
    [1, 2, 4, 8, 4, 2, 1],        [0, 0, 31, 0, 31, 0, 0],      [16, 8, 4, 2, 4, 8, 16],      [14, 17, 1, 2, 4, 0, 4],      // < = > ?
    [14, 17, 23, 21, 23, 16, 14], [4, 10, 17, 17, 31, 17, 17],  [30, 17, 17, 30, 17, 17, 30], [14, 17, 16, 16, 16, 17, 14], // @ A B C
    [30, 17, 17, 17, 17, 17, 30], [31, 16, 16, 30, 16, 16, 31], [31, 16, 16, 30, 16, 16, 16], [14, 17, 16, 19, 17, 17, 14], // D E F G
    [17, 17, 17, 31, 17, 17, 17], [14, 4, 4, 4, 4, 4, 14],      [7, 2, 2, 2, 2, 18, 12],      [17, 18, 20, 24, 20, 18, 17], // H I J K
    [16, 16, 16, 16, 16, 16, 31], [17, 27, 21, 17, 17, 17, 17], [17, 17, 25, 21, 19, 17, 17], [14, 17, 17, 17, 17, 17, 14], // L M N O
    [30, 17, 17, 30, 16, 16, 16], [14, 17, 17, 17, 21, 18, 13], [30, 17, 17, 30, 20, 18, 17], [14, 17, 16, 14, 1, 17, 14],  // P Q R S
    [31, 4, 4, 4, 4, 4, 4],       [17, 17, 17, 17, 17, 17, 14], [17, 17, 17, 17, 17, 10, 4],  [17, 17, 17, 17, 21, 21, 10], // T U V W
    [17, 17, 10, 4, 10, 17, 17],  [17, 17, 10, 4, 4, 4, 4],     [31, 1, 2, 4, 8, 16, 31],     [14, 8, 8, 8, 8, 8, 14],      // X Y Z [
    [0, 16, 8, 4, 2, 1, 0],       [14, 2, 2, 2, 2, 2, 14],      [4, 10, 17, 0, 0, 0, 0],      [0, 0, 0, 0, 0, 0, 31],       // \ ] ^ _
    [8, 4, 0, 0, 0, 0, 0],        [0, 0, 14, 1, 15, 17, 15],    [16, 16, 30, 17, 17, 17, 30], [0, 0, 14, 17, 16, 17, 14],   // ` a b c
    [1, 1, 15, 17, 17, 17, 15],   [0, 0, 14, 17, 31, 16, 14],   [6, 8, 28, 8, 8, 8, 8],       [15, 17, 17, 17, 15, 1, 14],  // d e f g
    [16, 16, 30, 17, 17, 17, 17], [4, 0, 12, 4, 4, 4, 14],      [2, 0, 2, 2, 2, 2, 12],       [16, 16, 18, 20, 24, 20, 18], // h i j k
    [12, 4, 4, 4, 4, 4, 14],      [0, 0, 26, 21, 21, 21, 21],   [0, 0, 30, 17, 17, 17, 17],   [0, 0, 14, 17, 17, 17, 14],   // l m n o
    [30, 17, 17, 17, 30, 16, 16], [15, 17, 17, 17, 15, 1, 1],   [0, 0, 22, 24, 16, 16, 16],   [0, 0, 15, 16, 14, 1, 30],    // p q r s
    [8, 8, 28, 8, 8, 8, 6],       [0, 0, 17, 17, 17, 17, 15],   [0, 0, 17, 17, 17, 10, 4],    [0, 0, 17, 17, 21, 21, 10],   // t u v w
    [0, 0, 17, 10, 4, 10, 17],    [17, 17, 17, 17, 15, 1, 14],  [0, 0, 31, 2, 4, 8, 31],      [2, 4, 4, 8, 4, 4, 2],        // x y z {
    [4, 4, 4, 4, 4, 4, 4],        [8, 4, 4, 2, 4, 4, 8],        [0, 0, 9, 21, 18, 0, 0],                                    // | } ~
];

/// A frame, for what the font does not have.
const UNKNOWN: [u8; 7] = [31, 17, 17, 17, 17, 17, 31];

fn glyph(c: char) -> [u8; 7] {
    match c {
        '→' => [0, 4, 2, 31, 2, 4, 0],
        '×' => [0, 0, 17, 10, 4, 10, 17],
        '–' | '−' => [0, 0, 0, 31, 0, 0, 0],
        '·' => [0, 0, 0, 4, 0, 0, 0],
        '…' => [0, 0, 0, 0, 0, 0, 21],
        _ => {
            let at = (c as usize).checked_sub(32);
            at.and_then(|i| GLYPHS.get(i)).copied().unwrap_or(UNKNOWN)
        }
    }
}

/// Rows by which a glyph hangs below the line.
fn hangs(c: char) -> f64 {
    match c {
        'g' | 'p' | 'q' | 'y' => 2.0,
        ',' | ';' => 1.0,
        _ => 0.0,
    }
}

/// Where the given x lies in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// How text looks: the distance of two dots in pixels (a capital is six dots high), and the colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub dot: f64,
    pub colour: Colour,
    pub bold: bool,
}

impl Font {
    pub fn new(dot: f64, colour: Colour) -> Self {
        Self { dot, colour, bold: false }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// Width of a text in pixels.
    pub fn width(&self, text: &str) -> f64 {
        (text.chars().count() as f64 * 6.0 - 2.0).max(0.0) * self.dot
    }

    /// The text, its end replaced by … where it would be wider than `room` pixels.
    pub fn fitted(&self, text: &str, room: f64) -> String {
        if self.width(text) <= room {
            return text.to_owned();
        }
        let fit = ((room / self.dot + 2.0) / 6.0).floor().max(1.0) as usize;
        text.chars().take(fit - 1).chain(['…']).collect()
    }

    /// Draws a text whose capitals are centred on row `y`.
    pub fn draw(&self, canvas: &mut Canvas, (x, y): (f64, f64), align: Align, text: &str) {
        let left = start(x, self.width(text), align);
        self.strokes(canvas, text, |u, v| (left + u, y - 3.0 * self.dot + v));
    }

    /// Draws a text that reads upwards, centred on column `x`.
    pub fn draw_up(&self, canvas: &mut Canvas, (x, y): (f64, f64), align: Align, text: &str) {
        let bottom = 2.0 * y - start(y, self.width(text), align);
        self.strokes(canvas, text, |u, v| (x - 3.0 * self.dot + v, bottom - u));
    }

    fn strokes(&self, canvas: &mut Canvas, text: &str, place: impl Fn(f64, f64) -> (f64, f64)) {
        let thick = (self.dot * if self.bold { 1.35 } else { 0.9 }).max(1.0);
        for (i, c) in text.chars().enumerate() {
            let rows = glyph(c);
            let at = |row: i64, column: i64| {
                (0..7).contains(&row) && (0..5).contains(&column) && rows[row as usize] >> (4 - column) & 1 == 1
            };
            let dot =
                |row: i64, column: i64| place((i as f64 * 6.0 + column as f64) * self.dot, (row as f64 + hangs(c)) * self.dot);
            for (row, column) in (0..35).map(|k| (k / 5, k % 5)).filter(|&(row, column)| at(row, column)) {
                // To the right and down; slanting only where no corner leads there.
                let right = at(row, column + 1);
                let down = at(row + 1, column);
                let ends = [
                    (right, 0, 1),
                    (down, 1, 0),
                    (at(row + 1, column + 1) && !right && !down, 1, 1),
                    (at(row + 1, column - 1) && !down && !at(row, column - 1), 1, -1),
                ];
                let from = dot(row, column);
                let mut alone = true;
                for (_, dr, dc) in ends.into_iter().filter(|end| end.0) {
                    canvas.line(from, dot(row + dr, column + dc), thick, self.colour);
                    alone = false;
                }
                let joined = (-1..=1).any(|dr| (-1..=1).any(|dc| (dr, dc) != (0, 0) && at(row + dr, column + dc)));
                if alone && !joined {
                    canvas.line(from, from, thick * 1.3, self.colour);
                }
            }
        }
    }
}

fn start(at: f64, width: f64, align: Align) -> f64 {
    match align {
        Align::Left => at,
        Align::Middle => at - width / 2.0,
        Align::Right => at - width,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ascii_glyph_is_there_and_different() {
        let glyphs: std::collections::HashSet<[u8; 7]> = (' '..='~').map(glyph).collect();
        // 0 and O share a form on so small a grid; so do x and ×.
        assert_eq!(glyphs.len(), 94);
        assert!((' '..='~').all(|c| glyph(c) != UNKNOWN && glyph(c).iter().all(|row| *row < 32)));
        assert_eq!(glyph('毛'), UNKNOWN);
    }

    #[test]
    fn widths_and_cutting() {
        let font = Font::new(2.0, [0; 3]);
        assert_eq!((font.width("a"), font.width("ab"), font.width("")), (8.0, 20.0, 0.0));
        assert_eq!(font.fitted("Ankle boot", 200.0), "Ankle boot");
        let cut = font.fitted("Ankle boot", 60.0);
        assert_eq!(cut, "Ankl…");
        assert!(font.width(&cut) <= 60.0);
        assert_eq!(font.fitted("Ankle boot", 0.0), "…");
    }

    #[test]
    fn text_leaves_ink_where_it_should() {
        let mut canvas = Canvas::new(40, 20);
        Font::new(2.0, [0; 3]).draw(&mut canvas, (5.0, 10.0), Align::Left, "I");
        assert!(canvas.pixel(9, 10)[0] < 100, "the stem");
        assert_eq!(canvas.pixel(30, 10), [255; 3]);
    }
}
