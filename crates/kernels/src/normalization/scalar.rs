//! The loops of [`super`].

const WIDTH: usize = 128;
const LANES: usize = 16;

/// Values handled side by side: few columns are repeated into a longer row, for they would leave most lanes idle.
#[inline(always)]
fn width(cols: usize) -> usize {
    if cols <= WIDTH / 2 { WIDTH / cols * cols } else { cols }
}

/// A column vector repeated to [`width`].
#[inline(always)]
fn repeated<'a>(vector: &'a [f32], buffer: &'a mut [f32; WIDTH]) -> &'a [f32] {
    let cols = vector.len();
    if cols > WIDTH / 2 {
        return vector;
    }
    let long = &mut buffer[..width(cols)];
    for copy in long.chunks_exact_mut(cols) {
        copy.copy_from_slice(vector);
    }
    long
}

/// Adds `term` of every element to its column of `sums` (overwritten): lanes first, then the lanes of a column in order.
#[inline(always)]
fn column_sums(cols: usize, elements: usize, sums: &mut [f32], add: impl Fn(std::ops::Range<usize>, &mut [f32])) {
    let width = width(cols);
    let mut buffer = [0f32; WIDTH];
    sums.fill(0.0);
    let narrow = cols <= WIDTH / 2;
    let lanes: &mut [f32] = if narrow { &mut buffer[..width] } else { sums };
    let mut start = 0;
    while start < elements {
        let end = (start + width).min(elements);
        add(start..end, &mut lanes[..end - start]);
        start = end;
    }
    if narrow {
        for row in buffer[..width].chunks_exact(cols) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

#[inline(always)]
pub(super) fn moments(x: &[f32], mean: &mut [f32], m2: &mut [f32]) {
    let cols = mean.len();
    column_sums(cols, x.len(), mean, |span, lanes| {
        for (lane, &x) in lanes.iter_mut().zip(&x[span]) {
            *lane += x;
        }
    });
    let rows = (x.len() / cols) as f32;
    for mean in mean.iter_mut() {
        *mean /= rows;
    }
    let mut buffer = [0f32; WIDTH];
    let mean = repeated(mean, &mut buffer);
    column_sums(cols, x.len(), m2, |span, lanes| {
        for ((lane, &x), &mean) in lanes.iter_mut().zip(&x[span]).zip(mean) {
            *lane += (x - mean) * (x - mean);
        }
    });
}

#[inline(always)]
pub(super) fn scale_shift(x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
    let width = width(scale.len());
    let mut buffers = [[0f32; WIDTH]; 2];
    let [one, two] = &mut buffers;
    let (scale, shift) = (repeated(scale, one), repeated(shift, two));
    for (x, y) in x.chunks(width).zip(y.chunks_mut(width)) {
        for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
            *y = x * scale + shift;
        }
    }
}

#[inline(always)]
pub(super) fn gradient_sums(x: &[f32], dy: &[f32], mean: &[f32], inverse: &[f32], d_beta: &mut [f32], d_gamma: &mut [f32]) {
    let cols = mean.len();
    let mut buffer = [0f32; WIDTH];
    let long = repeated(mean, &mut buffer);
    column_sums(cols, dy.len(), d_beta, |span, lanes| {
        for (lane, &dy) in lanes.iter_mut().zip(&dy[span]) {
            *lane += dy;
        }
    });
    column_sums(cols, dy.len(), d_gamma, |span, lanes| {
        for (((lane, &dy), &x), &mean) in lanes.iter_mut().zip(&dy[span.clone()]).zip(&x[span]).zip(long) {
            *lane += dy * (x - mean);
        }
    });
    for (d_gamma, &inverse) in d_gamma.iter_mut().zip(inverse) {
        *d_gamma *= inverse;
    }
}

#[inline(always)]
pub(super) fn gradient(x: &[f32], dy: &[f32], mean: &[f32], a: &[f32], b: &[f32], c: &[f32], dx: &mut [f32]) {
    let width = width(mean.len());
    let mut buffers = [[0f32; WIDTH]; 4];
    let [one, two, three, four] = &mut buffers;
    let (mean, a, b, c) = (repeated(mean, one), repeated(a, two), repeated(b, three), repeated(c, four));
    for ((x, dy), dx) in x.chunks(width).zip(dy.chunks(width)).zip(dx.chunks_mut(width)) {
        for ((((((dx, &dy), &x), &mean), &a), &b), &c) in dx.iter_mut().zip(dy).zip(x).zip(mean).zip(a).zip(b).zip(c) {
            *dx = a * dy - b * (x - mean) - c;
        }
    }
}

/// Σ term(i) for i in 0 .. n, in [`LANES`] partial sums.
#[inline(always)]
fn total(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0f32; LANES];
    let whole = n / LANES * LANES;
    let mut i = 0;
    while i < whole {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(i + lane);
        }
        i += LANES;
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(n - whole) {
        *sum += term(whole + lane);
    }
    crate::reduce::scalar::fold(lanes)
}

/// Mean and 1 / √(variance + epsilon) of a row.
#[inline(always)]
fn row_moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = total(x.len(), |i| x[i]) / n;
    let variance = total(x.len(), |i| (x[i] - mean) * (x[i] - mean)) / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

#[inline(always)]
pub(super) fn layer_forward(cols: usize, epsilon: f32, x: &[f32], gamma: Option<&[f32]>, beta: Option<&[f32]>, y: &mut [f32]) {
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let (mean, inverse) = row_moments(x, epsilon);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - mean) * inverse;
        }
        if let Some(gamma) = gamma {
            y.iter_mut().zip(gamma).for_each(|(y, &gamma)| *y *= gamma);
        }
        if let Some(beta) = beta {
            y.iter_mut().zip(beta).for_each(|(y, &beta)| *y += beta);
        }
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the contract's")]
pub(super) fn layer_backward(
    cols: usize,
    epsilon: f32,
    x: &[f32],
    gamma: Option<&[f32]>,
    dy: &[f32],
    mut dx: Option<&mut [f32]>,
    mut d_gamma: Option<&mut [f32]>,
    mut d_beta: Option<&mut [f32]>,
) {
    let n = cols as f32;
    for (row, (x, dy)) in x.chunks_exact(cols).zip(dy.chunks_exact(cols)).enumerate() {
        let (mean, inverse) = row_moments(x, epsilon);
        if let Some(d_gamma) = &mut d_gamma {
            for ((d, &dy), &x) in d_gamma.iter_mut().zip(dy).zip(x) {
                *d += dy * ((x - mean) * inverse);
            }
        }
        if let Some(d_beta) = &mut d_beta {
            for (d, &dy) in d_beta.iter_mut().zip(dy) {
                *d += dy;
            }
        }
        let Some(dx) = &mut dx else { continue };
        let dx = &mut dx[row * cols..][..cols];
        // dx holds g = dy · gamma first, then inverse · (g − mean(g) − x̂ · mean(g · x̂)).
        dx.copy_from_slice(dy);
        if let Some(gamma) = gamma {
            dx.iter_mut().zip(gamma).for_each(|(g, &gamma)| *g *= gamma);
        }
        let sum = total(cols, |i| dx[i]) / n;
        let product = total(cols, |i| dx[i] * ((x[i] - mean) * inverse)) / n;
        for (g, &x) in dx.iter_mut().zip(x) {
            *g = inverse * (*g - sum - (x - mean) * inverse * product);
        }
    }
}
