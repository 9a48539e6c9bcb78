//! Patches of an image and the 36 planes that hold their transforms, in both directions.

use super::transform::{Outputs, Pixels, Taps, Transform};
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::tile::{Avx2, Avx512};
use crate::tile::{Portable, Simd};

/// Points of evaluation, and transformed values of a patch.
const POINTS: usize = 6;
pub(super) const PLANES: usize = POINTS * POINTS;

/// What a patch is, which tells its size and transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patch {
    /// Six by six pixels of the input.
    Pixels,
    /// Four by four outputs, of a 3×3 kernel.
    Outputs4,
    /// Two by two outputs, of a 5×5 kernel.
    Outputs2,
    /// A 3×3 kernel.
    Taps3,
    /// A 5×5 kernel.
    Taps5,
}

impl Patch {
    fn size(self) -> usize {
        match self {
            Patch::Pixels => POINTS,
            Patch::Outputs4 => 4,
            Patch::Outputs2 => 2,
            Patch::Taps3 => 3,
            Patch::Taps5 => 5,
        }
    }
}

/// Where patches lie in memory: in rows of `across` on each image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// A multiple of 16.
    pub channels: usize,
    /// Elements from a row of pixels to the next, and from an image to the next.
    pub pitch: usize,
    pub image: usize,
    /// Pixels from a patch to the next.
    pub step: usize,
    /// Patches in a row, and on an image.
    pub across: usize,
    pub patches: usize,
}

impl Grid {
    #[inline(always)]
    fn offset(&self, index: usize) -> usize {
        let (image, patch) = (index / self.patches, index % self.patches);
        let (y, x) = (patch / self.across, patch % self.across);
        image * self.image + y * self.step * self.pitch + x * self.step * self.channels
    }

    /// Elements that the patches up to `last` reach: in the last one, because rows of patches follow each other.
    fn reach(&self, patch: Patch, last: usize) -> usize {
        assert!(self.pitch >= self.across * self.channels);
        self.offset(last) + (patch.size() - 1) * (self.pitch + self.channels) + self.channels
    }
}

/// Elements from a plane to the next for `len` elements: the extra line keeps planes out of each other's cache sets.
pub(super) fn stride(len: usize) -> usize {
    len + 16
}

/// `planes[p][index - first][channel]` are the transforms of the patches `first..first + count` of `image`.
pub(super) fn spread(isa: Isa, patch: Patch, grid: &Grid, first: usize, count: usize, image: &[f32], planes: &mut [f32]) {
    check(isa, patch, grid, first, count, image.len(), planes.len());
    let (from, to) = (image.as_ptr(), planes.as_mut_ptr());
    // SAFETY: all patches lie in the image and all transforms in the planes, by the check; `isa` is available.
    unsafe {
        match patch {
            Patch::Pixels => spread_as::<Pixels, 6>(isa, grid, first, count, from, to),
            Patch::Outputs4 => spread_as::<Outputs, 4>(isa, grid, first, count, from, to),
            Patch::Outputs2 => spread_as::<Outputs, 2>(isa, grid, first, count, from, to),
            Patch::Taps3 => spread_as::<Taps, 3>(isa, grid, first, count, from, to),
            Patch::Taps5 => spread_as::<Taps, 5>(isa, grid, first, count, from, to),
        }
    }
}

/// The transpose of [`spread`]: adds to the image, but overwrites outputs, after adding `bias` and, with `relu`, replacing
/// negative values by 0.
#[allow(clippy::too_many_arguments)]
pub(super) fn collect(
    isa: Isa,
    patch: Patch,
    grid: &Grid,
    first: usize,
    count: usize,
    planes: &[f32],
    after: (Option<&[f32]>, bool),
    image: &mut [f32],
) {
    // SAFETY: the image is borrowed exclusively.
    unsafe { collect_into(isa, patch, grid, first, count, planes, after, (image.as_mut_ptr(), image.len())) }
}

/// [`collect`] into an image, given by its start and length, that others write other patches of meanwhile.
///
/// # Safety
/// The image can be written, and nothing else refers to the elements of these patches.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn collect_into(
    isa: Isa,
    patch: Patch,
    grid: &Grid,
    first: usize,
    count: usize,
    planes: &[f32],
    (bias, relu): (Option<&[f32]>, bool),
    (image, len): (*mut f32, usize),
) {
    check(isa, patch, grid, first, count, len, planes.len());
    assert!(bias.is_none_or(|bias| bias.len() == grid.channels));
    let after = After { bias: bias.map_or(std::ptr::null(), <[f32]>::as_ptr), floor: if relu { 0.0 } else { f32::NEG_INFINITY } };
    let (from, to) = (planes.as_ptr(), image);
    // SAFETY: as in `spread`; the caller vouches for the image.
    unsafe {
        match patch {
            Patch::Pixels => collect_as::<Pixels, 6>(isa, grid, first, count, from, after, to),
            Patch::Outputs4 => collect_as::<Outputs, 4>(isa, grid, first, count, from, after, to),
            Patch::Outputs2 => collect_as::<Outputs, 2>(isa, grid, first, count, from, after, to),
            Patch::Taps3 => collect_as::<Taps, 3>(isa, grid, first, count, from, after, to),
            Patch::Taps5 => collect_as::<Taps, 5>(isa, grid, first, count, from, after, to),
        }
    }
}

fn check(isa: Isa, patch: Patch, grid: &Grid, first: usize, count: usize, image: usize, planes: usize) {
    assert!(isa.is_available() && grid.channels.is_multiple_of(16));
    assert!(count == 0 || grid.reach(patch, first + count - 1) <= image, "patches beyond the image");
    assert!(planes >= PLANES * stride(count * grid.channels), "too few elements for the planes");
}

/// What happens to outputs.
#[derive(Clone, Copy)]
struct After {
    bias: *const f32,
    /// The least value.
    floor: f32,
}

/// The two kernels for a vector type `S`, a transform `T` of size `N`.
///
/// # Safety
/// Patches and planes lie in memory that is there, and the caller is compiled for `S`.
#[inline(always)]
unsafe fn spread_with<S: Simd, T: Transform<S, N>, const N: usize>(
    grid: &Grid,
    first: usize,
    count: usize,
    image: *const f32,
    planes: *mut f32,
) {
    let (c, plane) = (grid.channels, stride(count * grid.channels));
    for index in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            let (patch, to) = (image.add(grid.offset(first + index)), planes.add(index * c));
            for from in (0..c).step_by(S::LANES) {
                let mut half = [[S::zero(); N]; POINTS];
                for x in 0..N {
                    let mut column = [S::zero(); N];
                    for (y, value) in column.iter_mut().enumerate() {
                        *value = S::load(patch.add(y * grid.pitch + x * c + from));
                    }
                    for (row, value) in half.iter_mut().zip(T::spread(column)) {
                        row[x] = value;
                    }
                }
                for (y, row) in half.into_iter().enumerate() {
                    for (x, value) in T::spread(row).into_iter().enumerate() {
                        S::store(to.add((y * POINTS + x) * plane + from), value);
                    }
                }
            }
        }
    }
}

/// As [`spread_with`].
///
/// # Safety
/// As [`spread_with`].
#[inline(always)]
unsafe fn collect_with<S: Simd, T: Transform<S, N>, const N: usize>(
    grid: &Grid,
    first: usize,
    count: usize,
    planes: *const f32,
    after: After,
    image: *mut f32,
) {
    let (c, plane) = (grid.channels, stride(count * grid.channels));
    for index in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            let (patch, source) = (image.add(grid.offset(first + index)), planes.add(index * c));
            let floor = S::splat(after.floor);
            for from in (0..c).step_by(S::LANES) {
                let bias = if after.bias.is_null() { S::zero() } else { S::load(after.bias.add(from)) };
                let mut half = [[S::zero(); POINTS]; N];
                for x in 0..POINTS {
                    let mut column = [S::zero(); POINTS];
                    for (y, value) in column.iter_mut().enumerate() {
                        *value = S::load(source.add((y * POINTS + x) * plane + from));
                    }
                    for (row, value) in half.iter_mut().zip(T::collect(column)) {
                        row[x] = value;
                    }
                }
                for (y, row) in half.into_iter().enumerate() {
                    for (x, value) in T::collect(row).into_iter().enumerate() {
                        let to = patch.add(y * grid.pitch + x * c + from);
                        let value = if T::ACCUMULATE { S::add(value, S::load(to)) } else { S::max(floor, S::add(value, bias)) };
                        S::store(to, value);
                    }
                }
            }
        }
    }
}

/// Compiles both kernels for each instruction set.
macro_rules! versions {
    ($($module:ident, $simd:ident, $features:literal;)*) => {
        $(#[cfg(target_arch = "x86_64")]
        mod $module {
            use super::*;

            /// # Safety
            /// As [`spread_with`], and the processor has the instruction set.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn spread<T: Transform<$simd, N>, const N: usize>(
                grid: &Grid, first: usize, count: usize, image: *const f32, planes: *mut f32,
            ) {
                // SAFETY: the caller's promise.
                unsafe { spread_with::<$simd, T, N>(grid, first, count, image, planes) }
            }

            /// # Safety
            /// As [`spread`].
            #[target_feature(enable = $features)]
            pub(super) unsafe fn collect<T: Transform<$simd, N>, const N: usize>(
                grid: &Grid, first: usize, count: usize, planes: *const f32, after: After, image: *mut f32,
            ) {
                // SAFETY: the caller's promise.
                unsafe { collect_with::<$simd, T, N>(grid, first, count, planes, after, image) }
            }
        })*
    };
}

versions! {
    avx2, Avx2, "avx2,fma";
    avx512, Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma";
}

/// A transform for every instruction set.
#[cfg(target_arch = "x86_64")]
trait Everywhere<const N: usize>: Transform<Portable, N> + Transform<Avx2, N> + Transform<Avx512, N> {}
#[cfg(target_arch = "x86_64")]
impl<T: Transform<Portable, N> + Transform<Avx2, N> + Transform<Avx512, N>, const N: usize> Everywhere<N> for T {}
#[cfg(not(target_arch = "x86_64"))]
trait Everywhere<const N: usize>: Transform<Portable, N> {}
#[cfg(not(target_arch = "x86_64"))]
impl<T: Transform<Portable, N>, const N: usize> Everywhere<N> for T {}

unsafe fn spread_as<T: Everywhere<N>, const N: usize>(
    isa: Isa,
    grid: &Grid,
    first: usize,
    count: usize,
    image: *const f32,
    planes: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::spread::<T, N>(grid, first, count, image, planes),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::spread::<T, N>(grid, first, count, image, planes),
            _ => spread_with::<Portable, T, N>(grid, first, count, image, planes),
        }
    }
}

#[allow(clippy::too_many_arguments)]
unsafe fn collect_as<T: Everywhere<N>, const N: usize>(
    isa: Isa,
    grid: &Grid,
    first: usize,
    count: usize,
    planes: *const f32,
    after: After,
    image: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::collect::<T, N>(grid, first, count, planes, after, image),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::collect::<T, N>(grid, first, count, planes, after, image),
            _ => collect_with::<Portable, T, N>(grid, first, count, planes, after, image),
        }
    }
}
