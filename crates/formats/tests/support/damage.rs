//! Damaged copies of model files, for the test of that name: whatever the format, an error or a sound model comes out, and memory
//! stays within bounds.

use maobi_formats::format::{self, FORMATS};
use maobi_nn::Model;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A model of one or several files.
pub struct Sample {
    /// Its files, by their names within a folder.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// What is opened, within that folder.
    pub name: PathBuf,
    /// The network its weights go into, where it holds none.
    network: Option<String>,
}

/// Small numbers without pattern (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(88_172_645_463_325_252 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }
}

/// All files of a folder that some format recognises.
pub fn of_folder(folder: &Path) -> Vec<Sample> {
    let mut names: Vec<PathBuf> = Vec::new();
    for inner in [PathBuf::new(), PathBuf::from("tf1")] {
        let entries = std::fs::read_dir(folder.join(&inner)).into_iter().flatten().flatten();
        names.extend(entries.filter(|e| e.path().is_file()).map(|e| inner.join(e.file_name())));
    }
    names.sort();
    let networks = networks(folder, &names);
    let mut samples = Vec::new();
    for name in &names {
        // A checkpoint is named by what its files have in common.
        let target = if name.extension().is_some_and(|e| e == "index") { name.with_extension("") } else { name.clone() };
        let Ok(format) = format::detect(&folder.join(&target)) else { continue };
        let mine = |other: &&PathBuf| match target == *name {
            true => *other == name,
            false => other.to_string_lossy().starts_with(&*target.to_string_lossy()) || other.ends_with("checkpoint"),
        };
        let files = names.iter().filter(mine).map(|f| (f.clone(), std::fs::read(folder.join(f)).unwrap())).collect();
        let loads = |json: &&String| {
            let mut model = Model::from_json(json, 1).unwrap();
            format.load_weights(&mut model, &folder.join(&target)).is_ok()
        };
        samples.push(Sample { files, name: target.clone(), network: networks.iter().find(loads).cloned() });
    }
    samples
}

/// The model in every format that can be written.
pub fn of_model(model: &Model, folder: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (index, format) in FORMATS.iter().enumerate() {
        let inner = folder.join(index.to_string());
        std::fs::create_dir_all(&inner).unwrap();
        let name = PathBuf::from(format!("m{}", format.extensions().first().copied().unwrap_or_default()));
        if format.save(model, &inner.join(&name), &[]).is_err() {
            continue;
        }
        let mut files = Vec::new();
        walk(&inner, Path::new(""), &mut files);
        samples.push(Sample { files, name, network: Some(model.to_json()) });
    }
    samples
}

fn walk(folder: &Path, inner: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder.join(inner)).unwrap().flatten() {
        let name = inner.join(entry.file_name());
        match entry.path().is_dir() {
            true => walk(folder, &name, files),
            false => files.push((name, std::fs::read(entry.path()).unwrap())),
        }
    }
}

/// The networks of all whole models.
fn networks(folder: &Path, names: &[PathBuf]) -> Vec<String> {
    let load = |name: &PathBuf| {
        let path = folder.join(name);
        Some(format::detect(&path).ok()?.load(&path, 1).ok()?.model.to_json())
    };
    let mut networks: Vec<String> = names.iter().filter_map(load).collect();
    networks.dedup();
    networks
}

/// What opening a copy came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Count {
    pub copies: usize,
    pub refused: usize,
}

impl Sample {
    /// Writes a damaged copy into `folder`, which is emptied before, and opens it.
    pub fn open_damaged(&self, folder: &Path, random: &mut Random, count: &mut Count) {
        let _ = std::fs::remove_dir_all(folder);
        let total: usize = self.files.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut chosen = random.below(total);
        let mut done = false;
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            // Small files are as interesting as long ones: one in four times any of them is taken.
            if !done && (chosen < bytes.len() || random.below(4 * self.files.len()) == 0) {
                done = true;
                std::fs::write(&path, damaged(bytes, random)).unwrap();
            } else {
                chosen = chosen.saturating_sub(bytes.len());
                std::fs::write(&path, bytes).unwrap();
            }
        }
        count.copies += 1;
        count.refused += usize::from(!self.opens(&folder.join(&self.name)));
    }

    /// Whether the file opens, as a model or as weights; a model is sound then.
    pub fn opens(&self, path: &Path) -> bool {
        let Ok(format) = format::detect(path) else { return false };
        if let Ok(loaded) = format.load(path, 1) {
            assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
            return true;
        }
        let Some(network) = &self.network else { return false };
        let mut model = Model::from_json(network, 1).unwrap();
        let before: Vec<Vec<f32>> = model.weights().iter().map(|w| w.values().to_vec()).collect();
        let loaded = format.load_weights(&mut model, path).is_ok();
        let unchanged = || model.weights().iter().zip(&before).all(|(w, before)| w.values()[..] == before[..]);
        assert!(loaded || unchanged(), "{}: changed by a file that was refused", path.display());
        loaded
    }
}

/// A copy that is cut, or has bytes changed, added or left out; of a ZIP file often a member, packed anew, so that no checksum
/// stands before its reader.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    if bytes.starts_with(b"PK\x03\x04")
        && random.below(3) > 0
        && let Some(packed) = damaged_member(bytes, random)
    {
        return packed;
    }
    let mut bytes = bytes.to_vec();
    if random.below(8) == 0 {
        bytes.truncate(random.below(bytes.len()));
    }
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => drop(bytes.drain(at..(at + 1 + random.below(16)).min(bytes.len()))),
            1 => bytes.insert(at, random.below(256) as u8),
            2 => bytes[at] = [0, 255, 127, 128][random.below(4)],
            3 => {
                let end = (at + [2, 4, 8][random.below(3)]).min(bytes.len());
                bytes[at..end].fill([0, 255][random.below(2)]);
            }
            _ => bytes[at] ^= 1 << random.below(8),
        }
    }
    bytes
}

fn damaged_member(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let chosen = random.below(archive.len());
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).ok()?;
        let mut content = Vec::new();
        member.read_to_end(&mut content).ok()?;
        if index == chosen {
            content = damaged(&content, random);
        }
        packed
            .start_file(member.name().ok()?, SimpleFileOptions::default().compression_method(CompressionMethod::Stored))
            .ok()?;
        packed.write_all(&content).ok()?;
    }
    Some(packed.finish().ok()?.into_inner())
}

/// The most memory this process has taken, in bytes; `None` where the system does not tell.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
