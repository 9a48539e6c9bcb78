//! Regions over one slice: the pool's workers take its chunks.

use crate::pool::{Pool, share};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A slice whose chunks are handed out one task each.
struct Chunks {
    data: *mut f32,
    len: usize,
    chunk: usize,
}

// SAFETY: every task touches its own chunk only, see `Chunks::get`.
unsafe impl Sync for Chunks {}

impl Chunks {
    /// # Safety
    /// No index may be alive twice, and the slice behind `data` must outlive the chunk.
    unsafe fn get<'a>(&self, index: usize) -> &'a mut [f32] {
        let start = index * self.chunk;
        assert!(start < self.len);
        // SAFETY: start < len, and the length stops at the end of the slice; chunks of different indices do not overlap.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(start), self.chunk.min(self.len - start)) }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads()).finish()
    }
}

impl Pool {
    /// Runs `task(index, chunk)` for the chunks of `data`: all `chunk` long but the last, which may be shorter.
    ///
    /// # Panics
    /// If `chunk` is 0, and with the panic of a task.
    pub fn for_each_chunk(&self, data: &mut [f32], chunk: usize, task: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        assert!(chunk > 0, "chunk must be at least 1");
        let chunks = Chunks { data: data.as_mut_ptr(), len: data.len(), chunk };
        self.run(data.len().div_ceil(chunk), &|_, index| {
            // SAFETY: `run` calls every index once, and `data` is borrowed until it returns.
            task(index, unsafe { chunks.get(index) });
        });
    }
}

/// Regions over the same data again and again: a thread begins with what it had last, which its own cache still holds.
#[derive(Debug)]
pub(crate) struct Sweep {
    regions: AtomicUsize,
}

impl Sweep {
    pub(crate) const fn new() -> Self {
        Self { regions: AtomicUsize::new(0) }
    }

    /// Runs `task(index)` for every index below `tasks`. Each worker goes through its share upwards in one region and downwards in the
    /// next.
    pub(crate) fn run(&self, pool: &Pool, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let upwards = self.regions.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let shares = |index: usize| (0..pool.threads()).map(|w| share(tasks, w, pool.threads())).find(|own| own.contains(&index));
        pool.run(tasks, &|_, index| match shares(index) {
            Some(own) if !upwards => task(own.start + own.end - 1 - index),
            _ => task(index),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn a_sweep_runs_every_task_once_and_turns_round() {
        let sweep = Sweep::new();
        for threads in [1, 2, 3] {
            let pool = Pool::new(threads);
            for tasks in [0, 1, 7, 64] {
                let seen = AtomicU64::new(0);
                sweep.run(&pool, tasks, &|index| assert_eq!(seen.fetch_or(1 << index, Ordering::Relaxed) & (1 << index), 0));
                assert_eq!(seen.into_inner().count_ones() as usize, tasks, "{threads} threads");
            }
        }
        let order = |sweep: &Sweep| {
            let order = std::sync::Mutex::new(Vec::new());
            sweep.run(&Pool::new(1), 4, &|index| order.lock().expect("one thread").push(index));
            order.into_inner().expect("one thread")
        };
        let sweep = Sweep::new();
        assert_eq!([order(&sweep), order(&sweep)], [[0, 1, 2, 3], [3, 2, 1, 0]]);
    }

    #[test]
    fn every_element_is_visited_once() {
        let pool = Pool::new(3);
        for len in [0, 1, 7, 8, 9, 1000] {
            let mut data = vec![0.0; len];
            pool.for_each_chunk(&mut data, 8, &|index, chunk| {
                for (i, x) in chunk.iter_mut().enumerate() {
                    *x += (index * 8 + i) as f32;
                }
            });
            assert!(data.iter().enumerate().all(|(i, x)| *x == i as f32), "len {len}: {data:?}");
        }
    }
}
