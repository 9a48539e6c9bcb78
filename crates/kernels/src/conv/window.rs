//! Windows sliding over a zero-padded image: the geometry that all three passes of a convolution share.
//!
//! A padded image has no edges to ask about, and in it the taps `(kx, channel)` of a kernel row are contiguous, so the
//! sum over a window is `kh` segments for the register tile.

use crate::isa::Isa;
use crate::tile::{self, Tile};

/// Windows over an image `[_, width, channels]`, by groups of channels.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// Elements of a row of the image.
    pub pitch: usize,
    pub channels: usize,
    pub groups: usize,
    pub out_h: usize,
    pub out_w: usize,
    pub c_out: usize,
    pub stride: (usize, usize),
    /// Where each run of contiguous taps starts, relative to the window.
    pub segments: Vec<usize>,
    /// Elements in a run.
    pub depth: usize,
    /// Columns of a packed panel of weights.
    pub panel: usize,
}

/// What the pixels are multiplied by and what happens to the sums.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    pub packed: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub relu: bool,
}

/// Columns of a panel: vectors of 16, at most two of them, or four where the rows of the output are short.
pub(super) fn panel_of(c_out: usize, out_w: usize) -> usize {
    let whole = c_out.next_multiple_of(16);
    whole.min(if out_w <= 6 { 64 } else { 32 })
}

/// The runs of contiguous taps of a kernel: their starts in an image of `pitch` elements a row, and their length.
pub(super) fn segments(
    (kh, kw): (usize, usize),
    (dy, dx): (usize, usize),
    pitch: usize,
    channels: usize,
    groups: usize,
) -> (Vec<usize>, usize) {
    if groups == 1 && (dx == 1 || kw == 1) {
        return ((0..kh).map(|ky| ky * dy * pitch).collect(), kw * channels);
    }
    let taps = (0..kh).flat_map(|ky| (0..kw).map(move |kx| ky * dy * pitch + kx * dx * channels));
    (taps.collect(), channels / groups)
}

impl Windows {
    /// Elements of the packed weights.
    pub(super) fn packed_len(&self) -> usize {
        self.groups * self.group_packed_len()
    }

    /// Elements of a window within a group.
    pub(super) fn taps(&self) -> usize {
        self.segments.len() * self.depth
    }

    fn group_packed_len(&self) -> usize {
        (self.c_out / self.groups).next_multiple_of(self.panel) * self.taps()
    }

    /// Lays out weights as `[group][panel][tap][column]`; `weight(group, tap, column)` is asked for each.
    pub(super) fn pack(&self, packed: &mut [f32], weight: impl Fn(usize, usize, usize) -> f32) {
        let columns = self.c_out / self.groups;
        for (group, part) in packed.chunks_exact_mut(self.group_packed_len()).enumerate() {
            for (panel, rows) in part.chunks_exact_mut(self.panel * self.taps()).enumerate() {
                let from = panel * self.panel;
                let count = self.panel.min(columns - from);
                for (tap, row) in rows.chunks_exact_mut(self.panel).enumerate() {
                    for (lane, value) in row[..count].iter_mut().enumerate() {
                        *value = weight(group, tap, from + lane);
                    }
                    row[count..].fill(0.0);
                }
            }
        }
    }

    /// `output[y, x, o] = act(bias[o] + Σ_tap image[window (y, x), tap] · weight[tap, o])`; overwrites.
    pub(super) fn correlate(&self, isa: Isa, image: &[f32], weights: Weights, output: &mut [f32]) {
        if self.out_h * self.out_w == 0 {
            return;
        }
        assert_eq!(output.len(), self.out_h * self.out_w * self.c_out);
        assert_eq!(weights.packed.len(), self.packed_len());
        assert!(weights.bias.is_none_or(|bias| bias.len() == self.c_out));
        assert!(image.len() > self.last_read());
        let (c_in, columns) = (self.channels / self.groups, self.c_out / self.groups);
        let bias = weights.bias.map_or(std::ptr::null(), <[f32]>::as_ptr);
        for group in 0..self.groups {
            for from in (0..columns).step_by(self.panel) {
                let column = group * columns + from;
                let packed = &weights.packed[group * self.group_packed_len() + from * self.taps()..];
                // SAFETY: the windows of all pixels lie in the image, the last one by the assertion above; panels,
                // bias and output have the lengths asserted; `output` is borrowed exclusively; `isa` is available, as
                // `Conv2d` has asserted.
                unsafe {
                    let tile = Tile {
                        groups: self.out_h,
                        rows: self.out_w,
                        lanes: self.panel.min(columns - from),
                        a: image.as_ptr().add(group * c_in),
                        a_group: self.stride.0 * self.pitch,
                        a_row: self.stride.1 * self.channels,
                        a_k: 1,
                        segments: &self.segments,
                        depth: self.depth,
                        b: packed.as_ptr(),
                        b_k: self.panel,
                        c: output.as_mut_ptr().add(column),
                        c_group: self.out_w * self.c_out,
                        c_row: self.c_out,
                        accumulate: false,
                        bias: if bias.is_null() { bias } else { bias.add(column) },
                        relu: weights.relu,
                    };
                    tile::run(isa, &tile);
                }
            }
        }
    }

    /// `gradient[tap, o] += Σ_(y, x) image[window (y, x), tap] · dy[y, x, o]`, with `gradient` as `[tap, c_out]`, the
    /// taps those of a group.
    pub(super) fn gradient(&self, isa: Isa, image: &[f32], dy: &[f32], pixel_rows: &[usize], gradient: &mut [f32]) {
        if self.out_h * self.out_w == 0 {
            return;
        }
        assert_eq!(dy.len(), self.out_h * self.out_w * self.c_out);
        assert_eq!(gradient.len(), self.taps() * self.c_out);
        assert!(image.len() > self.last_read());
        let last_row = (self.out_h - 1) * self.stride.0 * self.pitch;
        assert!(pixel_rows.len() == self.out_h && pixel_rows.iter().all(|&row| row <= last_row));
        let (c_in, columns) = (self.channels / self.groups, self.c_out / self.groups);
        for group in 0..self.groups {
            for from in (0..columns).step_by(self.panel) {
                let column = group * columns + from;
                // Runs of taps a constant distance apart make one tile; dilated or grouped ones go one by one.
                for (run, &start) in self.segments.iter().enumerate() {
                    // SAFETY: windows lie in the image and the lengths are asserted, as in `correlate`; pixels now are
                    // what is summed over, taps the rows.
                    unsafe {
                        let tile = Tile {
                            groups: 1,
                            rows: self.depth,
                            lanes: self.panel.min(columns - from),
                            a: image.as_ptr().add(group * c_in + start),
                            a_group: 0,
                            a_row: 1,
                            a_k: self.stride.1 * self.channels,
                            segments: pixel_rows,
                            depth: self.out_w,
                            b: dy.as_ptr().add(column),
                            b_k: self.c_out,
                            c: gradient.as_mut_ptr().add(run * self.depth * self.c_out + column),
                            c_group: 0,
                            c_row: self.c_out,
                            accumulate: true,
                            bias: std::ptr::null(),
                            relu: false,
                        };
                        tile::run(isa, &tile);
                    }
                }
            }
        }
    }

    /// The last element that the last window reads.
    fn last_read(&self) -> usize {
        let (y, x) = ((self.out_h - 1) * self.stride.0, (self.out_w - 1) * self.stride.1);
        let group = self.channels - self.channels / self.groups;
        let segment = self.segments.last().copied().unwrap_or(0);
        y * self.pitch + x * self.channels + group + segment + self.depth - 1
    }
}
