//! Threads that predict with one model at the same time allocate nothing either, once each has had its turn. One test alone in its
//! program, so that nobody else allocates.

mod common;

use common::digits;
use maobi_nn::Samples;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::Barrier;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn predictions_beside_each_other_keep_their_memory() {
    const THREADS: usize = 3;
    const ROUNDS: usize = 20;
    let mut model = digits(3);
    model.set_threads(1);
    let x: Vec<f32> = (0..8 * 196).map(|i| (i % 17) as f32 / 17.0).collect();
    let alone = model.predict(&[&x]).unwrap();
    let (begin, together, end) = (Barrier::new(THREADS + 1), Barrier::new(THREADS), Barrier::new(THREADS + 1));
    let mut allocated = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    begin.wait();
                    model
                        .predict_batch(&Samples { samples: 8, inputs: &[&x] }, |output, values| {
                            // All of them hold their memory at this moment.
                            together.wait();
                            assert_eq!(*values, *alone[output]);
                        })
                        .unwrap();
                    end.wait();
                }
            });
        }
        for _ in 0..ROUNDS {
            let region = Region::new(ALLOCATOR);
            begin.wait();
            end.wait();
            let change = region.change();
            allocated.push(change.allocations + change.reallocations);
        }
    });
    assert!(allocated[0] > 0 && allocated[ROUNDS / 2..].iter().all(|&count| count == 0), "{allocated:?}");
}
