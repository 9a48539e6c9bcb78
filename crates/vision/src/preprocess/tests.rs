use super::*;

pub(super) fn picture(width: usize, height: usize, f: impl Fn(usize, usize) -> u8) -> Picture {
    Picture::from_grey(width, height, (0..width * height).map(|i| f(i % width, i / width)).collect()).unwrap()
}

/// A 7 with a stroke of `width` pixels inside (x, y, side).
pub(super) fn seven(x: usize, y: usize, side: usize, width: usize) -> impl Fn(usize, usize) -> bool {
    move |px, py| {
        let (Some(dx), Some(dy)) = (px.checked_sub(x), py.checked_sub(y)) else { return false };
        let bar = dy < width && dx < side;
        let stem = dy < side && (dx + dy / 2).abs_diff(side - width) <= width / 2;
        bar || stem
    }
}

pub(super) fn difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
}

pub(super) const FRAME: (usize, usize) = (28, 28);

#[test]
fn names_round_trip() {
    for way in Preprocess::ALL {
        assert_eq!(way.to_string().parse(), Ok(way));
    }
    let error = "blur".parse::<Preprocess>().unwrap_err();
    assert_eq!(error.to_string(), "preprocess: expected auto, invert, threshold or none, got 'blur'");
    assert_eq!(Preprocess::default(), Preprocess::Auto);
}

#[test]
fn published_ways_at_28_by_28() {
    let ramp = picture(28, 28, |x, y| (x * 9 + y) as u8);
    let none = prepare(&ramp, Preprocess::None, FRAME).pixels;
    assert_eq!(none, ramp.grey);
    let invert = prepare(&ramp, Preprocess::Invert, FRAME).pixels;
    assert!(invert.iter().zip(&ramp.grey).all(|(&a, &b)| a == 255 - b));
    let threshold = prepare(&ramp, Preprocess::Threshold, FRAME).pixels;
    assert!(threshold.iter().zip(&ramp.grey).all(|(&a, &b)| a == if b < 140 { 255 } else { 0 }));
    assert!(ramp.grey.contains(&139) && ramp.grey.contains(&140), "both sides of the threshold are tried");
}

#[test]
fn published_ways_resize_as_pil() {
    let large = picture(70, 50, |x, y| ((x * 5) ^ (y * 3)) as u8);
    let small = bicubic(&large.grey, (70, 50), (28, 28));
    assert_eq!(prepare(&large, Preprocess::None, FRAME).pixels, small);
    assert_eq!(prepare(&large, Preprocess::Invert, FRAME).pixels[5], 255 - small[5]);
}

#[test]
fn auto_does_not_care_for_polarity_size_place_or_contrast() {
    let reference =
        prepare(&picture(200, 200, |x, y| if seven(50, 50, 100, 14)(x, y) { 0 } else { 255 }), Preprocess::Auto, FRAME);
    assert_eq!((reference.polarity, reference.blank, reference.unchanged), (Polarity::DarkInk, false, false));
    let ink = reference.ink.unwrap();
    assert!(ink.x.abs_diff(50) <= 1 && ink.y.abs_diff(50) <= 1 && ink.width.abs_diff(100) <= 3, "{ink:?}");
    let variants = [
        ("light on dark", picture(200, 200, |x, y| if seven(50, 50, 100, 14)(x, y) { 255 } else { 0 })),
        ("in the corner", picture(200, 200, |x, y| if seven(12, 80, 100, 14)(x, y) { 0 } else { 255 })),
        ("twice as large", picture(500, 400, |x, y| if seven(90, 90, 200, 28)(x, y) { 0 } else { 255 })),
        ("faint", picture(200, 200, |x, y| if seven(50, 50, 100, 14)(x, y) { 150 } else { 190 })),
        ("small on a large page", picture(1200, 1600, |x, y| if seven(300, 500, 100, 14)(x, y) { 30 } else { 220 })),
    ];
    for (name, variant) in variants {
        let prepared = prepare(&variant, Preprocess::Auto, FRAME);
        let off = difference(&prepared.pixels, &reference.pixels);
        // Only edges move, by parts of a pixel: a shift by one whole pixel would give more than 15.
        assert!(off < 5.0, "{name}: differs by {off}");
    }
}

#[test]
fn auto_sees_through_a_shadow() {
    let ink = seven(60, 50, 100, 12);
    // Full light, a soft edge 28 pixels wide, shadow.
    let light = |x: usize, y: usize| 220.0 - 130.0 * ((x as f64 + y as f64 - 180.0) / 40.0).clamp(0.0, 1.0);
    let shadow = picture(200, 200, |x, y| (light(x, y) * if ink(x, y) { 0.35 } else { 1.0 }) as u8);
    let clean = picture(200, 200, |x, y| if ink(x, y) { 0 } else { 255 });
    let (a, b) = (prepare(&shadow, Preprocess::Auto, FRAME), prepare(&clean, Preprocess::Auto, FRAME));
    let off = difference(&a.pixels, &b.pixels);
    assert!(off < 12.0, "differs by {off}");
}

#[test]
fn auto_centres_the_mass_and_fills_the_box() {
    let prepared = prepare(&picture(90, 140, |x, y| if seven(10, 20, 60, 8)(x, y) { 20 } else { 230 }), Preprocess::Auto, FRAME);
    let cells: Vec<f32> = prepared.pixels.iter().map(|&v| f32::from(v)).collect();
    let (x, y) = crate::glyph::centre_of_mass(&cells, 28);
    assert!((x - 14.0).abs() <= 0.51 && (y - 14.0).abs() <= 0.51, "{x} {y}");
    let rows = (0..28).filter(|y| prepared.pixels[y * 28..][..28].iter().any(|&v| v > 0)).count();
    assert_eq!(rows, 20);
}

#[test]
fn auto_keeps_thin_lines_and_thins_fat_ones() {
    let side = |width: usize| {
        let drawn = picture(1500, 1500, |x, y| if seven(300, 300, 900, width)(x, y) { 40 } else { 210 });
        prepare(&drawn, Preprocess::Auto, FRAME)
    };
    let (thin, fat) = (side(6), side(240));
    assert!(thin.stroke.unwrap() < 1.0 && fat.stroke.unwrap() > 3.6, "{:?} {:?}", thin.stroke, fat.stroke);
    let mass = |p: &Prepared| p.pixels.iter().map(|&v| f64::from(v)).sum::<f64>() / 255.0;
    // The sevens of MNIST cover 46 to 157 pixels (1st to 99th percentile).
    assert!((46.0..157.0).contains(&mass(&thin)), "{}", mass(&thin));
    assert!((46.0..157.0).contains(&mass(&fat)), "{}", mass(&fat));
    assert_eq!(thin.pixels.iter().max(), Some(&255));
}

#[test]
fn auto_ignores_specks_and_what_comes_in_from_the_frame() {
    let ink = seven(60, 50, 100, 12);
    let dirt = |x: usize, y: usize| (x < 9 && y > 20) || (x == 190 && y < 150) || (x, y) == (30, 30) || y > 196;
    let dirty = picture(200, 200, |x, y| if ink(x, y) || dirt(x, y) { 20 } else { 240 });
    let clean = picture(200, 200, |x, y| if ink(x, y) { 20 } else { 240 });
    let (a, b) = (prepare(&dirty, Preprocess::Auto, FRAME), prepare(&clean, Preprocess::Auto, FRAME));
    assert!(difference(&a.pixels, &b.pixels) < 3.0, "{:?} {:?}", a.ink, b.ink);
}

#[test]
fn blank_pictures_are_flagged() {
    for grey in [0u8, 128, 255] {
        for (width, height) in [(1, 1), (28, 28), (300, 200), (1, 5000)] {
            for way in Preprocess::ALL {
                let prepared = prepare(&picture(width, height, |_, _| grey), way, FRAME);
                assert!(prepared.blank, "{width}×{height} of {grey}, {way}");
                assert_eq!(prepared.pixels.len(), 784);
            }
        }
    }
    // Paper grain is no ink.
    let grain = picture(300, 300, |x, y| 220 + ((x * 31 + y * 17 + x * y) % 7) as u8);
    assert!(prepare(&grain, Preprocess::Auto, FRAME).blank);
    assert!(prepare(&grain, Preprocess::Auto, (0, 28)).pixels.is_empty());
}

#[test]
fn explained_is_what_is_prepared() {
    let drawn = picture(1200, 900, |x, y| if seven(300, 200, 400, 40)(x, y) { 30 } else { 210 });
    let (prepared, stages) = explain(&drawn, Preprocess::Auto, FRAME);
    assert_eq!(prepared, prepare(&drawn, Preprocess::Auto, FRAME));
    let titles: Vec<&str> = stages.iter().map(|stage| stage.title.as_str()).collect();
    let expected = ["photo", "looked at", "ground", "ink", "the pieces chosen", "stroke evened out", "what the network sees"];
    assert_eq!(titles, expected);
    assert!(stages.iter().all(|s| s.grey.len() == s.width * s.height && s.width > 0), "{stages:?}");
    assert_eq!(stages[6].grey, prepared.pixels);
    // 1200 columns become 480.
    let found = stages[0].boxes[0];
    assert!(found.x.abs_diff(120) <= 1 && found.y.abs_diff(80) <= 1 && found.width.abs_diff(160) <= 2, "{found:?}");
    let paper = stages[2].grey.iter().all(|v| v.abs_diff(210) < 8);
    assert!(paper, "no ink in the ground");
    for way in Preprocess::ALL {
        let (prepared, stages) = explain(&picture(30, 20, |_, _| 7), way, FRAME);
        assert!(prepared.blank && stages.len() >= 2, "{way}");
    }
}

#[test]
fn odd_shapes_do_not_panic() {
    for (width, height) in [(1, 1), (2, 1), (1, 2), (100_000, 1), (1, 100_000), (3, 4000), (7, 7), (28, 27)] {
        for seed in 0..4usize {
            let noise =
                picture(width, height, |x, y| ((x * 7919 + y * 104_729 + seed * 31).wrapping_mul(2_654_435_761) >> 7) as u8);
            for way in Preprocess::ALL {
                for frame in [(28, 28), (1, 1), (5, 40), (64, 64)] {
                    assert_eq!(prepare(&noise, way, frame).pixels.len(), frame.0 * frame.1);
                }
            }
        }
    }
}
