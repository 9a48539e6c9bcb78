//! Contact sheets: images in rows with a caption under each.

use crate::canvas::{Canvas, Colour, FAINT, INK, MUTED};
use crate::font::{Align, Font};

/// An image the network got wrong.
#[derive(Clone, Copy, Debug)]
pub struct Mistake<'a> {
    /// `[height, width, channels]`.
    pub image: &'a [u8],
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Name of the true class.
    pub truth: &'a str,
    /// Name of the class the network answered.
    pub predicted: &'a str,
    /// Its probability, 0…1.
    pub probability: f32,
}

/// An image with a text.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// `[height, width, channels]`.
    pub image: &'a [u8],
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Text under the image.
    pub label: &'a str,
}

const WRONG: Colour = [185, 28, 28];
/// Side an image is enlarged to at most, in pixels; larger images stay as they are.
const SIDE: usize = 112;
const GAP: usize = 14;
const PER_ROW: usize = 10;

/// Draws mistakes with "truth → answer" and the answer's probability under each.
pub fn mistakes_png(items: &[Mistake<'_>]) -> Vec<u8> {
    let tiles: Vec<Tile> = items
        .iter()
        .map(|m| Tile {
            image: m.image,
            size: (m.height, m.width, m.channels),
            lines: vec![(format!("{} → {}", m.truth, m.predicted), WRONG), (format!("{:.1}%", 100.0 * m.probability), MUTED)],
        })
        .collect();
    sheet(&tiles, "no mistakes")
}

/// Draws images with their labels.
pub fn preview_png(items: &[Labelled<'_>]) -> Vec<u8> {
    let tiles: Vec<Tile> = items
        .iter()
        .map(|i| Tile { image: i.image, size: (i.height, i.width, i.channels), lines: vec![(i.label.to_owned(), INK)] })
        .collect();
    sheet(&tiles, "no images")
}

struct Tile<'a> {
    image: &'a [u8],
    /// Rows, columns, channels.
    size: (usize, usize, usize),
    lines: Vec<(String, Colour)>,
}

fn sheet(tiles: &[Tile<'_>], nothing: &str) -> Vec<u8> {
    if tiles.is_empty() {
        let mut canvas = Canvas::new(320, 80);
        Font::new(1.6, MUTED).draw(&mut canvas, (160.0, 40.0), Align::Middle, nothing);
        return canvas.png();
    }
    let largest = tiles.iter().map(|t| t.size.0.max(t.size.1)).max().unwrap_or(1).max(1);
    let zoom = (SIDE / largest).max(1);
    let side = (largest * zoom).max(SIDE);
    let lines = tiles.iter().map(|t| t.lines.len()).max().unwrap_or(0);
    // Long names widen the columns, up to twice the image.
    let texts = tiles.iter().flat_map(|t| &t.lines);
    let widest = texts.map(|(text, colour)| caption(*colour).width(text)).fold(0.0, f64::max) as usize + 6;
    let field = side.max(widest.min(2 * side));
    let (across, down) = (field + GAP, side + GAP + 18 * lines + 4);
    let columns = ((tiles.len() as f64 * 1.3).sqrt().ceil() as usize).clamp(1, PER_ROW).min(tiles.len());
    let mut canvas = Canvas::new(columns * across + GAP, tiles.len().div_ceil(columns) * down + GAP);
    for (i, tile) in tiles.iter().enumerate() {
        let (x, y) = (GAP + i % columns * across, GAP + i / columns * down);
        let (height, width, _) = tile.size;
        let inset = |n: usize| (side - (n * zoom).min(side)) / 2;
        let (left, top) = (x + (field - side) / 2 + inset(width), y + inset(height));
        let frame = ((width * zoom) as i64 + 2, (height * zoom) as i64 + 2);
        canvas.fill((left as i64 - 1, top as i64 - 1), frame, FAINT);
        canvas.image((left as i64, top as i64), tile.image, tile.size, zoom);
        for (n, (text, colour)) in tile.lines.iter().enumerate() {
            let font = caption(*colour);
            let middle = (x as f64 + field as f64 / 2.0, (y + side + 14 + 18 * n) as f64);
            font.draw(&mut canvas, middle, Align::Middle, &font.fitted(text, field as f64));
        }
    }
    canvas.png()
}

fn caption(colour: Colour) -> Font {
    Font::new(1.4, colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(png: &[u8]) -> image::RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    #[test]
    fn images_are_enlarged_and_captioned() {
        let image = [200u8; 28 * 28];
        let item = Mistake { image: &image, height: 28, width: 28, channels: 1, truth: "4", predicted: "9", probability: 0.98 };
        let png = read(&mistakes_png(&[item; 13]));
        let lit = png.pixels().filter(|p| p.0 == [200; 3]).count();
        assert_eq!(lit, 13 * 112 * 112);
        assert!(png.pixels().filter(|p| p.0 == WRONG).count() > 13 * 10, "captions");
    }

    #[test]
    fn colour_large_wrong_and_none() {
        let colour = [1u8, 2, 3];
        let large = vec![7u8; 300 * 10];
        let items = [
            Labelled { image: &colour, height: 1, width: 1, channels: 3, label: "a very long label that cannot fit" },
            Labelled { image: &large, height: 300, width: 10, channels: 1, label: "毛笔" },
            Labelled { image: &[], height: 28, width: 28, channels: 1, label: "" },
            Labelled { image: &[], height: 0, width: 0, channels: 0, label: "empty" },
        ];
        let png = read(&preview_png(&items));
        assert!(png.pixels().any(|p| p.0 == colour));
        assert_eq!(png.pixels().filter(|p| p.0 == [7; 3]).count(), 3000);
        read(&preview_png(&[]));
        read(&mistakes_png(&[]));
    }
}
