//! Marks to lines of writing, straight or slanted.

use super::marks::{Mark, typical, typical_inside};

/// A mark at least this high, as a share of what is typical on the page, says where lines run; lower ones join later.
const MAIN: f32 = 0.45;
/// Largest gap between neighbours of a line, in typical heights.
const GAP: f32 = 4.0;
/// How far the middle of a neighbour may lie above or below, in heights.
const DRIFT: f32 = 0.6;
/// How far from a line's middle a mark may lie and still belong to it, in heights.
const BAND: f32 = 0.75;

/// A line of writing.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// From left to right, by their middles.
    pub marks: Vec<Mark>,
    /// Height of its digits.
    pub height: f32,
}

/// A chain of main marks and the straight line through their middles.
struct Chain {
    members: Vec<usize>,
    /// `y = a + b x`
    a: f32,
    b: f32,
    height: f32,
    from: f32,
    to: f32,
}

/// Sorts marks into lines from top to bottom; what belongs to none is left out.
pub(super) fn group(marks: Vec<Mark>) -> Vec<Line> {
    let height = height(&marks);
    let main: Vec<usize> = (0..marks.len()).filter(|&i| is_main(&marks[i], height)).collect();
    let mut chains = chain(&marks, &main, height);
    while let Some((i, j)) = continued(&chains) {
        let members = [&chains[i].members[..], &chains[j].members].concat();
        chains[i] = Chain::new(members, &marks);
        chains.remove(j);
    }
    chains.retain(|chain| is_line(chain, &marks, height));
    let middle = |chain: &Chain| chain.a + chain.b * (chain.from + chain.to) / 2.0;
    chains.sort_by(|p, q| middle(p).total_cmp(&middle(q)));
    let mut lines: Vec<Line> = chains.iter().map(|chain| Line { marks: Vec::new(), height: chain.height }).collect();
    let home: Vec<Option<usize>> = (0..marks.len()).map(|i| home(i, &marks, &chains)).collect();
    for (mark, home) in marks.into_iter().zip(home) {
        if let Some(line) = home.and_then(|i| lines.get_mut(i)) {
            line.marks.push(mark);
        }
    }
    for line in &mut lines {
        line.marks.sort_by(|p, q| p.centre().0.total_cmp(&q.centre().0));
    }
    lines.retain(|line| !line.marks.is_empty());
    lines
}

/// Height of the writing.
pub(super) fn height(marks: &[Mark]) -> f32 {
    typical_inside(marks.iter().map(|mark| (mark.height(), mark.cut_off)))
}

fn is_main(mark: &Mark, height: f32) -> bool {
    mark.height() >= MAIN * height && mark.height() <= 3.0 * height
}

/// Neighbours that are each other's nearest make chains.
fn chain(marks: &[Mark], main: &[usize], height: f32) -> Vec<Chain> {
    let cost = |&i: &usize, &j: &usize| {
        let (p, q) = (&marks[i], &marks[j]);
        let ((px, py), (qx, qy)) = (p.centre(), q.centre());
        let gap = (q.bounds.left as f32 - p.bounds.right as f32).max(0.0);
        let drift = (py - qy).abs();
        let near = qx > px && gap <= GAP * height && drift <= DRIFT * p.height().max(q.height());
        near.then_some(gap + 2.0 * drift)
    };
    let best = |found: Option<(usize, f32)>, (k, cost): (usize, f32)| match found {
        Some((_, least)) if least <= cost => found,
        _ => Some((k, cost)),
    };
    let right = |i: &usize| main.iter().filter_map(|j| Some((*j, cost(i, j)?))).fold(None, best).map(|(j, _)| j);
    let left = |j: &usize| main.iter().filter_map(|i| Some((*i, cost(i, j)?))).fold(None, best).map(|(i, _)| i);
    let next: Vec<Option<usize>> = main.iter().map(|i| right(i).filter(|j| left(j) == Some(*i))).collect();
    let has_left: Vec<usize> = next.iter().flatten().copied().collect();
    let mut chains = Vec::new();
    for &start in main.iter().filter(|i| !has_left.contains(i)) {
        let mut members = vec![start];
        let mut at = start;
        while let Some(to) = main.iter().position(|&i| i == at).and_then(|place| next[place]) {
            members.push(to);
            at = to;
        }
        chains.push(Chain::new(members, marks));
    }
    chains
}

/// Two chains that are one line: one goes on where the other ends, or both lie upon each other.
fn continued(chains: &[Chain]) -> Option<(usize, usize)> {
    for (i, p) in chains.iter().enumerate() {
        for (j, q) in chains.iter().enumerate().filter(|(j, _)| *j != i) {
            let height = p.height.max(q.height);
            // Judged by the longer chain, whose slant is the surer one.
            if q.members.len() > p.members.len() {
                continue;
            }
            let off = |x: f32| (p.at(x) - q.at(x)).abs();
            let gap = (q.from - p.to).max(p.from - q.to).max(0.0);
            let middle = (q.from + q.to) / 2.0;
            if off(middle) <= 0.5 * height + 0.05 * gap {
                return Some((i, j));
            }
        }
    }
    None
}

/// Whether a chain is writing: not what the frame cut off, not much smaller than the rest.
fn is_line(chain: &Chain, marks: &[Mark], height: f32) -> bool {
    let cut = chain.members.iter().filter(|&&i| marks[i].cut_off).count();
    chain.height >= MAIN * height && (2 * cut <= chain.members.len() || chain.height >= 0.8 * height)
}

/// The line that a mark belongs to.
fn home(i: usize, marks: &[Mark], chains: &[Chain]) -> Option<usize> {
    if let Some(own) = chains.iter().position(|chain| chain.members.contains(&i)) {
        return Some(own);
    }
    let (x, y) = marks[i].centre();
    let away = |chain: &Chain| (y - chain.at(x)).abs() / chain.height.max(1.0);
    let beside = |chain: &Chain| x >= chain.from - chain.height && x <= chain.to + chain.height;
    let near = chains.iter().enumerate().filter(|(_, c)| beside(c) && away(c) <= BAND);
    near.min_by(|p, q| away(p.1).total_cmp(&away(q.1))).map(|(k, _)| k)
}

impl Chain {
    fn new(members: Vec<usize>, marks: &[Mark]) -> Self {
        let height = typical(members.iter().map(|&i| marks[i].height()));
        let points: Vec<(f32, f32)> = members.iter().map(|&i| marks[i].centre()).collect();
        let n = points.len() as f32;
        let (mx, my) = (points.iter().map(|p| p.0).sum::<f32>() / n, points.iter().map(|p| p.1).sum::<f32>() / n);
        let sxx: f32 = points.iter().map(|p| (p.0 - mx) * (p.0 - mx)).sum();
        let sxy: f32 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
        // A few digits close together say little about the slant: held back as if two more stood two heights aside, level.
        let b = sxy / (sxx + 8.0 * height * height).max(1.0);
        let from = members.iter().map(|&i| marks[i].bounds.left as f32).fold(f32::MAX, f32::min);
        let to = members.iter().map(|&i| marks[i].bounds.right as f32).fold(0.0, f32::max);
        Self { members, a: my - b * mx, b, height, from, to }
    }

    /// The line's middle there.
    fn at(&self, x: f32) -> f32 {
        self.a + self.b * x
    }
}
