//! The input gradient tap by tap: `dx[window (y, x), tap] += Σ_o dy[y, x, o] · w[tap, o]`.
//!
//! Needs no padded copy and multiplies no zeros, whatever the stride; in return every tap reads and writes `dx` once
//! more. Better than sliding windows where these would mostly see padding (small images, strides).

use super::pack;
use super::shape::Conv2dShape;
use super::window::inside;
use crate::isa::Isa;
use crate::tile::{self, Tile};
use std::ops::Range;

/// The output pixels whose window has a given tap inside the image, for each tap.
#[derive(Clone, Debug)]
pub(super) struct Scatter {
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
    panel: usize,
}

impl Scatter {
    pub(super) fn new(shape: &Conv2dShape) -> Self {
        let (top, left) = (shape.pad.top, shape.pad.left);
        let rows = |ky: usize| inside(&(top..top + shape.h), ky * shape.dilation.0, shape.stride.0, shape.out_h());
        let columns = |kx: usize| inside(&(left..left + shape.w), kx * shape.dilation.1, shape.stride.1, shape.out_w());
        let vectors = shape.group_in().next_multiple_of(16);
        Self {
            rows: (0..shape.kh).map(rows).collect(),
            columns: (0..shape.kw).map(columns).collect(),
            panel: vectors.min(if shape.out_w() <= 6 { 64 } else { 32 }),
        }
    }

    /// Multiplications of [`Self::run`].
    pub(super) fn cost(&self, shape: &Conv2dShape) -> usize {
        let count = |ranges: &[Range<usize>]| -> usize { ranges.iter().map(Range::len).sum() };
        count(&self.rows) * count(&self.columns) * shape.c_in * shape.group_out()
    }

    /// Elements of the packed weights.
    pub(super) fn packed_len(&self, shape: &Conv2dShape) -> usize {
        let taps = shape.kh * shape.kw * shape.group_out();
        shape.groups * shape.group_in().next_multiple_of(self.panel) * taps
    }

    /// Lays out `w` as `[group][panel][tap][output channel][column]`.
    pub(super) fn pack(&self, shape: &Conv2dShape, w: &[f32], packed: &mut [f32]) {
        let (c_in, c_out, pixels) = (shape.group_in(), shape.group_out(), shape.kh * shape.kw);
        let panels = c_in.div_ceil(self.panel);
        for (index, rows) in packed.chunks_exact_mut(self.panel * pixels * c_out).enumerate() {
            let (group, from) = (index / panels, index % panels * self.panel);
            let count = self.panel.min(c_in - from);
            for (pixel, block) in rows.chunks_exact_mut(self.panel * c_out).enumerate() {
                let source = &w[(pixel * c_in + from) * shape.c_out + group * c_out..];
                pack::transpose_rows(block, self.panel, count, source, shape.c_out);
            }
        }
    }

    /// Overwrites `dx` of one sample.
    pub(super) fn run(&self, isa: Isa, shape: &Conv2dShape, dy: &[f32], packed: &[f32], dx: &mut [f32]) {
        assert_eq!(dy.len(), shape.output_len());
        assert_eq!(dx.len(), shape.input_len());
        assert_eq!(packed.len(), self.packed_len(shape));
        dx.fill(0.0);
        let (c_in, c_out) = (shape.group_in(), shape.group_out());
        let panels = c_in.div_ceil(self.panel);
        let taps = shape.kh * shape.kw * c_out;
        for index in 0..shape.groups * panels {
            let (group, from) = (index / panels, index % panels * self.panel);
            for (tap, (ky, kx)) in (0..shape.kh).flat_map(|y| (0..shape.kw).map(move |x| (y, x))).enumerate() {
                let (rows, columns) = (&self.rows[ky], &self.columns[kx]);
                if rows.is_empty() || columns.is_empty() {
                    continue;
                }
                let y = rows.start * shape.stride.0 + ky * shape.dilation.0 - shape.pad.top;
                let x = columns.start * shape.stride.1 + kx * shape.dilation.1 - shape.pad.left;
                // SAFETY: the lengths are asserted; `rows` and `columns` are the pixels for which this tap lies in the
                // image, so every element of C is one of `dx`, which is borrowed exclusively.
                unsafe {
                    let tile = Tile {
                        groups: rows.len(),
                        rows: columns.len(),
                        lanes: self.panel.min(c_in - from),
                        a: dy.as_ptr().add((rows.start * shape.out_w() + columns.start) * shape.c_out + group * c_out),
                        a_group: shape.out_w() * shape.c_out,
                        a_row: shape.c_out,
                        a_k: 1,
                        depth: c_out,
                        b: packed.as_ptr().add((index * taps + tap * c_out) * self.panel),
                        b_k: self.panel,
                        c: dx.as_mut_ptr().add((y * shape.w + x) * shape.c_in + group * c_in + from),
                        c_group: shape.stride.0 * shape.w * shape.c_in,
                        c_row: shape.stride.1 * shape.c_in,
                        accumulate: true,
                        ..Tile::PLAIN
                    };
                    tile::run(isa, &tile);
                }
            }
        }
    }
}
