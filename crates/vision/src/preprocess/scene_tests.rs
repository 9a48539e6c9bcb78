//! What photos do to a drawing: each scene must come out about as the clean drawing does.

use super::tests::{FRAME, difference, picture, seven};
use super::*;

const SIDE: usize = 400;

/// Mean difference, in grey levels, that is allowed: edges move by parts of a pixel. A shift by one whole pixel gives more than 15,
/// another digit about 50.
const CLOSE: f64 = 9.0;

/// Reads a 7 drawn with `grey(x, y, is ink)` and one drawn clean; says how far apart they are.
fn off(grey: impl Fn(usize, usize, bool) -> f32) -> (f64, Prepared) {
    let ink = seven(120, 110, 180, 16);
    let seen = prepare(&picture(SIDE, SIDE, |x, y| grey(x, y, ink(x, y)).clamp(0.0, 255.0) as u8), Preprocess::Auto, FRAME);
    let clean = prepare(&picture(SIDE, SIDE, |x, y| if ink(x, y) { 0 } else { 255 }), Preprocess::Auto, FRAME);
    (difference(&seen.pixels, &clean.pixels), seen)
}

fn close(name: &str, grey: impl Fn(usize, usize, bool) -> f32) {
    let (off, seen) = off(grey);
    assert!(!seen.blank && off < CLOSE, "{name}: differs by {off}, ink at {:?}", seen.ink);
}

/// Grain, −1 to 1.
fn grain(x: usize, y: usize) -> f32 {
    let mixed = (x as u64 * 0x9E37_79B9 + y as u64 * 0x85EB_CA6B).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

fn paper(ink: bool) -> f32 {
    if ink { 60.0 } else { 210.0 }
}

#[test]
fn shadows() {
    // The edge of a hand's shadow through the digit, hard and soft.
    for soft in [2.0, 40.0] {
        let light = |x: usize, y: usize| 1.0 - 0.55 * ((x as f32 + 0.6 * y as f32 - 330.0) / soft).clamp(0.0, 1.0);
        close("shadow", |x, y, ink| paper(ink) * light(x, y) + 3.0 * grain(x, y));
    }
    let dist = |x: usize, y: usize| ((x as f32 - 200.0).powi(2) + (y as f32 - 200.0).powi(2)) / 80_000.0;
    close("vignette", |x, y, ink| paper(ink) * (1.0 - 0.7 * dist(x, y)));
}

#[test]
fn tables_walls_and_fingers() {
    let sheet = |x: usize, y: usize| (30..375).contains(&(x + y / 30)) && (25..380).contains(&y);
    close("paper on a dark table", |x, y, ink| if sheet(x, y) { paper(ink) } else { 50.0 } + 3.0 * grain(x, y));
    close("paper on a light table", |x, y, ink| if sheet(x, y) { 0.7 * paper(ink) } else { 230.0 } + 3.0 * grain(x, y));
    close("table on one side", |x, y, ink| if x + y / 8 < 60 { 70.0 } else { paper(ink) });
    close("board below a wall", |_, y, ink| {
        if y < 50 {
            220.0
        } else if ink {
            200.0
        } else {
            70.0
        }
    });
    let finger = |x: usize, y: usize| (x as f32 - 395.0).powi(2) + (y as f32 - 390.0).powi(2) < 4_900.0;
    close("finger", |x, y, ink| if finger(x, y) { 130.0 } else { paper(ink) });
}

#[test]
fn ruled_and_squared_paper() {
    let level = |v: f32, step: f32| v.rem_euclid(step) < 2.5;
    let ruled = |x: usize, y: usize| level(y as f32 + 0.04 * x as f32, 46.0);
    close("ruled", |x, y, ink| paper(ink) * if ruled(x, y) && !ink { 0.7 } else { 1.0 } + 2.0 * grain(x, y));
    let squares = |x: usize, y: usize| ruled(x, y) || level(x as f32 - 0.04 * y as f32 + 20.0, 46.0);
    close("squared", |x, y, ink| paper(ink) * if squares(x, y) && !ink { 0.75 } else { 1.0 } + 2.0 * grain(x, y));
    let broad = seven(120, 110, 180, 36);
    let marker = |x: usize, y: usize| if broad(x, y) { 0.3 } else { 1.0 };
    let lined = |x: usize, y: usize| if ruled(x, y) { 0.7 } else { 1.0 };
    let seen =
        |f: &dyn Fn(usize, usize) -> f32| prepare(&picture(SIDE, SIDE, |x, y| f(x, y) as u8), Preprocess::Auto, FRAME).pixels;
    let off = difference(&seen(&|x, y| 220.0 * marker(x, y) * lined(x, y)), &seen(&|x, y| 220.0 * marker(x, y)));
    assert!(off < CLOSE, "lines that show through a marker: differs by {off}");
    let margin = |x: usize, y: usize| (60..63).contains(&(x + y / 50));
    close("margin", |x, y, ink| if margin(x, y) { 120.0 } else { paper(ink) });
}

#[test]
fn what_is_drawn_around_the_digit() {
    let (near, far) = ((90, 330), (84, 336));
    let within = |x: usize, y: usize, r: (usize, usize)| (r.0..r.1).contains(&x) && (r.0..r.1).contains(&y);
    close("box", |x, y, ink| if within(x, y, far) && !within(x, y, near) { 60.0 } else { paper(ink) });
    close("underline", |x, y, ink| if (60..340).contains(&x) && (305..310).contains(&y) { 60.0 } else { paper(ink) });
    let speck = |x: usize, y: usize| x % 57 < 3 && y % 71 < 3;
    close("specks", |x, y, ink| if speck(x, y) { 80.0 } else { paper(ink) });
}

#[test]
fn faint_grainy_and_dotted() {
    close("pencil in noise", |x, y, ink| if ink { 165.0 } else { 205.0 } + 20.0 * grain(x, y));
    close("glare", |x, y, ink| {
        let glare = (-((x as f32 - 230.0).powi(2) + (y as f32 - 150.0).powi(2)) / 6_000.0).exp();
        let lit = paper(ink) * 0.8 + 40.0 * glare;
        lit + (255.0 - lit) * 0.25 * glare
    });
    // Ends of dashes make the stroke uneven: more than in a whole line, far from a shift by a pixel.
    let (off, dotted) = off(|_, y, ink| paper(ink && y % 12 < 10));
    assert!(off < 12.0, "dotted: differs by {off}, ink at {:?}", dotted.ink);
}

#[test]
fn odd_grounds_are_still_blank() {
    let blank = |name: &str, grey: &dyn Fn(usize, usize) -> f32| {
        let seen = prepare(&picture(SIDE, SIDE, |x, y| grey(x, y).clamp(0.0, 255.0) as u8), Preprocess::Auto, FRAME);
        assert!(seen.blank, "{name}: ink at {:?}", seen.ink);
    };
    blank("grain", &|x, y| 200.0 + 6.0 * grain(x, y));
    blank("slope", &|x, y| 230.0 - 0.1 * x as f32 - 0.05 * y as f32);
    blank("vignette", &|x, y| 220.0 - 0.001 * ((x as f32 - 200.0).powi(2) + (y as f32 - 200.0).powi(2)));
}
