//! Ruled lines, squares, and other thin lines that cross the whole picture: found and taken out, the strokes across them kept.
//!
//! A line is the best path from side to side through what is dark (dynamic programming, as in path openings), to which a parabola
//! is fitted: pages bulge. Only columns in which the ink is as thin as the line are cleared, so strokes that cross it stay whole.

use super::plane::percentile;

/// Thickest line, as a share of the plane's longest side: of one that reaches from side to side, and of one of many.
const THICKEST: f32 = 0.012;
const THICKEST_OF_MANY: f32 = 0.03;
/// A line that does not reach both sides counts when it spans this share of them, and this share of the plane's longest side, and
/// there are [`MANY`] such: along a strip with a line of writing, digits span much of the short side.
const LONG: f32 = 0.5;
const LONG_OF_MANY: f32 = 0.45;
const MANY: usize = 3;
/// A path's cost of a step aside, in steps ahead: straight on is preferred, ten degrees are possible.
const STEP: f32 = 1.5;
/// How far a line may bulge, as a share of its length.
const BULGE: f64 = 0.03;
/// Ink stronger than the line by this factor is a pen that goes along it.
const PEN: f32 = 1.35;

/// The same ink over another ground may be this much stronger than what the line was found in; what is stronger still is a broad
/// pen, of which a narrow window showed nothing but the line under it.
const BROAD: f32 = 1.8;

/// A pixel of a ruled line, and how strong ink is there that is still the line.
pub(super) type Ruled = (usize, f32);

/// Sets ink to 0 where it is a ruled line.
pub(super) fn clear(ink: &mut [f32], rules: &[Ruled]) {
    for &(i, strongest) in rules {
        if ink[i] <= strongest {
            ink[i] = 0.0;
        }
    }
}

/// Pixels of ruled lines, as indices into `ink` `[height, width]`. What is above `weak` takes part.
pub(super) fn find(ink: &[f32], (w, h): (usize, usize), weak: f32) -> Vec<Ruled> {
    let longest = w.max(h) as f32;
    // From top to bottom the rows are the steps; from left to right the columns are.
    let mut found = along(&Field { ink, steps: h, places: w, longest }, weak);
    let mut turned = turned(ink, (w, h));
    // Where lines cross, one of the two is thicker than itself: without the first the second is whole.
    found.iter().for_each(|&(i, _)| turned[(i % w) * h + i / w] = 0.0);
    let across = along(&Field { ink: &turned, steps: w, places: h, longest }, weak);
    found.extend(across.into_iter().map(|(i, strongest)| ((i % h) * w + i / h, strongest)));
    found
}

/// Rows to columns, for `ink` `[h, w]`.
fn turned(ink: &[f32], (w, h): (usize, usize)) -> Vec<f32> {
    (0..w * h).map(|i| ink[(i % h) * w + i / h]).collect()
}

/// A straight, thin line that ends within the plane, as forms have them.
pub(crate) struct Straight {
    /// Its bare parts; where a stroke crosses it, nothing.
    pub pixels: Vec<usize>,
    /// (x, y) of both ends.
    pub ends: [(usize, usize); 2],
    pub thick: f32,
}

/// Level (or `upright`) lines of at least `least` pixels, none thicker than `thickest`.
pub(crate) fn straight(
    ink: &[f32],
    (w, h): (usize, usize),
    upright: bool,
    weak: f32,
    least: usize,
    thickest: f32,
) -> Vec<Straight> {
    let longest = w.max(h) as f32;
    let turn = if upright { Vec::new() } else { turned(ink, (w, h)) };
    let (ink, steps, places) = if upright { (ink, h, w) } else { (&turn[..], w, h) };
    let field = Field { ink, steps, places, longest };
    let found = lines(&field, weak, least, thickest);
    let at = |step: usize, place: usize| if upright { (place, step) } else { (step, place) };
    let end = |line: &Line, k: usize| at(line.first + k, (line.middle[k].max(0.0) as usize).min(places - 1));
    let straight = |line: Line| Straight {
        pixels: line.pixels(places).map(|i| at(i / places, i % places)).map(|(x, y)| y * w + x).collect(),
        ends: [end(&line, 0), end(&line, line.middle.len() - 1)],
        thick: line.thick,
    };
    found.into_iter().map(straight).collect()
}

/// Ink in which lines go on from step to step: `[steps, places]`.
struct Field<'a> {
    ink: &'a [f32],
    steps: usize,
    places: usize,
    longest: f32,
}

/// A place for each step, from the first on.
struct Path {
    first: usize,
    places: Vec<usize>,
}

/// The lines' pixels.
fn along(field: &Field<'_>, weak: f32) -> Vec<Ruled> {
    let (steps, places) = (field.steps, field.places);
    // Where more than a third is dark, anything can be joined up.
    if steps < 24 || places < 24 || field.ink.iter().filter(|v| **v > weak).count() * 3 > steps * places {
        return Vec::new();
    }
    let lines = lines(field, weak, (LONG * steps as f32) as usize, THICKEST_OF_MANY * field.longest);
    let reaches = |line: &Line| line.first * 33 <= steps && (line.first + line.runs.len() + steps / 33) >= steps;
    let crosses = |line: &Line| reaches(line) && line.thick <= (THICKEST * field.longest).max(2.5);
    let one_of_many = |line: &Line| reaches(line) || line.runs.len() as f32 >= LONG_OF_MANY * field.longest;
    let many = lines.iter().filter(|line| one_of_many(line)).count() >= MANY;
    let lines = lines.iter().filter(|line| crosses(line) || (many && one_of_many(line)));
    lines.flat_map(|line| line.pixels(places).map(|i| (i, BROAD * line.strength))).collect()
}

/// Lines of at least `least` steps that are not too thick.
fn lines(field: &Field<'_>, weak: f32, least: usize, thickest: f32) -> Vec<Line> {
    let (steps, places) = (field.steps, field.places);
    let mask: Vec<bool> = field.ink.iter().map(|&v| v > weak).collect();
    let mut lines: Vec<Line> = Vec::new();
    for path in paths(bridged(&mask, places, (steps / 60).max(2)), (steps, places), least) {
        if let Some(line) = Line::new(&path, field, &mask)
            && line.thick <= thickest.max(2.5)
            && !lines.iter().any(|other| other.same(&line))
        {
            lines.push(line);
        }
    }
    lines
}

/// Gaps of up to `gap` steps filled: grain breaks faint lines.
fn bridged(mask: &[bool], places: usize, gap: usize) -> Vec<bool> {
    let mut out = mask.to_vec();
    let mut last = vec![usize::MAX; places];
    for (step, row) in mask.chunks_exact(places).enumerate() {
        for (place, _) in row.iter().enumerate().filter(|(_, is)| **is) {
            let from = last[place];
            if from != usize::MAX && step - from > 1 && step - from <= gap + 1 {
                (from + 1..step).for_each(|s| out[s * places + place] = true);
            }
            last[place] = step;
        }
    }
    out
}

/// Paths through the mask of at least `least` steps, without common pixels.
fn paths(mut free: Vec<bool>, (steps, places): (usize, usize), least: usize) -> Vec<Path> {
    let mut found = Vec::new();
    // One walk finds paths that end in different places; those they crossed need another.
    for _ in 0..3 {
        let score = scores(&free, (steps, places));
        let goes_on = |i: usize| {
            let (step, place) = (i / places, i % places);
            let next = place.saturating_sub(1)..(place + 2).min(places);
            step + 1 < steps && next.clone().any(|p| free[(step + 1) * places + p])
        };
        let long = |i: &usize| score[*i] >= 0.8 * least as f32;
        let mut ends: Vec<usize> = (least * places / 2..steps * places).filter(long).filter(|&i| !goes_on(i)).collect();
        ends.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
        let before = found.len();
        for end in ends {
            if let Some(path) = walk(&free, &score, places, end)
                && path.places.len() >= least
            {
                for (step, &place) in (path.first..).zip(&path.places) {
                    let row = &mut free[step * places..(step + 1) * places];
                    // All of the line's thickness, so that it is not found again beside itself; of a stroke across only the
                    // line's part, so that other lines still cross it.
                    let up = (0..=place).rev().take(5).take_while(|&p| row[p]).last().unwrap_or(place);
                    let down = (place..places).take(5).take_while(|&p| row[p]).last().unwrap_or(place);
                    row[up..=down].fill(false);
                }
                found.push(path);
            }
        }
        if found.len() == before {
            break;
        }
    }
    found
}

/// For each pixel the best path that ends there: its steps less the cost of going aside; 0 off the mask.
fn scores(mask: &[bool], (steps, places): (usize, usize)) -> Vec<f32> {
    let mut score = vec![0.0f32; steps * places];
    // The row before, with a place on both sides that nothing comes from.
    let mut before = vec![0.0f32; places + 2];
    for (row, mask) in score.chunks_exact_mut(places).zip(mask.chunks_exact(places)) {
        for (place, (out, &is)) in row.iter_mut().zip(mask).enumerate() {
            let aside = before[place].max(before[place + 2]) - STEP;
            *out = if is { before[place + 1].max(aside).max(0.0) + 1.0 } else { 0.0 };
        }
        before[1..=places].copy_from_slice(row);
    }
    score
}

/// The path that ends at `end`, back to its start; `None` where another took its pixels.
fn walk(free: &[bool], score: &[f32], places: usize, end: usize) -> Option<Path> {
    let (mut step, mut place) = (end / places, end % places);
    let mut rows = Vec::with_capacity(step + 1);
    loop {
        if !free[step * places + place] {
            return None;
        }
        rows.push(place);
        if step == 0 {
            break;
        }
        let from = |p: usize, cost: f32| (score[(step - 1) * places + p] - cost, p);
        let mut best = from(place, 0.0);
        for p in [place.checked_sub(1), Some(place + 1).filter(|&p| p < places)].into_iter().flatten() {
            let other = from(p, STEP);
            if other.0 > best.0 {
                best = other;
            }
        }
        if best.0 <= 0.0 {
            break;
        }
        (step, place) = (step - 1, best.1);
    }
    rows.reverse();
    Some(Path { first: step, places: rows })
}

/// A gently bent line with what lies on it.
struct Line {
    first: usize,
    /// Its middle at each step, from the first on.
    middle: Vec<f32>,
    /// First and end place of the ink at each step, and its greatest strength; empty where there is none.
    runs: Vec<(usize, usize, f32)>,
    thick: f32,
    strength: f32,
}

impl Line {
    /// `None` when the path is not about straight, or mostly gaps: noise that happens to lie in a row.
    fn new(path: &Path, field: &Field<'_>, mask: &[bool]) -> Option<Self> {
        let places = field.places;
        let middle = fitted(&path.places)?;
        let run_at = |step: usize, middle: f32, reach: usize| {
            let row = &mask[step * places..(step + 1) * places];
            let at = (middle.round().max(0.0) as usize).min(places - 1);
            let near = (0..=reach).flat_map(|d| [at.saturating_sub(d), (at + d).min(places - 1)]).find(|&p| row[p]);
            let Some(p) = near else { return (at, at, 0.0) };
            let first = (0..p).rev().take_while(|&p| row[p]).last().unwrap_or(p);
            let end = (p..places).find(|&p| !row[p]).unwrap_or(places);
            let strongest = field.ink[step * places + first..step * places + end].iter().copied().fold(0.0, f32::max);
            (first, end, strongest)
        };
        let runs = |reach: usize| -> Vec<(usize, usize, f32)> {
            (path.first..).zip(&middle).map(|(step, &middle)| run_at(step, middle, reach)).collect()
        };
        let there = |run: &&(usize, usize, f32)| run.1 > run.0;
        let wide = runs(3);
        if wide.iter().filter(there).count() * 2 < wide.len() {
            return None;
        }
        let mut thicknesses: Vec<f32> = wide.iter().filter(there).map(|run| (run.1 - run.0) as f32).collect();
        let thick = percentile(&mut thicknesses, 0.5);
        // A line lies alone: to both sides of it is mostly ground.
        let aside = thick / 2.0 + 4.0;
        let beside = (path.first..).zip(&middle).flat_map(|(step, m)| [m - aside, m + aside].map(|p| (step, p)));
        let (mut all, mut dark) = (0usize, 0usize);
        for (step, p) in beside.filter(|(_, p)| *p >= 0.0 && (*p as usize) < places) {
            all += 1;
            dark += usize::from(mask[step * places + p as usize]);
        }
        if dark * 3 > all {
            return None;
        }
        let mut runs = runs((thick / 2.0 + 1.0) as usize);
        if runs.iter().filter(there).count() * 10 < runs.len() * 7 {
            return None;
        }
        // Grain is no pen: what is strong is so for a while.
        let smooth = |i: usize| {
            let near = &runs[i.saturating_sub(4)..(i + 5).min(runs.len())];
            near.iter().map(|run| run.2).sum::<f32>() / near.len() as f32
        };
        let smoothed: Vec<f32> = (0..runs.len()).map(smooth).collect();
        runs.iter_mut().zip(smoothed).filter(|(run, _)| run.1 > run.0).for_each(|(run, strong)| run.2 = strong);
        let strength = percentile(&mut runs.iter().filter(there).map(|run| run.2).collect::<Vec<_>>(), 0.5);
        Some(Self { first: path.first, middle, runs, thick, strength })
    }

    /// Whether both are one line, found twice.
    fn same(&self, other: &Self) -> bool {
        let (a, b) = (self.first.max(other.first), (self.first + self.runs.len()).min(other.first + other.runs.len()));
        let thick = self.thick.max(other.thick);
        let close = |x: &usize| (self.middle[x - self.first] - other.middle[x - other.first]).abs() <= thick;
        a < b && (a..b).filter(close).count() * 2 > b - a
    }

    /// Its pixels with their faint rims, but for where the ink is thicker (a stroke across) or stronger (a pen along it).
    fn pixels(&self, places: usize) -> impl Iterator<Item = usize> {
        let bare = |&(_, &(first, end, strongest)): &(usize, &(usize, usize, f32))| {
            end > first && (end - first) as f32 <= 1.5 * self.thick + 1.0 && strongest <= PEN * self.strength
        };
        let runs = (self.first..).zip(&self.runs).filter(bare);
        runs.flat_map(move |(step, run)| (run.0.saturating_sub(1)..(run.1 + 1).min(places)).map(move |p| step * places + p))
    }
}

/// A parabola through a path, strays left out: the middle at each step. `None` where the path strays or bends too much.
fn fitted(places: &[usize]) -> Option<Vec<f32>> {
    let n = places.len() as f64;
    // Steps from −1 to 1.
    let at = |i: usize| 2.0 * (i as f64 + 0.5) / n - 1.0;
    let value = |c: &[f64; 3], t: f64| c[0] + c[1] * t + c[2] * (t * t - 1.0 / 3.0);
    let (mut curve, mut within) = ([0.0f64; 3], f64::INFINITY);
    for next in [0.02 * n, 4.0, 2.0] {
        let points = places.iter().enumerate().map(|(i, &p)| (at(i), p as f64));
        let kept: Vec<(f64, f64)> = points.filter(|&(t, p)| (p - value(&curve, t)).abs() <= within).collect();
        if kept.len() * 10 < places.len() * 6 {
            return None;
        }
        curve = least_squares(&kept)?;
        within = f64::max(next, 2.0);
    }
    let inliers = places.iter().enumerate().filter(|&(i, &p)| (p as f64 - value(&curve, at(i))).abs() <= within).count();
    // Aside over ahead at most 0.2.
    let fine = inliers * 10 >= places.len() * 7 && curve[1].abs() <= 0.1 * n && curve[2].abs() <= BULGE * n + 1.5;
    fine.then(|| (0..places.len()).map(|i| value(&curve, at(i)) as f32).collect())
}

/// Coefficients of 1, t and t² − 1/3 that fit best; `None` for fewer than three points.
fn least_squares(points: &[(f64, f64)]) -> Option<[f64; 3]> {
    let mut m = [[0.0f64; 4]; 3];
    for &(t, y) in points {
        let basis = [1.0, t, t * t - 1.0 / 3.0];
        for (row, &b) in m.iter_mut().zip(&basis) {
            for (cell, &c) in row.iter_mut().zip(&basis) {
                *cell += b * c;
            }
            row[3] += b * y;
        }
    }
    // Symmetric and not negative, so no pivoting.
    for i in 0..3 {
        if m[i][i].abs() < 1e-9 {
            return None;
        }
        let pivot = m[i];
        for row in m.iter_mut().enumerate().filter(|(j, _)| *j != i).map(|(_, row)| row) {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(&pivot).for_each(|(cell, p)| *cell -= factor * p);
        }
    }
    Some([m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plane of 300 × 200 with ink where `ink` says so.
    fn plane(ink: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        (0..300 * 200).map(|i| ink(i % 300, i / 300)).collect()
    }

    fn cleared(ink: &[f32]) -> Vec<f32> {
        let mut out = ink.to_vec();
        clear(&mut out, &find(ink, (300, 200), 10.0));
        out
    }

    #[test]
    fn bent_and_slanted_lines_go_strokes_across_stay() {
        // Every 30 rows a line 2 thick that falls by 12 rows and bulges by 4.
        let rule = |x: usize, y: usize| {
            let t = x as f32 / 300.0;
            let shift = 12.0 * t + 16.0 * t * (1.0 - t);
            ((y as f32 + 300.0 - shift).rem_euclid(30.0)) < 2.0
        };
        let stroke = |x: usize, y: usize| (140..146).contains(&x) && (40..160).contains(&y);
        let both = plane(|x, y| {
            if stroke(x, y) {
                100.0
            } else if rule(x, y) {
                60.0
            } else {
                0.0
            }
        });
        let out = cleared(&both);
        let left = |is: &dyn Fn(usize, usize) -> bool| (0..out.len()).filter(|i| is(i % 300, i / 300) && out[*i] > 10.0).count();
        assert_eq!(left(&stroke), 6 * 120, "the stroke is whole");
        let rest = left(&|x, y| rule(x, y) && !(135..151).contains(&x));
        let all = (0..out.len()).filter(|i| rule(i % 300, i / 300)).count();
        assert!(rest * 50 < all, "{rest} of {all} left");
    }

    #[test]
    fn squares_go_too() {
        let out = cleared(&plane(|x, y| if x % 20 < 2 || y % 20 < 2 { 50.0 } else { 0.0 }));
        assert!(out.iter().filter(|v| **v > 0.0).count() * 20 < out.len() * 19 / 100, "crossings too");
    }

    #[test]
    fn a_pen_along_a_line_and_thick_or_short_bars_stay() {
        // Stronger than the line between columns 100 and 160.
        let pen = |x: usize| (100..160).contains(&x);
        let out = cleared(&plane(|x, y| {
            if !(90..92).contains(&y) {
                0.0
            } else if pen(x) {
                90.0
            } else {
                40.0
            }
        }));
        let row: Vec<bool> = (0..300).map(|x| out[90 * 300 + x] > 10.0).collect();
        assert!((100..160).all(|x| row[x]) && !row[50] && !row[250], "{row:?}");
        let bar = plane(|_, y| if (90..110).contains(&y) { 50.0 } else { 0.0 });
        assert_eq!(cleared(&bar), bar, "as thick as a marker");
        let short = plane(|x, y| if (90..92).contains(&y) && (60..240).contains(&x) { 50.0 } else { 0.0 });
        assert_eq!(cleared(&short), short, "the bar of a 7");
    }

    #[test]
    fn upright_strokes_of_a_line_of_writing_stay() {
        // A strip, as when a line is cut out of a page: the strokes span much of its height.
        let strip: Vec<f32> = (0..400 * 60)
            .map(|i| (i % 400, i / 400))
            .map(|(x, y)| if x % 80 < 5 && (10..50).contains(&y) { 80.0 } else { 0.0 })
            .collect();
        assert_eq!(find(&strip, (400, 60), 10.0), []);
    }

    #[test]
    fn lines_that_end_within_the_plane_are_found_by_their_length() {
        // A line from 40 to 240 with a stroke across it, and a bar of 60.
        let ink = plane(|x, y| {
            let line = (90..92).contains(&y) && (40..240).contains(&x);
            let stroke = (100..106).contains(&x) && (60..120).contains(&y);
            let bar = (150..152).contains(&y) && (40..100).contains(&x);
            if line || stroke || bar { 60.0 } else { 0.0 }
        });
        let found = straight(&ink, (300, 200), false, 10.0, 120, 6.0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ends, [(40, 90), (239, 90)]);
        assert!(found[0].thick <= 2.0, "{}", found[0].thick);
        // A pixel around the line belongs to it.
        let pixels = &found[0].pixels;
        assert!(pixels.iter().all(|i| (89..93).contains(&(i / 300)) && !(101..105).contains(&(i % 300))));
        assert!(pixels.contains(&(90 * 300 + 60)) && pixels.contains(&(91 * 300 + 200)));
        assert!(straight(&ink, (300, 200), true, 10.0, 120, 6.0).is_empty());
    }

    #[test]
    fn noise_is_no_line() {
        for share in [3, 10, 60] {
            let mut state = 9u64;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % 100
            };
            let noise: Vec<f32> = (0..300 * 200).map(|_| if next() < share { 20.0 } else { 0.0 }).collect();
            let gone = find(&noise, (300, 200), 10.0).len();
            assert!(gone < noise.len() / 50, "{gone} at {share} %");
        }
    }
}
