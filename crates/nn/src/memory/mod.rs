//! How much memory a network takes: too large a network is an error with a sentence before anything is allocated.

mod need;

pub use maobi_guard::memory::{Available, available, check};
pub use need::Need;
