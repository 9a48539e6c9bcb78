//! One loop, compiled once per instruction set.
//!
//! The element-wise kernels need no intrinsics: a plain loop over slices, compiled again with wider vectors enabled, is what one would write
//! by hand. [`kernels!`] takes the contract of each kernel (signature, documentation, length checks) and makes the
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
            $crate::arch::sets!([$crate::versions::version]
                (isa, $name, ($($arg: $ty),*), ($($arg),*), $crate::versions::result!($($ret)?)))
        }
    )*};
}
pub(crate) use kernels;

/// The body of a `_with` function: `scalar::name(arguments)` as compiled for `isa`.
macro_rules! version {
    (
        ($isa:ident, $name:ident, $parameters:tt, $arguments:tt, $result:ty)
        $($(#[$doc:meta])* $Set:ident, $folder:ident, $cfg:tt, $features:literal;)*
    ) => {{
        $crate::versions::require($isa);
        match $isa {
            $(#[cfg $cfg]
            $crate::isa::Isa::$Set => {
                #[target_feature(enable = $features)]
                fn compiled $parameters -> $result {
                    scalar::$name $arguments
                }
                // SAFETY: `require` has just checked that this processor has the enabled features.
                unsafe { compiled $arguments }
            })*
            _ => scalar::$name $arguments,
        }
    }};
}
pub(crate) use version;

/// The type of a function's result.
#[allow(unused_macros, reason = "where plain Rust is all there is")]
macro_rules! result {
    () => {
        ()
    };
    ($result:ty) => {
        $result
    };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use result;
