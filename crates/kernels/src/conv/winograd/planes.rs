//! Patches of an image and the 36 planes that hold their transforms, in both directions.

use super::transform::{Outputs, Pixels, Taps, Transform};
use crate::arch::{Arch, Task};
use crate::isa::{self, Isa};
use std::marker::PhantomData;

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

/// Some patches of an image: `first..first + count` of `grid`.
#[derive(Clone, Copy)]
pub(super) struct Patches<'a> {
    pub patch: Patch,
    pub grid: &'a Grid,
    pub first: usize,
    pub count: usize,
}

impl Patches<'_> {
    /// Panics unless `isa` is available, and image and planes, given by their lengths, hold these patches.
    fn check(&self, isa: Isa, image: usize, planes: usize) {
        assert!(isa.is_available() && self.grid.channels.is_multiple_of(16));
        let end = self.first + self.count;
        assert!(self.count == 0 || self.grid.reach(self.patch, end - 1) <= image, "patches beyond the image");
        assert!(planes >= PLANES * stride(self.count * self.grid.channels), "too few elements for the planes");
    }
}

/// `planes[p][index - first][channel]` are the transforms of `patches` of `image`.
pub(super) fn spread(isa: Isa, patches: Patches, image: &[f32], planes: &mut [f32]) {
    patches.check(isa, image.len(), planes.len());
    let (image, planes) = (image.as_ptr(), planes.as_mut_ptr());
    // SAFETY: all patches lie in the image and all transforms in the planes, by the check; `isa` is available.
    unsafe {
        match patches.patch {
            Patch::Pixels => isa::run(isa, Spread::<Pixels, 6>(patches, image, planes, PhantomData)),
            Patch::Outputs4 => isa::run(isa, Spread::<Outputs, 4>(patches, image, planes, PhantomData)),
            Patch::Outputs2 => isa::run(isa, Spread::<Outputs, 2>(patches, image, planes, PhantomData)),
            Patch::Taps3 => isa::run(isa, Spread::<Taps, 3>(patches, image, planes, PhantomData)),
            Patch::Taps5 => isa::run(isa, Spread::<Taps, 5>(patches, image, planes, PhantomData)),
        }
    }
}

/// The transpose of [`spread`]: adds to the image, but overwrites outputs, after adding the bias and, with `relu`, replacing negative
/// values by 0.
pub(super) fn collect(isa: Isa, patches: Patches, planes: &[f32], after: After, image: &mut [f32]) {
    // SAFETY: the image is borrowed exclusively.
    unsafe { collect_into(isa, patches, planes, after, (image.as_mut_ptr(), image.len())) }
}

/// [`collect`] into an image, given by its start and length, that others write other patches of meanwhile.
///
/// # Safety
/// The image can be written, and nothing else refers to the elements of these patches.
pub(super) unsafe fn collect_into(isa: Isa, patches: Patches, planes: &[f32], after: After, (image, len): (*mut f32, usize)) {
    patches.check(isa, len, planes.len());
    assert!(after.bias.is_none_or(|bias| bias.len() == patches.grid.channels));
    let planes = planes.as_ptr();
    // SAFETY: as in `spread`; the caller vouches for the image.
    unsafe {
        match patches.patch {
            Patch::Pixels => isa::run(isa, Collect::<Pixels, 6>(patches, planes, after, image, PhantomData)),
            Patch::Outputs4 => isa::run(isa, Collect::<Outputs, 4>(patches, planes, after, image, PhantomData)),
            Patch::Outputs2 => isa::run(isa, Collect::<Outputs, 2>(patches, planes, after, image, PhantomData)),
            Patch::Taps3 => isa::run(isa, Collect::<Taps, 3>(patches, planes, after, image, PhantomData)),
            Patch::Taps5 => isa::run(isa, Collect::<Taps, 5>(patches, planes, after, image, PhantomData)),
        }
    }
}

/// What happens to outputs.
#[derive(Clone, Copy, Default)]
pub(super) struct After<'a> {
    pub bias: Option<&'a [f32]>,
    pub relu: bool,
}

/// From an image to planes, with transform `T` of size `N`.
///
/// Its safety: patches and planes lie in memory that is there.
struct Spread<'a, T, const N: usize>(Patches<'a>, *const f32, *mut f32, PhantomData<T>);

impl<T: Transform<N>, const N: usize> Task for Spread<'_, T, N> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Arch>(self) {
        let Spread(Patches { grid: &grid, first, count, .. }, image, planes, _) = self;
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
                        for (row, value) in half.iter_mut().zip(T::spread::<S>(column)) {
                            row[x] = value;
                        }
                    }
                    for (y, row) in half.into_iter().enumerate() {
                        for (x, value) in T::spread::<S>(row).into_iter().enumerate() {
                            S::store(to.add((y * POINTS + x) * plane + from), value);
                        }
                    }
                }
            }
        }
    }
}

/// From planes to an image, otherwise as [`Spread`].
struct Collect<'a, T, const N: usize>(Patches<'a>, *const f32, After<'a>, *mut f32, PhantomData<T>);

impl<T: Transform<N>, const N: usize> Task for Collect<'_, T, N> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Arch>(self) {
        let Collect(Patches { grid: &grid, first, count, .. }, planes, After { bias, relu }, image, _) = self;
        let (c, plane) = (grid.channels, stride(count * grid.channels));
        for index in 0..count {
            // SAFETY: the caller's promise.
            unsafe {
                let (patch, source) = (image.add(grid.offset(first + index)), planes.add(index * c));
                let floor = S::splat(if relu { 0.0 } else { f32::NEG_INFINITY });
                for from in (0..c).step_by(S::LANES) {
                    let bias = match bias {
                        Some(bias) => S::load(bias.as_ptr().add(from)),
                        None => S::zero(),
                    };
                    let mut half = [[S::zero(); POINTS]; N];
                    for x in 0..POINTS {
                        let mut column = [S::zero(); POINTS];
                        for (y, value) in column.iter_mut().enumerate() {
                            *value = S::load(source.add((y * POINTS + x) * plane + from));
                        }
                        for (row, value) in half.iter_mut().zip(T::collect::<S>(column)) {
                            row[x] = value;
                        }
                    }
                    for (y, row) in half.into_iter().enumerate() {
                        for (x, value) in T::collect::<S>(row).into_iter().enumerate() {
                            let to = patch.add(y * grid.pitch + x * c + from);
                            let value =
                                if T::ACCUMULATE { S::add(value, S::load(to)) } else { S::max(floor, S::add(value, bias)) };
                            S::store(to, value);
                        }
                    }
                }
            }
        }
    }
}
