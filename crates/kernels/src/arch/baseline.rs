//! Instructions that every processor of an architecture has; plain Rust for those without an entry.

#[cfg(target_arch = "x86_64")]
mod own {
    use std::arch::x86_64::*;

    #[inline(always)]
    pub(crate) fn prefetch(from: *const u8) {
        // SAFETY: a hint; the address need not be valid.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) };
    }

    #[inline(always)]
    pub(crate) unsafe fn transpose_square(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the caller's promise; every x86-64 processor has SSE2.
        unsafe {
            let [mut a, mut b, mut c, mut d] = [0, 1, 2, 3].map(|i| _mm_loadu_ps(from.add(i * from_row)));
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            for (j, row) in [a, b, c, d].into_iter().enumerate() {
                _mm_storeu_ps(to.add(j * to_row), row);
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod own {
    #[inline(always)]
    pub(crate) fn prefetch(_: *const u8) {}

    #[inline(always)]
    pub(crate) unsafe fn transpose_square(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
            // SAFETY: the caller's promise.
            unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) }
        }
    }
}

/// Asks for the cache line at `from`, which need not be a valid address.
#[inline(always)]
pub(crate) fn prefetch(from: *const u8) {
    own::prefetch(from);
}

/// `to[j · to_row + i] = from[i · from_row + j]` for four by four elements.
///
/// # Safety
/// Four rows of four elements can be read and written at the given distances.
#[inline]
pub(crate) unsafe fn transpose_square(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    // SAFETY: the caller's promise.
    unsafe { own::transpose_square(from, from_row, to, to_row) }
}
