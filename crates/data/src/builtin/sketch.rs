//! Strokes as a hand plans them: control points joined by centripetal Catmull-Rom splines.
//!
//! Coordinates: x to the right, y down, a digit about 1 high and 0.4 to 0.9 wide.

use crate::noise::Noise;

/// A point of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

/// A point where the pen passes smoothly, or turns sharply.
#[derive(Clone, Copy)]
struct Control {
    at: Point,
    corner: bool,
}

/// One digit while it is planned: strokes of control points, each moved a little from where it was asked for.
pub(super) struct Sketch<'n> {
    noise: &'n mut Noise,
    /// Standard deviation by which each control point misses its place.
    wobble: f32,
    strokes: Vec<Vec<Control>>,
}

/// Points put on each span between two control points.
const STEPS: usize = 6;

impl<'n> Sketch<'n> {
    /// An empty sketch whose control points miss their places by `wobble` (standard deviation).
    pub(super) fn new(noise: &'n mut Noise, wobble: f32) -> Self {
        Self { noise, wobble, strokes: Vec::with_capacity(3) }
    }

    /// The random stream, for choices of style.
    pub(super) fn noise(&mut self) -> &mut Noise {
        self.noise
    }

    /// A point of an arc: many lie close together, and a full wobble of each would make the arc a polygon.
    fn arc_point(&mut self, x: f32, y: f32) {
        let wobble = self.wobble;
        self.wobble = wobble * 0.6;
        self.put(x, y, false);
        self.wobble = wobble;
    }

    fn put(&mut self, x: f32, y: f32, corner: bool) {
        let at = Point { x: x + self.noise.normal(self.wobble), y: y + self.noise.normal(self.wobble) };
        if self.strokes.is_empty() {
            self.strokes.push(Vec::with_capacity(16));
        }
        if let Some(stroke) = self.strokes.last_mut() {
            stroke.push(Control { at, corner });
        }
    }

    /// Lifts the pen and starts a stroke.
    pub(super) fn start(&mut self, x: f32, y: f32) {
        self.strokes.push(Vec::with_capacity(16));
        self.put(x, y, true);
    }

    /// Moves on smoothly through a point.
    pub(super) fn to(&mut self, x: f32, y: f32) {
        self.put(x, y, false);
    }

    /// Moves on smoothly through several points.
    pub(super) fn through(&mut self, points: &[(f32, f32)]) {
        for &(x, y) in points {
            self.put(x, y, false);
        }
    }

    /// Moves on to a point and turns sharply there.
    pub(super) fn corner(&mut self, x: f32, y: f32) {
        self.put(x, y, true);
    }

    /// Turns at a point, sharply or smoothly.
    pub(super) fn turn(&mut self, x: f32, y: f32, sharp: bool) {
        self.put(x, y, sharp);
    }

    /// An arc of an ellipse in `count` control points; angles in degrees, 0 to the right, 90 down. The radius grows from
    /// `1 - spiral` to `1 + spiral` times, so that the ends of a full turn need not meet.
    pub(super) fn arc(&mut self, centre: (f32, f32), radii: (f32, f32), degrees: (f32, f32), spiral: f32, count: usize) {
        for index in 0..count {
            let part = index as f32 / (count.max(2) - 1) as f32;
            let angle = (degrees.0 + (degrees.1 - degrees.0) * part).to_radians();
            let grow = 1.0 + spiral * (2.0 * part - 1.0);
            self.arc_point(centre.0 + radii.0 * grow * angle.cos(), centre.1 + radii.1 * grow * angle.sin());
        }
    }

    /// The strokes as runs of points close enough to be joined by straight lines.
    pub(super) fn flatten(&self) -> Vec<Vec<Point>> {
        self.strokes.iter().filter(|stroke| stroke.len() > 1).map(|stroke| flatten(stroke)).collect()
    }
}

/// Splits a stroke at its corners and runs a spline through each part.
fn flatten(stroke: &[Control]) -> Vec<Point> {
    let mut points = Vec::with_capacity(stroke.len() * STEPS + 1);
    points.push(stroke[0].at);
    for (index, pair) in stroke.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        let straight = |inner: Point, outer: Point| Point { x: 2.0 * inner.x - outer.x, y: 2.0 * inner.y - outer.y };
        // Beyond a corner or an end the spline is continued by reflection: it leaves the corner unbent.
        let before = if from.corner || index == 0 { straight(from.at, to.at) } else { stroke[index - 1].at };
        let after = match stroke.get(index + 2) {
            Some(next) if !to.corner => next.at,
            _ => straight(to.at, from.at),
        };
        span(before, from.at, to.at, after, &mut points);
    }
    points
}

/// One span of a centripetal Catmull-Rom spline from `b` to `c` (Barry & Goldman's pyramid, knots spaced by the root of length):
/// unlike the uniform one it makes no cusp or loop where control points crowd.
fn span(a: Point, b: Point, c: Point, d: Point, points: &mut Vec<Point>) {
    let knot = |p: Point, q: Point| ((p.x - q.x).powi(2) + (p.y - q.y).powi(2)).sqrt().sqrt().max(1e-3);
    let t1 = knot(a, b);
    let t2 = t1 + knot(b, c);
    let t3 = t2 + knot(c, d);
    let blend = |p: Point, q: Point, from: f32, to: f32, t: f32| {
        let part = (t - from) / (to - from);
        Point { x: p.x + (q.x - p.x) * part, y: p.y + (q.y - p.y) * part }
    };
    for step in 1..=STEPS {
        let t = t1 + (t2 - t1) * step as f32 / STEPS as f32;
        let ab = blend(a, b, 0.0, t1, t);
        let bc = blend(b, c, t1, t2, t);
        let cd = blend(c, d, t2, t3, t);
        let abc = blend(ab, bc, 0.0, t2, t);
        let bcd = blend(bc, cd, t1, t3, t);
        points.push(blend(abc, bcd, t1, t2, t));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Point, x: f32, y: f32) -> bool {
        (a.x - x).abs() < 1e-5 && (a.y - y).abs() < 1e-5
    }

    #[test]
    fn splines_pass_through_their_control_points() {
        let mut noise = Noise::new(0, 0, 0);
        let mut sketch = Sketch::new(&mut noise, 0.0);
        sketch.start(0.0, 0.0);
        sketch.through(&[(1.0, 0.0), (1.0, 1.0)]);
        sketch.corner(0.0, 1.0);
        sketch.to(0.0, 2.0);
        let strokes = sketch.flatten();
        assert_eq!(strokes.len(), 1);
        assert_eq!(strokes[0].len(), 4 * STEPS + 1);
        for (index, (x, y)) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 2.0)].into_iter().enumerate() {
            assert!(near(strokes[0][index * STEPS], x, y), "{:?}", strokes[0][index * STEPS]);
        }
        // After the corner the last span is a straight line.
        assert!(strokes[0][3 * STEPS..].iter().all(|point| point.x.abs() < 1e-5));
    }

    #[test]
    fn an_arc_stays_on_its_ellipse() {
        let mut noise = Noise::new(0, 0, 0);
        let mut sketch = Sketch::new(&mut noise, 0.0);
        sketch.start(2.5, 1.0);
        sketch.arc((0.5, 1.0), (2.0, 1.0), (30.0, 360.0), 0.0, 12);
        let points = &sketch.flatten()[0];
        // The first and the last span have no neighbour on one side and run straighter.
        for point in &points[STEPS..points.len() - STEPS] {
            let radius = (((point.x - 0.5) / 2.0).powi(2) + (point.y - 1.0).powi(2)).sqrt();
            // On a circle spans of 30 degrees are 1 - (9 cos 15 - cos 45)/8 = 0.17 % off; uneven ones on a 2:1 ellipse a few times that.
            assert!((radius - 1.0).abs() < 1e-2, "{point:?}");
        }
    }
}
