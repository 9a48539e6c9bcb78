use super::*;

/// White paper to draw on.
struct Sheet {
    width: usize,
    grey: Vec<u8>,
}

impl Sheet {
    fn new(width: usize, height: usize) -> Self {
        Self { width, grey: vec![235; width * height] }
    }

    /// An upright ellipse, drawn with a pen 6 wide.
    fn ring(&mut self, (cx, cy): (f32, f32), (rx, ry): (f32, f32)) {
        for (i, v) in self.grey.iter_mut().enumerate() {
            let (x, y) = ((i % self.width) as f32 - cx, (i / self.width) as f32 - cy);
            // Distance from the curve, to first order.
            let level = ((x / rx).powi(2) + (y / ry).powi(2)).sqrt();
            if (level - 1.0).abs() * rx.min(ry) < 3.0 {
                *v = 40;
            }
        }
    }

    fn bar(&mut self, (left, top): (usize, usize), (width, height): (usize, usize)) {
        for y in top..top + height {
            self.grey[y * self.width + left..][..width].fill(40);
        }
    }

    fn picture(self) -> Picture {
        let height = self.grey.len() / self.width;
        Picture::from_grey(self.width, height, self.grey).unwrap()
    }
}

/// A judge that knows upright rings, 40 wide and 60 high, and takes everything else for none.
fn rings(found: &Segmentation) -> Vec<Score> {
    let judge = |one: &Candidate| {
        let like = one.rect.width.abs_diff(46) <= 8 && one.rect.height.abs_diff(66) <= 6;
        if like { Score { digit: 0.98, none: 0.02 } } else { Score { digit: 0.05, none: 0.95 } }
    };
    found.candidates().iter().map(judge).collect()
}

/// Middles of what is read, line by line.
fn middles(found: &Segmentation) -> Vec<Vec<(usize, usize)>> {
    let path = found.best(&rings(found));
    let middle = |i: &usize| {
        let r = found.candidates()[*i].rect;
        (r.x + r.width / 2, r.y + r.height / 2)
    };
    path.lines.iter().map(|line| line.candidates.iter().map(middle).collect()).collect()
}

/// All within a few pixels, which is what an edge is worth after scaling.
fn near(found: &[(usize, usize)], wanted: &[(usize, usize)]) -> bool {
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(f, w)| f.0.abs_diff(w.0) <= 5 && f.1.abs_diff(w.1) <= 5)
}

#[test]
fn slanted_lines_in_reading_order() {
    let mut sheet = Sheet::new(700, 420);
    let mut wanted = vec![Vec::new(); 3];
    for (line, wanted) in wanted.iter_mut().enumerate() {
        // The right end of a line lies higher than the left end of the one above.
        for k in 0..6 {
            let (x, y) = (60 + 110 * k, 130 + 110 * line - 16 * k);
            sheet.ring((x as f32, y as f32), (20.0, 30.0));
            wanted.push((x, y));
        }
    }
    let found = middles(&segment(&sheet.picture(), (28, 28)));
    assert_eq!(found.len(), 3);
    assert!(found.iter().zip(&wanted).all(|(f, w)| near(f, w)), "{found:?}");
}

#[test]
fn touching_digits_are_cut_apart() {
    let mut sheet = Sheet::new(300, 120);
    for x in [60.0, 104.0, 148.0, 230.0] {
        sheet.ring((x, 60.0), (20.0, 30.0));
    }
    let found = middles(&segment(&sheet.picture(), (28, 28)));
    assert_eq!(found.len(), 1);
    assert!(near(&found[0], &[(60, 60), (104, 60), (148, 60), (230, 60)]), "{found:?}");
}

#[test]
fn a_broken_stroke_is_one_digit() {
    let mut sheet = Sheet::new(300, 120);
    for x in [60.0, 140.0, 220.0] {
        sheet.ring((x, 60.0), (20.0, 30.0));
    }
    // The pen skipped: left and right of the second ring's top and bottom.
    for y in [20, 80] {
        for row in y..y + 20 {
            sheet.grey[row * 300 + 137..][..6].fill(235);
        }
    }
    let found = middles(&segment(&sheet.picture(), (28, 28)));
    assert!(found.len() == 1 && near(&found[0], &[(60, 60), (140, 60), (220, 60)]), "{found:?}");
}

#[test]
fn full_stops_and_specks_are_left_out() {
    let mut sheet = Sheet::new(400, 120);
    for x in [60.0, 140.0, 220.0] {
        sheet.ring((x, 60.0), (20.0, 30.0));
    }
    sheet.bar((262, 86), (8, 8));
    sheet.bar((330, 20), (3, 2));
    let found = middles(&segment(&sheet.picture(), (28, 28)));
    assert!(found.len() == 1 && near(&found[0], &[(60, 60), (140, 60), (220, 60)]), "{found:?}");
}

/// Rings that stand alone, as a line of a form or of ruled paper has them.
const ALONE: [(usize, usize); 4] = [(60, 60), (140, 60), (220, 60), (300, 60)];

fn line_of_rings(height: usize) -> Sheet {
    let mut sheet = Sheet::new(360, height);
    for (x, y) in ALONE {
        sheet.ring((x as f32, y as f32), (20.0, 30.0));
    }
    sheet
}

#[test]
fn printed_lines_of_forms_are_no_digits() {
    // An underline that the rings stand on, ...
    let mut underline = line_of_rings(140);
    underline.bar((36, 92), (290, 3));
    // ... a box with cells, one side of which a ring touches, ...
    let mut cells = line_of_rings(140);
    for y in [14, 106] {
        cells.bar((20, y), (323, 3));
    }
    for x in [20, 100, 180, 260, 340] {
        cells.bar((x, 14), (3, 95));
    }
    cells.bar((77, 58), (25, 5));
    // ... boxes of their own ...
    let mut boxes = line_of_rings(140);
    for x in [25, 105, 185, 265] {
        boxes.bar((x, 18), (70, 3));
        boxes.bar((x, 100), (70, 3));
        boxes.bar((x, 18), (3, 85));
        boxes.bar((x + 67, 18), (3, 85));
    }
    // (the second ring touches its own), ...
    boxes.bar((107, 58), (16, 5));
    // ... a comb.
    let mut comb = line_of_rings(140);
    comb.bar((20, 104), (323, 3));
    for x in [20, 100, 180, 260, 340] {
        comb.bar((x, 80), (3, 26));
    }
    for (name, sheet) in [("underline", underline), ("cells", cells), ("boxes", boxes), ("comb", comb)] {
        let found = segment(&sheet.picture(), (28, 28));
        let wide = |one: &Candidate| (38..=70).contains(&one.rect.width);
        let judge = |one: &Candidate| {
            // Bars are digits to this judge, as to a network that has seen a 1.
            let bar = one.rect.width <= 8 && one.rect.height >= 12;
            let like = bar || (wide(one) && one.rect.height.abs_diff(66) <= 8);
            if like { Score { digit: 0.98, none: 0.02 } } else { Score { digit: 0.05, none: 0.95 } }
        };
        let scores: Vec<Score> = found.candidates().iter().map(judge).collect();
        let path = found.best(&scores);
        let read = path.lines.iter().flat_map(|line| &line.candidates);
        let rects: Vec<Rect> = read.map(|&i| found.candidates()[i].rect).collect();
        let middles: Vec<usize> = rects.iter().map(|r| r.x + r.width / 2).collect();
        let right = middles.len() == 4 && middles.iter().zip(ALONE).all(|(x, at)| x.abs_diff(at.0) <= 14);
        assert!(path.lines.len() == 1 && right, "{name}: {rects:?}");
    }
}

#[test]
fn hairlines_beside_writing_are_no_ones() {
    let mut sheet = line_of_rings(120);
    for x in [15, 100, 340] {
        sheet.bar((x, 30), (2, 60));
    }
    let found = segment(&sheet.picture(), (28, 28));
    assert!(found.candidates().iter().all(|one| one.rect.width > 10), "{:?}", found.candidates().len());
}

#[test]
fn a_small_nought_is_no_part_of_its_neighbour() {
    let mut sheet = Sheet::new(360, 120);
    for x in [60.0, 190.0, 270.0] {
        sheet.ring((x, 60.0), (20.0, 30.0));
    }
    sheet.ring((103.0, 78.0), (10.0, 11.0));
    let found = segment(&sheet.picture(), (28, 28));
    // Together with its neighbour it would pass for a digit as well as both do alone.
    let scores = vec![Score { digit: 0.99, none: 0.01 }; found.candidates().len()];
    let path = found.best(&scores);
    let middles: Vec<usize> =
        path.lines[0].candidates.iter().map(|&i| found.candidates()[i].rect).map(|r| r.x + r.width / 2).collect();
    assert!(middles.len() == 4 && middles.iter().zip([60, 103, 190, 270]).all(|(x, at)| x.abs_diff(at) <= 4), "{middles:?}");
}

#[test]
fn small_noughts_are_digits_dots_of_their_size_are_not() {
    for dots in [false, true] {
        let mut sheet = Sheet::new(420, 120);
        for x in [60.0, 330.0] {
            sheet.ring((x, 60.0), (20.0, 30.0));
        }
        for x in [140, 190, 240] {
            if dots {
                sheet.bar((x - 6, 72), (12, 12));
            } else {
                sheet.ring((x as f32, 72.0), (6.0, 6.0));
            }
        }
        let found = segment(&sheet.picture(), (28, 28));
        // A full stop blown up looks like many things, none of them for sure.
        let judge = |one: &Candidate| {
            let digit = if dots && one.rect.height < 30 { 0.3 } else { 0.9 };
            Score { digit, none: 1.0 - digit }
        };
        let path = found.best(&found.candidates().iter().map(judge).collect::<Vec<_>>());
        assert_eq!(path.lines.iter().map(|line| line.candidates.len()).collect::<Vec<_>>(), [if dots { 2 } else { 5 }], "{dots}");
    }
}

#[test]
fn dark_edges_do_not_turn_digits_into_specks() {
    let mut sheet = Sheet::new(400, 600);
    for (line, y) in [120.0, 220.0].into_iter().enumerate() {
        for k in 0..5 {
            sheet.ring((60.0 + 60.0 * k as f32, y + line as f32), (10.0, 14.0));
        }
    }
    // What a page photographed from above has at its sides.
    sheet.bar((0, 90), (4, 450));
    sheet.bar((393, 150), (7, 450));
    sheet.bar((0, 0), (240, 5));
    let found = segment(&sheet.picture(), (28, 28));
    let path = found.best(&vec![Score { digit: 0.95, none: 0.05 }; found.candidates().len()]);
    assert_eq!(path.lines.iter().map(|line| line.candidates.len()).collect::<Vec<_>>(), [5, 5]);
}

#[test]
fn any_size_is_read_alike() {
    for scale in [1, 3, 9] {
        let mut small = Sheet::new(300, 120);
        small.ring((60.0, 60.0), (20.0, 30.0));
        small.ring((150.0, 60.0), (20.0, 30.0));
        let width = 300 * scale;
        let grey = (0..width * 120 * scale).map(|i| small.grey[i / width / scale * 300 + i % width / scale]).collect();
        let found = segment(&Picture::from_grey(width, 120 * scale, grey).unwrap(), (28, 28));
        let whole = found.candidates().iter().filter(|one| one.rect.height.abs_diff(66 * scale) <= 6 * scale);
        assert!(whole.count() >= 2, "{scale}");
        // Digits alone, not cut further than is worth a look.
        assert!(found.candidates().len() < 30, "{scale}: {}", found.candidates().len());
    }
}

#[test]
fn no_ink_no_candidates_and_texture_has_an_end() {
    let blank = Picture::from_grey(100, 50, vec![200; 5000]).unwrap();
    assert!(segment(&blank, (28, 28)).candidates().is_empty());
    assert_eq!(segment(&blank, (28, 28)).best(&[]), Path::default());
    let mut state = 1u32;
    let noise = (0..600 * 400).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let noise = Picture::from_grey(600, 400, noise.collect()).unwrap();
    let found = segment(&noise, (28, 28));
    assert!(found.candidates().len() <= MOST, "{}", found.candidates().len());
}

#[test]
fn extreme_shapes_of_picture() {
    for (width, height) in [(1, 1), (1, 3000), (3000, 1), (2, 2)] {
        let grey = (0..width * height).map(|i| if i % 7 < 2 { 20 } else { 230 }).collect();
        let found = segment(&Picture::from_grey(width, height, grey).unwrap(), (28, 28));
        found.best(&vec![Score { digit: 1.0, none: 0.0 }; found.candidates().len()]);
    }
}

#[test]
fn work_and_time_are_bounded() {
    use crate::{Effort, TooMuch};
    use std::time::Instant;
    let bars = |x: usize, y: usize| (20..100).contains(&y) && x % 40 < 8;
    let grey = (0..400 * 120).map(|i| if bars(i % 400, i / 400) { 20 } else { 230 }).collect();
    let picture = Picture::from_grey(400, 120, grey).unwrap();
    let within = |effort: &Effort| segment_within(&picture, (28, 28), effort);
    let effort = Effort::new(None);
    let all = within(&effort).unwrap();
    assert_eq!(all.candidates(), segment(&picture, (28, 28)).candidates());
    assert!(all.candidates().len() >= 10);
    // Writing takes a small part of the steps there are, and the same number in every run.
    let taken = Effort::STEPS - effort.left();
    assert!(taken < Effort::STEPS / 10, "{taken}");
    assert!(within(&Effort::of_steps(taken, None)).is_ok());
    assert_eq!(within(&Effort::of_steps(taken - 1, None)).unwrap_err(), TooMuch::Work);
    assert_eq!(within(&Effort::new(Some(Instant::now()))).unwrap_err(), TooMuch::Time);
}
