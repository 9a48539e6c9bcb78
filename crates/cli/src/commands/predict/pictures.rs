//! From files, folders and stdin to what the network sees.

use crate::output::error;
use anyhow::bail;
use maobi_data::folder;
use maobi_vision::{Limits, Picture, Preprocess, decode_file, decode_reader, prepare};
use std::path::{Path, PathBuf};

/// Endings of pictures, for folders; files that are named are read whatever they are called.
const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff", "jfif"];

/// Folders below folders that are looked into.
const DEPTH: usize = 16;

/// What the network sees of a picture.
#[derive(Debug)]
pub struct Seen {
    /// `[height, width, channels]`.
    pub pixels: Vec<u8>,
    /// Whether there is nothing on it.
    pub blank: bool,
}

/// Reads pictures for one network.
#[derive(Debug)]
pub struct Reader {
    how: Preprocess,
    size: (usize, usize),
    colour: Option<folder::Picture>,
}

impl Reader {
    /// A reader of pictures of that `[height, width, channels]`.
    pub fn new(how: Preprocess, [height, width, channels]: [usize; 3]) -> anyhow::Result<Reader> {
        let colour = match channels {
            1 => None,
            3 if matches!(how, Preprocess::Auto | Preprocess::None) => Some(folder::Picture::of_shape([height, width, 3])?),
            3 => bail!("--preprocess {how} makes grey pictures, but the network takes colour; use --preprocess none"),
            n => bail!("the network takes pictures with {n} channels; 1 (grey) and 3 (colour) can be read from files"),
        };
        Ok(Reader { how, size: (height, width), colour })
    }

    /// Reads one picture; the reason why it cannot be read is a sentence that names it.
    pub fn read(&self, file: &Path) -> Result<Seen, String> {
        if let Some(form) = self.colour {
            let pixels = folder::decode(file, form, &maobi_data::Limits::default()).map_err(|e| e.to_string())?;
            let blank = pixels.iter().all(|pixel| Some(pixel) == pixels.first());
            return Ok(Seen { pixels, blank });
        }
        let prepared = prepare(&decode(file)?, self.how, self.size);
        Ok(Seen { pixels: prepared.pixels, blank: prepared.blank })
    }
}

fn decode(file: &Path) -> Result<Picture, String> {
    let limits = Limits::default();
    let decoded = match file.to_str() {
        Some("-") => decode_reader(std::io::stdin().lock(), "-", &limits),
        _ => decode_file(file, &limits),
    };
    decoded.map_err(|e| e.to_string())
}

/// Names of pictures, those in folders in natural order; whether there was a folder without any.
pub fn expand(names: &[PathBuf]) -> (Vec<PathBuf>, bool) {
    let (mut files, mut failed) = (Vec::new(), false);
    for name in names {
        if !name.is_dir() {
            files.push(name.clone());
            continue;
        }
        let before = files.len();
        if let Err(reason) = walk(name, DEPTH, &mut files) {
            error(&format!("{}: the folder cannot be read: {reason}", name.display()));
            failed = true;
        } else if files.len() == before {
            error(&format!("{}: there are no pictures in this folder (looked for {})", name.display(), ENDINGS.join(", ")));
            failed = true;
        }
    }
    (files, failed)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if hidden {
            continue;
        } else if path.is_dir() && depth > 0 {
            walk(&path, depth - 1, files)?;
        } else if path.is_file() && ENDINGS.contains(&ending.as_str()) {
            files.push(path);
        }
    }
    Ok(())
}

/// Sorts `2.png` before `10.png`: numbers become their length and digits.
fn natural(name: &str) -> Vec<(usize, String)> {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let mut in_number = false;
    for c in name.chars() {
        let digit = c.is_ascii_digit();
        match parts.last_mut() {
            Some((length, text)) if digit == in_number => {
                text.push(c);
                *length += usize::from(digit);
            }
            _ => parts.push((usize::from(digit), c.to_string())),
        }
        in_number = digit;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["10.png", "2.png", "x.txt", ".hidden.png", "1.JPG"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        let (files, failed) = expand(&[folder.path().to_path_buf(), "named.anything".into()]);
        let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!((names.as_slice(), failed), (&["1.JPG", "2.png", "10.png", "named.anything"][..], false));
        assert!(expand(&[folder.path().join("empty")]).1);
    }

    #[test]
    fn colour_networks_want_colour() {
        assert!(Reader::new(Preprocess::Invert, [28, 28, 3]).unwrap_err().to_string().contains("--preprocess none"));
        assert!(Reader::new(Preprocess::Auto, [28, 28, 2]).unwrap_err().to_string().contains("2 channels"));
        assert!(Reader::new(Preprocess::Auto, [28, 28, 3]).is_ok());
    }
}
