//! A training step allocates nothing once its buffers are there. One test alone in its program, so that nobody else allocates.

mod common;

use common::digits;
use maobi_nn::losses::Target;
use maobi_nn::{Batch, Samples};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_step_allocates_nothing_once_warm() {
    let mut model = digits(3);
    let labels: Vec<u32> = (0..64).map(|i| i % 10).collect();
    let x: Vec<f32> = (0..64 * 196).map(|i| (i % 17) as f32 / 17.0).collect();
    for threads in [1, 2] {
        model.set_threads(threads);
        let mut allocated = Vec::new();
        // On a busy machine a worker may get its first task late, so go on until ten steps in a row allocate nothing.
        while allocated.len() < 2000 && !quiet(&allocated) {
            let region = Region::new(ALLOCATOR);
            let feed = Samples { samples: 64, inputs: &[&x] };
            let batch = Batch { feed: &feed, targets: &[Target::Classes(&labels)], sample_weight: None, class_weight: None };
            model.train_on_batch(batch).unwrap();
            let change = region.change();
            allocated.push(change.allocations + change.reallocations);
        }
        // Each worker makes its packing buffers when it first gets a task that needs them, which may take some steps.
        assert!(quiet(&allocated), "{threads} threads: {allocated:?}");
    }
}

fn quiet(allocated: &[usize]) -> bool {
    allocated.len() >= 10 && allocated.iter().rev().take(10).all(|&count| count == 0)
}
