//! Files, bytes and streams to a [`Picture`]: PNG, JPEG, BMP, GIF (first frame), WebP and TIFF.
//!
//! The format is found in the content, never in the extension. Sizes are checked before memory is taken ([`Limits`]),
//! EXIF orientation is applied, transparency is laid on a ground that shows the drawing ([`crate::Ground`]).

mod error;
mod grey;
mod limits;
mod sniff;
#[cfg(test)]
mod tests;
mod upright;

pub use error::DecodeError;
pub use limits::Limits;

use crate::picture::Picture;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, metadata::Orientation};
use std::io::{Cursor, Read};
use std::path::Path;

/// Reads a picture from a file.
///
/// # Errors
/// [`DecodeError`], naming the file: it cannot be opened, is empty, too large, damaged, or no picture.
pub fn decode_file(path: impl AsRef<Path>, limits: &Limits) -> Result<Picture, DecodeError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let read = |source| DecodeError::Read { file: name.clone(), source };
    let meta = std::fs::metadata(path).map_err(read)?;
    if meta.is_dir() {
        return Err(DecodeError::Folder { file: name });
    }
    if meta.is_file() && meta.len() > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { file: name, bytes: Some(meta.len()), limit: limits.max_bytes });
    }
    let file = std::fs::File::open(path).map_err(read)?;
    decode_reader(file, &name, limits)
}

/// Reads a picture from a stream such as standard input; `name` stands for it in messages.
///
/// # Errors
/// As [`decode_file`]. At most one byte more than [`Limits::max_bytes`] is read.
pub fn decode_reader(reader: impl Read, name: &str, limits: &Limits) -> Result<Picture, DecodeError> {
    let mut bytes = Vec::new();
    let bounded = reader.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes);
    bounded.map_err(|source| DecodeError::Read { file: name.to_owned(), source })?;
    if bytes.len() as u64 > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { file: name.to_owned(), bytes: None, limit: limits.max_bytes });
    }
    decode_bytes(&bytes, name, limits)
}

/// Reads a picture from memory; `name` stands for it in messages.
///
/// # Errors
/// As [`decode_file`].
pub fn decode_bytes(bytes: &[u8], name: &str, limits: &Limits) -> Result<Picture, DecodeError> {
    let file = || name.to_owned();
    if bytes.is_empty() {
        return Err(DecodeError::Empty { file: file() });
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { file: file(), bytes: Some(bytes.len() as u64), limit: limits.max_bytes });
    }
    let Some((format, format_name)) = sniff::format_of(bytes) else {
        let (found, hint) = sniff::describe(bytes);
        return Err(DecodeError::NotAPicture { file: file(), found, hint });
    };
    let failed = |error| explain(error, name, format_name);
    let damaged = |detail: &str| DecodeError::Damaged { file: file(), format: format_name, detail: detail.to_owned() };
    if format == image::ImageFormat::Jpeg && !sniff::jpeg_is_whole(bytes) {
        return Err(damaged("its end is missing"));
    }

    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.max_alloc());
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(damaged("it has no pixels"));
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(DecodeError::TooManyPixels { file: file(), width, height, limit: limits.max_pixels });
    }
    if width.max(height) > limits.max_side {
        return Err(DecodeError::TooLong { file: file(), width, height, limit: limits.max_side });
    }
    // Broken metadata is no reason to refuse the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    let (grey, ground) = grey::flatten(image);
    let size = (width as usize, height as usize);
    if grey.len() != size.0 * size.1 {
        return Err(damaged("pixels are missing"));
    }
    let (grey, (width, height)) = upright::upright(grey, size, orientation);
    Ok(Picture { width, height, grey, ground })
}

fn explain(error: ImageError, name: &str, format: &'static str) -> DecodeError {
    let file = name.to_owned();
    match error {
        ImageError::Limits(_) => DecodeError::TooMuchMemory { file, format },
        ImageError::Unsupported(error) => DecodeError::Unsupported { file, format, detail: error.to_string() },
        other => DecodeError::Damaged { file, format, detail: other.to_string() },
    }
}
