//! How 0 to 4 are written: the strokes of each style, by hand.

use super::sketch::Sketch;
use super::writer::Writer;

/// 0: an oval from the top, leftwards, open or overlapping at its end; seldom a stroke through it.
pub(super) fn zero(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let wide = n.uniform(0.26, 0.56);
    let begin = -90.0 + n.normal(28.0);
    let way = if n.chance(0.85) { -1.0 } else { 1.0 };
    let gap = if n.chance(0.06) { n.uniform(25.0, 80.0) } else { n.normal(14.0) };
    let sweep = 360.0 - gap - 250.0 * w.open;
    let spiral = n.normal(0.06) + w.open * 0.5;
    let tail = n.chance(0.18);
    let inward = n.chance(0.22);
    let slashed = n.chance(0.01);
    let centre = (0.42, 0.5);
    let polar = |degrees: f32, part: f32| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        (centre.0 + wide * part * cos, centre.1 + 0.5 * part * sin)
    };
    let (x, y) = polar(begin, 1.0 - spiral);
    if tail {
        // The pen comes in from outside or inside the oval.
        let (x, y) = polar(begin - way * 30.0, s.noise().uniform(0.6, 1.15));
        s.start(x, y);
        s.to(x * 0.5 + centre.0 * 0.5, y);
    } else {
        s.start(x, y);
    }
    let step = way * sweep / 10.0;
    s.arc(centre, (wide, 0.5), (begin + step, begin + way * sweep), spiral, 10);
    if inward {
        // The end runs on into the oval.
        let (turn, part) = (s.noise().uniform(20.0, 110.0), s.noise().uniform(0.35, 0.8));
        let (x, y) = polar(begin + way * (sweep + turn), part);
        s.to(x, y);
    }
    if slashed {
        s.start(0.75, 0.1);
        s.to(0.1, 0.9);
    }
}

/// 1: a bare stroke mostly; with a flag; with flag and foot.
pub(super) fn one(s: &mut Sketch, _: &Writer) {
    let style = s.noise().style(&[0.84, 0.06, 0.06, 0.02]);
    let bend = s.noise().normal(0.035);
    let (flag, foot) = (style == 1 || style == 2, style == 2 || style == 3);
    if flag {
        let (reach, drop) = (s.noise().uniform(0.1, 0.28), s.noise().uniform(0.08, 0.3));
        s.start(0.35 - reach, drop);
        s.corner(0.35, 0.0);
    } else {
        s.start(0.35, 0.0);
    }
    s.to(0.35 + bend, 0.5);
    s.to(0.35, 1.0);
    if foot {
        let (left, right) = (s.noise().uniform(0.15, 0.35), s.noise().uniform(0.15, 0.4));
        s.start(0.35 - left, 1.0);
        s.to(0.35, 1.0);
        s.to(0.35 + right, 0.99);
    }
}

/// 2: hook, diagonal, and at the bottom a corner, a bend or a loop before the last stroke.
pub(super) fn two(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let (style, top) = (n.style(&[0.36, 0.17, 0.47]), n.style(&[0.65, 0.12, 0.15, 0.08]));
    let (droop, wide) = (n.uniform(0.06, 0.42), n.uniform(0.46, 0.84));
    let (tail, lift) = (n.uniform(-0.05, 0.55), n.normal(0.09));
    match top {
        0 => {
            s.start(0.08, droop);
            s.through(&[(0.16, 0.08), (0.38, 0.0), (wide - 0.08, 0.08), (wide, 0.27)]);
        }
        1 => {
            // A flat top that turns sharply.
            s.start(0.06, droop * 0.5);
            s.to(0.3, 0.01);
            s.turn(wide, 0.03, true);
        }
        3 => {
            // No hook at all.
            s.start(wide - 0.2 - droop * 0.3, droop * 0.2);
            s.to(wide - 0.1, 0.25);
        }
        _ => {
            // A curled start.
            s.start(0.24, 0.26 + droop * 0.3);
            s.through(&[(0.1, 0.2), (0.16, 0.06), (0.4, 0.0), (wide - 0.06, 0.1), (wide, 0.28)]);
        }
    }
    let base = s.noise().uniform(0.86, 1.0);
    let (belly, waist) = (s.noise().uniform(0.04, 0.2), s.noise().uniform(0.48, 0.6));
    s.to(wide - belly, waist);
    match style {
        0 => {
            let sharp = !s.noise().chance(w.round * 0.5);
            s.to(0.28, 0.80);
            s.turn(0.06, 0.97, sharp);
            s.to(0.38, 0.95 + lift * 0.5);
            s.to(wide + tail, base + lift + 0.04);
        }
        1 => {
            s.through(&[(0.26, 0.82), (0.10, 0.96), (0.22, 0.99), (0.42, 0.95)]);
            s.to(wide + tail, base + lift);
        }
        _ => {
            let (loop_top, loop_left) = (s.noise().uniform(0.46, 0.80), s.noise().uniform(-0.15, 0.1));
            s.through(&[(0.42, 0.80), (0.24, 0.97), (loop_left, 0.93), (loop_left + 0.06, loop_top), (0.28, loop_top + 0.03)]);
            // The last stroke leaves over the loop, high or low, straight or as a wave.
            let (leave, fall) = (s.noise().uniform(loop_top + 0.06, 0.94), s.noise().uniform(-0.12, 0.12));
            s.to(0.50, leave);
            s.to(wide * 0.5 + tail * 0.5 + 0.24, leave * 0.5 + base * 0.5 - fall * 0.5);
            let short = s.noise().uniform(-0.2, 0.05);
            s.to(wide + tail + short, base + lift + fall * 0.5);
        }
    }
}

/// 3: two bows with a notch, a point or a loop between them; the top round or flat.
pub(super) fn three(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let (flat, waist) = (n.chance(0.13), n.style(&[0.55, 0.25, 0.20]));
    let (upper, lower) = (n.uniform(0.46, 0.78), n.uniform(0.54, 0.92));
    let (droop, end) = (n.uniform(0.0, 0.28), n.uniform(0.74, 1.06));
    let (hanging, inward, out) = (n.chance(0.18), n.chance(0.12), n.uniform(-0.12, 0.12));
    let deep = n.uniform(0.10, 0.5);
    let middle = n.uniform(0.40, 0.52);
    if flat {
        s.start(0.08, 0.04 + droop * 0.2);
        s.to(0.35, 0.02);
        s.corner(upper, 0.0);
        s.to((upper + deep) * 0.5, middle * 0.55);
    } else {
        s.start(0.08, droop);
        s.through(&[(0.34, 0.0), (upper - 0.06, 0.06), (upper, 0.2), (upper - 0.12, middle * 0.8)]);
    }
    match waist {
        0 => {
            let sharp = !s.noise().chance(w.round);
            s.turn(deep, middle, sharp);
        }
        1 => {
            s.to(deep + 0.08, middle - 0.01);
            s.turn(deep - 0.02, middle + 0.01, false);
            s.to(deep + 0.1, middle + 0.04);
        }
        _ => {
            s.through(&[(deep + 0.08, middle + 0.02), (deep - 0.03, middle + 0.07), (deep, middle), (deep + 0.12, middle + 0.02)])
        }
    }
    s.through(&[(lower - 0.1, middle + 0.08), (lower, 0.5 + middle * 0.5), (lower - 0.14, 0.93)]);
    if hanging {
        // The lower bow runs out downwards instead of curling up.
        s.to(lower - 0.34 + out, 1.06);
        return;
    }
    s.to(0.32, 1.0);
    s.to(tail_left(end) + out, end);
    if inward {
        s.to(tail_left(end) + 0.12, end - 0.14);
    }
}

/// Where a tail that ends at height `y` lies: the higher it curls, the farther left.
fn tail_left(y: f32) -> f32 {
    0.02 + (y - 0.74) * 0.3
}

/// 4: open (two strokes), closed at the top, or written in one go like a 9 with corners.
pub(super) fn four(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let style = n.style(&[0.66, 0.14, 0.20]);
    let (bar, stem, past) = (n.uniform(0.46, 0.68), n.uniform(0.46, 0.68), n.uniform(-0.02, 0.30));
    let (top, stem_top, foot) = (n.normal(0.08), n.normal(0.1), n.normal(0.05));
    let tilt = n.normal(0.05);
    match style {
        0 => {
            let lean = s.noise().uniform(-0.02, 0.26);
            let sharp = !s.noise().chance(w.round);
            s.start(0.05 + lean, top.max(-0.1));
            s.to(0.04 + lean * 0.4, bar * 0.55);
            s.turn(0.04, bar, sharp);
            s.to(stem * 0.55, bar + tilt * 0.5);
            s.to(stem + past, bar + tilt);
            s.start(stem + lean * 0.3, stem_top);
            s.to(stem, bar);
            s.to(stem + foot - lean * 0.1, 1.0);
        }
        1 => {
            let sharp = !s.noise().chance(w.round * 0.25);
            s.start(stem, 0.0);
            s.to(stem * 0.5, bar * 0.52);
            s.turn(0.02, bar, sharp);
            s.to(stem * 0.6, bar + tilt * 0.5);
            s.to(stem + past, bar + tilt);
            if s.noise().chance(0.6) {
                s.start(stem + top_gap(w), w.open.max(-0.03));
            } else {
                s.start(stem, bar * 0.45);
            }
            s.to(stem - 0.01, bar);
            s.to(stem + foot, 1.0);
        }
        _ => {
            // Down, a round or cornered bottom, up to the right, and back down the stem.
            let lean = s.noise().uniform(0.0, 0.2);
            let dip = bar * 0.92;
            let rise = s.noise().uniform(-0.05, 0.2);
            s.start(0.06 + lean, top.max(-0.05));
            s.to(0.02 + lean * 0.4, dip * 0.6);
            let sharp = s.noise().chance(0.3);
            s.turn(0.08, dip, sharp);
            s.to(stem * 0.6, dip - 0.03);
            s.to(stem * 0.92, dip * 0.72);
            s.corner(stem + 0.04, rise);
            s.to(stem, 0.55);
            s.to(stem + foot, 1.0);
        }
    }
}

/// How far the second stroke of a closed 4 starts from the first.
fn top_gap(w: &Writer) -> f32 {
    w.open * 1.2
}
