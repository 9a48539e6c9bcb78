//! The types of loom, under the names of `crates/kernels/src/sync.rs`.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicI32, AtomicU64};
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use loom::thread::park;

/// As loom's, but with a chance for others to run before a thread is woken: loom makes everything before `unpark` visible to the
/// woken thread, even when that thread was not asleep, and would hide a missing `Release` otherwise.
pub(crate) struct Thread<'a>(&'a loom::thread::Thread);

impl Thread<'_> {
    pub(crate) fn unpark(&self) {
        loom::thread::yield_now();
        self.0.unpark();
    }
}

/// See [`Thread`].
pub(crate) struct JoinHandle<T>(loom::thread::JoinHandle<T>);

impl<T> JoinHandle<T> {
    pub(crate) fn thread(&self) -> Thread<'_> {
        Thread(self.0.thread())
    }

    pub(crate) fn join(self) -> std::thread::Result<T> {
        self.0.join()
    }
}

/// See [`Thread`].
pub(crate) struct Builder(loom::thread::Builder);

impl Builder {
    pub(crate) fn new() -> Self {
        Self(loom::thread::Builder::new())
    }

    pub(crate) fn name(self, name: String) -> Self {
        Self(self.0.name(name))
    }

    pub(crate) fn spawn<T: Send + 'static>(self, body: impl FnOnce() -> T + Send + 'static) -> std::io::Result<JoinHandle<T>> {
        self.0.spawn(body).map(JoinHandle)
    }
}

macro_rules! thread_local_cell {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        loom::thread_local! {
            $(#[$doc])*
            static $name: std::cell::Cell<$type> = std::cell::Cell::new($value);
        }
    };
}
pub(crate) use thread_local_cell;

/// Sleeps at once: time does not exist here, and a thread that is not scheduled has waited as long as one that spins.
pub(crate) struct Patience;

impl Patience {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn wait(&mut self) -> bool {
        false
    }
}
