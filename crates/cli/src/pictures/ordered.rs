//! Work on all cores, answers in order.

use maobi_guard::{Panicked, guard};
use std::collections::BTreeMap;
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
    done: BTreeMap<usize, Result<R, Panicked>>,
    stop: bool,
}

/// Calls `work` for every item on all cores, and `take` for every answer on this thread, in the order of the items. If `work` panics for
/// an item, `take` gets the panic instead.
///
/// # Errors
/// The first of `take`'s, which ends the work.
pub fn in_order<T: Sync, R: Send, E>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(usize, Result<R, Panicked>) -> Result<(), E>,
) -> Result<(), E> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(items.len());
    if threads < 2 {
        return items.iter().enumerate().try_for_each(|(index, item)| take(index, guard(|| work(item))));
    }
    let state = Mutex::new(State { next: 0, taken: 0, done: BTreeMap::new(), stop: false });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        // Also if `take` panics: otherwise the workers would wait for ever.
        let _stop = Stop(&state, &changed);
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, || worker(items, &work, &state, &changed)).ok();
        if (0..threads).map_while(start).count() == 0 {
            // The system gives no threads: this one does the work.
            return items.iter().enumerate().try_for_each(|(index, item)| take(index, guard(|| work(item))));
        }
        (0..items.len()).try_for_each(|index| {
            let mut now = lock(&state);
            let answer = loop {
                match now.done.remove(&index) {
                    Some(answer) => break answer,
                    None => now = changed.wait(now).unwrap_or_else(PoisonError::into_inner),
                }
            };
            now.taken = index + 1;
            drop(now);
            changed.notify_all();
            take(index, answer)
        })
    })
}

fn lock<R>(state: &Mutex<State<R>>) -> MutexGuard<'_, State<R>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops the workers when it is dropped.
struct Stop<'a, R>(&'a Mutex<State<R>>, &'a Condvar);

impl<R> Drop for Stop<'_, R> {
    fn drop(&mut self) {
        lock(self.0).stop = true;
        self.1.notify_all();
    }
}

fn worker<T, R>(items: &[T], work: &(impl Fn(&T) -> R + Sync), state: &Mutex<State<R>>, changed: &Condvar) {
    loop {
        let mut now = lock(state);
        while !now.stop && now.next < items.len() && now.next >= now.taken + AHEAD {
            now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        let index = now.next;
        let Some(item) = items.get(index).filter(|_| !now.stop) else { return };
        now.next += 1;
        drop(now);
        let answer = guard(|| work(item));
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
            seen.push((index as u64, square.unwrap()));
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
    fn every_item_has_an_answer_whatever_panics() {
        // More items than run ahead, and more panics than threads: none of them may take a thread away.
        let items: Vec<usize> = (0..5 * AHEAD).collect();
        let bad = |n: usize| n.is_multiple_of(3);
        let mut seen = Vec::new();
        let Ok(()) = in_order(
            &items,
            |&n| {
                assert!(!bad(n), "item {n}");
                n
            },
            |index, answer| {
                match answer {
                    Ok(n) => assert!(n == index && !bad(n)),
                    Err(panicked) => assert_eq!((bad(index), panicked.message()), (true, &*format!("item {index}"))),
                }
                seen.push(index);
                Ok::<_, Infallible>(())
            },
        );
        assert_eq!(seen, items);
    }

    #[test]
    fn a_panic_of_the_taker_ends_the_work_and_comes_out() {
        let items = [(); 10 * AHEAD];
        let run = || in_order(&items, |()| (), |index, _| if index == 3 { panic!("taker") } else { Ok::<_, Infallible>(()) });
        assert_eq!(guard(run).unwrap_err().message(), "taker");
    }
}
