//! How 5 to 9 are written: the strokes of each style, by hand.

use super::sketch::Sketch;
use super::writer::Writer;

/// 5: neck and bow with the bar as a second stroke, attached or not; in one go from the bar; or in one smooth S.
pub(super) fn five(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let style = n.style(&[0.64, 0.22, 0.14]);
    let (neck, bow) = (n.uniform(0.24, 0.50), n.uniform(0.42, 0.92));
    let (left, reach) = (n.uniform(0.04, 0.28), n.uniform(0.3, 0.95));
    let (tilt, end) = (n.normal(0.08) - 0.05, n.uniform(0.70, 1.04));
    let sharp = !n.chance(w.round);
    let (belly, lean) = (n.uniform(0.0, 0.16), n.normal(0.05));
    match style {
        0 => {
            s.start(left + 0.06 + lean, 0.04);
            s.to(left + 0.02 + lean * 0.5, neck * 0.5);
            s.turn(left, neck, sharp);
        }
        1 => {
            s.start(left + 0.06 + reach, 0.02 + tilt);
            s.to(left + 0.05 + reach * 0.5, 0.02 + tilt * 0.5);
            s.turn(left + 0.06, 0.04, sharp);
            s.turn(left, neck, sharp);
        }
        _ => {
            s.start(left + 0.1 + reach * 0.9, 0.0 + tilt);
            s.through(&[(left + 0.2, 0.04), (left + 0.02, neck * 0.5), (left + 0.1, neck)]);
        }
    }
    s.through(&[
        (left + 0.22, neck - belly),
        (bow - 0.06, neck + 0.08),
        (bow, 0.5 + neck * 0.5),
        (bow - 0.14, 0.92),
        (0.26, 1.0),
    ]);
    s.to(-0.04 + (end - 0.76) * 0.2, end);
    if style == 0 {
        let (gap, drop) = (s.noise().normal(0.06) + w.open + lean, s.noise().normal(0.04));
        s.start(left + 0.06 + gap, 0.04 + drop);
        s.to(left + 0.06 + reach * 0.5, 0.02 + tilt * 0.5 + drop);
        s.to(left + 0.06 + reach, tilt + drop);
    }
}

/// 6: a long bow down and a loop back, the loop large or small, closed or open.
pub(super) fn six(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let (head, wide) = (n.uniform(0.20, 0.70), n.uniform(0.42, 0.82));
    let (fall, tip) = (n.uniform(0.08, 0.36), n.uniform(-0.05, 0.12));
    let (brow, close) = (n.uniform(0.44, 0.70), n.normal(0.06) + w.open);
    let (curl, bulge) = (n.chance(0.15), n.uniform(0.0, 0.1));
    if curl {
        s.start(head + 0.08, 0.12);
        s.to(head, 0.0);
    } else {
        s.start(head, 0.0);
    }
    s.through(&[
        (head * 0.52 + 0.02, 0.22),
        (0.08 - bulge * 0.5, 0.52),
        (0.05 - bulge * 0.3, 0.80),
        (0.25, 0.99),
        (wide * 0.72, 0.95),
        (wide, 0.78 - tip * 0.7),
        (wide * 0.88, brow + 0.05 - tip),
        (wide * 0.58, brow - tip * 0.3),
    ]);
    s.to(0.24 - fall * 0.4 + close, brow + fall);
    match s.noise().style(&[0.4, 0.4, 0.2]) {
        0 => s.to(0.10 + close, (brow + fall + 0.16).min(0.98)),
        // On across the stem.
        1 => s.to(-0.08 + close, (brow + fall + 0.1).min(0.94)),
        _ => {}
    }
}

/// 7: bar and stem with a sharp or round corner; with a serif; with a crossbar.
pub(super) fn seven(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let (serif, cross) = (n.chance(0.32), n.chance(0.18));
    let (wide, foot) = (n.uniform(0.48, 1.0), n.uniform(0.02, 0.55));
    let (tilt, sag, bend) = (n.normal(0.07), n.normal(0.04), n.normal(0.07));
    let sharp = !n.chance(w.round * 0.8);
    if serif {
        let depth = s.noise().uniform(0.06, 0.40);
        let off = s.noise().normal(0.03);
        s.start(0.04 + off, depth);
        s.turn(0.05, 0.04, serif_sharp(w));
    } else {
        s.start(0.02, 0.04 - tilt);
    }
    s.to(wide * 0.5, 0.04 + sag);
    s.turn(wide, 0.02 + tilt, sharp);
    s.to((wide + foot) * 0.5 + 0.04 + bend, 0.48);
    s.to(foot, 1.0);
    if cross {
        let (middle, y) = ((wide + foot) * 0.5 + 0.03, s.noise().uniform(0.40, 0.58));
        let (left, right) = (s.noise().uniform(0.14, 0.36), s.noise().uniform(0.14, 0.40));
        s.start(middle - left, y);
        s.to(middle, y);
        s.to(middle + right, y + tilt);
    }
}

/// Whether this writer turns sharply at a serif.
fn serif_sharp(w: &Writer) -> bool {
    w.round < 0.35
}

/// 8: an S closed upwards, from the right or from the middle; its mirror; or two rings.
pub(super) fn eight(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let style = n.style(&[0.62, 0.10, 0.16, 0.12]);
    let (upper, lower) = (n.uniform(0.16, 0.38), n.uniform(0.12, 0.40));
    let waist = n.uniform(0.38, 0.58);
    let (close, m) = (n.normal(0.04) + w.open * 0.8, 0.38);
    let lean = n.normal(0.05);
    match style {
        // Begun at the top right, S down, and up to the right; the mirror is begun at the top left.
        0 | 1 => {
            let side = if style == 0 { 1.0 } else { -1.0 };
            let x = |offset: f32| m + side * offset;
            let begin = s.noise().uniform(0.5, 1.3);
            let high = s.noise().normal(0.06);
            s.start(x(upper * begin) + lean, 0.14 + high);
            s.through(&[
                (x(0.02) + lean, 0.0),
                (x(-upper * 0.9) + lean, 0.14),
                (x(-upper * 0.62), waist * 0.72),
                (x(0.0), waist),
                (x(lower * 0.72), waist + (1.0 - waist) * 0.28),
                (x(lower * 0.95), waist + (1.0 - waist) * 0.64),
                (x(0.02), 1.0),
                (x(-lower * 0.92), waist + (1.0 - waist) * 0.66),
                (x(-lower * 0.6), waist + (1.0 - waist) * 0.26),
                (x(0.02), waist),
                (x(upper * 0.62), waist * 0.70),
            ]);
            if s.noise().chance(0.3) {
                // The end runs on past the start, upwards.
                let (out, up) = (s.noise().uniform(0.9, 1.7), s.noise().uniform(-0.15, 0.15));
                s.to(x(upper * out) + lean, up);
            } else {
                s.to(x(upper * 0.95 + close * 0.5) + lean, 0.16 + close);
            }
        }
        // Begun at the crossing.
        2 => {
            s.start(m + 0.06, waist + 0.02);
            s.through(&[
                (m - upper * 0.8, waist * 0.7),
                (m - upper * 0.8 + lean, 0.16),
                (m + lean, 0.0),
                (m + upper * 0.9 + lean, 0.16),
                (m + upper * 0.6, waist * 0.72),
                (m, waist),
                (m - lower * 0.7, waist + (1.0 - waist) * 0.3),
                (m - lower * 0.9, waist + (1.0 - waist) * 0.66),
                (m, 1.0),
                (m + lower * 0.95, waist + (1.0 - waist) * 0.64),
                (m + lower * 0.65, waist + (1.0 - waist) * 0.25),
            ]);
            s.to(m + 0.04 + close, waist + close * 0.5);
        }
        _ => {
            let begin = s.noise().uniform(-120.0, -30.0);
            let sweep = 360.0 - 300.0 * close;
            s.start(m + lean + upper * begin.to_radians().cos(), waist * 0.5 + waist * 0.5 * begin.to_radians().sin());
            s.arc((m + lean, waist * 0.5), (upper, waist * 0.5), (begin - 40.0, begin - sweep), 0.0, 8);
            let depth = (1.0 - waist) * 0.5;
            s.start(m, waist);
            s.arc((m, waist + depth), (lower, depth), (-130.0, -90.0 - sweep), 0.0, 8);
        }
    }
}

/// 9: a loop from its upper right, then a stem: straight down, bent, or curled to the left.
pub(super) fn nine(s: &mut Sketch, w: &Writer) {
    let n = s.noise();
    let stem = n.style(&[0.55, 0.27, 0.18]);
    let (wide, depth) = if n.chance(0.06) {
        (n.uniform(0.6, 0.85), n.uniform(0.5, 0.72))
    } else {
        (n.uniform(0.34, 0.66), n.uniform(0.30, 0.58))
    };
    let tip = n.normal(0.05);
    let (close, foot) = (n.normal(0.05) + w.open, n.normal(0.07));
    let begin = n.uniform(0.70, 1.18);
    let lift = n.uniform(-0.10, 0.16).min(depth * 0.4);
    let sharp = n.chance(0.45);
    s.start(wide * begin, 0.12 + close);
    s.through(&[
        (wide * 0.55, 0.0),
        (wide * 0.14, depth * 0.30),
        (0.02 - tip, depth * 0.72),
        (wide * 0.30 - tip, depth),
        (wide * 0.72 - tip * 0.5, depth * 0.86),
    ]);
    s.turn(wide + 0.02, 0.12 + lift, sharp);
    match stem {
        0 => {
            s.to(wide + foot * 0.5, 0.52);
            s.to(wide - 0.02 + foot, 1.0);
        }
        1 => {
            s.through(&[(wide + 0.02, 0.45), (wide - 0.04, 0.74)]);
            s.to(wide - 0.2 + foot, 1.0);
        }
        _ => {
            let curl = s.noise().uniform(0.68, 0.98);
            s.through(&[(wide + 0.03, 0.5), (wide - 0.03, 0.82), (wide * 0.5, 1.0)]);
            s.to(-0.02 + foot, curl);
        }
    }
}
