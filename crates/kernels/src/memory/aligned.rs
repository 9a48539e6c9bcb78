//! A vector of f32 that starts on a cache line, so that whole SIMD vectors never straddle two lines.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// The alignment in bytes: a cache line, and the widest vector in use.
pub(crate) const ALIGNMENT: usize = 64;

/// A huge page, and the number of elements from which on a vector lies on such pages: reading a large matrix across its
/// rows otherwise misses the table of pages at every row.
const HUGE_PAGE: usize = 2 << 20;
const LARGE: usize = 2 * HUGE_PAGE / size_of::<f32>();

/// A vector of `f32`, aligned to 64 bytes and zero-initialised.
pub struct AlignedVec {
    data: NonNull<f32>,
    len: usize,
    capacity: usize,
}

// SAFETY: the vector owns its memory alone, and f32 is Send.
unsafe impl Send for AlignedVec {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for AlignedVec {}

impl AlignedVec {
    /// `len` zeros.
    pub fn new(len: usize) -> Self {
        let Some(layout) = layout_of(len) else {
            return Self::empty();
        };
        let large = layout.align() > ALIGNMENT;
        // SAFETY: the layout is not empty (`layout_of` answers `None` for no elements).
        let raw = unsafe { if large { alloc(layout) } else { alloc_zeroed(layout) } };
        let Some(data) = NonNull::new(raw.cast::<f32>()) else {
            handle_alloc_error(layout);
        };
        if large {
            // Before the first touch, which decides on the pages.
            ask_for_huge_pages(raw, layout.size());
            // SAFETY: freshly allocated with room for `len` elements, for which zero bytes are the value 0.
            unsafe { data.write_bytes(0, len) };
        }
        Self { data, len, capacity: len }
    }

    /// No elements, without an allocation.
    pub const fn empty() -> Self {
        Self { data: NonNull::dangling(), len: 0, capacity: 0 }
    }

    /// A copy of `values`.
    pub fn from_slice(values: &[f32]) -> Self {
        let mut vec = Self::new(values.len());
        vec.copy_from_slice(values);
        vec
    }

    /// Sets the length to `len` and every element to zero; allocates only when the vector has never been that long.
    pub fn resize(&mut self, len: usize) {
        if len > self.capacity {
            *self = Self::new(len);
        } else {
            self.len = len;
            self.fill(0.0);
        }
    }

    /// Makes the vector at least `len` long and answers its first `len` elements, whose values are unspecified.
    pub(crate) fn scratch(&mut self, len: usize) -> &mut [f32] {
        if len > self.len {
            self.resize(len);
        }
        &mut self[..len]
    }

    /// Where the elements lie, without borrowing them.
    pub(crate) fn as_raw(&self) -> NonNull<[f32]> {
        NonNull::slice_from_raw_parts(self.data, self.len)
    }
}

/// A hint, where the system takes such hints.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(start: *mut u8, len: usize) {
    unsafe extern "C" {
        fn madvise(start: *mut std::ffi::c_void, len: usize, advice: std::ffi::c_int) -> std::ffi::c_int;
    }
    const MADV_HUGEPAGE: std::ffi::c_int = 14;
    // SAFETY: the range is an allocation of ours, whole pages by its alignment and length; the advice changes no contents.
    // A refusal leaves small pages.
    unsafe { madvise(start.cast(), len / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: *mut u8, _: usize) {}

/// The layout of `len` elements, `None` for none.
///
/// # Panics
/// When the size in bytes does not fit the address space.
fn layout_of(len: usize) -> Option<Layout> {
    let alignment = if len >= LARGE { HUGE_PAGE } else { ALIGNMENT };
    let layout = Layout::array::<f32>(len).and_then(|layout| layout.align_to(alignment));
    let layout = layout.unwrap_or_else(|_| panic!("{len} f32 values do not fit the address space"));
    (len > 0).then_some(layout)
}

impl Drop for AlignedVec {
    fn drop(&mut self) {
        if let Some(layout) = layout_of(self.capacity) {
            // SAFETY: the memory was allocated with the layout of this capacity.
            unsafe { dealloc(self.data.as_ptr().cast(), layout) }
        }
    }
}

impl Deref for AlignedVec {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `len` initialised elements lie at `data` (dangling but aligned when `len` is 0).
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedVec {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl Clone for AlignedVec {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }
}

impl Default for AlignedVec {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for AlignedVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_is_zero_and_aligned_for_every_small_length() {
        for len in 0..100 {
            let vec = AlignedVec::new(len);
            assert_eq!(vec.len(), len);
            assert!(vec.iter().all(|&value| value == 0.0));
            assert!(len == 0 || (vec.as_ptr() as usize).is_multiple_of(ALIGNMENT));
        }
    }

    #[test]
    fn resize_zeroes_and_keeps_its_memory_when_shorter() {
        let mut vec = AlignedVec::from_slice(&[1.0; 40]);
        let start = vec.as_ptr();
        vec.resize(7);
        assert_eq!(&vec[..], &[0.0; 7]);
        vec.fill(2.0);
        vec.resize(40);
        assert_eq!(&vec[..], &[0.0; 40]);
        assert_eq!(vec.as_ptr(), start);
        vec.resize(41);
        assert_eq!(&vec[..], &[0.0; 41]);
    }

    #[test]
    fn clone_is_a_copy_of_its_own() {
        let mut first = AlignedVec::from_slice(&[1.0, 2.0]);
        let second = first.clone();
        first[0] = 9.0;
        assert_eq!(&second[..], &[1.0, 2.0]);
        assert_eq!(format!("{second:?}"), "[1.0, 2.0]");
        assert!(AlignedVec::default().is_empty());
    }
}
