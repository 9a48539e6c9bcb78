//! Several digits on one picture, read with the model in the box.

use maobi_recognize::{Layout, Options, Reading, Recognizer};
use maobi_vision::Picture;

const WIDTH: usize = 520;

/// Light paper in a slope of light.
fn paper(height: usize) -> Vec<u8> {
    (0..WIDTH * height).map(|i| (235 - 60 * (i % WIDTH) / WIDTH) as u8).collect()
}

/// A nought, 44 wide and 70 high.
fn nought(grey: &mut [u8], (cx, cy): (i32, i32)) {
    for (i, v) in grey.iter_mut().enumerate() {
        let (x, y) = ((i % WIDTH) as i32 - cx, (i / WIDTH) as i32 - cy);
        let level = ((x * x) as f32 / (19.0 * 19.0) + (y * y) as f32 / (32.0 * 32.0)).sqrt();
        if (level - 1.0).abs() < 0.15 {
            *v /= 4;
        }
    }
}

/// A one: a stroke that leans a little, 70 high.
fn one(grey: &mut [u8], (cx, cy): (i32, i32)) {
    for (i, v) in grey.iter_mut().enumerate() {
        let (x, y) = ((i % WIDTH) as i32 - cx, (i / WIDTH) as i32 - cy);
        if y.abs() <= 35 && (x + y / 8).abs() <= 3 {
            *v /= 4;
        }
    }
}

fn read(grey: Vec<u8>, layout: Layout) -> Reading {
    let picture = Picture::from_grey(WIDTH, grey.len() / WIDTH, grey).unwrap();
    Recognizer::built_in().unwrap().recognize(&picture, &Options::new().layout(layout)).unwrap()
}

#[test]
fn a_page_is_read_line_by_line() {
    let mut grey = paper(300);
    for (k, x) in [60, 150, 240, 330].into_iter().enumerate() {
        // Both lines rise to the right.
        let at = (x, 90 - 6 * k as i32);
        if k % 2 == 0 {
            nought(&mut grey, at)
        } else {
            one(&mut grey, at)
        }
        one(&mut grey, (x, 210 - 6 * k as i32));
    }
    nought(&mut grey, (420, 180));
    let reading = read(grey.clone(), Layout::Auto);
    assert_eq!((reading.digits.as_str(), reading.rejected), ("0101\n11110", false));
    assert_eq!(reading.items.iter().map(|item| item.line).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1, 1]);
    let rect = reading.items[0].rect;
    // Edges are found to a pixel or two at working size.
    assert!(rect.x.abs_diff(60 - 22) <= 3 && rect.y.abs_diff(90 - 37) <= 3 && rect.width.abs_diff(44) <= 5, "{rect:?}");
    let longest = read(grey, Layout::Line);
    // The other line's ink does not speak against it.
    assert_eq!((longest.digits.as_str(), longest.rejected), ("11110", false), "the longest line");
}

#[test]
fn touching_digits_are_told_apart() {
    let mut grey = paper(140);
    nought(&mut grey, (100, 70));
    nought(&mut grey, (143, 70));
    one(&mut grey, (230, 70));
    let reading = read(grey, Layout::Auto);
    assert_eq!(reading.digits, "001");
}

#[test]
fn one_digit_stays_one() {
    let mut grey = paper(140);
    nought(&mut grey, (200, 70));
    for layout in Layout::ALL {
        let reading = read(grey.clone(), layout);
        assert_eq!((reading.digits.as_str(), reading.items.len(), reading.rejected), ("0", 1, false), "{layout}");
    }
}

#[test]
fn blank_paper_has_nothing_to_read() {
    for layout in Layout::ALL {
        let reading = read(paper(140), layout);
        assert!(reading.rejected, "{layout}: {reading:?}");
    }
}
