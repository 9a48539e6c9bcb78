//! Windows sliding over a zero-padded image: the geometry of the forward pass, of both gradients.
//!
//! A padded image has no edges to ask about, and in it the taps `(kx, channel)` of a kernel row are contiguous, so the
//! sum over a window is a few segments for the register tile. Kernel rows that lie in the padding are skipped.
//!
//! Few output channels leave most of a vector empty. Then two neighbouring pixels are computed as one of twice the
//! channels (`pair`), by a kernel one column wider that holds the weights twice, shifted: 4 taps a row instead of 2 · 3.

use super::pack;
use super::pass::Weights;
use crate::isa::Isa;
use crate::tile::{self, Tile};
use std::ops::Range;

/// Half a vector: output channels up to here are computed in pairs of pixels.
const PAIR_CHANNELS: usize = 8;
/// From this many channels on, the weight gradient goes tap by tap to skip the padding; with fewer, kernel row by
/// kernel row, to have enough rows in a tile.
const TAP_CHANNELS: usize = 16;

/// What [`Windows`] are made from: windows over a padded image `[height, width, channels]`, in groups of channels.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    pub width: usize,
    pub channels: usize,
    pub groups: usize,
    /// Rows and columns of the image that are not padding.
    pub inner: (Range<usize>, Range<usize>),
    pub kernel: (usize, usize),
    pub stride: (usize, usize),
    pub dilation: (usize, usize),
    pub out: (usize, usize),
    pub c_out: usize,
}

/// A geometry, ready to compute.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    given: Geometry,
    /// The given one, or that of pairs of pixels.
    used: Geometry,
    /// Where each run of contiguous taps starts, relative to the window.
    segments: Vec<usize>,
    /// Elements in a run.
    depth: usize,
    /// Columns of a packed panel of weights.
    panel: usize,
    /// Output rows that see the same kernel rows outside the padding, and these.
    bands: Vec<(Range<usize>, Range<usize>)>,
    /// Where the windows of each output row start.
    pixel_rows: Vec<usize>,
}

/// What a call of [`Windows::tap_gradients`] is about.
struct Taps {
    /// The first tap, and how many contiguous ones in each of how many kernel rows.
    first: usize,
    count: (usize, usize),
    /// The output pixels they are summed over.
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Geometry {
    fn pitch(&self) -> usize {
        self.width * self.channels
    }

    fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1 * self.channels / self.groups
    }

    /// The same as windows of twice the stride over pairs of pixels, where that helps.
    fn paired(&self) -> Option<Self> {
        let simple = self.groups == 1 && self.dilation.1 == 1 && self.stride.1 == 1;
        let helps = self.c_out <= PAIR_CHANNELS && self.out.1.is_multiple_of(2) && self.out.1 > 0 && self.kernel.1 > 1;
        (simple && helps).then(|| Self {
            kernel: (self.kernel.0, self.kernel.1 + 1),
            stride: (self.stride.0, 2),
            out: (self.out.0, self.out.1 / 2),
            c_out: 2 * self.c_out,
            ..self.clone()
        })
    }
}

/// The `k` of `0..count` for which `start + k · step` lies in `inner`.
pub(super) fn inside(inner: &Range<usize>, start: usize, step: usize, count: usize) -> Range<usize> {
    let first = inner.start.saturating_sub(start).div_ceil(step).min(count);
    let end = inner.end.saturating_sub(start).div_ceil(step).min(count);
    first..end.max(first)
}

impl Windows {
    pub(super) fn new(given: Geometry) -> Self {
        let used = given.paired().unwrap_or_else(|| given.clone());
        let ((kh, kw), (dy, dx)) = (used.kernel, used.dilation);
        let pitch = used.pitch();
        let contiguous = used.groups == 1 && (dx == 1 || kw == 1);
        let (runs, depth) = if contiguous { (1, kw * used.channels) } else { (kw, used.channels / used.groups) };
        let run = |ky: usize| (0..runs).map(move |kx| ky * dy * pitch + kx * dx * used.channels);
        let mut bands: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        for y in 0..used.out.0 {
            let rows = inside(&used.inner.0, y * used.stride.0, dy, kh);
            match bands.last_mut() {
                Some((band, kernel_rows)) if *kernel_rows == rows => band.end = y + 1,
                _ => bands.push((y..y + 1, rows)),
            }
        }
        let columns = (used.c_out / used.groups).next_multiple_of(16);
        Self {
            segments: (0..kh).flat_map(run).collect(),
            depth,
            // Two vectors of 16, or four where rows are short.
            panel: columns.min(if used.out.1 <= 6 { 64 } else { 32 }),
            bands,
            pixel_rows: (0..used.out.0).map(|y| y * used.stride.0 * pitch).collect(),
            given,
            used,
        }
    }

    /// Elements of the packed weights.
    pub(super) fn packed_len(&self) -> usize {
        self.used.groups * self.group_packed_len()
    }

    fn group_packed_len(&self) -> usize {
        (self.used.c_out / self.used.groups).next_multiple_of(self.panel) * self.used.taps()
    }

    /// Multiplications of [`Self::correlate`].
    pub(super) fn cost(&self) -> usize {
        let rows: usize = self.bands.iter().map(|(rows, kernel_rows)| rows.len() * kernel_rows.len()).sum();
        rows * self.used.out.1 * self.used.taps() / self.used.kernel.0 * self.used.c_out
    }

    /// Lays out a kernel `w`, `[kh, kw, c_in / groups, c_out]`, for the forward pass.
    pub(super) fn pack(&self, w: &[f32], packed: &mut [f32]) {
        let given = &self.given;
        if self.used.c_out != given.c_out {
            return self.pack_pairs(packed, |tap, column| w[tap * given.c_out + column]);
        }
        self.panels(packed, |group, from, count, block| {
            let column = group * given.c_out / given.groups + from;
            pack::copy_rows(block, self.panel, count, |tap| &w[tap * given.c_out + column..]);
        });
    }

    /// Lays out a kernel `w`, `[kh, kw, c_out / groups, channels]`, flipped and transposed, for the input gradient.
    pub(super) fn pack_flipped(&self, w: &[f32], packed: &mut [f32]) {
        let given = &self.given;
        let (pixels, channels) = (given.kernel.0 * given.kernel.1, given.channels / given.groups);
        let columns = given.c_out / given.groups;
        if self.used.c_out != given.c_out {
            return self.pack_pairs(packed, |tap, column| {
                let pixel = pixels - 1 - tap / channels;
                w[(pixel * columns + column) * channels + tap % channels]
            });
        }
        self.panels(packed, |group, from, count, block| {
            for (pixel, block) in block.chunks_exact_mut(channels * self.panel).enumerate() {
                let row = (pixels - 1 - pixel) * columns + from;
                let source = &w[row * given.channels + group * channels..];
                pack::transpose_rows(block, self.panel, count, source, given.channels);
            }
        });
    }

    /// Both copies of each weight of the only group; `weight(tap, column)` is asked for each.
    fn pack_pairs(&self, packed: &mut [f32], weight: impl Fn(usize, usize) -> f32) {
        let (kw, channels, c_out) = (self.given.kernel.1, self.given.channels, self.given.c_out);
        for (tap, row) in packed.chunks_exact_mut(self.panel).enumerate() {
            let (ky, rest) = (tap / ((kw + 1) * channels), tap % ((kw + 1) * channels));
            row.fill(0.0);
            for (column, value) in row[..2 * c_out].iter_mut().enumerate() {
                // The second pixel of a pair sees everything one column later.
                let kx = (rest / channels).wrapping_sub(column / c_out);
                if kx < kw {
                    *value = weight((ky * kw + kx) * channels + rest % channels, column % c_out);
                }
            }
        }
    }

    /// Visits the block `[tap][column]` of each group and panel with the first of its columns in the group and their number.
    fn panels(&self, packed: &mut [f32], mut visit: impl FnMut(usize, usize, usize, &mut [f32])) {
        let (columns, taps) = (self.used.c_out / self.used.groups, self.used.taps());
        for (group, part) in packed.chunks_exact_mut(self.group_packed_len()).enumerate() {
            for (panel, block) in part.chunks_exact_mut(self.panel * taps).enumerate() {
                let from = panel * self.panel;
                visit(group, from, self.panel.min(columns - from), block);
            }
        }
    }

    /// `output[y, x, o] = act(bias[o] + Σ_tap image[window (y, x), tap] · weight[tap, o])`; overwrites.
    pub(super) fn correlate(&self, isa: Isa, image: &[f32], weights: Weights, output: &mut [f32]) {
        let used = &self.used;
        let (out_h, out_w) = used.out;
        if out_h * out_w == 0 {
            return;
        }
        assert_eq!(output.len(), out_h * out_w * used.c_out);
        assert_eq!(weights.packed.len(), self.packed_len());
        assert!(image.len() > self.last_read());
        // The bias of a pair of pixels.
        let mut twice = [0.0; 2 * PAIR_CHANNELS];
        let bias = weights.bias.map(|bias| {
            if bias.len() == used.c_out {
                return bias;
            }
            twice[..bias.len()].copy_from_slice(bias);
            twice[bias.len()..2 * bias.len()].copy_from_slice(bias);
            &twice[..2 * bias.len()]
        });
        assert!(bias.is_none_or(|bias| bias.len() == used.c_out));
        let bias = bias.map_or(std::ptr::null(), <[f32]>::as_ptr);
        let (c_in, columns) = (used.channels / used.groups, used.c_out / used.groups);
        let runs = self.segments.len() / used.kernel.0;
        for group in 0..used.groups {
            for from in (0..columns).step_by(self.panel) {
                let column = group * columns + from;
                let packed = &weights.packed[group * self.group_packed_len() + from * used.taps()..];
                for (rows, kernel_rows) in &self.bands {
                    let run = kernel_rows.start * runs;
                    // SAFETY: the windows of all pixels lie in the image, the last one by the assertion above; panels,
                    // bias and output have the lengths asserted; `output` is borrowed exclusively; `isa` is available,
                    // as `Conv2d` has asserted.
                    unsafe {
                        let tile = Tile {
                            groups: rows.len(),
                            rows: out_w,
                            lanes: self.panel.min(columns - from),
                            a: image.as_ptr().add(group * c_in + self.pixel_rows[rows.start]),
                            a_group: used.stride.0 * used.pitch(),
                            a_row: used.stride.1 * used.channels,
                            a_k: 1,
                            segments: &self.segments[run..kernel_rows.end * runs],
                            depth: self.depth,
                            b: packed.as_ptr().add(run * self.depth * self.panel),
                            b_k: self.panel,
                            b_segment: self.depth * self.panel,
                            c: output.as_mut_ptr().add(rows.start * out_w * used.c_out + column),
                            c_group: out_w * used.c_out,
                            c_row: used.c_out,
                            accumulate: false,
                            bias: if bias.is_null() { bias } else { bias.add(column) },
                            relu: weights.relu,
                            ahead: (std::ptr::null(), 0),
                        };
                        tile::run(isa, &tile);
                    }
                }
            }
        }
    }

    /// Elements that [`Self::gradient`] adds to.
    pub(super) fn gradient_len(&self) -> usize {
        self.used.taps() * self.used.c_out
    }

    /// Whether [`Self::gradient`] has the layout of the weights, so that [`Self::fold`] is not needed.
    pub(super) fn is_direct(&self) -> bool {
        self.used.c_out == self.given.c_out
    }

    /// `gradient[tap, o] += Σ_(y, x) image[window (y, x), tap] · dy[y, x, o]`, taps being those of a group, for pairs of
    /// pixels where these are used.
    pub(super) fn gradient(&self, isa: Isa, image: &[f32], dy: &[f32], gradient: &mut [f32]) {
        let used = &self.used;
        let (kh, kw) = used.kernel;
        if used.out.0 * used.out.1 == 0 {
            return;
        }
        assert_eq!(dy.len(), used.out.0 * used.out.1 * used.c_out);
        assert_eq!(gradient.len(), self.gradient_len());
        assert!(image.len() > self.last_read());
        if used.groups == 1 && self.segments.len() == kh && used.channels < TAP_CHANNELS {
            let taps = Taps { first: 0, count: (kh, self.depth), rows: 0..used.out.0, columns: 0..used.out.1 };
            return self.tap_gradients(isa, image, dy, gradient, taps);
        }
        let c_in = used.channels / used.groups;
        for ky in 0..kh {
            let rows = inside(&used.inner.0, ky * used.dilation.0, used.stride.0, used.out.0);
            if c_in != self.depth && used.inner.1 == (0..used.width) {
                let taps = Taps { first: ky * self.depth, count: (1, self.depth), rows, columns: 0..used.out.1 };
                self.tap_gradients(isa, image, dy, gradient, taps);
                continue;
            }
            for kx in 0..kw {
                // (Where a run is longer than a pixel's channels, the dilation is 1.)
                let columns = inside(&used.inner.1, kx * used.dilation.1, used.stride.1, used.out.1);
                let taps = Taps { first: (ky * kw + kx) * c_in, count: (1, c_in), rows: rows.clone(), columns };
                self.tap_gradients(isa, image, dy, gradient, taps);
            }
        }
    }

    /// The part of [`Self::gradient`] that `taps` describes.
    fn tap_gradients(&self, isa: Isa, image: &[f32], dy: &[f32], gradient: &mut [f32], taps: Taps) {
        let Taps { first, count, rows, columns } = taps;
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let used = &self.used;
        let (c_in, c_out) = (used.channels / used.groups, used.c_out / used.groups);
        let tap = self.segments[first / self.depth] + first % self.depth;
        for group in 0..used.groups {
            for from in (0..c_out).step_by(self.panel) {
                let column = group * c_out + from;
                // SAFETY: `gradient` has checked the lengths; pixels and taps lie within their counts, so windows lie
                // in the image. Pixels now are what is summed over, taps are rows.
                unsafe {
                    let start = group * c_in + tap + columns.start * used.stride.1 * used.channels;
                    let tile = Tile {
                        groups: count.0,
                        rows: count.1,
                        lanes: self.panel.min(c_out - from),
                        a: image.as_ptr().add(start),
                        a_group: used.dilation.0 * used.pitch(),
                        a_row: 1,
                        a_k: used.stride.1 * used.channels,
                        segments: &self.pixel_rows[rows.clone()],
                        depth: columns.len(),
                        b: dy.as_ptr().add((rows.start * used.out.1 + columns.start) * used.c_out + column),
                        b_k: used.c_out,
                        b_segment: used.out.1 * used.c_out,
                        c: gradient.as_mut_ptr().add(first * used.c_out + column),
                        c_group: self.depth * used.c_out,
                        c_row: used.c_out,
                        accumulate: true,
                        bias: std::ptr::null(),
                        relu: false,
                        ahead: (std::ptr::null(), 0),
                    };
                    tile::run(isa, &tile);
                }
            }
        }
    }

    /// Adds the gradient for pairs of pixels to that of the weights: the two copies of each weight.
    pub(super) fn fold(&self, paired: &[f32], dw: &mut [f32]) {
        let (kw, channels, c_out) = (self.given.kernel.1, self.given.channels, self.given.c_out);
        for (tap, target) in dw.chunks_exact_mut(c_out).enumerate() {
            let first = (tap + tap / (kw * channels) * channels) * 2 * c_out;
            let second = first + channels * 2 * c_out + c_out;
            let copies = paired[first..first + c_out].iter().zip(&paired[second..second + c_out]);
            target.iter_mut().zip(copies).for_each(|(sum, (first, second))| *sum += first + second);
        }
    }

    /// The last element that the last window reads.
    fn last_read(&self) -> usize {
        let used = &self.used;
        let (y, x) = ((used.out.0 - 1) * used.stride.0, (used.out.1 - 1) * used.stride.1);
        let group = used.channels - used.channels / used.groups;
        let segment = self.segments.last().copied().unwrap_or(0);
        y * used.pitch() + x * used.channels + group + segment + self.depth - 1
    }
}
