//! Draws what becomes of a picture, without a network: `explain PICTURE OUT.png`.

use maobi_draw::explain_png;
use maobi_vision::{Limits, Preprocess, decode_file, explain};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, out] = &arguments[..] else { return Err("usage: explain PICTURE OUT.png".into()) };
    let (_, stages) = explain(&decode_file(file, &Limits::default())?, Preprocess::Auto, (28, 28));
    std::fs::write(out, explain_png(file, &stages, &[]))?;
    Ok(())
}
