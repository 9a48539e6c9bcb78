//! What batches of several sizes cost with the model in the box, on one thread: microseconds of processor time for each sample.
//!
//! `cargo run --release -p maobi-serve --example batches`

use maobi_recognize::Recognizer;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recognizer = Recognizer::built_in()?;
    let (height, width) = recognizer.frame();
    let mut model = recognizer.into_model().for_inference()?;
    model.set_threads(1);
    println!("batch  us/sample");
    for batch in [1, 2, 4, 8, 16, 32, 64, 128] {
        let images = vec![0.25; batch * height * width];
        model.predict(&[&images])?;
        let times = 2000 / batch;
        let best = (0..5).map(|_| {
            let began = Clock::now();
            for _ in 0..times {
                model.predict(&[&images])?;
            }
            Ok::<_, maobi_nn::Error>(began.microseconds() / (times * batch) as f64)
        });
        let best = best.collect::<Result<Vec<_>, _>>()?.into_iter().fold(f64::INFINITY, f64::min);
        println!("{batch:5}  {best:9.1}");
    }
    Ok(())
}

/// Time that this thread had the processor, where the system tells, so that other programs do not count; else time.
struct Clock(Instant, Option<u64>);

impl Clock {
    fn now() -> Self {
        Self(Instant::now(), processor())
    }

    fn microseconds(&self) -> f64 {
        match (self.1, processor()) {
            (Some(before), Some(after)) => (after - before) as f64 / 1e3,
            _ => self.0.elapsed().as_secs_f64() * 1e6,
        }
    }
}

/// In nanoseconds.
fn processor() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
