//! Exact Euclidean distances to the edge of the ink.

/// Signed distance of each pixel's centre to the ink's edge, in pixels: positive inside, negative outside.
///
/// Squared distances by lower envelopes of parabolas, rows after columns (Felzenszwalb and Huttenlocher, "Distance Transforms
/// of Sampled Functions", 2012). The edge lies half a pixel from the centres on both sides of it.
pub(super) fn signed(ink: &[bool], (width, height): (usize, usize)) -> Vec<f32> {
    let inside = squared(ink, (width, height), false);
    let outside = squared(ink, (width, height), true);
    let cells = ink.iter().zip(inside.iter().zip(&outside));
    cells.map(|(&is, (i, o))| if is { i.sqrt() - 0.5 } else { 0.5 - o.sqrt() }).collect()
}

/// Squared distance of each cell to the nearest cell equal to `to`.
fn squared(ink: &[bool], (width, height): (usize, usize), to: bool) -> Vec<f32> {
    let far = ((width + height) * (width + height)) as f32;
    let mut field: Vec<f32> = ink.iter().map(|&is| if is == to { 0.0 } else { far }).collect();
    let mut line = vec![0.0; width.max(height)];
    let mut hull = Vec::with_capacity(width.max(height));
    for x in 0..width {
        (0..height).for_each(|y| line[y] = field[y * width + x]);
        envelope(&line[..height], &mut hull, |y, d| field[y * width + x] = d);
    }
    for row in field.chunks_exact_mut(width) {
        line[..width].copy_from_slice(row);
        envelope(&line[..width], &mut hull, |x, d| row[x] = d);
    }
    field
}

/// `min over j of (i − j)² + line[j]` for each i. `hull` holds (j, where its parabola takes over).
fn envelope(line: &[f32], hull: &mut Vec<(usize, f32)>, mut put: impl FnMut(usize, f32)) {
    hull.clear();
    for (j, &value) in line.iter().enumerate() {
        let height = |k: usize, v: f32| v + (k * k) as f32;
        let mut from = f32::NEG_INFINITY;
        while let Some(&(k, start)) = hull.last() {
            from = (height(j, value) - height(k, line[k])) / (2 * (j - k)) as f32;
            if from > start {
                break;
            }
            hull.pop();
            from = f32::NEG_INFINITY;
        }
        hull.push((j, from));
    }
    let mut at = 0;
    for i in 0..line.len() {
        while hull.get(at + 1).is_some_and(|&(_, start)| start <= i as f32) {
            at += 1;
        }
        if let Some(&(j, _)) = hull.get(at) {
            let d = i.abs_diff(j);
            put(i, (d * d) as f32 + line[j]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_trying_all_pairs() {
        let (w, h) = (17, 11);
        let ink: Vec<bool> = (0..w * h).map(|i| (i * i * 31 + i * 7) % 11 < 3).collect();
        let found = signed(&ink, (w, h));
        for i in 0..w * h {
            let other = (0..w * h).filter(|&j| ink[j] != ink[i]);
            let d = |j: usize| ((i % w).abs_diff(j % w).pow(2) + (i / w).abs_diff(j / w).pow(2)) as f32;
            let nearest = other.map(d).fold(f32::MAX, f32::min).sqrt() - 0.5;
            let expected = if ink[i] { nearest } else { -nearest };
            // Squares of small whole numbers are exact, the root is rounded once.
            assert!((found[i] - expected).abs() < 1e-5, "{i}: {} {expected}", found[i]);
        }
    }

    #[test]
    fn all_or_nothing_is_finite() {
        assert!(signed(&[true; 6], (3, 2)).iter().all(|d| d.is_finite()));
        assert!(signed(&[false; 6], (3, 2)).iter().all(|d| d.is_finite()));
    }
}
