//! PNG, row by row.

use super::rows::{Layout, Planes, Shrink};
use image::metadata::Orientation;
use png::{BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Transformations};
use std::io::Cursor;

/// A PNG whose header was read.
pub(super) struct Png<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    interlaced: bool,
}

impl<'a> Png<'a> {
    /// Reads the header; the decoder's own buffers will take at most `max_alloc` bytes.
    pub fn open(bytes: &'a [u8], max_alloc: u64) -> Result<Self, DecodingError> {
        let limits = png::Limits { bytes: usize::try_from(max_alloc).unwrap_or(usize::MAX) };
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(Transformations::EXPAND);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let info = decoder.read_header_info()?;
        let (width, height, interlaced) = (info.width, info.height, info.interlaced);
        Ok(Self { decoder, width, height, interlaced })
    }

    /// Bytes for each pixel that decoding takes in addition to the planes that are kept.
    ///
    /// The seven passes of an interlaced picture each cover all of it, so it can only be shrunk afterwards.
    pub fn bytes_per_pixel(&self) -> u64 {
        if self.interlaced { 2 } else { 0 }
    }

    /// The picture with `kept` values a pixel, each square of `factor × factor` pixels as one, and its orientation; `None` if the rows
    /// do not have the length that the header gives.
    pub fn planes(self, factor: usize, kept: usize) -> Result<Option<(Planes, Orientation)>, DecodingError> {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut reader = self.decoder.read_info()?;
        let exif = reader.info().exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
        let (color, depth) = reader.output_color_type();
        let layout = Layout {
            channels: match color {
                ColorType::Grayscale => 1,
                ColorType::GrayscaleAlpha => 2,
                ColorType::Rgba => 4,
                // A palette comes out as RGB or RGBA.
                ColorType::Rgb | ColorType::Indexed => 3,
            },
            wide: (depth == BitDepth::Sixteen).then_some(u16::from_be_bytes),
            kept,
        };
        let mut shrink = Shrink::new((width, height), if self.interlaced { 1 } else { factor }, kept, layout.has_alpha());
        let mut whole = None;
        let (mut values, mut alpha) = (Vec::with_capacity(width * kept), Vec::new());
        while let Some(row) = reader.next_interlaced_row()? {
            layout.read(row.data(), &mut values, &mut alpha);
            match row.interlace() {
                InterlaceInfo::Null(_) if values.len() == width * kept => shrink.row(&values, &alpha),
                InterlaceInfo::Null(_) => return Ok(None),
                InterlaceInfo::Adam7(pass) => {
                    let planes = whole.get_or_insert_with(|| Planes {
                        width,
                        height,
                        kept,
                        values: vec![0; width * height * kept],
                        alpha: layout.has_alpha().then(|| vec![0; width * height]),
                    });
                    png::expand_interlaced_row(&mut planes.values, width * kept, &values, pass, 8 * kept as u8);
                    if let Some(plane) = &mut planes.alpha {
                        png::expand_interlaced_row(plane, width, &alpha, pass, 8);
                    }
                }
            }
        }
        let planes = match whole {
            Some(planes) => planes.shrunk(factor),
            None if shrink.size() == (width, height) => shrink.planes(),
            None => return Ok(None),
        };
        Ok(Some((planes, exif.unwrap_or(Orientation::NoTransforms))))
    }
}
