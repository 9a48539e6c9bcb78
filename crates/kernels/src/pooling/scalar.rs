//! The bodies of [`super`], gathered for its dispatch.

pub(super) use super::average::{avg_backward, avg_forward, global_avg_backward, global_avg_forward};
pub(super) use super::maximum::{global_max_backward, global_max_forward, max_backward_loops, max_forward_loops};
