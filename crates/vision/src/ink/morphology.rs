//! Largest and smallest values in square windows.

/// The smallest of the largest values around: dark spots narrower than `2 · reach + 1` are gone, edges of wider ones stay where
/// they are. Outside the plane there is nothing.
pub(super) fn closing(values: &[f32], size: (usize, usize), reach: usize) -> Vec<f32> {
    let grown = around(values, size, reach, f32::NEG_INFINITY, |a, b| if a > b { a } else { b });
    around(&grown, size, reach, f32::INFINITY, |a, b| if a < b { a } else { b })
}

/// Folds each value's window, rows then columns, by doubling: the fold of 2, 4, 8 … neighbours, then two overlapping ones.
/// `fold` must not care that a value comes twice; `nothing` is what it leaves alone.
fn around(values: &[f32], (w, h): (usize, usize), reach: usize, nothing: f32, fold: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let window = 2 * reach + 1;
    let mut out = Vec::with_capacity(w * h);
    let mut line = Vec::with_capacity(w + 2 * reach);
    for row in values.chunks_exact(w) {
        line.clear();
        line.resize(reach, nothing);
        line.extend_from_slice(row);
        line.resize(w + 2 * reach, nothing);
        doubling(&mut line, 1, window, &fold);
        out.extend_from_slice(&line[..w]);
    }
    // Columns: the same with whole rows as elements.
    let mut field = vec![nothing; reach * w];
    field.extend_from_slice(&out);
    field.resize((h + 2 * reach) * w, nothing);
    doubling(&mut field, w, window, &fold);
    field.truncate(w * h);
    field
}

/// `values[i]` becomes the fold of the `window` elements from `i` on, elements being `stride` apart; the end holds leftovers.
fn doubling(values: &mut [f32], stride: usize, window: usize, fold: impl Fn(f32, f32) -> f32) {
    let mut have = 1;
    while have < window {
        let step = have.min(window - have);
        let shift = step * stride;
        // Stretches that do not reach into what they read, so that the compiler sees plain loops.
        for at in (0..values.len().saturating_sub(shift)).step_by(shift) {
            let (into, from) = values[at..].split_at_mut(shift);
            into.iter_mut().zip(from).for_each(|(a, b)| *a = fold(*a, *b));
        }
        have += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_looking_at_every_window() {
        let (w, h) = (13, 9);
        let values: Vec<f32> = (0..w * h).map(|i| ((i * 7919 + 13) % 101) as f32).collect();
        for reach in [0, 1, 2, 3, 5, 20] {
            let near = |a: usize, b: usize| a.abs_diff(b) <= reach;
            let slow = |from: &[f32], start: f32, fold: fn(f32, f32) -> f32| -> Vec<f32> {
                let one =
                    |i: usize| (0..w * h).filter(|j| near(i % w, j % w) && near(i / w, j / w)).map(|j| from[j]).fold(start, fold);
                (0..w * h).map(one).collect()
            };
            let expected = slow(&slow(&values, f32::MIN, f32::max), f32::MAX, f32::min);
            assert_eq!(closing(&values, (w, h), reach), expected, "{reach}");
        }
    }

    #[test]
    fn narrow_goes_wide_stays() {
        let row: Vec<f32> = (0..40).map(|x| if x == 5 || (20..30).contains(&x) { 0.0 } else { 9.0 }).collect();
        let closed = closing(&row, (40, 1), 2);
        assert_eq!((closed[5], closed[19], closed[20], closed[29], closed[30]), (9.0, 9.0, 0.0, 0.0, 9.0));
    }
}
