//! The `maobi` binary.
fn main() {}
