//! Training curves: panels side by side, such as loss and accuracy, each with its lines over the epochs.

use crate::axis::ticks;
use crate::canvas::{Canvas, Colour, FAINT, INK, MUTED, WHITE};
use crate::font::{Align, Font};

/// One line of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// A value for each epoch, the first at 1; `None` and what is not finite leave a gap.
    pub values: Vec<Option<f64>>,
}

/// One diagram.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Text above it.
    pub title: String,
    /// Its lines, in the order of the legend.
    pub series: Vec<Series>,
}

/// What [`curves_png`] draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// Text at the top; may be empty.
    pub title: String,
    /// Text under each horizontal axis, for instance "epoch".
    pub x_label: String,
    /// Diagrams from left to right.
    pub panels: Vec<Panel>,
}

/// Width of a panel and height of the picture: two panels are 900×400.
const PANEL: f64 = 450.0;
const HEIGHT: f64 = 400.0;
const COLOURS: [Colour; 6] = [[37, 99, 235], [234, 88, 12], [22, 163, 74], [147, 51, 234], [219, 39, 119], [8, 145, 178]];

/// Draws training curves, 450×400 pixels a panel.
pub fn curves_png(curves: &Curves) -> Vec<u8> {
    let mut canvas = Canvas::new((PANEL * curves.panels.len().max(1) as f64) as usize, HEIGHT as usize);
    let width = canvas.width as f64;
    let mut top = 14.0;
    if !curves.title.is_empty() {
        let font = Font::new(2.0, INK).bold();
        font.draw(&mut canvas, (width / 2.0, 22.0), Align::Middle, &font.fitted(&curves.title, width - 40.0));
        top = 40.0;
    }
    for (i, panel) in curves.panels.iter().enumerate() {
        draw(&mut canvas, panel, i as f64 * PANEL, top, &curves.x_label);
    }
    if curves.panels.is_empty() {
        Font::new(1.6, MUTED).draw(&mut canvas, (width / 2.0, HEIGHT / 2.0), Align::Middle, "no data");
    }
    canvas.png()
}

/// Smallest and largest value, widened to be no single point.
fn range(panel: &Panel) -> Option<(f64, f64)> {
    let values = panel.series.iter().flat_map(|s| s.values.iter().flatten()).filter(|v| v.is_finite());
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    if low > high {
        return None;
    }
    let room = if high > low { (high - low) * 0.06 } else { high.abs().max(1.0) * 0.05 };
    // Losses and accuracies are not negative: an axis that starts below zero would look odd.
    let bottom = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
    // Nor is an accuracy above one.
    let top = if high <= 1.0 && low > 0.5 { (high + room).min(1.0) } else { high + room };
    (bottom < top).then_some((bottom, top)).or(Some((bottom - room, top + room)))
}

fn draw(canvas: &mut Canvas, panel: &Panel, left: f64, top: f64, x_label: &str) {
    let (x0, x1) = (left + 70.0, left + PANEL - 22.0);
    let (y0, y1) = (HEIGHT - 52.0, top + 54.0);
    let small = Font::new(1.5, MUTED);
    let title = Font::new(1.7, INK).bold();
    title.draw(canvas, ((x0 + x1) / 2.0, top + 12.0), Align::Middle, &title.fitted(&panel.title, PANEL - 40.0));
    small.draw(canvas, ((x0 + x1) / 2.0, HEIGHT - 15.0), Align::Middle, x_label);
    let Some((low, high)) = range(panel) else {
        frame(canvas, (x0, y0), (x1, y1));
        return small.draw(canvas, ((x0 + x1) / 2.0, (y0 + y1) / 2.0), Align::Middle, "no data");
    };
    let epochs = panel.series.iter().map(|s| s.values.len()).max().unwrap_or(1).max(1) as f64;
    // A single epoch stands in the middle.
    let (first, last) = if epochs > 1.0 { (1.0, epochs) } else { (0.0, 2.0) };
    let x_at = |epoch: f64| x0 + 12.0 + (epoch - first) / (last - first) * (x1 - x0 - 24.0);
    let y_at = |value: f64| y0 - (value - low) / (high - low) * (y0 - y1);
    for (value, text) in ticks(low, high, 6) {
        let y = y_at(value).round() + 0.5;
        canvas.line((x0, y), (x1, y), 1.0, FAINT);
        small.draw(canvas, (x0 - 9.0, y), Align::Right, &text);
    }
    let whole = ticks(first.max(1.0), last.min(epochs).max(1.5), 8).into_iter().filter(|(v, _)| v.fract() == 0.0);
    let mut marks: Vec<f64> = whole.map(|(v, _)| v).collect();
    if epochs <= 12.0 {
        marks = (1..=epochs as usize).map(|e| e as f64).collect();
    }
    for epoch in marks {
        let x = x_at(epoch).round() + 0.5;
        canvas.line((x, y0), (x, y0 + 4.0), 1.0, MUTED);
        small.draw(canvas, (x, y0 + 15.0), Align::Middle, &format!("{epoch}"));
    }
    frame(canvas, (x0, y0), (x1, y1));
    for (i, series) in panel.series.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let points: Vec<Option<(f64, f64)>> = series
            .values
            .iter()
            .enumerate()
            .map(|(e, v)| v.filter(|v| v.is_finite()).map(|v| (x_at(e as f64 + 1.0), y_at(v))))
            .collect();
        for pair in points.windows(2) {
            if let [Some(a), Some(b)] = pair {
                canvas.line(*a, *b, 2.2, colour);
            }
        }
        if epochs <= 30.0 {
            for point in points.iter().flatten() {
                canvas.line(*point, *point, 8.5, WHITE);
                canvas.line(*point, *point, 6.5, colour);
            }
        }
    }
    legend(canvas, panel, (x0, x1), top + 36.0);
}

/// The left and the lower edge.
fn frame(canvas: &mut Canvas, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
    let (x, y) = (x0.round() + 0.5, y0.round() + 0.5);
    canvas.line((x, y), (x1, y), 1.0, MUTED);
    canvas.line((x, y), (x, y1), 1.0, MUTED);
}

/// The names beside a piece of their line, centred over the diagram.
fn legend(canvas: &mut Canvas, panel: &Panel, (x0, x1): (f64, f64), y: f64) {
    const MARK: f64 = 22.0;
    const GAP: f64 = 20.0;
    let font = Font::new(1.4, INK);
    let room = (x1 - x0 + GAP) / panel.series.len().max(1) as f64 - GAP - MARK - 6.0;
    let names: Vec<String> = panel.series.iter().map(|s| font.fitted(&s.name, room)).collect();
    let width = |name: &String| MARK + 6.0 + font.width(name) + GAP;
    let mut x = (x0 + x1 - names.iter().map(width).sum::<f64>() + GAP) / 2.0;
    for (i, name) in names.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        canvas.line((x, y), (x + MARK, y), 2.2, colour);
        canvas.line((x + MARK / 2.0, y), (x + MARK / 2.0, y), 6.5, colour);
        font.draw(canvas, (x + MARK + 6.0, y), Align::Left, name);
        x += width(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(values: &[Option<f64>]) -> Panel {
        Panel { title: "loss".into(), series: vec![Series { name: "training".into(), values: values.to_vec() }] }
    }

    fn size(curves: &Curves) -> (u32, u32) {
        image::load_from_memory(&curves_png(curves)).unwrap().to_rgb8().dimensions()
    }

    #[test]
    fn two_panels_are_900_by_400() {
        let panels = vec![panel(&[Some(1.0), Some(0.5)]), panel(&[Some(0.9)])];
        assert_eq!(size(&Curves { title: "t".into(), x_label: "epoch".into(), panels }), (900, 400));
    }

    #[test]
    fn nothing_and_nonsense_are_drawn_too() {
        let odd = [f64::NAN, f64::INFINITY, -1e300, 1e300, 0.0];
        let panels = vec![panel(&[]), panel(&[None]), panel(&odd.map(Some)), panel(&[Some(3.0); 5000])];
        assert_eq!(size(&Curves { title: "w".repeat(500), x_label: String::new(), panels }).1, 400);
        assert_eq!(size(&Curves { title: String::new(), x_label: String::new(), panels: vec![] }), (450, 400));
    }

    #[test]
    fn lines_show_in_their_colours() {
        let mut both = panel(&[Some(1.0), Some(0.5)]);
        both.series.push(Series { name: "validation".into(), values: vec![Some(0.8), Some(0.6)] });
        let curves = Curves { title: String::new(), x_label: "epoch".into(), panels: vec![both] };
        let png = image::load_from_memory(&curves_png(&curves)).unwrap().to_rgb8();
        for colour in &COLOURS[..2] {
            assert!(png.pixels().filter(|p| p.0 == *colour).count() > 100, "{colour:?}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(range(&panel(&[None])), None);
        let (low, high) = range(&panel(&[Some(0.02), Some(2.0)])).unwrap();
        assert!(low == 0.0 && high > 2.0, "{low} {high}");
        assert_eq!(range(&panel(&[Some(0.9), Some(0.999)])).unwrap().1, 1.0);
        let (low, high) = range(&panel(&[Some(0.0)])).unwrap();
        assert!(low < high);
    }
}
