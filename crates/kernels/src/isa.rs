//! The instruction set every kernel dispatches on, chosen once per process.

use crate::arch::{self, Arch, Task, sets};
use std::fmt;
use std::sync::OnceLock;

macro_rules! isa {
    (() $($(#[$doc:meta])* $Set:ident, $folder:ident, $cfg:tt, $features:literal;)*) => {
        /// An instruction set that kernels are written for, from the reference to the widest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Isa {
            /// Portable Rust: the readable reference, the fallback and the oracle of the tests.
            Scalar,
            $($(#[$doc])* $Set,)*
        }

        impl Isa {
            /// Every instruction set there is, narrowest first.
            pub const ALL: &[Isa] = &[Isa::Scalar, $(Isa::$Set),*];

            /// The name `MAOBI_ISA` takes and reports print.
            pub fn name(self) -> &'static str {
                match self {
                    Isa::Scalar => "scalar",
                    $(Isa::$Set => stringify!($folder),)*
                }
            }

            /// Whether this processor can run it.
            pub fn is_available(self) -> bool {
                match self {
                    Isa::Scalar => arch::Scalar::is_available(),
                    $(#[cfg $cfg]
                    Isa::$Set => arch::$Set::is_available(),)*
                    #[allow(unreachable_patterns, reason = "on processors that have no others")]
                    _ => false,
                }
            }
        }
    };
}
sets!([isa]());

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The instruction sets this processor can run, narrowest first.
pub fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.iter().copied().filter(|isa| isa.is_available())
}

/// The instruction set in use: the widest available, or what `MAOBI_ISA` (`scalar`, `avx2` and so on) asks for.
///
/// A name that is unknown or not available here is ignored; [`check_env`] tells a user so.
pub fn active() -> Isa {
    static ACTIVE: OnceLock<Isa> = OnceLock::new();
    *ACTIVE.get_or_init(|| match check_env() {
        Ok(Some(isa)) => isa,
        _ => available().last().unwrap_or(Isa::Scalar),
    })
}

/// `with!(isa, A => value)`: the value, `A` being the type of the instruction set `isa`; `Scalar` where this build does not have that one.
macro_rules! with {
    (($isa:expr, $A:ident => $value:expr) $($(#[$doc:meta])* $Set:ident, $folder:ident, $cfg:tt, $features:literal;)*) => {
        match $isa {
            $(#[cfg $cfg]
            $crate::isa::Isa::$Set => {
                type $A = $crate::arch::$Set;
                $value
            })*
            _ => {
                type $A = $crate::arch::Scalar;
                $value
            }
        }
    };
    ($isa:expr, $A:ident => $value:expr) => { $crate::arch::sets!([$crate::isa::with] ($isa, $A => $value)) };
}
pub(crate) use with;

/// Runs `task` by the instructions of `isa`.
///
/// # Safety
/// As the task's, and `isa` is available.
pub(crate) unsafe fn run<T: Task>(isa: Isa, task: T) -> T::Output {
    // SAFETY: the caller's promise.
    with!(isa, A => unsafe { A::compiled(task) })
}

/// What `MAOBI_ISA` asks for: `None` when unset.
///
/// # Errors
/// A sentence for the user when the name is unknown or this processor lacks the instructions.
pub fn check_env() -> Result<Option<Isa>, String> {
    let Ok(name) = std::env::var("MAOBI_ISA") else {
        return Ok(None);
    };
    let Some(isa) = Isa::ALL.iter().copied().find(|isa| isa.name() == name) else {
        let names: Vec<_> = Isa::ALL.iter().map(|isa| isa.name()).collect();
        return Err(format!("MAOBI_ISA={name}: expected one of {}", names.join(", ")));
    };
    if !isa.is_available() {
        return Err(format!("MAOBI_ISA={name}: this processor has no {name}; unset it or use scalar"));
    }
    Ok(Some(isa))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalar_is_always_available_and_comes_first() {
        assert_eq!(available().next(), Some(Isa::Scalar));
    }

    #[test]
    fn active_is_available() {
        assert!(active().is_available());
    }
}
