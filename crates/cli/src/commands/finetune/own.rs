//! The user's pictures, as the network sees them.

use crate::output::Console;
use crate::pictures::{self, Labelled, Reader};
use anyhow::bail;
use maobi_data::Dataset;
use maobi_kernels::rng::shuffle_indices;
use std::path::Path;

/// Pictures to learn from, and pictures to measure with.
pub struct Own {
    /// These are learnt from.
    pub train: Dataset,
    /// These are not; `None` when there are none.
    pub held_out: Option<Dataset>,
    /// Whether some could not be used; stderr says which.
    pub failed: bool,
}

impl Own {
    /// Reads pictures as `maobi predict` does, and holds `share` of each class out.
    pub fn read(what: &Path, reader: &Reader, share: f64, seed: u64, console: Console) -> anyhow::Result<Own> {
        let (entries, mut failed) = pictures::labelled(what, &reader.output_names(), console)?;
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        failed |= pictures::read_all(
            &entries,
            console,
            |entry| entry.file.display().to_string(),
            |Labelled { file, truth, .. }| reader.glyphs(file, truth),
            |_, glyphs| {
                for (pixels, label) in glyphs {
                    images.extend(pixels);
                    labels.push(label);
                }
                Ok(())
            },
        )?;
        if labels.is_empty() {
            bail!("{}: none of its pictures can be learnt from", what.display());
        }
        let (train, held_out) = split(&labels, share, seed);
        let names = reader.output_names();
        let all = Dataset::new(what.display().to_string(), images, labels, reader.shape(), names)?;
        let held_out = (!held_out.is_empty()).then(|| all.subset(&held_out)).transpose()?;
        if held_out.is_none() && share > 0.0 {
            console.warn("there are too few pictures to hold any out: what is measured is what was learnt");
        }
        Ok(Own { train: all.subset(&train)?, held_out, failed })
    }

    /// The pictures to measure with: those held out, or all.
    pub fn measured(&self) -> &Dataset {
        self.held_out.as_ref().unwrap_or(&self.train)
    }
}

/// Which pictures are learnt from and which are held out: of each class the share, rounded, but never all.
fn split(labels: &[u32], share: f64, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    let mut classes = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let members: Vec<u32> = (0u32..).zip(labels).filter(|(_, label)| **label == class).map(|(index, _)| index).collect();
        let mut order = vec![0; members.len()];
        shuffle_indices(seed, u64::from(class), &mut order);
        let held = ((members.len() as f64 * share).round() as usize).min(members.len() - 1);
        let mut picked: Vec<u32> = order.iter().filter_map(|&place| members.get(place as usize).copied()).collect();
        held_out.extend(picked.drain(..held));
        train.extend(picked);
    }
    train.sort_unstable();
    held_out.sort_unstable();
    (train, held_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_every_class_is_held_out() {
        let labels: Vec<u32> = [0; 10].into_iter().chain([3; 5]).chain([7]).collect();
        let (train, held_out) = split(&labels, 0.2, 1);
        let of = |indices: &[u32], class| indices.iter().filter(|&&i| labels[i as usize] == class).count();
        assert_eq!([0, 3, 7].map(|class| of(&held_out, class)), [2, 1, 0]);
        let mut all = [train.clone(), held_out.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..16));
        assert_eq!(split(&labels, 0.2, 1), (train, held_out.clone()));
        assert_ne!(split(&labels, 0.2, 2).1, held_out);
        assert!(split(&labels, 0.0, 1).1.is_empty());
        assert_eq!(split(&[4], 0.9, 1), (vec![0], vec![]));
    }
}
