//! Work on all cores, answers in order.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Most threads: each may hold a large picture.
const THREADS: usize = 16;
/// How far work may run ahead of what has been taken, so that a slow reader of the answers does not fill the memory with them.
const AHEAD: usize = 64;

struct State<R> {
    /// The next item that nobody works on.
    next: usize,
    /// How many answers were taken.
    taken: usize,
    done: BTreeMap<usize, R>,
    /// Threads that ended, for whatever reason.
    ended: usize,
    stop: bool,
}

/// Calls `work` for every item on all cores, and `take` for every answer on this thread, in the order of the items.
///
/// # Errors
/// The first of `take`'s, which ends the work.
pub fn in_order<T: Sync, R: Send, E>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(items.len());
    if threads < 2 {
        return items.iter().enumerate().try_for_each(|(index, item)| take(index, work(item)));
    }
    let state = Mutex::new(State { next: 0, taken: 0, done: BTreeMap::new(), ended: 0, stop: false });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, || worker(items, &work, &state, &changed)).ok();
        let workers: Vec<_> = (0..threads).map_while(start).collect();
        let threads = workers.len();
        if threads == 0 {
            // The system gives no threads: this one does the work.
            return items.iter().enumerate().try_for_each(|(index, item)| take(index, work(item)));
        }
        let result = (0..items.len()).try_for_each(|index| {
            let mut now = lock(&state);
            let answer = loop {
                match now.done.remove(&index) {
                    Some(answer) => break Some(answer),
                    None if now.ended == threads => break None,
                    None => now = changed.wait(now).unwrap_or_else(PoisonError::into_inner),
                }
            };
            now.taken = index + 1;
            drop(now);
            changed.notify_all();
            // Without an answer a worker has panicked, which comes out below.
            answer.map_or(Ok(()), |answer| take(index, answer))
        });
        lock(&state).stop = true;
        changed.notify_all();
        for worker in workers {
            if let Err(panic) = worker.join() {
                resume_unwind(panic);
            }
        }
        result
    })
}

fn lock<R>(state: &Mutex<State<R>>) -> MutexGuard<'_, State<R>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a thread that ends, by a panic too: the others must not wait for its answer.
struct Ends<'a, R>(&'a Mutex<State<R>>, &'a Condvar);

impl<R> Drop for Ends<'_, R> {
    fn drop(&mut self) {
        lock(self.0).ended += 1;
        self.1.notify_all();
    }
}

fn worker<T, R>(items: &[T], work: &(impl Fn(&T) -> R + Sync), state: &Mutex<State<R>>, changed: &Condvar) {
    let _ends = Ends(state, changed);
    loop {
        let mut now = lock(state);
        while !now.stop && now.next < items.len() && now.next >= now.taken + AHEAD {
            now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        let index = now.next;
        let Some(item) = items.get(index).filter(|_| !now.stop) else { return };
        now.next += 1;
        drop(now);
        let answer = work(item);
        lock(state).done.insert(index, answer);
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn answers_come_in_order_whoever_is_first() {
        let items: Vec<u64> = (0..500).collect();
        let mut seen = Vec::new();
        let work = |&n: &u64| {
            // Some take longer than those behind them.
            std::thread::sleep(std::time::Duration::from_micros((n * 37) % 200));
            n * n
        };
        let Ok(()) = in_order(&items, work, |index, square| {
            seen.push((index as u64, square));
            Ok::<_, Infallible>(())
        });
        assert!(seen.iter().copied().eq(items.iter().map(|n| (*n, n * n))));
    }

    #[test]
    fn an_error_ends_the_work() {
        let begun = AtomicUsize::new(0);
        let items = [(); 10_000];
        let result = in_order(
            &items,
            |()| begun.fetch_add(1, Ordering::Relaxed),
            |index, _| if index < 3 { Ok(()) } else { Err("enough") },
        );
        assert_eq!(result, Err("enough"));
        assert!(begun.load(Ordering::Relaxed) < 4 + AHEAD + THREADS + 1);
    }

    #[test]
    fn a_panic_comes_out() {
        let items: Vec<u32> = (0..50).collect();
        let run = || in_order(&items, |&n| assert_ne!(n, 20, "twenty"), |_, ()| Ok::<_, Infallible>(()));
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
