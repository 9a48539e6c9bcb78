//! Storage shared between the tasks of a parallel region, borrow-checked part by part at run time.
//!
//! A part is free, read by some, or written by one. A conflicting borrow is a bug in the caller (two tasks were given
//! the same output) and panics: nothing waits.

use super::AlignedVec;
use crate::sync::{AtomicI32, AtomicU64};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// What a writer adds to a part's count; readers add 1 each. Negative counts therefore mean "written".
const WRITER: i32 = i32::MIN / 2;
/// More readers than this at once means that guards are being leaked.
const MAX_READERS: i32 = i32::MAX / 2;

/// Aligned f32 storage in disjoint parts, like a `Sync` `RefCell` for each part.
pub struct Buffer {
    data: AlignedVec,
    /// Part `i` is `bounds[i]..bounds[i + 1]`.
    bounds: Vec<usize>,
    states: Vec<AtomicI32>,
    /// Which buffer this is, and how often it has been opened for writing.
    id: u64,
    writes: AtomicU64,
}

/// Tells contents of buffers apart: see [`Buffer::stamp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    id: u64,
    writes: u64,
}

/// The buffer that was made last; none has the number 0.
static LAST_ID: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

// SAFETY: parts are disjoint, and the guards of each part follow the rule "many readers or one writer" by its atomic
// state; `&Buffer` gives no other access to the elements.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// `len` zeros in a single part.
    pub fn new(len: usize) -> Self {
        Self {
            data: AlignedVec::new(len),
            bounds: vec![0, len],
            states: vec![AtomicI32::new(0)],
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            writes: AtomicU64::new(0),
        }
    }

    /// Equal stamps mean the same buffer with the same elements: a change in between would have changed the stamp. The
    /// default stamp is that of no buffer.
    pub fn stamp(&self) -> Stamp {
        Stamp { id: self.id, writes: self.writes.load(Ordering::Acquire) }
    }

    /// The number of elements, whether or not a part covers them.
    pub fn len(&self) -> usize {
        self.data.as_raw().len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets the length to `len`, every element to zero, and makes one part of it all.
    pub fn resize(&mut self, len: usize) {
        self.count_write();
        self.data.resize(len);
        self.partition(&[0, len]);
    }

    /// Sets the parts: part `i` is `bounds[i]..bounds[i + 1]`, so `n` parts take `n + 1` bounds.
    ///
    /// Elements keep their values. Allocates only when there are more parts than ever before.
    ///
    /// # Panics
    /// When `bounds` is empty, does not start at 0, descends, or ends beyond the buffer.
    pub fn partition(&mut self, bounds: &[usize]) {
        assert!(bounds.first() == Some(&0), "Buffer::partition: bounds start at 0, not {:?}", bounds.first());
        assert!(bounds.is_sorted(), "Buffer::partition: bounds must ascend");
        let end = bounds[bounds.len() - 1];
        assert!(end <= self.len(), "Buffer::partition: bounds end at {end}, the buffer at {}", self.len());
        self.bounds.clear();
        self.bounds.extend_from_slice(bounds);
        // Exclusive access: no guard lives, whatever a leaked one has left behind.
        self.states.clear();
        self.states.resize_with(bounds.len() - 1, || AtomicI32::new(0));
    }

    /// The number of parts.
    pub fn parts(&self) -> usize {
        self.states.len()
    }

    /// Borrows part `part` for reading.
    ///
    /// # Panics
    /// When there is no such part, or it is being written.
    #[inline]
    pub fn part(&self, part: usize) -> Ref<'_> {
        self.borrow(part..part + 1)
    }

    /// Borrows part `part` for writing.
    ///
    /// # Panics
    /// When there is no such part, or it is borrowed.
    #[inline]
    pub fn part_mut(&self, part: usize) -> RefMut<'_> {
        self.borrow_mut(part..part + 1)
    }

    /// Borrows all parts for reading, as one slice.
    ///
    /// # Panics
    /// When one of them is being written.
    #[inline]
    pub fn whole(&self) -> Ref<'_> {
        self.borrow(0..self.parts())
    }

    /// Borrows all parts for writing, as one slice.
    ///
    /// # Panics
    /// When one of them is borrowed.
    #[inline]
    pub fn whole_mut(&self) -> RefMut<'_> {
        self.borrow_mut(0..self.parts())
    }

    /// Every element, checked at compile time instead.
    pub fn get_mut(&mut self) -> &mut [f32] {
        self.count_write();
        &mut self.data
    }

    #[inline]
    fn borrow(&self, parts: Range<usize>) -> Ref<'_> {
        let states = self.states_of(parts.clone());
        for (index, state) in states.iter().enumerate() {
            let before = state.fetch_add(1, Ordering::Acquire);
            if !(0..MAX_READERS).contains(&before) {
                release(&states[..=index], 1);
                refuse(parts.start + index, "read", if before < 0 { "it is being written" } else { "its guards are leaked" });
            }
        }
        Guard { values: self.values_of(parts), states, buffer: PhantomData }
    }

    #[inline]
    fn borrow_mut(&self, parts: Range<usize>) -> RefMut<'_> {
        let states = self.states_of(parts.clone());
        for (index, state) in states.iter().enumerate() {
            if let Err(before) = state.compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed) {
                release(&states[..index], WRITER);
                refuse(parts.start + index, "written", if before < 0 { "it is being written" } else { "it is being read" });
            }
        }
        self.count_write();
        Guard { values: self.values_of(parts), states, buffer: PhantomData }
    }

    /// Notes that the elements may change.
    ///
    /// Not one indivisible step: writers of two parts may count as one, and that is enough. Whoever compares stamps holds the buffer for
    /// reading, so that no writer is between its claim on a part and this step.
    #[inline]
    fn count_write(&self) {
        self.writes.store(self.writes.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Where the elements of parts lie.
    #[inline]
    fn values_of(&self, parts: Range<usize>) -> NonNull<[f32]> {
        let range = self.bounds[parts.start]..self.bounds[parts.end];
        // SAFETY: `partition` keeps the bounds ascending and inside `data`.
        let start = unsafe { self.data.as_raw().cast::<f32>().add(range.start) };
        NonNull::slice_from_raw_parts(start, range.len())
    }

    /// The states of parts; none where these parts have no elements that anyone could read or write.
    #[inline]
    fn states_of(&self, parts: Range<usize>) -> &[AtomicI32] {
        let count = self.parts();
        assert!(parts.end <= count, "Buffer: there is no part {} of {count}", parts.end.saturating_sub(1));
        if self.bounds[parts.start] == self.bounds[parts.end] { &[] } else { &self.states[parts] }
    }
}

#[cold]
fn refuse(part: usize, what: &str, why: &str) -> ! {
    panic!("Buffer: part {part} cannot be {what}: {why}");
}

/// Takes back what a borrow added. Subtracting rather than storing 0 keeps the count right while a failing borrow of
/// another thread, which is about to panic, has added its 1.
#[inline]
fn release(states: &[AtomicI32], added: i32) {
    for state in states {
        state.fetch_sub(added, Ordering::Release);
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len()).field("bounds", &self.bounds).finish()
    }
}

/// Parts of a [`Buffer`] borrowed for reading.
pub type Ref<'a> = Guard<'a, 1>;

/// Parts of a [`Buffer`] borrowed for writing.
pub type RefMut<'a> = Guard<'a, WRITER>;

/// Parts of a [`Buffer`]: [`Ref`] or [`RefMut`]. `ADDED` is what it has added to their states and takes back when it is dropped.
///
/// It keeps a pointer, not a reference: a reference that is a field must be valid until its function returns, but dropping the guard, which
/// happens before, already lets others write.
#[must_use]
pub struct Guard<'a, const ADDED: i32> {
    values: NonNull<[f32]>,
    states: &'a [AtomicI32],
    buffer: PhantomData<&'a Buffer>,
}

// SAFETY: a guard is a reference to f32 values and to atomics, both of which may move to other threads.
unsafe impl<const ADDED: i32> Send for Guard<'_, ADDED> {}
// SAFETY: a shared guard only reads.
unsafe impl<const ADDED: i32> Sync for Guard<'_, ADDED> {}

impl<const ADDED: i32> Deref for Guard<'_, ADDED> {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: the states keep writers out until this guard drops; if it is one itself, `&self` keeps it from writing.
        unsafe { self.values.as_ref() }
    }
}

impl DerefMut for RefMut<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: the states keep everybody else out until this guard drops, and `&mut self` makes the access exclusive.
        unsafe { self.values.as_mut() }
    }
}

impl<const ADDED: i32> Drop for Guard<'_, ADDED> {
    #[inline]
    fn drop(&mut self) {
        release(self.states, ADDED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// The message `action` panics with.
    fn panic_of<T>(action: impl FnOnce() -> T) -> String {
        let payload = catch_unwind(AssertUnwindSafe(action)).err().expect("a panic");
        let literal = payload.downcast_ref::<&str>().map(|text| text.to_string());
        literal.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
    }

    fn in_parts(bounds: &[usize]) -> Buffer {
        let mut buffer = Buffer::new(12);
        buffer.partition(bounds);
        buffer
    }

    #[test]
    fn stamps_tell_contents_apart() {
        let (mut a, b) = (Buffer::new(3), Buffer::new(3));
        let mut seen = vec![Stamp::default(), a.stamp(), b.stamp()];
        assert_eq!(a.stamp(), a.stamp());
        drop(a.part(0));
        assert_eq!(a.stamp(), seen[1], "reading changes nothing");
        a.whole_mut()[0] = 1.0;
        seen.push(a.stamp());
        a.get_mut()[0] = 2.0;
        seen.push(a.stamp());
        a.resize(4);
        seen.push(a.stamp());
        for (i, stamp) in seen.iter().enumerate() {
            assert!(!seen[..i].contains(stamp), "{seen:?}");
        }
    }

    #[test]
    fn parts_are_the_ranges_between_bounds() {
        let buffer = in_parts(&[0, 5, 5, 11]);
        buffer.part_mut(0).fill(1.0);
        buffer.part_mut(2).fill(2.0);
        assert_eq!((buffer.parts(), buffer.part(1).len(), buffer.part(2).len()), (3, 0, 6));
        assert_eq!(&buffer.whole()[..], &[1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
        assert_eq!(buffer.len(), 12);
    }

    #[test]
    fn different_parts_are_borrowed_together() {
        let buffer = in_parts(&[0, 4, 8, 12]);
        let (mut first, second, again) = (buffer.part_mut(0), buffer.part(1), buffer.part(1));
        first[0] = 1.0;
        assert_eq!((first[0], second[0], again[0]), (1.0, 0.0, 0.0));
    }

    #[test]
    fn a_conflict_panics_and_names_the_part() {
        let buffer = in_parts(&[0, 4, 8]);
        let writer = buffer.part_mut(1);
        assert_eq!(panic_of(|| drop(buffer.part(1))), "Buffer: part 1 cannot be read: it is being written");
        assert_eq!(panic_of(|| drop(buffer.part_mut(1))), "Buffer: part 1 cannot be written: it is being written");
        assert_eq!(panic_of(|| drop(buffer.whole())), "Buffer: part 1 cannot be read: it is being written");
        assert_eq!(panic_of(|| drop(buffer.whole_mut())), "Buffer: part 1 cannot be written: it is being written");
        drop(writer);
        let reader = buffer.part(0);
        assert_eq!(panic_of(|| drop(buffer.part_mut(0))), "Buffer: part 0 cannot be written: it is being read");
        drop(reader);
        // Every failed borrow has given back what it took.
        buffer.whole_mut().fill(3.0);
        assert_eq!(panic_of(|| drop(buffer.part(2))), "Buffer: there is no part 2 of 2");
    }

    #[test]
    fn partition_checks_its_bounds() {
        assert!(panic_of(|| in_parts(&[])).contains("start at 0"));
        assert!(panic_of(|| in_parts(&[1, 2])).contains("start at 0"));
        assert!(panic_of(|| in_parts(&[0, 3, 2])).contains("ascend"));
        assert_eq!(panic_of(|| in_parts(&[0, 13])), "Buffer::partition: bounds end at 13, the buffer at 12");
    }

    #[test]
    fn partition_forgets_leaked_guards_and_keeps_values() {
        let mut buffer = in_parts(&[0, 12]);
        buffer.part_mut(0).fill(5.0);
        std::mem::forget(buffer.part_mut(0));
        buffer.partition(&[0, 6, 12]);
        assert_eq!(buffer.part(1)[5], 5.0);
        buffer.resize(20);
        assert_eq!(&buffer.whole()[..], &[0.0; 20]);
    }

    #[test]
    fn threads_write_their_own_parts_and_read_shared_ones() {
        let mut buffer = Buffer::new(64);
        buffer.partition(&[0, 16, 32, 48, 64]);
        buffer.part_mut(0).fill(1.0);
        std::thread::scope(|scope| {
            for part in 1..4 {
                let buffer = &buffer;
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        let step = buffer.part(0)[part];
                        buffer.part_mut(part).iter_mut().for_each(|value| *value += step);
                    }
                });
            }
        });
        assert!(buffer.get_mut()[16..].iter().all(|&value| value == 2_000.0));
    }

    #[test]
    fn racing_writers_are_never_inside_together() {
        let buffer = Buffer::new(1);
        let entered: usize = std::thread::scope(|scope| {
            let counts: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let attempt = || catch_unwind(AssertUnwindSafe(|| buffer.part_mut(0)[0] += 1.0));
                        (0..300).filter(|_| attempt().is_ok()).count()
                    })
                })
                .collect();
            counts.into_iter().map(|count| count.join().expect("no other panic")).sum()
        });
        assert_eq!(buffer.part(0)[0], entered as f32);
    }
}
