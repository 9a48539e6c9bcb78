//! Turns a panic of a third-party decoder into an error.
//!
//! A decoder that panics on a damaged file must not end a command, lose a thread or fill a log. Whatever reads bytes from outside with a
//! crate that is not ours runs inside [`guard`]:
//!
//! ```
//! let answer = maobi_guard::guard(|| vec![1, 2, 3][7]);
//! let panicked = answer.unwrap_err();
//! assert!(panicked.message().contains("index out of bounds"));
//! ```
//!
//! The guard catches panics only. It cannot catch a stack overflow, an allocation that the system refuses, or an endless loop: bound
//! sizes, depths and work before the call; [`memory`] tells how much is left.

pub mod memory;
mod open;
mod riff;

pub use open::{open_file, read_file, read_text};
pub use riff::riff_is_whole;

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Longest message that is kept, in bytes.
const LONGEST: usize = 200;

/// The guarded work panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    message: String,
}

impl Panicked {
    /// The message of the panic, without place and backtrace; at most 200 bytes.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the decoder failed: {}", self.message)
    }
}

impl std::error::Error for Panicked {}

thread_local! {
    /// How many guards the thread is inside of.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Counts a guard of this thread, also when the work unwinds.
struct Inside;

impl Inside {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Runs `work`; a panic in it becomes an error and prints nothing.
///
/// The first call installs a panic hook that is silent on threads inside a guard and calls the hook that was installed before on all
/// others. A hook that the program sets later replaces it: guarded panics are then still caught, but that hook sees them.
///
/// Panics on other threads that `work` starts are not silenced. What `work` changed before it panicked stays changed: hand it values it
/// owns, or throw away what it was writing to.
///
/// # Errors
/// [`Panicked`], with the message of the panic.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    quiet_hook();
    let inside = Inside::enter();
    let result = catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let panicked = Panicked { message: message(&*payload) };
        // The payload of a foreign panic may itself panic when it is dropped, and so may the next one.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        panicked
    });
    drop(inside);
    result
}

/// A panic hook.
type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Installs the quiet hook, once in the life of the program.
fn quiet_hook() {
    static INSTALLED: Once = Once::new();
    // A thread that unwinds may not set a hook; the next call will.
    if !std::thread::panicking() {
        INSTALLED.call_once(|| set_hook(quiet(take_hook())));
    }
}

/// A hook that is silent on threads inside a guard and calls `before` on all others.
fn quiet(before: Hook) -> Hook {
    Box::new(move |info| {
        if DEPTH.try_with(Cell::get).unwrap_or(0) == 0 {
            before(info);
        }
    })
}

/// The text of a panic, shortened.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "a panic without a message",
    };
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn values_pass_and_panics_become_errors() {
        assert_eq!(guard(|| 7), Ok(7));
        let panicked = guard(|| panic!("row {} of 3", 4)).unwrap_err();
        assert_eq!(panicked.message(), "row 4 of 3");
        assert_eq!(panicked.to_string(), "the decoder failed: row 4 of 3");
        assert_eq!(guard(|| panic!("fixed text")).unwrap_err().message(), "fixed text");
        assert_eq!(guard(|| std::panic::panic_any(3)).unwrap_err().message(), "a panic without a message");
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let panicked = guard(|| panic!("{}", "é".repeat(500))).unwrap_err();
        assert_eq!(panicked.message(), "é".repeat(100));
        let panicked = guard(|| panic!("a{}", "é".repeat(500))).unwrap_err();
        assert_eq!(panicked.message().len(), 199);
    }

    #[test]
    fn only_unguarded_panics_reach_the_hook_that_was_there_before() {
        static SEEN: AtomicUsize = AtomicUsize::new(0);
        guard(|| ()).unwrap();
        // The hook belongs to the whole process, but the other tests only panic inside guards.
        set_hook(quiet(Box::new(|_| {
            SEEN.fetch_add(1, Ordering::SeqCst);
        })));
        guard(|| guard(|| panic!("in two guards")).unwrap_err()).unwrap();
        guard(|| panic!("after an inner guard")).unwrap_err();
        assert_eq!((SEEN.load(Ordering::SeqCst), DEPTH.get()), (0, 0));
        assert!(std::thread::spawn(|| panic!("in no guard")).join().is_err());
        assert_eq!(SEEN.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_guard_works_while_its_thread_unwinds() {
        struct AtDrop<'a>(&'a Cell<bool>);
        impl Drop for AtDrop<'_> {
            fn drop(&mut self) {
                self.0.set(guard(|| panic!("inner")).is_err());
            }
        }
        let caught = Cell::new(false);
        let outer = guard(|| {
            let _at_drop = AtDrop(&caught);
            panic!("outer")
        });
        assert_eq!((outer.unwrap_err().message(), caught.get()), ("outer", true));
    }

    #[test]
    fn the_payload_of_a_panic_is_dropped_even_if_that_panics() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static DROPPED: AtomicUsize = AtomicUsize::new(0);
        struct Payload(bool);
        impl Drop for Payload {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, Ordering::Relaxed);
                assert!(!self.0, "while it is dropped");
            }
        }
        for panics in [false, true] {
            assert!(guard(|| std::panic::panic_any(Payload(panics))).is_err());
        }
        assert_eq!(DROPPED.load(Ordering::Relaxed), 2);
    }
}
