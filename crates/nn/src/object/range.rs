//! Ranges that an argument may have to lie in: `delta: f32 where range::POSITIVE = 1.0`.

/// Which values an argument may have.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The range in words, as errors say it.
    pub expected: &'static str,
    /// Whether a value lies in it.
    pub holds: fn(f64) -> bool,
}

/// Above 0.
pub const POSITIVE: Range = Range { expected: "a positive number", holds: |x| x.is_finite() && x > 0.0 };
/// 0 or above.
pub const NOT_NEGATIVE: Range = Range { expected: "a number, 0 or more", holds: |x| x.is_finite() && x >= 0.0 };
/// From 0 to 1.
pub const SHARE: Range = Range { expected: "a number from 0 to 1", holds: |x| (0.0..=1.0).contains(&x) };
/// From 0 to below 1.
pub const BELOW_ONE: Range = Range { expected: "a number from 0 to below 1", holds: |x| (0.0..1.0).contains(&x) };
/// Above 0 and at most 1.
pub const POSITIVE_SHARE: Range = Range { expected: "above 0 and at most 1", holds: |x| x > 0.0 && x <= 1.0 };
/// A whole number, 1 or more.
pub const AT_LEAST_ONE: Range = Range { expected: "a whole number, 1 or more", holds: |x| x >= 1.0 };
/// Any number but NaN and infinity.
pub const FINITE: Range = Range { expected: "a finite number", holds: f64::is_finite };
