//! One loop, compiled once per instruction set.
//!
//! The element-wise kernels need no intrinsics: a plain loop over slices, compiled again with AVX2 or AVX-512 enabled, is what
//! one would write by hand. [`kernels!`] takes the contract of each kernel (signature, documentation, length checks) and makes the
//! public functions around the body of the same name in the folder's `scalar.rs`, whose functions are all `#[inline(always)]`
//! so that the enabled instructions reach them. No body uses fused multiply-add, hence **every instruction set gives the same bits**.

use crate::isa::Isa;

/// Panics unless this processor runs `isa`; what makes the `_with` functions safe.
#[inline]
pub(crate) fn require(isa: Isa) {
    assert!(isa.is_available(), "this processor cannot run {isa}");
}

/// `pub fn name / name_with(arguments) -> result { checks }`: two functions of that visibility around `scalar::name(arguments)`.
macro_rules! kernels {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident / $with:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? { $($check:tt)* }
    )*) => {$(
        $(#[$meta])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            $with($crate::isa::active(), $($arg),*)
        }

        #[doc = concat!("[`", stringify!($name), "`] on the named instruction set; the same bits on each.")]
        ///
        /// # Panics
        /// As the function above, and when this processor lacks the instructions.
        #[allow(clippy::too_many_arguments, reason = "the contract's arguments and the instruction set")]
        $vis fn $with(isa: $crate::isa::Isa, $($arg: $ty),*) $(-> $ret)? {
            $($check)*
            match isa {
                $crate::isa::Isa::Scalar => scalar::$name($($arg),*),
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx2 => {
                    #[target_feature(enable = "avx2,fma")]
                    fn compiled($($arg: $ty),*) $(-> $ret)? {
                        scalar::$name($($arg),*)
                    }
                    $crate::versions::require(isa);
                    // SAFETY: `require` has just checked that this processor has the enabled features.
                    unsafe { compiled($($arg),*) }
                }
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx512 => {
                    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                    fn compiled($($arg: $ty),*) $(-> $ret)? {
                        scalar::$name($($arg),*)
                    }
                    $crate::versions::require(isa);
                    // SAFETY: `require` has just checked that this processor has the enabled features.
                    unsafe { compiled($($arg),*) }
                }
                #[cfg(not(target_arch = "x86_64"))]
                _ => {
                    $crate::versions::require(isa);
                    scalar::$name($($arg),*)
                }
            }
        }
    )*};
}
pub(crate) use kernels;
