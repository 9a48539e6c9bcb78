//! ZIP archives: `.keras` and `.npz`.

use crate::error::FormatError;
use crate::npy::Npy;
use crate::room::read_exactly;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Most members of an archive.
const MAX_MEMBERS: usize = 1000;

/// An archive whose directory was read.
#[derive(Debug)]
pub struct Archive<R> {
    zip: ZipArchive<R>,
    /// Bytes of the whole file.
    length: u64,
    limit: u64,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive whose members take at most `limit` bytes in all once they are unpacked.
    ///
    /// # Errors
    /// [`FormatError`] when it is no ZIP archive, damaged, or has more than 1000 members.
    pub fn new(mut input: R, limit: u64) -> Result<Self, FormatError> {
        let damaged = |found: String| FormatError::Other(format!("the ZIP archive is damaged or cut short: {found}"));
        let length = input.seek(SeekFrom::End(0)).map_err(|e| damaged(e.to_string()))?;
        let zip = maobi_guard::guard(|| ZipArchive::new(input)).map_err(|panicked| damaged(panicked.to_string()))?;
        let zip = zip.map_err(|e| damaged(e.to_string()))?;
        if zip.len() > MAX_MEMBERS {
            let (found, limit) = (zip.len() as u64, MAX_MEMBERS as u64);
            return Err(FormatError::TooLarge { what: "the number of members", found, limit });
        }
        Ok(Self { zip, length, limit, left: limit })
    }

    /// Names of the members, in the order of the directory.
    pub fn names(&self) -> Vec<String> {
        (0..self.zip.len()).filter_map(|i| self.zip.name_for_index(i)?.ok().map(|name| name.into_owned())).collect()
    }

    /// The bytes of a member that must be there, stored or deflated.
    ///
    /// # Errors
    /// [`FormatError::Member`], which names it: it is missing, damaged, or unpacks to more than is left of the limit.
    pub fn take(&mut self, name: &str) -> Result<Vec<u8>, FormatError> {
        self.member(name, |input, length, packed, _| read_exactly(input, length, Some(packed)))
    }

    /// The array in a member that must be there.
    ///
    /// # Errors
    /// As [`Archive::take`], and those of [`Npy::read`].
    pub fn array(&mut self, name: &str) -> Result<Npy, FormatError> {
        self.member(name, |input, length, packed, left| Npy::read(input, length, Some(packed), left))
    }

    /// Reads a member: `read` gets its data, its unpacked and packed lengths, and how many bytes are left of the limit.
    fn member<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read, u64, u64, u64) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        let (limit, left, whole) = (self.limit, self.left, self.length);
        let zip = &mut self.zip;
        let read = || {
            let mut file = zip.by_name(name).map_err(|error| match error {
                ZipError::FileNotFound => FormatError::Other("not in the archive".into()),
                error => FormatError::malformed("a stored or deflated member", error),
            })?;
            // The stated size is a claim, and the packed one is not trusted beyond the length of the file itself.
            let (stated, packed) = (file.size(), file.compressed_size().min(whole));
            if stated > left {
                return Err(FormatError::Other(format!("the archive unpacks to more than {limit} bytes")));
            }
            Ok((read(&mut file, stated, packed, left)?, stated))
        };
        let result = maobi_guard::guard(read).unwrap_or_else(|panicked| Err(FormatError::Other(panicked.to_string())));
        let (value, stated) = result.map_err(|error| error.within(name))?;
        self.left -= stated;
        Ok(value)
    }
}

/// The bytes of an archive of these members, by name and content, `deflated` or stored as they are. The same members give the same bytes: no time is kept.
///
/// # Errors
/// A member that a ZIP archive cannot hold, such as a second one of the same name.
pub fn archive<N: AsRef<str>, B: AsRef<[u8]>>(members: &[(N, B)], deflated: bool) -> Result<Vec<u8>, FormatError> {
    let method = if deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let stored = |(name, bytes): &(N, B)| bytes.as_ref().len() + 2 * name.as_ref().len() + 100;
    let room = if deflated { 0 } else { members.iter().map(stored).sum::<usize>() + 100 };
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(room)));
    for (name, bytes) in members {
        let (name, bytes) = (name.as_ref(), bytes.as_ref());
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(u32::try_from(bytes.len()).is_err());
        let failed = |e: ZipError| FormatError::Other(e.to_string()).within(name);
        zip.start_file(name, options).map_err(failed)?;
        zip.write_all(bytes).map_err(|e| failed(e.into()))?;
    }
    Ok(zip.finish().map_err(|e| FormatError::Other(format!("the ZIP archive: {e}")))?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> Result<Archive<Cursor<&[u8]>>, FormatError> {
        Archive::new(Cursor::new(bytes), 1 << 12)
    }

    fn sample(deflated: bool) -> Vec<u8> {
        let array = Npy::from_u8(&[2, 3], &[1; 6]).to_bytes().unwrap();
        archive(&[("b", vec![7; 300]), ("a.npy", array)], deflated).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        for deflated in [false, true] {
            let bytes = sample(deflated);
            let mut found = open(&bytes).unwrap();
            assert_eq!(found.names(), ["b", "a.npy"]);
            assert_eq!(found.take("b").unwrap(), [7; 300]);
            assert_eq!(found.array("a.npy").unwrap(), Npy::from_u8(&[2, 3], &[1; 6]));
            assert_eq!(found.take("c").unwrap_err().to_string(), "c: not in the archive");
            assert_eq!(sample(deflated), bytes);
        }
        assert!(archive(&[("a", b""), ("a", b"")], false).is_err());
    }

    #[test]
    fn members_take_no_more_than_the_limit_in_all() {
        let bytes = archive(&[("a", [0; 100]), ("b", [0; 100])], true).unwrap();
        let mut found = Archive::new(Cursor::new(bytes), 150).unwrap();
        found.take("a").unwrap();
        assert_eq!(found.take("b").unwrap_err().to_string(), "b: the archive unpacks to more than 150 bytes");
        let array = Npy::from_u8(&[6], &[1; 6]).to_bytes().unwrap();
        let bytes = archive(&[("a.npy", &array)], true).unwrap();
        let error = Archive::new(Cursor::new(bytes), array.len() as u64 - 1).unwrap().array("a.npy").unwrap_err();
        assert_eq!(error.to_string(), "a.npy: the archive unpacks to more than 133 bytes");
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_what_was_written() {
        for whole in [sample(false), sample(true)] {
            let expected = open(&whole).unwrap().take("b").unwrap();
            let read = |bytes: &[u8]| {
                let Ok(mut found) = open(bytes) else { return };
                found.take("b").into_iter().for_each(|content| assert_eq!(content, expected));
                if let Ok(array) = found.array("a.npy") {
                    assert_eq!(array, Npy::from_u8(&[2, 3], &[1; 6]));
                }
            };
            (0..whole.len()).for_each(|cut| read(&whole[..cut]));
            for bit in 0..8 * whole.len() {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                read(&bytes);
            }
        }
    }
}
