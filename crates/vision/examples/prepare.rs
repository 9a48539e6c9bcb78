//! Prepares pictures and writes what the network would see.
//!
//! `prepare auto OUT.bin LIST.txt`: LIST names one picture a line, OUT gets 784 bytes for each, in the same order.
//! A picture that cannot be read gives a line on standard error and 784 zeros.

use maobi_vision::{Limits, Preprocess, decode_file, prepare};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [how, out, list] = &arguments[..] else {
        return Err("usage: prepare auto|invert|threshold|none OUT.bin LIST.txt".into());
    };
    let how: Preprocess = how.parse()?;
    let mut bytes = Vec::new();
    for path in std::fs::read_to_string(list)?.lines() {
        match decode_file(path, &Limits::default()) {
            Ok(picture) => {
                let prepared = prepare(&picture, how, (28, 28));
                if prepared.blank {
                    eprintln!("{path}: blank");
                }
                bytes.extend(prepared.pixels);
            }
            Err(error) => {
                eprintln!("{error}");
                bytes.resize(bytes.len() + 784, 0);
            }
        }
    }
    std::fs::write(out, bytes)?;
    Ok(())
}
