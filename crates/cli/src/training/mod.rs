//! Callbacks of `maobi train`, one a file.

pub mod begun;
pub mod checkpoints;
pub mod events;
pub mod interrupt;
pub mod record;
pub mod start_at;
pub mod step_log;
