//! Plain Rust, on any processor: vectors of four floats, each for itself, and the reference of the register tile.

mod tile;

use super::{Arch, Simd, Task};
use crate::tile::Tile;

/// No instructions but those the compiler chooses by itself.
pub(crate) struct Scalar;

impl Simd for Scalar {
    type Vector = [f32; 4];
    type Mask = usize;
    const LANES: usize = 4;

    super::simd::operations! {
        fn zero() -> [f32; 4] = [0.0; 4];
        fn broadcast(from: *const f32) -> [f32; 4] = [*from; 4];
        fn load(from: *const f32) -> [f32; 4] = from.cast::<[f32; 4]>().read_unaligned();
        fn store(to: *mut f32, value: [f32; 4]) = to.cast::<[f32; 4]>().write_unaligned(value);
        fn mask(lanes: usize) -> usize = lanes;
        fn load_some(from: *const f32, mask: usize) -> [f32; 4] =
            std::array::from_fn(|lane| if lane < mask { *from.add(lane) } else { 0.0 });
        fn store_some(to: *mut f32, mask: usize, value: [f32; 4]) = (0..mask).for_each(|lane| *to.add(lane) = value[lane]);
        // Two roundings: without the instruction, a fused one is a call of the library.
        fn fma(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] = each(each(a, b, |a, b| a * b), c, |product, c| product + c);
        fn splat(value: f32) -> [f32; 4] = [value; 4];
        fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] = each(a, b, |a, b| a + b);
        fn sub(a: [f32; 4], b: [f32; 4]) -> [f32; 4] = each(a, b, |a, b| a - b);
        fn mul(a: [f32; 4], b: [f32; 4]) -> [f32; 4] = each(a, b, |a, b| a * b);
        fn max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] = each(a, b, |a, b| if a > b { a } else { b });
        fn relu(value: [f32; 4]) -> [f32; 4] = each(value, [0.0; 4], |value, zero| if value < zero { zero } else { value });
        fn prefetch(_from: *const f32) = ();
    }
}

impl Arch for Scalar {
    const SUMS: usize = 8;

    fn is_available() -> bool {
        true
    }

    unsafe fn compiled<T: Task>(task: T) -> T::Output {
        // SAFETY: the caller's promise.
        unsafe { task.reference() }
    }

    unsafe fn tile(tile: &Tile) {
        // SAFETY: the caller's promise.
        unsafe { tile::run(tile) }
    }
}

#[inline(always)]
fn each(a: [f32; 4], b: [f32; 4], of: impl Fn(f32, f32) -> f32) -> [f32; 4] {
    std::array::from_fn(|lane| of(a[lane], b[lane]))
}
