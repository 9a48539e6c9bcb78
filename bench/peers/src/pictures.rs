//! MNIST's files as the network sees them.

use crate::Result;
use crate::recipe::Recipe;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

const PIXELS: usize = 28 * 28;

pub struct Pictures {
    pixels: Vec<f32>,
    classes: Vec<u8>,
}

fn idx(path: &Path, header: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    GzDecoder::new(file).read_to_end(&mut bytes)?;
    Ok(bytes.split_off(header.min(bytes.len())))
}

impl Pictures {
    pub fn read(folder: &Path, part: &str, count: usize, recipe: &Recipe) -> Result<Pictures> {
        let images = idx(&folder.join(format!("{part}-images-idx3-ubyte.gz")), 16)?;
        let mut classes = idx(&folder.join(format!("{part}-labels-idx1-ubyte.gz")), 8)?;
        classes.truncate(count);
        let pixels = images.iter().take(classes.len() * PIXELS).map(|&p| f32::from(p) * recipe.scale + recipe.offset);
        Ok(Pictures { pixels: pixels.collect(), classes })
    }

    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// The pixels of these images, one after the other.
    pub fn gather(&self, rows: &[usize]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.len() * PIXELS);
        rows.iter().for_each(|&row| out.extend_from_slice(&self.pixels[row * PIXELS..(row + 1) * PIXELS]));
        out
    }

    pub fn classes(&self, rows: &[usize]) -> Vec<u8> {
        rows.iter().map(|&row| self.classes[row]).collect()
    }
}
