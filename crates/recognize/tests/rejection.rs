//! What is no digit, and what is one all the same, told by the model in the box.

use maobi_recognize::{Options, Reading, Recognizer};
use maobi_vision::Picture;

const SIDE: usize = 160;

/// A square picture of grey values.
fn read(grey: impl Fn(f32, f32) -> f32) -> Reading {
    let values = (0..SIDE * SIDE).map(|i| grey((i % SIDE) as f32, (i / SIDE) as f32).clamp(0.0, 255.0) as u8).collect();
    let picture = Picture::from_grey(SIDE, SIDE, values).unwrap();
    Recognizer::built_in().unwrap().recognize(&picture, &Options::default()).unwrap()
}

/// Paper, or ink where it is drawn.
fn drawn(ink: bool) -> f32 {
    if ink { 40.0 } else { 230.0 }
}

fn nought(x: f32, y: f32) -> bool {
    (((x - 80.0) / 28.0).hypot((y - 80.0) / 42.0) - 1.0).abs() < 0.14
}

fn one(x: f32, y: f32) -> bool {
    (x - 80.0 + 0.1 * (y - 80.0)).abs() < 4.0 && (40.0..120.0).contains(&y)
}

#[test]
fn digits_are_kept() {
    for (digit, reading) in [
        ("0", read(|x, y| drawn(nought(x, y)))),
        ("1", read(|x, y| drawn(one(x, y)))),
        // Beside a neighbour that the frame cuts off.
        ("0", read(|x, y| drawn(nought(x, y) || x > 152.0 && (50.0..110.0).contains(&y)))),
        ("11", read(|x, y| drawn(one(x + 22.0, y) || one(x - 22.0, y)))),
    ] {
        assert_eq!(
            (reading.digits.as_str(), reading.rejected),
            (digit, false),
            "{:?}",
            reading.items.first().map(|item| item.none)
        );
    }
}

#[test]
fn stripes_are_rejected() {
    for period in [10.0, 16.0, 27.0, 53.0] {
        let upright = read(|x, _| 128.0 + 110.0 * (x * std::f32::consts::TAU / period).sin());
        assert!(upright.rejected, "{period}: {}", upright.digits);
        let slanted = read(|x, y| 128.0 + 110.0 * ((x + 0.6 * y) * std::f32::consts::TAU / period).sin());
        assert!(slanted.rejected, "{period}, slanted: {}", slanted.digits);
    }
}

#[test]
fn letters_are_not_torn_into_ones() {
    let stem = |x: f32, y: f32, at: f32, lean: f32| (x - at + lean * (y - 80.0)).abs() < 5.0 && (45.0..115.0).contains(&y);
    let v = read(|x, y| drawn(stem(x, y, 64.0, -0.45) || stem(x, y, 96.0, 0.45)));
    assert!(v.rejected, "V: {}", v.digits);
    let foot = |x: f32, y: f32| (55.0..105.0).contains(&x) && (105.0..115.0).contains(&y);
    let u = read(|x, y| drawn(stem(x, y, 55.0, 0.0) || stem(x, y, 105.0, 0.0) || foot(x, y)));
    assert!(u.rejected, "U: {}", u.digits);
}

#[test]
fn one_of_many_strokes_is_no_one() {
    // A blank ruled page whose lines are not level: what is left of them after clearing is no 1 either.
    let page = read(|x, y| if (y + 0.3 * x).rem_euclid(23.0) < 2.0 { 150.0 } else { 220.0 - 0.3 * x });
    assert!(page.rejected, "{}", page.digits);
    // A fence.
    let fence = read(|x, y| drawn(x.rem_euclid(20.0) < 6.0 && y > 20.0 || (60.0..66.0).contains(&y)));
    assert!(fence.rejected, "{}", fence.digits);
}

#[test]
fn a_shaded_thing_is_rejected() {
    let ball = read(|x, y| {
        let away = (x - 80.0).hypot(y - 80.0);
        if away < 45.0 { 60.0 + 1.6 * (x - 35.0) } else { 225.0 - 0.2 * y }
    });
    assert!(ball.rejected, "{}", ball.digits);
}
