//! Thousands of short regions on pools of several sizes, whose tasks write plain memory: a program for ThreadSanitizer (`.ci/sanitize
//! thread`), which reports two accesses that nothing orders. The harness of tests is not instrumented and would be reported itself.

use maobi_kernels::pool::Pool;
use std::time::Duration;

fn main() {
    for threads in [2, 3, 4] {
        let pool = Pool::new(threads);
        let mut data = vec![0.0f32; 100];
        for region in 1..=3000 {
            pool.for_each_chunk(&mut data, 8, &|_, chunk| chunk.iter_mut().for_each(|x| *x += 1.0));
            assert!(data.iter().all(|x| *x == region as f32), "region {region} of {threads} threads");
            if region % 500 == 0 {
                // Workers fall asleep and must be woken.
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
    println!("9,000 regions");
}
