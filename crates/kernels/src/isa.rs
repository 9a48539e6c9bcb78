//! The instruction set every kernel dispatches on, chosen once per process.

use std::fmt;
use std::sync::OnceLock;

/// An instruction set that kernels are written for, from the reference to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Portable Rust: the readable reference, the fallback and the oracle of the tests.
    Scalar,
    /// AVX2 with FMA and F16C.
    Avx2,
    /// AVX-512 F, BW, DQ and VL (AVX2 and FMA included).
    Avx512,
}

impl Isa {
    /// Every instruction set this build knows, narrowest first.
    pub const ALL: [Isa; 3] = [Isa::Scalar, Isa::Avx2, Isa::Avx512];

    /// The name `MAOBI_ISA` takes and reports print.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this processor can run it.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The instruction sets this processor can run, narrowest first.
pub fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_available())
}

/// The instruction set in use: the widest available, or what `MAOBI_ISA` (`scalar`, `avx2`, `avx512`) asks for.
///
/// A name that is unknown or not available here is ignored; [`check_env`] tells a user so.
pub fn active() -> Isa {
    static ACTIVE: OnceLock<Isa> = OnceLock::new();
    *ACTIVE.get_or_init(|| match check_env() {
        Ok(Some(isa)) => isa,
        _ => available().last().unwrap_or(Isa::Scalar),
    })
}

/// What `MAOBI_ISA` asks for: `None` when unset.
///
/// # Errors
/// A sentence for the user when the name is unknown or this processor lacks the instructions.
pub fn check_env() -> Result<Option<Isa>, String> {
    let Ok(name) = std::env::var("MAOBI_ISA") else {
        return Ok(None);
    };
    let Some(isa) = Isa::ALL.into_iter().find(|isa| isa.name() == name) else {
        return Err(format!("MAOBI_ISA={name}: expected scalar, avx2 or avx512"));
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
