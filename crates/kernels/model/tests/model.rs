//! Every order of the steps of a few threads, as far as `LOOM_MAX_PREEMPTIONS` goes: no lost task, no task twice, no lost wake-up, no
//! access to a task that is gone, no data race.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use maobi_kernels_model::Buffer;
use maobi_kernels_model::pool::Pool;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Tries every order with so many switches between threads that are not waiting, or as many as `LOOM_MAX_PREEMPTIONS` says.
fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    bounded(Builder::new().preemption_bound.unwrap_or(preemptions), body);
}

/// As [`model`], whatever the environment says.
fn bounded(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    // Thousands of panics are on purpose; a failure is printed by the test.
    std::panic::set_hook(Box::new(|info| {
        let refused = info.payload().downcast_ref::<String>().is_some_and(|text| text.starts_with("Buffer: part"));
        if !refused && info.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            eprintln!("{info}");
        }
    }));
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(body);
}

/// Cells without any protection of their own: loom reports two accesses that no synchronization orders.
struct Cells(Vec<UnsafeCell<u32>>);

// SAFETY: this is what the model checks.
unsafe impl Sync for Cells {}
// SAFETY: numbers.
unsafe impl Send for Cells {}

impl Cells {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| UnsafeCell::new(0)).collect())
    }

    fn add(&self, index: usize) {
        // SAFETY: loom checks that nobody else is here.
        self.0[index].with_mut(|cell| unsafe { *cell += 1 });
    }

    fn get(&self, index: usize) -> u32 {
        // SAFETY: as above.
        self.0[index].with(|cell| unsafe { *cell })
    }
}

#[test]
fn every_task_runs_once_and_its_results_are_seen() {
    model(3, || {
        let (pool, cells) = (Pool::new(2), Cells::new(2));
        pool.run(2, &|_, task| cells.add(task));
        assert_eq!([cells.get(0), cells.get(1)], [1, 1]);
    });
}

#[test]
fn a_worker_is_in_one_task_at_a_time() {
    model(2, || {
        let (pool, workers) = (Pool::new(2), Cells::new(2));
        pool.run(3, &|worker, _| workers.add(worker));
        assert_eq!(workers.get(0) + workers.get(1), 3);
    });
}

#[test]
fn a_region_follows_another() {
    model(2, || {
        let pool = Pool::new(2);
        for round in 1..=2 {
            // Gone when the region is over: a worker that comes late must not touch it.
            let cells = Cells::new(2);
            pool.run(2, &|_, task| (0..round).for_each(|_| cells.add(task)));
            assert_eq!([cells.get(0), cells.get(1)], [round, round]);
        }
    });
}

#[test]
fn three_workers_take_from_each_other() {
    // More switches would take minutes with three threads.
    bounded(1, || {
        let (pool, cells) = (Pool::new(3), Cells::new(3));
        pool.run(3, &|_, task| cells.add(task));
        assert_eq!([cells.get(0), cells.get(1), cells.get(2)], [1, 1, 1]);
    });
}

#[test]
fn two_callers_share_a_pool() {
    model(2, || {
        let pool = Arc::new(Pool::new(2));
        let other = {
            let pool = Arc::clone(&pool);
            loom::thread::spawn(move || {
                let cells = Cells::new(2);
                pool.run(2, &|_, task| cells.add(task));
                assert_eq!([cells.get(0), cells.get(1)], [1, 1]);
            })
        };
        let cells = Cells::new(2);
        pool.run(2, &|_, task| cells.add(task));
        assert_eq!([cells.get(0), cells.get(1)], [1, 1]);
        other.join().expect("no panic");
    });
}

#[test]
fn a_region_within_a_task_runs_on_the_same_worker() {
    model(2, || {
        let (pool, cells) = (Pool::new(2), Cells::new(2));
        pool.run(2, &|outer, task| {
            pool.run(1, &|inner, _| {
                assert_eq!(inner, outer);
                cells.add(task);
            })
        });
        assert_eq!([cells.get(0), cells.get(1)], [1, 1]);
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    model(2, || {
        let pool = Pool::new(2);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            pool.run(2, &|_, task| {
                if task == 1 {
                    std::panic::panic_any("on purpose")
                }
            })
        }));
        assert!(panicked.is_err());
        let cells = Cells::new(2);
        pool.run(2, &|_, task| cells.add(task));
        assert_eq!([cells.get(0), cells.get(1)], [1, 1]);
    });
}

/// A part of a buffer and a cell beside it that only the holder of a guard touches.
struct Guarded {
    buffer: Buffer,
    cells: Cells,
}

#[test]
fn writers_of_one_part_exclude_each_other() {
    model(3, || {
        let all = Arc::new(Guarded { buffer: Buffer::new(2), cells: Cells::new(1) });
        let attempt = |all: &Guarded| {
            let guard = catch_unwind(AssertUnwindSafe(|| all.buffer.part_mut(0)));
            guard.map(|guard| {
                all.cells.add(0);
                drop(guard);
            })
        };
        let other = {
            let all = Arc::clone(&all);
            loom::thread::spawn(move || attempt(&all).is_ok())
        };
        let here = attempt(&all).is_ok();
        let there = other.join().expect("no other panic");
        assert!(here || there, "at least one of them gets the part");
        assert_eq!(all.cells.get(0), u32::from(here) + u32::from(there));
        // Whoever failed has given everything back.
        drop(all.buffer.part_mut(0));
    });
}

#[test]
fn a_reader_sees_what_the_writer_wrote_or_is_refused() {
    model(3, || {
        let all = Arc::new(Guarded { buffer: Buffer::new(2), cells: Cells::new(1) });
        let writer = {
            let all = Arc::clone(&all);
            loom::thread::spawn(move || {
                if let Ok(guard) = catch_unwind(AssertUnwindSafe(|| all.buffer.part_mut(0))) {
                    all.cells.add(0);
                    drop(guard);
                    return 1;
                }
                0
            })
        };
        let look = || {
            let guard = catch_unwind(AssertUnwindSafe(|| all.buffer.whole())).ok()?;
            let seen = (all.buffer.stamp(), all.cells.get(0));
            drop(guard);
            Some(seen)
        };
        if let (Some(first), Some(second)) = (look(), look()) {
            assert!(first.0 != second.0 || first.1 == second.1, "equal stamps, other contents");
        }
        let wrote = writer.join().expect("no other panic");
        assert_eq!(all.cells.get(0), wrote);
        drop(all.buffer.part_mut(0));
    });
}

#[test]
fn writers_of_two_parts_do_not_meet() {
    model(3, || {
        let mut buffer = Buffer::new(4);
        buffer.partition(&[0, 2, 4]);
        let all = Arc::new(Guarded { buffer, cells: Cells::new(2) });
        let before = all.buffer.stamp();
        let other = {
            let all = Arc::clone(&all);
            loom::thread::spawn(move || {
                let guard = all.buffer.part_mut(1);
                all.cells.add(1);
                drop(guard);
            })
        };
        let guard = all.buffer.part_mut(0);
        all.cells.add(0);
        drop(guard);
        other.join().expect("no panic");
        assert_ne!(all.buffer.stamp(), before);
        let whole = all.buffer.whole();
        assert_eq!([all.cells.get(0), all.cells.get(1)], [1, 1]);
        drop(whole);
    });
}
