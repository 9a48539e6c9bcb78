//! Convolutions by 3×3 and 5×5 kernels with a third of the multiplications: Winograd's minimal filtering.
//!
//! Tiles of 4×4 outputs of a 3×3 kernel, or of 2×2 outputs of a 5×5 kernel, depend on 6×6 pixels. Pixels, outputs and taps
//! are transformed to 36 planes each; there the convolution is 36 matrix products (tiles × channels in × channels out)
//! instead of one for each of 144 or 100 pairs of output and tap. Both gradients are the exact transposes, so they need
//! the planes of the output gradient once, and no others. (Lavin and Gray, "Fast algorithms for convolutional neural
//! networks", 2016.)

mod planes;
mod transform;

use super::image;
use super::pass::{BackwardPass, ForwardPass, Weights};
use super::shape::{Conv2dShape, Padding};
use crate::gemm::transpose;
use crate::isa::Isa;
use crate::memory::AlignedVec;
use crate::pool::Pool;
use crate::tile::{self, Tile};
use planes::{After, Grid, PLANES, Patch, Patches, collect, collect_into, spread, stride};
use std::cell::Cell;

/// Elements of the planes of pixels and outputs worked on at a time: they stay in the second-level cache beside the taps.
const BLOCK: usize = (512 << 10) / 4;
/// Fewest tiles of a sample for which transforming the taps pays.
const MIN_TILES: usize = 4;

/// A convolution of this kind, ready to compute.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    shape: Conv2dShape,
    /// The patches of outputs and taps.
    outputs: Patch,
    taps: Patch,
    /// Outputs on the side of a tile; tiles down and across.
    side: usize,
    tiles: (usize, usize),
    /// Samples worked on at a time, and tiles.
    samples: usize,
    block: usize,
}

impl Winograd {
    /// `None` where it does not apply or does not pay.
    pub(super) fn new(shape: &Conv2dShape) -> Option<Self> {
        let (side, outputs, taps) = match (shape.kh, shape.kw) {
            (3, 3) => (4, Patch::Outputs4, Patch::Taps3),
            (5, 5) => (2, Patch::Outputs2, Patch::Taps5),
            _ => return None,
        };
        let simple = shape.stride == (1, 1) && shape.dilation == (1, 1) && shape.groups == 1;
        let vectors = shape.c_in.is_multiple_of(16) && shape.c_out.is_multiple_of(16);
        let tiles = (shape.out_h().div_ceil(side), shape.out_w().div_ceil(side));
        let count = tiles.0 * tiles.1;
        let direct = shape.out_h() * shape.out_w() * shape.kh * shape.kw;
        if !simple || !vectors || count < MIN_TILES || 3 * PLANES * count > 2 * direct {
            return None;
        }
        let most = (BLOCK / (PLANES * (shape.c_in + shape.c_out))).max(1);
        let samples = (most / count).max(1);
        // Equal blocks, when a sample needs several.
        let block = if samples > 1 { samples * count } else { count.div_ceil(count.div_ceil(most)) };
        Some(Self { shape: *shape, outputs, taps, side, tiles, samples, block })
    }

    /// Whether a single sample takes more than one block.
    pub(super) fn has_several_blocks(&self) -> bool {
        self.tiles.0 * self.tiles.1 > self.block
    }

    /// Planes of the taps, of the transposed taps, and the transposed kernel they are made from.
    pub(super) fn packed_len(&self) -> usize {
        2 * PLANES * stride(self.matrix()) + self.shape.kernel_len()
    }

    /// As [`super::Conv2d::pack`].
    pub(super) fn pack(&self, isa: Isa, w: &[f32], packed: &mut [f32]) {
        let (matrix, shape) = (self.matrix(), &self.shape);
        let (taps, rest) = packed.split_at_mut(PLANES * stride(matrix));
        let (transposed, kernel) = rest.split_at_mut(PLANES * stride(matrix));
        for (from, to) in w.chunks_exact(matrix).zip(kernel.chunks_exact_mut(matrix)) {
            // SAFETY: a matrix [c_in, c_out] becomes one [c_out, c_in] of as many elements, borrowed exclusively.
            unsafe { transpose((shape.c_in, shape.c_out), (from, shape.c_out), to.as_mut_ptr(), shape.c_in) }
        }
        let patches = Patches { patch: self.taps, grid: &self.kernel_grid(), first: 0, count: 1 };
        spread(isa, patches, w, taps);
        spread(isa, patches, kernel, transposed);
    }

    /// Planes of pixels, of outputs and of the taps' gradient; padded pixels and outputs.
    pub(super) fn scratch_len(&self) -> usize {
        self.pixel_planes()
            + self.output_planes()
            + PLANES * stride(self.matrix())
            + self.samples * (2 * self.input().image + self.output().image)
    }

    /// As [`super::Conv2d::forward`].
    pub(super) fn forward(&self, isa: Isa, pass: ForwardPass) {
        let (shape, ForwardPass { x, weights: Weights { packed, bias, relu }, y, scratch, .. }) = (&self.shape, pass);
        let Scratch { pixels, outputs, x_image, y_image, .. } = self.cut(scratch);
        let taps = &packed[..PLANES * stride(self.matrix())];
        let (xs, ys) = (shape.input_len() * self.samples, shape.output_len() * self.samples);
        for (x, y) in x.chunks(xs).zip(y.chunks_mut(ys)) {
            let x = self.padded(x, x_image);
            let whole = self.output_is_whole();
            self.blocks(y.len() / shape.output_len(), |first, count| {
                spread(isa, Patches { patch: Patch::Pixels, grid: &self.input(), first, count }, x, pixels);
                self.products(isa, count, pixels, (taps, shape.c_out), outputs, shape.c_in);
                let patches = Patches { patch: self.outputs, grid: &self.output(), first, count };
                collect(isa, patches, outputs, After { bias, relu }, if whole { &mut *y } else { &mut *y_image });
            });
            if !whole {
                let images = y_image.chunks_exact(self.output().image);
                y.chunks_exact_mut(shape.output_len()).zip(images).for_each(|(y, image)| self.crop_output(image, y));
            }
        }
    }

    /// As [`super::Conv2d::forward_one`].
    pub(super) fn forward_one(&self, isa: Isa, pool: &Pool, pass: ForwardPass) {
        let ForwardPass { x, weights: Weights { packed, bias, relu }, y, scratch, .. } = pass;
        let Scratch { x_image, y_image, .. } = self.cut(scratch);
        let (taps, c_out) = (&packed[..PLANES * stride(self.matrix())], self.shape.c_out);
        let x = self.padded(x, x_image);
        let whole = self.output_is_whole();
        let to = if whole { &mut *y } else { &mut *y_image };
        let image = Image(to.as_mut_ptr(), to.len());
        let tiles = self.tiles.0 * self.tiles.1;
        pool.run(tiles.div_ceil(self.block), &|_, task| {
            let first = task * self.block;
            let count = self.block.min(tiles - first);
            let mut own = OWN.take();
            let (pixels, outputs) = own.scratch(self.pixel_planes() + self.output_planes()).split_at_mut(self.pixel_planes());
            spread(isa, Patches { patch: Patch::Pixels, grid: &self.input(), first, count }, x, pixels);
            self.products(isa, count, pixels, (taps, c_out), outputs, self.shape.c_in);
            let patches = Patches { patch: self.outputs, grid: &self.output(), first, count };
            // SAFETY: the image outlives the region; tasks have tiles of their own, and tiles of outputs do not overlap.
            unsafe { collect_into(isa, patches, outputs, After { bias, relu }, image.parts()) }
            OWN.set(own);
        });
        if !whole {
            self.crop_output(y_image, y);
        }
    }

    /// As [`super::Conv2d::backward`] without the gradient of the bias; adds to `dw`, overwrites `dx`.
    pub(super) fn backward(&self, isa: Isa, pass: BackwardPass) {
        let (shape, BackwardPass { x, dy, packed, weights, mut dx, scratch, .. }) = (&self.shape, pass);
        let Scratch { pixels, outputs, gradient, x_image, dx_image, y_image } = self.cut(scratch);
        let taps = &packed[PLANES * stride(self.matrix())..][..PLANES * stride(self.matrix())];
        let (xs, ys) = (shape.input_len() * self.samples, shape.output_len() * self.samples);
        let whole = self.input_is_whole();
        let mut first_block = true;
        for (chunk, dy) in dy.chunks(ys).enumerate() {
            let samples = dy.len() / shape.output_len();
            let range = chunk * xs..chunk * xs + samples * shape.input_len();
            let dy = self.padded_outputs(dy, y_image);
            let x = if weights.is_some() { self.padded(&x[range.clone()], x_image) } else { x };
            let mut dx = dx.as_mut().map(|dx| &mut dx[range]);
            if let Some(dx) = &mut dx {
                let target = if whole { &mut **dx } else { &mut *dx_image };
                target.fill(0.0);
            }
            self.blocks(samples, |first, count| {
                let patches = Patches { patch: Patch::Pixels, grid: &self.input(), first, count };
                spread(isa, Patches { patch: self.outputs, grid: &self.output(), ..patches }, dy, outputs);
                if weights.is_some() {
                    spread(isa, patches, x, pixels);
                    self.tap_products(isa, count, pixels, outputs, gradient, !first_block);
                    first_block = false;
                }
                if let Some(dx) = &mut dx {
                    // From here on the planes are those of the pixels' gradient.
                    self.products(isa, count, outputs, (taps, shape.c_in), pixels, shape.c_out);
                    let to = if whole { &mut **dx } else { &mut *dx_image };
                    collect(isa, patches, pixels, After::default(), to);
                }
            });
            if let Some(dx) = dx.filter(|_| !whole) {
                let images = dx_image.chunks_exact(self.input().image);
                dx.chunks_exact_mut(shape.input_len()).zip(images).for_each(|(dx, image)| self.crop_input(image, dx));
            }
        }
        if let Some(weights) = weights.filter(|_| !first_block) {
            let patches = Patches { patch: self.taps, grid: &self.kernel_grid(), first: 0, count: 1 };
            collect(isa, patches, gradient, After::default(), weights.dw);
        }
    }

    /// Plane by plane: rows of `count` tiles with `depth` channels times matrices with `columns`.
    fn products(&self, isa: Isa, count: usize, from: &[f32], (taps, columns): (&[f32], usize), to: &mut [f32], depth: usize) {
        let (row, result, matrix) = (stride(count * depth), stride(count * columns), stride(self.matrix()));
        assert!(from.len() >= PLANES * row && to.len() >= PLANES * result && taps.len() >= PLANES * matrix);
        assert_eq!(depth * columns, self.matrix());
        let tile = Tile {
            rows: count,
            lanes: columns,
            a: from.as_ptr(),
            a_row: depth,
            a_k: 1,
            depth,
            b: taps.as_ptr(),
            b_k: columns,
            c: to.as_mut_ptr(),
            c_row: columns,
            ..Tile::PLAIN
        };
        // SAFETY: each plane holds `count` rows, each matrix `depth · columns` elements, by the assertions; `to` is borrowed
        // exclusively; `isa` is available, as `Conv2d` has asserted.
        unsafe { each_plane(isa, &tile, [row, matrix, result]) }
    }

    /// Plane by plane: `gradient[in, out] (+)= Σ_tile pixels[tile, in] · outputs[tile, out]`.
    fn tap_products(&self, isa: Isa, count: usize, pixels: &[f32], outputs: &[f32], gradient: &mut [f32], accumulate: bool) {
        let (c_in, c_out) = (self.shape.c_in, self.shape.c_out);
        let (pixel, output, matrix) = (stride(count * c_in), stride(count * c_out), stride(self.matrix()));
        assert!(pixels.len() >= PLANES * pixel && outputs.len() >= PLANES * output && gradient.len() >= PLANES * matrix);
        let tile = Tile {
            rows: c_in,
            lanes: c_out,
            a: pixels.as_ptr(),
            a_row: 1,
            a_k: c_in,
            depth: count,
            b: outputs.as_ptr(),
            b_k: c_out,
            c: gradient.as_mut_ptr(),
            c_row: c_out,
            accumulate,
            ..Tile::PLAIN
        };
        // SAFETY: as in `products`.
        unsafe { each_plane(isa, &tile, [pixel, output, matrix]) }
    }

    /// Calls `visit(first, count)` for the tiles of `samples` samples, block by block.
    fn blocks(&self, samples: usize, mut visit: impl FnMut(usize, usize)) {
        let tiles = samples * self.tiles.0 * self.tiles.1;
        for first in (0..tiles).step_by(self.block) {
            visit(first, self.block.min(tiles - first));
        }
    }

    fn matrix(&self) -> usize {
        self.shape.c_in * self.shape.c_out
    }

    fn pixel_planes(&self) -> usize {
        PLANES * stride(self.block * self.shape.c_in)
    }

    fn output_planes(&self) -> usize {
        PLANES * stride(self.block * self.shape.c_out)
    }

    /// The kernel as one patch with a channel for each pair of channels.
    fn kernel_grid(&self) -> Grid {
        let channels = self.matrix();
        Grid { channels, pitch: self.shape.kw * channels, image: self.shape.kernel_len(), step: 0, across: 1, patches: 1 }
    }

    /// Padded images that tiles cover without a rest.
    fn grid(&self, channels: usize, margin: usize) -> Grid {
        let (down, across) = self.tiles;
        let pitch = (across * self.side + margin) * channels;
        Grid { channels, pitch, image: (down * self.side + margin) * pitch, step: self.side, across, patches: down * across }
    }

    fn input(&self) -> Grid {
        self.grid(self.shape.c_in, self.shape.kh - 1)
    }

    fn output(&self) -> Grid {
        self.grid(self.shape.c_out, 0)
    }

    fn input_is_whole(&self) -> bool {
        self.shape.pad == Padding::default() && self.input().image == self.shape.input_len()
    }

    fn output_is_whole(&self) -> bool {
        self.output().image == self.shape.output_len()
    }

    fn cut<'a>(&self, scratch: &'a mut [f32]) -> Scratch<'a> {
        let (pixels, rest) = scratch.split_at_mut(self.pixel_planes());
        let (outputs, rest) = rest.split_at_mut(self.output_planes());
        let (gradient, rest) = rest.split_at_mut(PLANES * stride(self.matrix()));
        let (x_image, rest) = rest.split_at_mut(self.samples * self.input().image);
        let (dx_image, rest) = rest.split_at_mut(self.samples * self.input().image);
        Scratch { pixels, outputs, gradient, x_image, dx_image, y_image: rest }
    }

    fn padded<'a>(&self, x: &'a [f32], images: &'a mut [f32]) -> &'a [f32] {
        if self.input_is_whole() {
            return x;
        }
        let (shape, grid) = (&self.shape, self.input());
        let corner = (shape.pad.top, shape.pad.left);
        for (x, image) in x.chunks_exact(shape.input_len()).zip(images.chunks_exact_mut(grid.image)) {
            image::place_rows(x, shape.w * shape.c_in, image, grid.pitch, (corner.0, corner.1 * shape.c_in));
        }
        images
    }

    fn padded_outputs<'a>(&self, dy: &'a [f32], images: &'a mut [f32]) -> &'a [f32] {
        if self.output_is_whole() {
            return dy;
        }
        let (shape, grid) = (&self.shape, self.output());
        for (dy, image) in dy.chunks_exact(shape.output_len()).zip(images.chunks_exact_mut(grid.image)) {
            image::place_rows(dy, shape.out_w() * shape.c_out, image, grid.pitch, (0, 0));
        }
        images
    }

    fn crop_output(&self, image: &[f32], y: &mut [f32]) {
        let row = self.shape.out_w() * self.shape.c_out;
        y.chunks_exact_mut(row)
            .zip(image.chunks_exact(self.output().pitch))
            .for_each(|(y, image)| y.copy_from_slice(&image[..row]));
    }

    fn crop_input(&self, image: &[f32], dx: &mut [f32]) {
        let (shape, pitch) = (&self.shape, self.input().pitch);
        let (row, left) = (shape.w * shape.c_in, shape.pad.left * shape.c_in);
        let rows = image[shape.pad.top * pitch..].chunks_exact(pitch);
        dx.chunks_exact_mut(row).zip(rows).for_each(|(dx, image)| dx.copy_from_slice(&image[left..left + row]));
    }
}

/// Computes `first`, and as much again in each further plane: `strides` elements on in A, B and C.
///
/// # Safety
/// As [`tile::run`], for every plane.
unsafe fn each_plane(isa: Isa, first: &Tile, [a, b, c]: [usize; 3]) {
    for plane in 0..PLANES {
        // SAFETY: the caller's promise.
        unsafe {
            let (a, b, c) = (first.a.add(plane * a), first.b.add(plane * b), first.c.add(plane * c));
            tile::run(isa, &Tile { a, b, c, ..*first });
        }
    }
}

thread_local! {
    /// The planes of a task of [`Winograd::forward_one`]. Grows to the largest convolution of this thread and stays.
    static OWN: Cell<AlignedVec> = const { Cell::new(AlignedVec::empty()) };
}

/// The image whose tiles tasks share out: its start and length.
#[derive(Clone, Copy)]
struct Image(*mut f32, usize);

// SAFETY: every task writes the tiles of its own block, see `Winograd::forward_one`.
unsafe impl Sync for Image {}

impl Image {
    fn parts(&self) -> (*mut f32, usize) {
        (self.0, self.1)
    }
}

/// Scratch space, cut into its parts.
struct Scratch<'a> {
    pixels: &'a mut [f32],
    outputs: &'a mut [f32],
    gradient: &'a mut [f32],
    x_image: &'a mut [f32],
    dx_image: &'a mut [f32],
    y_image: &'a mut [f32],
}
