//! Writes networks with every layer as ONNX, SavedModel and safetensors for `fixtures/interop/check_*.py`:
//! `cargo run -p maobi-formats --example write_exports -- FOLDER`
//!
//! For each network NAME.onnx, NAME.saved_model, NAME.safetensors, its inputs NAME_x0.npy, … and what we make of them, NAME_y0.npy, …

mod zoo;

use maobi_formats::format;
use std::path::Path;

/// A `.npy` file of f32, version 1 (numpy/lib/format.py).
fn npy(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let axes: String = [zoo::SAMPLES].iter().chain(shape).map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: write_exports FOLDER")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for model in zoo::networks()? {
        let name = model.name().to_string();
        for (to, ending) in [("onnx", "onnx"), ("saved-model", "saved_model"), ("safetensors", "safetensors")] {
            let path = folder.join(format!("{name}.{ending}"));
            format::named(to)?.save(&model, &path, &[("preprocessing.json", b"{\"scale\": 0.5}")])?;
        }
        let inputs = zoo::inputs(&model);
        for (i, (shape, values)) in model.input_shapes().iter().zip(&inputs).enumerate() {
            std::fs::write(folder.join(format!("{name}_x{i}.npy")), npy(shape, values))?;
        }
        let outputs = model.predict(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        for (i, (shape, values)) in model.output_shapes().iter().zip(&outputs).enumerate() {
            std::fs::write(folder.join(format!("{name}_y{i}.npy")), npy(shape, values))?;
        }
        println!("{name}");
    }
    Ok(())
}
