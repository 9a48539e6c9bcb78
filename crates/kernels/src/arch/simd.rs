//! What an instruction set offers to the algorithms that are written once for all of them.

/// The vector operations that kernels need.
///
/// Implementations are `#[inline(always)]` intrinsics: only functions compiled for the instruction set may call them.
pub(crate) trait Simd {
    /// A vector of `LANES` floats.
    type Vector: Copy;
    /// Which lanes of a vector are in use.
    type Mask: Copy;
    const LANES: usize;

    unsafe fn zero() -> Self::Vector;
    unsafe fn broadcast(from: *const f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(to: *mut f32, value: Self::Vector);
    /// The first `lanes` lanes, `1..=LANES`.
    unsafe fn mask(lanes: usize) -> Self::Mask;
    /// Lanes outside the mask read nothing and are 0.
    unsafe fn load_some(from: *const f32, mask: Self::Mask) -> Self::Vector;
    /// Lanes outside the mask write nothing.
    unsafe fn store_some(to: *mut f32, mask: Self::Mask, value: Self::Vector);
    /// `a · b + c`, rounded once.
    unsafe fn fma(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    unsafe fn splat(value: f32) -> Self::Vector;
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger one; `b` where one of them is NaN.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `value`, or 0 where it is negative; NaN stays NaN.
    unsafe fn relu(value: Self::Vector) -> Self::Vector;
    /// Fetches a cache line into the second-level cache; the address need not be valid.
    unsafe fn prefetch(from: *const f32);
}

/// The functions of an `impl Simd`, each of which is one expression.
macro_rules! operations {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $value:expr;)*) => {$(
        #[inline(always)]
        #[allow(unused_unsafe, reason = "some need none")]
        unsafe fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the caller is compiled for these instructions and guarantees the pointers (see `Simd`).
            unsafe { $value }
        }
    )*};
}
pub(super) use operations;
