//! What the pool and the buffers synchronize with. `crates/kernels/model` has another file of this name, with the types of loom, and
//! compiles the same `pool.rs` and `buffer.rs` against it: every order of their steps is tried there.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use std::thread::{Builder, JoinHandle, park};
use std::time::{Duration, Instant};

/// How long a thread spins on a word before it starts to yield, and before it sleeps.
const SPIN: Duration = Duration::from_micros(20);
/// (While it yields, others run. It outlasts the part of a prediction that one thread does alone: waking takes longer.)
const YIELD: Duration = Duration::from_micros(250);

/// [`std::cell::UnsafeCell`] with the methods of loom's.
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Calls `f` with a pointer to read from.
    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Calls `f` with a pointer to write to.
    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// A `Cell` of each thread.
macro_rules! thread_local_cell {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        thread_local! {
            $(#[$doc])*
            static $name: std::cell::Cell<$type> = const { std::cell::Cell::new($value) };
        }
    };
}
pub(crate) use thread_local_cell;

/// Spinning that turns into yielding and then gives up.
pub(crate) struct Patience {
    started: Option<Instant>,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { started: None }
    }

    /// Waits a moment; `false` when it is time to sleep.
    pub(crate) fn wait(&mut self) -> bool {
        let waited = self.started.get_or_insert_with(Instant::now).elapsed();
        if waited < SPIN {
            (0..4).for_each(|_| std::hint::spin_loop());
        } else if waited < YIELD {
            std::thread::yield_now();
        }
        waited < YIELD
    }
}
