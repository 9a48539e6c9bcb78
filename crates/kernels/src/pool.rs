//! A pool of worker threads for short parallel regions: the tasks of a training step take microseconds, so a region
//! allocates nothing, and threads spin briefly before they sleep.
//!
//! One atomic word holds the region: its number, whether it is open to workers, how many have joined. The caller opens
//! it, works itself, closes it, and waits only for workers that have *joined*: one that the system has not woken in
//! time finds the region closed and goes back to sleep, so a busy machine costs no waiting.
//!
//! Every worker has a share of the tasks, the same one for as many tasks: what task 3 of one region wrote, task 3 of the next finds in the
//! cache of the core that it runs on. Who is done with his own takes from the others.

use crate::sync::{
    AtomicBool, AtomicU64, Builder, Condvar, JoinHandle, Mutex, MutexGuard, Patience, UnsafeCell, park, thread_local_cell,
};
use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The region's word: number in the upper half, flags and the count of joined workers in the lower.
const REGION: u64 = 1 << 32;
const OPEN: u64 = 1 << 31;
const WAITING: u64 = 1 << 30;
const STOP: u64 = 1 << 29;
const JOINED: u64 = (1 << 29) - 1;

type Task<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Worker threads that share the tasks of one region at a time.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    region: AtomicU64,
    /// Per worker.
    shares: Box<[Share]>,
    /// Whether a region is running; guards `job`.
    busy: AtomicBool,
    job: UnsafeCell<Option<Job>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    last_left: Condvar,
    last_left_lock: Mutex<()>,
}

/// The tasks of a worker that nobody has taken: the first in the lower half, the end in the upper. On a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Share(AtomicU64);

impl Share {
    fn set(&self, tasks: Range<usize>) {
        // `Pool::run` has checked that they fit.
        self.0.store((tasks.end as u64) << 32 | tasks.start as u64, Ordering::Relaxed);
    }

    /// The first task for its owner; the last for anyone else, who comes from the other side.
    fn take(&self, owner: bool) -> Option<usize> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
            let (first, end) = (now & u64::from(u32::MAX), now >> 32);
            (first < end).then(|| if owner { now + 1 } else { now - (1 << 32) })
        });
        taken.ok().map(|before| if owner { before & u64::from(u32::MAX) } else { (before >> 32) - 1 } as usize)
    }
}

/// Worker `worker`'s share of `tasks` when `workers` are at work.
pub(crate) fn share(tasks: usize, worker: usize, workers: usize) -> Range<usize> {
    worker * tasks / workers..(worker + 1) * tasks / workers
}

#[derive(Clone, Copy)]
struct Job {
    /// The caller's closure; valid while the region is open or a worker has joined it.
    run: *const (dyn Fn(usize, usize) + Sync),
}

// SAFETY: `job` is written only by the caller that holds `busy`, while the region is closed and nobody has joined; and
// read only by workers that have joined. The closure behind the pointer is Sync.
unsafe impl Sync for Shared {}
// SAFETY: as above; everything else in it is Send.
unsafe impl Send for Shared {}

thread_local_cell! {
    /// The pool (its address) whose task this thread is running, and the worker it is there.
    static CURRENT: (usize, usize) = (0, 0);
}

impl Pool {
    /// A pool of `threads` workers, at least 1: the calling thread is worker 0, the others are started here.
    ///
    /// When the system refuses a thread, the pool has fewer workers; [`Pool::threads`] tells.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            region: AtomicU64::new(0),
            shares: (0..threads.max(1)).map(|_| Share::default()).collect(),
            busy: AtomicBool::new(false),
            job: UnsafeCell::new(None),
            panic: Mutex::new(None),
            last_left: Condvar::new(),
            last_left_lock: Mutex::new(()),
        });
        let workers = (1..threads)
            .map_while(|worker| {
                let shared = Arc::clone(&shared);
                let builder = Builder::new().name(format!("maobi-{worker}"));
                builder.spawn(move || shared.work(worker)).ok()
            })
            .collect();
        Self { shared, workers }
    }

    /// How many threads this machine runs at once; 1 when it does not tell.
    pub fn default_threads() -> usize {
        std::thread::available_parallelism().map_or(1, |threads| threads.get())
    }

    /// The number of workers, the caller included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `task(worker, index)` once for every `index` in `0..tasks`, in no particular order, and returns when all are
    /// done; `worker < self.threads()` and no two tasks that run at once have the same worker.
    ///
    /// One task, one thread, a region within a task of the same pool, or a pool that another thread is using: then the
    /// tasks run here, in order.
    ///
    /// # Panics
    /// With the panic of a task, once every worker has left the region; tasks not begun by then are skipped, and the
    /// pool stays usable.
    pub fn run(&self, tasks: usize, task: Task<'_>) {
        let address = Arc::as_ptr(&self.shared) as usize;
        let (pool, worker) = CURRENT.with(|current| current.get());
        let nested = pool == address;
        assert!(u32::try_from(tasks).is_ok(), "Pool::run: {tasks} tasks");
        if nested || tasks <= 1 || self.workers.is_empty() || self.shared.busy.swap(true, Ordering::Acquire) {
            (0..tasks).for_each(|index| task(if nested { worker } else { 0 }, index));
            return;
        }
        let helpers = &self.workers[..self.workers.len().min(tasks - 1)];
        self.shared.open(tasks, task);
        helpers.iter().for_each(|helper| helper.thread().unpark());
        self.shared.take_tasks(0, Job { run: erase(task) });
        self.shared.close();
        let panic = lock(&self.shared.panic).take();
        self.shared.busy.store(false, Ordering::Release);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.region.fetch_or(STOP, Ordering::Release);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its tasks, so there is nothing to hear from it.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn open(&self, tasks: usize, task: Task<'_>) {
        // SAFETY: this thread holds `busy`, and `close` of the region before has left nobody in it.
        self.job.with_mut(|job| unsafe { *job = Some(Job { run: erase(task) }) });
        let workers = self.shares.len();
        for (worker, own) in self.shares.iter().enumerate() {
            own.set(share(tasks, worker, workers));
        }
        let number = self.region.load(Ordering::Relaxed) & !(REGION - 1);
        self.region.store(number.wrapping_add(REGION) | OPEN, Ordering::Release);
    }

    /// Lets nobody join any more and waits until all who have joined are gone.
    fn close(&self) {
        let mut now = self.region.fetch_and(!OPEN, Ordering::AcqRel);
        let mut patience = Patience::new();
        while now & JOINED != 0 {
            if !patience.wait() {
                return self.sleep_until_left();
            }
            now = self.region.load(Ordering::Acquire);
        }
    }

    fn sleep_until_left(&self) {
        let mut guard = lock(&self.last_left_lock);
        self.region.fetch_or(WAITING, Ordering::AcqRel);
        while self.region.load(Ordering::Acquire) & JOINED != 0 {
            guard = self.last_left.wait(guard).unwrap_or_else(|poison| poison.into_inner());
        }
        self.region.fetch_and(!WAITING, Ordering::AcqRel);
    }

    /// A worker's life: wait for a region that is new and open, join, work, leave.
    fn work(&self, worker: usize) {
        let mut last = 0;
        loop {
            let mut patience = Patience::new();
            let mut now = self.region.load(Ordering::Acquire);
            while now & OPEN == 0 || now / REGION == last {
                if now & STOP != 0 {
                    return;
                }
                if !patience.wait() {
                    park();
                    patience = Patience::new();
                }
                now = self.region.load(Ordering::Acquire);
            }
            if self.region.compare_exchange(now, now + 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            last = now / REGION;
            // SAFETY: the region is open and this worker has joined it, so the caller waits and leaves `job` alone.
            if let Some(job) = self.job.with(|job| unsafe { *job }) {
                self.take_tasks(worker, job);
            }
            let before = self.region.fetch_sub(1, Ordering::AcqRel);
            if before & WAITING != 0 && before & JOINED == 1 {
                drop(lock(&self.last_left_lock));
                self.last_left.notify_one();
            }
        }
    }

    fn take_tasks(&self, worker: usize, job: Job) {
        let outer = CURRENT.with(|current| current.replace((std::ptr::from_ref(self) as usize, worker)));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let workers = self.shares.len();
            for owner in (worker..workers).chain(0..worker) {
                while let Some(index) = self.shares[owner].take(owner == worker) {
                    // SAFETY: the caller of `Pool::run` keeps the closure alive until everybody has left the region.
                    unsafe { (*job.run)(worker, index) };
                }
            }
        }));
        CURRENT.with(|current| current.set(outer));
        if let Err(payload) = outcome {
            // Whoever has tasks left takes no more of them.
            self.shares.iter().for_each(|own| own.set(0..0));
            lock(&self.panic).get_or_insert(payload);
        }
    }
}

/// The closure without its lifetime, which `Pool::run` vouches for by not returning before everybody has left.
fn erase(task: Task<'_>) -> *const (dyn Fn(usize, usize) + Sync) {
    let short: *const (dyn Fn(usize, usize) + Sync + '_) = task;
    // SAFETY: the two types differ only in the lifetime bound of the trait object.
    unsafe { std::mem::transmute(short) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn counters(count: usize) -> Vec<AtomicUsize> {
        (0..count).map(|_| AtomicUsize::new(0)).collect()
    }

    #[test]
    fn every_task_runs_once_on_a_worker_of_the_pool() {
        for threads in [1, 2, 3, 5, 16] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads);
            for tasks in [0, 1, 2, 7, 100] {
                let seen = counters(tasks);
                pool.run(tasks, &|worker, task| {
                    assert!(worker < threads);
                    seen[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{threads} threads, {tasks} tasks");
            }
        }
    }

    #[test]
    fn owners_take_from_the_front_and_others_from_the_back() {
        let shares: Vec<usize> = (0..3).flat_map(|worker| share(7, worker, 3)).collect();
        assert_eq!(shares, (0..7).collect::<Vec<_>>());
        let share = Share::default();
        share.set(4..7);
        assert_eq!([true, false, true, true].map(|owner| share.take(owner)), [Some(4), Some(6), Some(5), None]);
    }

    #[test]
    fn a_worker_is_never_in_two_tasks_at_once() {
        let pool = Pool::new(4);
        let inside = counters(4);
        pool.run(500, &|worker, _| {
            assert_eq!(inside[worker].fetch_add(1, Ordering::SeqCst), 0);
            std::thread::yield_now();
            inside[worker].fetch_sub(1, Ordering::SeqCst);
        });
    }

    #[test]
    fn many_rapid_regions_see_all_of_their_results() {
        let pool = Pool::new(3);
        let cells = counters(5);
        for round in 0..20_000 {
            pool.run(5, &|_, task| {
                cells[task].fetch_add(1, Ordering::Relaxed);
            });
            assert!(cells.iter().all(|cell| cell.load(Ordering::Relaxed) == round + 1));
        }
    }

    #[test]
    fn sleeping_workers_are_woken() {
        let pool = Pool::new(2);
        for _ in 0..5 {
            // Longer than a worker yields.
            std::thread::sleep(Duration::from_millis(1));
            let (both, turn) = (Mutex::new(0), Condvar::new());
            // Both tasks wait for each other, so one thread alone cannot finish them.
            pool.run(2, &|_, _| {
                let mut count = lock(&both);
                *count += 1;
                turn.notify_all();
                while *count < 2 {
                    count = turn.wait(count).expect("no panic");
                }
            });
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(3);
        for bad in [0, 6, 9] {
            let payload = catch_unwind(AssertUnwindSafe(|| {
                pool.run(10, &|_, task| assert!(task != bad, "task {task} failed"));
            }))
            .expect_err("the panic of the task");
            assert_eq!(payload.downcast_ref::<String>(), Some(&format!("task {bad} failed")));
            let seen = counters(10);
            pool.run(10, &|_, task| {
                seen[task].fetch_add(1, Ordering::Relaxed);
            });
            assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn nested_regions_run_inline_on_the_same_worker() {
        let (pool, other) = (Pool::new(3), Pool::new(2));
        let seen = counters(4 * 5);
        pool.run(4, &|worker, task| {
            let thread = std::thread::current().id();
            pool.run(5, &|inner, index| {
                assert_eq!((inner, std::thread::current().id()), (worker, thread));
                seen[task * 5 + index].fetch_add(1, Ordering::Relaxed);
            });
            other.run(3, &|inner, _| assert!(inner < 2));
        });
        assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn two_callers_share_a_pool() {
        let pool = Pool::new(2);
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        pool.run(4, &|_, _| {
                            total.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(total.load(Ordering::Relaxed), 3 * 500 * 4);
    }
}
