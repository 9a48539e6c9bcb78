//! Cuts and flips bits of a model file, many times, and reads it: `cargo run --release -p maobi-formats --example damage -- FILE [COUNT]`
//!
//! FILE is a `.keras`. Besides the whole archive, its weights are damaged and packed again, so that no checksum stands before the
//! reader. Nothing may panic; the end prints how many copies were refused.

use maobi_formats::{keras, weights_h5};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: damage FILE.keras [COUNT]")?;
    let count: u32 = arguments.next().map_or(Ok(10_000), |n| n.parse())?;
    let folder = tempfile::tempdir()?;
    let (whole_path, h5_path) = (folder.path().join("m.keras"), folder.path().join("m.weights.h5"));
    let mut model = keras::load(Path::new(&file), 1)?.model;
    weights_h5::save(&model, &h5_path)?;
    let sources = [(std::fs::read(&file)?, &whole_path), (std::fs::read(&h5_path)?, &h5_path)];
    let mut refused = [0u32; 2];
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    };
    for _ in 0..count {
        for (which, (bytes, path)) in sources.iter().enumerate() {
            let mut bytes = bytes.clone();
            if random(8) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            for _ in 0..=random(4) {
                if let Some(byte) = {
                    let at = random(bytes.len());
                    bytes.get_mut(at)
                } {
                    *byte = if random(3) == 0 { [0, 255, 127, 128][random(4)] } else { *byte ^ 1 << random(8) };
                }
            }
            std::fs::write(path, &bytes)?;
            let result = if which == 0 { keras::load(path, 1).map(|_| ()) } else { weights_h5::load(&mut model, path) };
            refused[which] += u32::from(result.is_err());
        }
    }
    println!("{count} damaged copies each: {} archives and {} weight files refused, none crashed", refused[0], refused[1]);
    Ok(())
}
