//! Resizing grey pixels: PIL's bicubic to the digit, and averaging over areas.

/// Fraction bits of PIL's fixed-point coefficients for 8-bit images (`Resample.c`: 32 − 8 − 2).
const PRECISION: u32 = 22;

/// Keys' cubic with a = −0.5, PIL's `Image.BICUBIC`.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// For each output pixel the first input pixel and the fixed-point weights from there on.
fn weights(input: usize, output: usize) -> Vec<(usize, Vec<i32>)> {
    let scale = input as f64 / output as f64;
    // When shrinking, the kernel is widened so that it averages (PIL's antialiasing).
    let stretch = scale.max(1.0);
    let support = 2.0 * stretch;
    let one = |x: usize| {
        let centre = (x as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(input);
        let taps: Vec<f64> = (first..end).map(|i| cubic((i as f64 - centre + 0.5) / stretch)).collect();
        let sum: f64 = taps.iter().sum();
        let fixed = |w: f64| (w / sum * f64::from(1 << PRECISION)).round() as i32;
        (first, taps.into_iter().map(fixed).collect())
    };
    (0..output).map(one).collect()
}

/// Fixed point to 0…255, as PIL's `clip8`.
fn clip8(sum: i64) -> u8 {
    ((sum + (1 << (PRECISION - 1))) >> PRECISION).clamp(0, 255) as u8
}

/// `Image.resize((new_width, new_height), Image.BICUBIC)` of Pillow on an "L" image, bit for bit.
///
/// `grey` is `[height, width]`, all sides at least 1. Rows first, then columns, 8 bits in between, as every Pillow from 3.3 to 12
/// (13 swaps the passes for tall pictures); a pass whose size does not change is left out.
pub fn bicubic(grey: &[u8], (width, height): (usize, usize), (new_width, new_height): (usize, usize)) -> Vec<u8> {
    let mut wide = Vec::new();
    let rows = if new_width == width {
        grey
    } else {
        let table = weights(width, new_width);
        wide.reserve_exact(new_width * height);
        for row in grey.chunks_exact(width) {
            wide.extend(table.iter().map(|(first, taps)| {
                let pixels = &row[*first..*first + taps.len()];
                clip8(pixels.iter().zip(taps).map(|(&p, &w)| i64::from(p) * i64::from(w)).sum())
            }));
        }
        &wide
    };
    if new_height == height {
        return rows.to_vec();
    }
    let mut out = Vec::with_capacity(new_width * new_height);
    for (first, taps) in weights(height, new_height) {
        out.extend((0..new_width).map(|x| {
            let column = (first..).zip(&taps);
            clip8(column.map(|(y, &w)| i64::from(rows[y * new_width + x]) * i64::from(w)).sum())
        }));
    }
    out
}

/// For each output cell the input cells it covers and the share of each.
fn shares(start: f64, span: f64, input: usize, output: usize) -> Vec<Vec<(usize, f32)>> {
    let step = span / output as f64;
    let one = |x: usize| {
        let (from, to) = (start + x as f64 * step, start + (x + 1) as f64 * step);
        let first = from.floor().max(0.0) as usize;
        let end = (to.ceil().max(0.0) as usize).min(input);
        let share = |i: usize| (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0) / step;
        (first..end).map(|i| (i, share(i) as f32)).filter(|(_, w)| *w > 0.0).collect()
    };
    (0..output).map(one).collect()
}

/// Averages the rectangle `(x, y, width, height)` of `plane` `[height, width]` into `new_width × new_height` cells.
///
/// The rectangle may lie between pixels; what is outside the plane counts as 0. Each cell is the exact mean over its area, so
/// the total is kept and a thin line grows faint but never vanishes.
pub fn area(
    plane: &[f32],
    (width, height): (usize, usize),
    (x, y, w, h): (f64, f64, f64, f64),
    (new_width, new_height): (usize, usize),
) -> Vec<f32> {
    let columns = shares(x, w, width, new_width);
    let rows = shares(y, h, height, new_height);
    let mut out = vec![0.0f32; new_width * new_height];
    let mut line = vec![0.0f32; new_width];
    for (cells, into) in rows.iter().zip(out.chunks_exact_mut(new_width)) {
        for &(row, weight) in cells {
            let source = &plane[row * width..(row + 1) * width];
            for (value, taps) in line.iter_mut().zip(&columns) {
                *value = taps.iter().map(|&(i, w)| source[i] * w).sum();
            }
            into.iter_mut().zip(&line).for_each(|(o, v)| *o += v * weight);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture of fixtures/vision/bicubic.py.
    fn sample(width: usize, height: usize) -> Vec<u8> {
        (0..width * height).map(|i| ((i * i * 7 + (i % width) * 31 + (i / width) * 57) % 256) as u8).collect()
    }

    #[test]
    fn bicubic_is_pils_to_the_bit() {
        let golden = include_str!("../../../fixtures/vision/bicubic.txt");
        let mut cases = 0;
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let numbers: Vec<usize> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
            let [w, h, nw, nh] = numbers[..4] else { panic!("{line}") };
            let expected: Vec<u8> = numbers[4..].iter().map(|&n| n as u8).collect();
            assert_eq!(bicubic(&sample(w, h), (w, h), (nw, nh)), expected, "{w}×{h} to {nw}×{nh}");
            cases += 1;
        }
        assert!(cases >= 8, "{cases} cases");
    }

    #[test]
    fn area_keeps_the_total() {
        let plane: Vec<f32> = (0..35).map(|i| (i * 13 % 17) as f32).collect();
        let small = area(&plane, (7, 5), (0.0, 0.0, 7.0, 5.0), (3, 2));
        let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
        // Sums of 35 numbers in f32.
        assert!((mean(&plane) - mean(&small)).abs() < 1e-4);
    }

    #[test]
    fn area_outside_is_zero() {
        let out = area(&[8.0], (1, 1), (-1.0, 0.0, 2.0, 1.0), (2, 1));
        assert_eq!(out, [0.0, 8.0]);
        assert_eq!(area(&[8.0], (1, 1), (0.5, 0.0, 1.0, 2.0), (1, 1)), [2.0]);
    }
}
