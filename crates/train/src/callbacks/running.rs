//! What a callback keeps while training runs.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Counters, open files and the like, beside a callback's arguments: `with run: Running<State>` in its declaration.
///
/// They are no part of what the callback is: a clone begins with the default state, and two callbacks with the same arguments are equal.
#[derive(Default)]
pub struct Running<T>(T);

impl<T: Default> Clone for Running<T> {
    fn clone(&self) -> Self {
        Running::default()
    }
}

impl<T> PartialEq for Running<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> fmt::Debug for Running<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl<T> Deref for Running<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Running<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
