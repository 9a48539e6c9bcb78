//! One digit or several: both are prepared, the network scores both, and the likelier one is the reading.

use crate::doubt;
use crate::options::{Layout, OperatingPoint};
use crate::reading::{Item, Reading};
use maobi_vision::segment::Path;
use maobi_vision::{Prepared, Rect, Score, Segmentation};

/// What each digit after the second within one drawing speaks for its being several, in natural logarithms: a digit may come apart into
/// two parts that look like digits, hardly into more.
const EACH: f32 = 1.0;

/// What may stand on a picture, before the network has seen it.
pub(crate) struct Draft {
    /// All of the picture.
    pub whole: Rect,
    /// As one digit.
    pub single: Prepared,
    /// As several.
    pub many: Segmentation,
}

impl Draft {
    /// What the network is to see: the one digit, then the candidates.
    pub fn glyphs(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.single.pixels[..]).chain(self.many.candidates().iter().map(|one| &one.pixels[..]))
    }

    /// The reading, given an item for each of [`Draft::glyphs`].
    pub fn reading(self, mut items: Vec<Item>, layout: Layout, point: &OperatingPoint) -> Reading {
        let (path, ink) = self.path(&items, layout);
        let lines = &path.lines;
        if lines.is_empty() || (layout == Layout::Auto && !self.several(&path, &items)) {
            items.truncate(1);
            if let Some(item) = items.first_mut() {
                item.rect = self.single.ink.unwrap_or(self.whole);
                item.none = doubt::alone(item.none, &self.single, point);
                item.rejected |= self.single.blank || item.none > point.alone;
            }
            return Reading::of(items, self.single.blank, false);
        }
        let (mut read, mut share) = (Vec::new(), 0.0);
        for (line, path) in lines.iter().enumerate() {
            for &index in &path.candidates {
                if let (Some(item), Some(candidate)) = (items.get(index + 1), self.many.candidates().get(index)) {
                    share += if item.rejected { 0.0 } else { candidate.share };
                    read.push(Item { line, rect: candidate.rect, ..item.clone() });
                }
            }
        }
        let doubtful = doubt::several(&read, (share / ink, path.cost), (self.whole, self.single.width), point);
        Reading::of(read, false, doubtful)
    }

    /// The best path through each line, or through the longest alone, and the share of the picture's ink that is there to be read.
    fn path(&self, items: &[Item], layout: Layout) -> (Path, f32) {
        let scores: Vec<Score> = items.iter().skip(1).map(score).collect();
        let path = self.many.best(&scores);
        // Of several, the upper one.
        let longest = path.lines.iter().rev().max_by_key(|line| line.candidates.len());
        match longest.filter(|_| layout == Layout::Line) {
            Some(line) => (Path { lines: vec![line.clone()], cost: line.cost }, line.share),
            None => (path, 1.0),
        }
    }

    /// Whether the picture holds several digits.
    fn several(&self, path: &Path, items: &[Item]) -> bool {
        let accepted = |i: &&usize| items.get(**i + 1).is_some_and(|item| !item.rejected);
        let digits = path.lines.iter().flat_map(|line| &line.candidates).filter(accepted);
        let digits: Vec<Rect> = digits.filter_map(|&i| self.many.candidates().get(i)).map(|one| one.rect).collect();
        let (Some(single), Some(rect)) = (items.first(), self.single.ink) else { return digits.len() > 1 };
        // A digit that the one digit does not cover stands beside it. What the frame cuts off is a neighbour's fragment, unless it
        // is as tall as the rest and no mere stroke.
        let tallest = digits.iter().map(|digit| digit.height).max().unwrap_or(0);
        let whole = |digit: &Rect| 4 * digit.height >= 3 * tallest && 3 * digit.width >= digit.height;
        let beside = |digit: &&Rect| !covers(rect, **digit) && (whole(digit) || !self.cut_off(**digit));
        if digits.iter().any(|digit| beside(&digit)) {
            return digits.len() > 1;
        }
        let within = digits.iter().filter(|digit| covers(rect, **digit)).count();
        within > 1 && (single.rejected || path.cost < score(single).alone(rect) + EACH * (within - 2) as f32)
    }

    /// Whether the picture's frame goes through it.
    fn cut_off(&self, rect: Rect) -> bool {
        let all = self.whole;
        rect.x == 0 || rect.y == 0 || rect.x + rect.width >= all.width || rect.y + rect.height >= all.height
    }
}

/// Whether the middle of `part` lies in `rect`.
fn covers(rect: Rect, part: Rect) -> bool {
    let (x, y) = (part.x + part.width / 2, part.y + part.height / 2);
    (rect.x..rect.x + rect.width).contains(&x) && (rect.y..rect.y + rect.height).contains(&y)
}

fn score(item: &Item) -> Score {
    Score { digit: item.confidence(), none: item.none }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_vision::segment::PathLine;
    use maobi_vision::{Picture, Preprocess, prepare, segment};

    fn item(p: f32, none: f32) -> Item {
        let rect = Rect { x: 0, y: 0, width: 1, height: 1 };
        let class = "0".to_owned();
        Item { digit: 0, class, probability: p, probabilities: vec![p], none, rect, line: 0, rejected: false, pixels: Vec::new() }
    }

    /// A picture of `n` upright bars close together: the one digit covers all of them.
    fn bars(n: usize) -> Draft {
        let bar = |x: usize, y: usize| (40..100).contains(&y) && (40..40 + 20 * n).contains(&x) && x % 20 < 8;
        let grey = (0..200 * 140).map(|i| if bar(i % 200, i / 200) { 30 } else { 230 }).collect();
        let picture = Picture::from_grey(200, 140, grey).unwrap();
        let single = prepare(&picture, Preprocess::Auto, (28, 28));
        Draft { whole: Rect { x: 0, y: 0, width: 200, height: 140 }, single, many: segment(&picture, (28, 28)) }
    }

    #[test]
    fn many_parts_that_look_like_digits_are_digits_two_may_be_one() {
        for (n, several) in [(2, false), (4, true)] {
            let draft = bars(n);
            let single = draft.many.candidates().iter().enumerate().filter(|(_, one)| one.rect.width < 14);
            let line: Vec<usize> = single.map(|(i, _)| i).collect();
            assert_eq!(line.len(), n);
            let mut items = vec![item(0.99, 0.01)];
            items.extend(draft.many.candidates().iter().map(|_| item(0.99, 0.01)));
            // A little dearer than the one digit, which the network takes for one as well.
            let alone = score(&items[0]).alone(draft.single.ink.unwrap());
            let path = Path { lines: vec![PathLine { candidates: line, ..PathLine::default() }], cost: alone + 1.0 };
            assert_eq!(draft.several(&path, &items), several, "{n} bars");
        }
    }
}
