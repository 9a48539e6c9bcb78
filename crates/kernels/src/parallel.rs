//! Regions over one slice: the pool's workers take its chunks.

use crate::pool::Pool;

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

#[cfg(test)]
mod tests {
    use super::*;

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
