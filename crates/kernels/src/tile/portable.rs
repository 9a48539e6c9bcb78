//! Vectors of plain Rust, for algorithms that are written once for all instruction sets.

use super::Simd;

/// Four floats, each for itself.
pub(crate) struct Portable;

// SAFETY, of every block: the caller vouches for the pointers (see `Simd`).
impl Simd for Portable {
    type Vector = [f32; 4];
    type Mask = usize;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn zero() -> [f32; 4] {
        [0.0; 4]
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> [f32; 4] {
        [unsafe { *from }; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: [f32; 4]) {
        unsafe { to.cast::<[f32; 4]>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn mask(lanes: usize) -> usize {
        lanes
    }
    #[inline(always)]
    unsafe fn load_some(from: *const f32, mask: usize) -> [f32; 4] {
        std::array::from_fn(|lane| if lane < mask { unsafe { *from.add(lane) } } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn store_some(to: *mut f32, mask: usize, value: [f32; 4]) {
        for (lane, &value) in value[..mask].iter().enumerate() {
            unsafe { *to.add(lane) = value }
        }
    }
    #[inline(always)]
    unsafe fn fma(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        // Two roundings: without the instruction, a fused one is a call of the library.
        each(each(a, b, |a, b| a * b), c, |product, c| product + c)
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; 4] {
        [value; 4]
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn relu(value: [f32; 4]) -> [f32; 4] {
        each(value, [0.0; 4], |value, zero| if value < zero { zero } else { value })
    }
    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}
}

#[inline(always)]
fn each(a: [f32; 4], b: [f32; 4], of: impl Fn(f32, f32) -> f32) -> [f32; 4] {
    std::array::from_fn(|lane| of(a[lane], b[lane]))
}
