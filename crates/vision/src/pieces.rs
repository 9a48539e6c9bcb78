//! Connected pieces of ink, and which of them are the drawing.

use crate::bounds::Bounds;

/// How far a piece may lie from the rest of the drawing, as a share of the drawing's size.
const REACH: (usize, usize) = (2, 5);

/// A connected piece (8 neighbours) of ink.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Its pixels, as indices into the plane.
    pub pixels: Vec<usize>,
    pub bounds: Bounds,
    /// Sum of its squared ink strength: a faint blotch is large, a stroke is strong.
    pub mass: f32,
    /// Touches the frame of the picture.
    pub touches: bool,
}

impl Piece {
    pub fn longest(&self) -> usize {
        self.bounds.longest()
    }
}

/// Pieces of pixels above `low` with at least one above `high`: faint ends of a stroke stay with it, faint noise does not.
pub(crate) fn find(ink: &[f32], (width, height): (usize, usize), low: f32, high: f32) -> Vec<Piece> {
    let mut seen = vec![false; ink.len()];
    let mut pieces = Vec::new();
    for start in 0..ink.len() {
        if seen[start] || ink[start] <= high {
            continue;
        }
        seen[start] = true;
        let mut pixels = vec![start];
        let mut bounds = Bounds::NOTHING;
        let mut next = 0;
        while next < pixels.len() {
            let (x, y) = (pixels[next] % width, pixels[next] / width);
            next += 1;
            bounds = bounds.with(x, y);
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
        let touches = bounds.left == 0 || bounds.top == 0 || bounds.right == width || bounds.bottom == height;
        let mass = pixels.iter().map(|&i| ink[i] * ink[i]).sum();
        pieces.push(Piece { pixels, bounds, mass, touches });
    }
    pieces
}

/// Pieces whose boxes are this share of the plane's longest side apart are one broken stroke.
const BROKEN: f32 = 0.02;

/// The pieces that make up the drawing, the main ones first; empty when there is none.
pub(crate) fn choose(mut pieces: Vec<Piece>, (width, height): (usize, usize)) -> Vec<Piece> {
    drop_frames(&mut pieces, width);
    let weight = |mass: f32, bounds: Bounds| {
        // Ink in the middle of the picture counts more than the same ink at its edge.
        let centre = |a: usize, b: usize, n: usize| ((a + b) as f32 / n as f32 - 1.0).abs();
        let away = centre(bounds.left, bounds.right, width).max(centre(bounds.top, bounds.bottom, height));
        mass * (1.2 - away)
    };
    pieces.sort_by(|a, b| weight(b.mass, b.bounds).total_cmp(&weight(a.mass, a.bounds)));
    let Some(heaviest) = pieces.first().map(|p| weight(p.mass, p.bounds)) else { return pieces };
    // Frames, fingers, table edges and neighbours' fragments touch the picture's frame; a drawing rarely does.
    let (inner, outer): (Vec<Piece>, Vec<Piece>) = pieces.into_iter().partition(|p| !p.touches);
    let mut groups = grouped(inner, (BROKEN * width.max(height) as f32) as usize);
    groups.sort_by(|a, b| weight(b.mass, b.bounds).total_cmp(&weight(a.mass, a.bounds)));
    let inside = groups
        .first()
        .is_some_and(|g| weight(g.mass, g.bounds) >= 0.25 * heaviest && g.bounds.longest() * 32 >= width.min(height));
    let mut rest: Vec<Piece> = Vec::new();
    let mut kept = Vec::new();
    let mut outer = outer.into_iter();
    if inside {
        kept = groups.remove(0).without_specks();
    } else {
        kept.extend(outer.next());
    }
    rest.extend(groups.into_iter().flat_map(|g| g.pieces).chain(outer));
    let Some(mut around) = kept.iter().map(|p| p.bounds).reduce(Bounds::join) else { return kept };
    let mass: f32 = kept.iter().map(|p| p.mass).sum();
    // Broken lines join up piece by piece: what belongs is judged against all that was kept so far.
    loop {
        let before = rest.len();
        let longest = around.longest();
        let reach = longest * REACH.0 / REACH.1;
        let belongs = |piece: &mut Piece| {
            let near = piece.bounds.left <= around.right + reach
                && piece.bounds.right + reach >= around.left
                && piece.bounds.top <= around.bottom + reach
                && piece.bounds.bottom + reach >= around.top;
            let speck = piece.mass * 40.0 < mass || piece.longest() * 12 < longest;
            near && !speck && (!inside || !piece.touches)
        };
        let joined: Vec<Piece> = rest.extract_if(.., belongs).collect();
        around = joined.iter().fold(around, |around, piece| around.join(piece.bounds));
        kept.extend(joined);
        if rest.len() == before {
            break;
        }
    }
    drop_underlines(&mut kept);
    kept
}

/// Pieces close to each other.
struct Group {
    pieces: Vec<Piece>,
    bounds: Bounds,
    mass: f32,
}

impl Group {
    /// Without its small pieces, if they are little of it: a line of dots is all specks.
    fn without_specks(mut self) -> Vec<Piece> {
        let (longest, mass) = (self.bounds.longest(), self.mass);
        let speck = |p: &Piece| p.longest() * 12 < longest;
        let specks: f32 = self.pieces.iter().filter(|p| speck(p)).map(|p| p.mass).sum();
        if specks < 0.2 * mass {
            self.pieces.retain(|p| !speck(p));
        }
        self.pieces
    }
}

/// Groups of pieces whose boxes are at most `gap` apart.
///
/// A piece starts a new group and takes in every earlier group that it lies close to, so a group is a tree of pieces. Each
/// piece is compared only with those in the cells around it: a picture of dots has tens of thousands.
fn grouped(pieces: Vec<Piece>, gap: usize) -> Vec<Group> {
    let boxes: Vec<Bounds> = pieces.iter().map(|piece| piece.bounds).collect();
    let mut cells = Cells::new(&boxes, gap);
    // The piece whose group took a piece's group in; itself for the piece that started the newest group.
    let mut owner: Vec<usize> = (0..pieces.len()).collect();
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); pieces.len()];
    let mut sums: Vec<(Bounds, f32)> = pieces.iter().map(|piece| (piece.bounds, piece.mass)).collect();
    let mut near = Vec::new();
    for (index, &bounds) in boxes.iter().enumerate() {
        near.clear();
        cells.visit(bounds, |other| {
            if close(&boxes[other], &bounds, gap) {
                near.push(newest(&mut owner, other));
            }
        });
        cells.put(index, bounds);
        // In the order in which the groups were started.
        near.sort_unstable();
        near.dedup();
        for &group in &near {
            owner[group] = index;
            let (bounds, mass) = sums[group];
            sums[index] = (sums[index].0.join(bounds), sums[index].1 + mass);
        }
        taken[index].clone_from(&near);
    }
    let mut left: Vec<Option<Piece>> = pieces.into_iter().map(Some).collect();
    let groups = (0..left.len()).filter(|&index| owner[index] == index);
    let group = |start: usize| {
        let mut found = Vec::new();
        let mut stack = vec![start];
        while let Some(index) = stack.pop() {
            found.extend(left[index].take());
            stack.extend(taken[index].iter().rev());
        }
        Group { pieces: found, bounds: sums[start].0, mass: sums[start].1 }
    };
    groups.map(group).collect()
}

/// The piece that started the group which `piece` is in now.
fn newest(owner: &mut [usize], piece: usize) -> usize {
    let mut at = piece;
    while owner[at] != at {
        owner[at] = owner[owner[at]];
        at = owner[at];
    }
    at
}

/// Whether two boxes are at most `gap` apart.
fn close(a: &Bounds, b: &Bounds, gap: usize) -> bool {
    a.left <= b.right + gap && b.left <= a.right + gap && a.top <= b.bottom + gap && b.top <= a.bottom + gap
}

/// Which boxes lie in which square of a grid.
struct Cells {
    side: usize,
    gap: usize,
    across: usize,
    down: usize,
    inside: Vec<Vec<u32>>,
}

impl Cells {
    /// Shortest side of a cell, in pixels.
    const SIDE: usize = 8;

    /// An empty grid with room for `boxes`, to be asked for what is at most `gap` away.
    fn new(boxes: &[Bounds], gap: usize) -> Self {
        let side = gap.max(Self::SIDE);
        let all = boxes.iter().copied().fold(Bounds::NOTHING, Bounds::join);
        let (across, down) = (all.right / side + 1, all.bottom / side + 1);
        Self { side, gap, across, down, inside: vec![Vec::new(); across * down] }
    }

    /// The cells within `reach` of a box.
    fn around(&self, b: Bounds, reach: usize) -> impl Iterator<Item = usize> + use<> {
        let (side, width) = (self.side, self.across);
        let span = |from: usize, to: usize, n: usize| from.saturating_sub(reach) / side..((to + reach) / side + 1).min(n);
        let columns = span(b.left, b.right, self.across);
        span(b.top, b.bottom, self.down).flat_map(move |row| columns.clone().map(move |column| row * width + column))
    }

    fn put(&mut self, index: usize, bounds: Bounds) {
        self.around(bounds, 0).for_each(|cell| self.inside[cell].push(index as u32));
    }

    /// Calls `found` for every box that may be close, for some more than once.
    fn visit(&self, bounds: Bounds, mut found: impl FnMut(usize)) {
        self.around(bounds, self.gap).flat_map(|cell| &self.inside[cell]).for_each(|&index| found(index as usize));
    }
}

/// Leaves out drawn boxes: pieces along the sides of their bounds that enclose another piece of some size.
pub(crate) fn drop_frames(pieces: &mut Vec<Piece>, width: usize) {
    // By their left sides: what a box encloses begins between its sides.
    let mut inner: Vec<(usize, Bounds)> = pieces.iter().map(|piece| (piece.bounds.left, piece.bounds)).collect();
    inner.sort_by_key(|(left, _)| *left);
    let frame = |outer: &Piece| {
        let (b, longest) = (outer.bounds, outer.longest());
        let encloses = |(_, i): &(usize, Bounds)| {
            i.longest() * 3 >= longest && i.left > b.left && i.top > b.top && i.right < b.right && i.bottom < b.bottom
        };
        let near_side = |&&i: &&usize| {
            let (x, y) = (i % width, i / width);
            let (across, down) = ((x - b.left).min(b.right - 1 - x), (y - b.top).min(b.bottom - 1 - y));
            across * 10 <= b.width() || down * 10 <= b.height()
        };
        // Nothing fits into fewer than three rows and columns.
        if b.width() < 3 || b.height() < 3 {
            return false;
        }
        // Of an ellipse, as a 0 is, three quarters lie there.
        let sides = outer.pixels.iter().filter(near_side).count();
        let from = |left: usize| inner.partition_point(|(at, _)| *at < left);
        sides * 20 >= outer.pixels.len() * 19 && inner[from(b.left + 1)..from(b.right)].iter().any(encloses)
    };
    let frames: Vec<bool> = pieces.iter().map(frame).collect();
    let mut frames = frames.into_iter();
    pieces.retain(|_| !frames.next().unwrap_or(false));
}

/// Leaves out what is drawn under, over or beside a digit: straight, level, longer than the digit, and off it.
fn drop_underlines(kept: &mut Vec<Piece>) {
    while let Some(line) = underline(kept) {
        kept.remove(line);
    }
}

/// The first piece that is such a line.
fn underline(kept: &[Piece]) -> Option<usize> {
    // The boxes around all pieces behind each.
    let mut behind: Vec<Bounds> = vec![Bounds::NOTHING; kept.len()];
    for i in (1..kept.len()).rev() {
        behind[i - 1] = behind[i].join(kept[i].bounds);
    }
    let mut before = Bounds::NOTHING;
    for (i, piece) in kept.iter().enumerate() {
        let (b, rest) = (piece.bounds, before.join(behind[i]));
        before = before.join(b);
        if rest.is_empty() {
            continue;
        }
        let level = b.height() * 7 <= b.width() && b.width() * 10 >= 12 * rest.longest();
        let upright = b.width() * 7 <= b.height() && b.height() * 10 >= 22 * rest.longest();
        let off = |from: usize, to: usize, low: usize, high: usize| (from + to) / 2 <= low || (from + to) / 2 >= high;
        let line =
            (level && off(b.top, b.bottom, rest.top, rest.bottom)) || (upright && off(b.left, b.right, rest.left, rest.right));
        let mass = || kept.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| p.mass).sum::<f32>();
        if line && mass() >= 0.25 * piece.mass {
            return Some(i);
        }
    }
    None
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
        assert_eq!((found[0].pixels.len(), found[0].bounds, found[0].touches), (4, Bounds::new(1, 1, 5, 2), false));
        assert!(found[1].touches);
    }

    #[test]
    fn pieces_at_the_frame_go_when_the_drawing_is_inside() {
        let (found, size) = pieces(&["9999999999", "..........", "...99.....", "...99.....", "..........", ".........."]);
        let kept = choose(found, size);
        assert_eq!((kept.len(), kept[0].bounds), (1, Bounds::new(3, 2, 5, 4)));
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

    /// Pieces of one or a few pixels, scattered but the same in every run.
    fn scattered(side: usize, every: usize) -> Vec<Piece> {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let ink: Vec<f32> = (0..side * side).map(|_| if next().is_multiple_of(every) { 9.0 } else { 0.0 }).collect();
        find(&ink, (side, side), 2.0, 5.0)
    }

    #[test]
    fn groups_are_those_of_comparing_all_pieces() {
        /// Every piece with all pieces of all groups.
        fn slow(pieces: Vec<Piece>, gap: usize) -> Vec<Group> {
            let mut groups: Vec<Group> = Vec::new();
            for piece in pieces {
                let bounds = piece.bounds;
                let mut group = Group { bounds, mass: piece.mass, pieces: vec![piece] };
                for other in groups.extract_if(.., |g| g.pieces.iter().any(|p| close(&p.bounds, &bounds, gap))) {
                    group.bounds = group.bounds.join(other.bounds);
                    group.mass += other.mass;
                    group.pieces.extend(other.pieces);
                }
                groups.push(group);
            }
            groups
        }
        let told = |groups: Vec<Group>| -> Vec<(Bounds, f32, Vec<usize>)> {
            groups.into_iter().map(|g| (g.bounds, g.mass, g.pieces.iter().map(|p| p.pixels[0]).collect())).collect()
        };
        for (every, gap) in [(40, 0), (40, 3), (90, 5), (300, 11), (1000, 3)] {
            let pieces = scattered(100, every);
            assert!(pieces.len() > 5);
            assert_eq!(told(grouped(pieces.clone(), gap)), told(slow(pieces, gap)), "every {every}, gap {gap}");
        }
    }

    #[test]
    fn underlines_are_found_by_what_is_around_them() {
        let rows = ["....99....", "....99....", "....99....", "..........", "9999999999"];
        let (mut kept, _) = pieces(&rows);
        drop_underlines(&mut kept);
        assert_eq!((kept.len(), kept[0].bounds), (1, Bounds::new(4, 0, 6, 3)));
        // Alone it is a drawing.
        let (mut kept, _) = pieces(&rows[4..]);
        drop_underlines(&mut kept);
        assert_eq!(kept.len(), 1);
    }

    #[test]
    fn tens_of_thousands_of_dots_are_no_burden() {
        let began = std::time::Instant::now();
        let ink: Vec<f32> = (0..640 * 640).map(|i| if i % 2 == 0 && i / 640 % 2 == 0 { 9.0 } else { 0.0 }).collect();
        let found = find(&ink, (640, 640), 2.0, 5.0);
        // Without those at the top and at the left side.
        assert_eq!((found.len(), choose(found, (640, 640)).len()), (320 * 320, 319 * 319));
        // Comparing all with all takes minutes, this a fraction of a second.
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }
}
