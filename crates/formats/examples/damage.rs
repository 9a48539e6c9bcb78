//! Damages copies of all model files in a folder, and of a model in every format, and opens them:
//! `cargo run --release -p maobi-formats --example damage -- FOLDER [COPIES] [SEED]`
//!
//! Nothing may panic, no more than 1 GB of memory may be taken; the end prints how many copies were refused.

#[path = "../tests/support/damage.rs"]
mod damage;

use damage::{Count, Random, of_folder, of_model, peak_memory};
use maobi_formats::keras;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("usage: damage FOLDER [COPIES] [SEED]")?;
    let copies: usize = arguments.get(1).map_or(Ok(20_000), |n| n.parse())?;
    let seed: u64 = arguments.get(2).map_or(Ok(1), |n| n.parse())?;
    let place = tempfile::tempdir()?;
    let mut samples = of_folder(Path::new(folder));
    let models = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    for path in models.filter(|path| path.extension().is_some_and(|e| e == "keras")).take(2) {
        let name = path.file_name().unwrap_or_default();
        samples.extend(of_model(&keras::load(&path, 1)?.model, &place.path().join(name)));
    }
    let mut random = Random::new(seed);
    let each = copies.div_ceil(samples.len().max(1));
    let (mut all, mut count) = (0, Count::default());
    for sample in &samples {
        let mut own = Count::default();
        for _ in 0..each {
            sample.open_damaged(&place.path().join("copy"), &mut random, &mut own);
        }
        println!("{:32} {} of {} copies refused", sample.name.display(), own.refused, own.copies);
        all += own.copies;
        count.refused += own.refused;
    }
    let peak = peak_memory().unwrap_or(0);
    println!(
        "{all} damaged copies of {} models: {} refused, none crashed; at most {} MB of memory",
        samples.len(),
        count.refused,
        peak >> 20
    );
    if peak > 1 << 30 { Err("more than 1 GB of memory".into()) } else { Ok(()) }
}
