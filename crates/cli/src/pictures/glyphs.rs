//! What the network sees of a labelled picture: something to learn from.

use super::{NONE, Reader};
use maobi_recognize::{Item, Layout, Reading};
use std::path::Path;

impl Reader {
    /// What the network sees of a picture, with the output that each is to be; the reason why it cannot be used is a sentence.
    ///
    /// A picture of several characters is used when as many were found as its label has.
    pub fn glyphs(&self, file: &Path, truth: &str) -> Result<Vec<(Vec<u8>, u32)>, String> {
        let names = self.output_names();
        let label = |name: &str| names.iter().position(|known| known == name).map(|label| label as u32);
        let unknown = || format!("{}: is labelled \"{truth}\", which the network has no output for", file.display());
        let blank = || format!("{}: there is no ink on it; left out", file.display());
        if let Some(label) = label(truth) {
            let reading = self.read_as(file, Layout::Single)?.reading;
            let item = reading.items.into_iter().next().filter(|_| !reading.blank).ok_or_else(blank)?;
            return Ok(vec![(item.pixels, label)]);
        }
        if truth == NONE {
            return Err(unknown());
        }
        let Reading { items, rejected, blank: empty, .. } = self.read_as(file, Layout::Many)?.reading;
        if empty {
            return Err(blank());
        }
        let kept: Vec<Item> = items.into_iter().filter(|item| rejected || !item.rejected).collect();
        let lines: Vec<usize> = truth.split('\n').map(|line| line.chars().count()).collect();
        let found: Vec<usize> = kept.chunk_by(|a, b| a.line == b.line).map(<[Item]>::len).collect();
        if lines != found {
            let (wanted, got) = (numbers(&lines), numbers(&found));
            return Err(format!("{}: its label has {wanted}, {got} were found; left out", file.display()));
        }
        let characters = truth.chars().filter(|c| *c != '\n');
        let pairs = kept.into_iter().zip(characters);
        pairs.map(|(item, c)| label(c.encode_utf8(&mut [0; 4])).map(|label| (item.pixels, label)).ok_or_else(unknown)).collect()
    }
}

/// `3 + 4 digits`.
fn numbers(lines: &[usize]) -> String {
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ") + " digits"
}
