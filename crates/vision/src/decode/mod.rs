//! Files, bytes and streams to a [`Picture`]: PNG, JPEG, BMP, GIF (first frame), WebP and TIFF.
//!
//! The format is found in the content, never in the extension. Sizes are checked before memory is taken ([`Limits`]), [`cost()`] estimates
//! how much that will be, pictures of more than [`SHRINK_ABOVE`] pixels are shrunk while they are decoded, EXIF orientation is applied, and
//! transparency is laid on a ground that shows the drawing ([`crate::Ground`]).
//!
//! Decoders are not ours: each runs inside [`maobi_guard::guard`], so that its panic is an error of that picture.

mod cost;
mod error;
mod grey;
mod limits;
mod luma;
mod png;
mod rows;
mod sniff;
mod source;
#[cfg(test)]
mod tests;
mod upright;

pub use cost::{Cost, SHRINK_ABOVE};
pub use error::DecodeError;
pub use limits::Limits;
pub use source::check_file;

use self::png::Png;
use crate::picture::{Ground, Picture};
use ::png::DecodingError;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};
use rows::Planes;
use std::io::{Cursor, Read};
use std::path::Path;

/// Reads a picture from a file.
///
/// # Errors
/// [`DecodeError`], naming the file: it cannot be opened, is empty, too large, damaged, no picture, or no regular file
/// ([`check_file`]).
pub fn decode_file(path: impl AsRef<Path>, limits: &Limits) -> Result<Picture, DecodeError> {
    let path = path.as_ref();
    decode_bytes(&read_file(path, limits)?, &path.display().to_string(), limits)
}

/// The bytes of a picture file, for [`decode_bytes`] and [`decode_color`].
///
/// # Errors
/// As [`decode_file`].
pub fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let name = path.display().to_string();
    let meta = check_file(path)?;
    if meta.is_file() && meta.len() > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { file: name, bytes: Some(meta.len()), limit: limits.max_bytes });
    }
    let file = std::fs::File::open(path).map_err(|source| DecodeError::Read { file: name.clone(), source })?;
    read_stream(file, &name, limits)
}

/// The bytes of a stream such as standard input, for [`decode_bytes`] and [`decode_color`]; `name` stands for it in messages.
///
/// # Errors
/// [`DecodeError::Read`] and [`DecodeError::TooManyBytes`]. At most one byte more than [`Limits::max_bytes`] is read.
pub fn read_stream(reader: impl Read, name: &str, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    let bounded = reader.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes);
    bounded.map_err(|source| DecodeError::Read { file: name.to_owned(), source })?;
    if bytes.len() as u64 > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { file: name.to_owned(), bytes: None, limit: limits.max_bytes });
    }
    Ok(bytes)
}

/// Reads a picture from memory; `name` stands for it in messages.
///
/// # Errors
/// As [`decode_file`].
pub fn decode_bytes(bytes: &[u8], name: &str, limits: &Limits) -> Result<Picture, DecodeError> {
    let file = File::new(bytes, name, limits)?;
    let Decoded { values: grey, size: (width, height), ground, full } = file.guarded(|| file.decode(1))?;
    Ok(Picture { width, height, grey, ground, full })
}

/// Reads a picture from memory in color: red, green and blue `[height, width, 3]`, and (width, height). It is upright, laid on a ground
/// where it is transparent, and shrunk where it is very large, as [`decode_bytes`] does it.
///
/// # Errors
/// As [`decode_file`].
pub fn decode_color(bytes: &[u8], name: &str, limits: &Limits) -> Result<(Vec<u8>, (usize, usize)), DecodeError> {
    let file = File::new(bytes, name, limits)?;
    let decoded = file.guarded(|| file.decode(3))?;
    Ok((decoded.values, decoded.size))
}

/// Estimates from the header alone what decoding and reading a picture will take; `name` stands for it in messages.
///
/// # Errors
/// As [`decode_file`], as far as the header shows it.
pub fn cost(bytes: &[u8], name: &str, limits: &Limits) -> Result<Cost, DecodeError> {
    let file = File::new(bytes, name, limits)?;
    file.guarded(|| file.cost())
}

/// Pixels that are upright and opaque.
struct Decoded {
    /// `[height, width, kept]`.
    values: Vec<u8>,
    /// (width, height).
    size: (usize, usize),
    ground: Ground,
    /// (width, height) in the file.
    full: (usize, usize),
}

/// A picture file in memory, of a format that is read.
struct File<'a> {
    bytes: &'a [u8],
    name: &'a str,
    limits: &'a Limits,
    format: ImageFormat,
    /// Name of the format.
    kind: &'static str,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8], name: &'a str, limits: &'a Limits) -> Result<Self, DecodeError> {
        let file = || name.to_owned();
        if bytes.is_empty() {
            return Err(DecodeError::Empty { file: file() });
        }
        if bytes.len() as u64 > limits.max_bytes {
            return Err(DecodeError::TooManyBytes { file: file(), bytes: Some(bytes.len() as u64), limit: limits.max_bytes });
        }
        let Some((format, kind)) = sniff::format_of(bytes) else {
            let (found, hint) = sniff::describe(bytes);
            return Err(DecodeError::NotAPicture { file: file(), found, hint });
        };
        let file = Self { bytes, name, limits, format, kind };
        // The decoder would take memory for a chunk of any size.
        if format == ImageFormat::WebP && !maobi_guard::riff_is_whole(bytes) {
            return Err(file.damaged("a part of it is longer than the file"));
        }
        Ok(file)
    }

    /// Runs code of decoders.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        maobi_guard::guard(work).unwrap_or_else(|panicked| Err(self.damaged(panicked.to_string())))
    }

    fn damaged(&self, detail: impl Into<String>) -> DecodeError {
        DecodeError::Damaged { file: self.name.to_owned(), format: self.kind, detail: detail.into() }
    }

    fn too_much_memory(&self) -> DecodeError {
        DecodeError::TooMuchMemory { file: self.name.to_owned(), format: self.kind }
    }

    /// Checks the size that the header gives.
    fn check(&self, (width, height): (u32, u32)) -> Result<(), DecodeError> {
        let file = || self.name.to_owned();
        if width == 0 || height == 0 {
            return Err(self.damaged("it has no pixels"));
        }
        if u64::from(width) * u64::from(height) > self.limits.max_pixels {
            return Err(DecodeError::TooManyPixels { file: file(), width, height, limit: self.limits.max_pixels });
        }
        if width.max(height) > self.limits.max_side {
            return Err(DecodeError::TooLong { file: file(), width, height, limit: self.limits.max_side });
        }
        Ok(())
    }

    fn cost(&self) -> Result<Cost, DecodeError> {
        let file = self.bytes.len() as u64;
        match self.format {
            ImageFormat::Png => Ok(self.png()?.1),
            ImageFormat::Jpeg => {
                let jpeg = self.jpeg()?;
                self.check((jpeg.width, jpeg.height))?;
                Ok(Cost::of_jpeg(&jpeg, file))
            }
            _ => Ok(self.open()?.1),
        }
    }

    /// Luminance (`kept` is 1) or RGB (3).
    fn decode(&self, kept: usize) -> Result<Decoded, DecodeError> {
        let (planes, orientation, size) = match self.format {
            ImageFormat::Png => {
                let (png, cost) = self.png()?;
                let planes = png.planes(cost::factor(cost.width, cost.height), kept).map_err(|e| self.of_png(e))?;
                let (planes, orientation) = planes.ok_or_else(|| self.damaged("pixels are missing"))?;
                (planes, orientation, (cost.width, cost.height))
            }
            _ => self.decode_whole(kept)?,
        };
        let shrunk = (planes.width, planes.height);
        let (values, ground) = grey::flatten(planes);
        if values.len() != shrunk.0 * shrunk.1 * kept {
            return Err(self.damaged("pixels are missing"));
        }
        let upright = if kept == 1 { upright::upright::<1> } else { upright::upright::<3> };
        let full = (size.0 as usize, size.1 as usize);
        let full = if upright::turns(orientation) { (full.1, full.0) } else { full };
        let (values, size) = upright(values, shrunk, orientation);
        Ok(Decoded { values, size, ground, full })
    }

    /// Formats that the image crate decodes at once.
    fn decode_whole(&self, kept: usize) -> Result<(Planes, Orientation, (u32, u32)), DecodeError> {
        if self.format == ImageFormat::Jpeg {
            self.jpeg()?;
        }
        let (mut decoder, cost) = self.open()?;
        let mut bounds = image::Limits::no_limits();
        bounds.max_alloc = Some(self.limits.max_alloc().min(cost.decoding));
        decoder.set_limits(bounds).map_err(|e| self.of_image(e))?;
        // Broken metadata is no reason to refuse the pixels.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let image = DynamicImage::from_decoder(decoder).map_err(|e| self.of_image(e))?;
        let size = (cost.width, cost.height);
        Ok((grey::planes(image, cost::factor(size.0, size.1), kept), orientation, size))
    }

    /// A decoder of the image crate, for a picture within the limits.
    fn open(&self) -> Result<(impl ImageDecoder + use<'a>, Cost), DecodeError> {
        let mut bounds = image::Limits::no_limits();
        bounds.max_alloc = Some(self.limits.max_alloc());
        let mut reader = ImageReader::with_format(Cursor::new(self.bytes), self.format);
        reader.limits(bounds);
        let decoder = reader.into_decoder().map_err(|e| self.of_image(e))?;
        self.check(decoder.dimensions())?;
        let file = self.bytes.len() as u64;
        let cost = match self.format {
            ImageFormat::Jpeg => {
                let (width, height) = decoder.dimensions();
                Cost::of_jpeg(&sniff::Jpeg { width, height, ..sniff::jpeg(self.bytes) }, file)
            }
            format => Cost::of_decoder(&decoder, format, file),
        };
        Ok((decoder, cost))
    }

    fn png(&self) -> Result<(Png<'a>, Cost), DecodeError> {
        // For chunks and rows; the pixels are kept by us.
        let room = 16_000_000 + 2 * self.bytes.len() as u64;
        let png = Png::open(self.bytes, room).map_err(|e| self.of_png(e))?;
        self.check((png.width, png.height))?;
        let cost = Cost::new((png.width, png.height), png.bytes_per_pixel(), 0);
        Ok((png, cost))
    }

    fn jpeg(&self) -> Result<sniff::Jpeg, DecodeError> {
        let jpeg = sniff::jpeg(self.bytes);
        if jpeg.whole { Ok(jpeg) } else { Err(self.damaged("its end is missing")) }
    }

    fn of_png(&self, error: DecodingError) -> DecodeError {
        match error {
            DecodingError::LimitsExceeded => self.too_much_memory(),
            other => self.damaged(other.to_string()),
        }
    }

    fn of_image(&self, error: ImageError) -> DecodeError {
        match error {
            ImageError::Limits(_) => self.too_much_memory(),
            ImageError::Unsupported(error) => {
                DecodeError::Unsupported { file: self.name.to_owned(), format: self.kind, detail: error.to_string() }
            }
            other => self.damaged(other.to_string()),
        }
    }
}
