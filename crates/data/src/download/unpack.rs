//! From the packed file to the verified one.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use super::{Check, Failure, Remote};
use crate::error::DataError;
use crate::files::write_whole;

/// Unpacks `part` to `target`, which appears only when its digest is right.
pub(super) fn unpack(part: &Path, file: &Remote<'_>, target: &Path) -> Result<(), Failure> {
    if let Check::Packed(expected) = file.check {
        let packed = File::open(part).map_err(|error| Failure::Fatal(DataError::read(part)(error)))?;
        compare(expected, &digest(packed, |_| Ok(()))?, "the packed file")?;
    }
    let packed = File::open(part).map_err(|error| Failure::Fatal(DataError::read(part)(error)))?;
    // One byte more than there may be, to notice that there is more.
    let unpacked = GzDecoder::new(BufReader::with_capacity(1 << 16, packed)).take(file.length + 1);
    let mut failure = None;
    let written = write_whole(target, |out| {
        let mut length = 0;
        let found = digest(unpacked, |bytes| {
            length += bytes.len() as u64;
            out.write_all(bytes).map_err(DataError::write(target))
        });
        let verified = found.and_then(|found| match file.check {
            _ if length != file.length => Err(Failure::Useless(format!("unpacks to {length} bytes, not {}", file.length))),
            Check::Unpacked(expected) => compare(expected, &found, "the unpacked file"),
            Check::Packed(_) => Ok(()),
        });
        verified.map_err(|reason| match reason {
            Failure::Fatal(error) => error,
            other => {
                // Any error does: it makes `write_whole` take the file away.
                failure = Some(other);
                DataError::invalid(file.name, "the published bytes", "others")
            }
        })
    });
    match (failure, written) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => Err(Failure::Fatal(error)),
        (None, Ok(())) => Ok(()),
    }
}

fn compare(expected: &str, found: &str, what: &str) -> Result<(), Failure> {
    if expected == found {
        return Ok(());
    }
    Err(Failure::Useless(format!("SHA-256 of {what} is {found}, not {expected}")))
}

/// SHA-256 of all that `input` holds, in hexadecimal; `each` sees the bytes as they come.
fn digest(mut input: impl Read, mut each: impl FnMut(&[u8]) -> Result<(), DataError>) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Useless(format!("not a whole gzip file ({error})"))),
        };
        hash.update(&buffer[..count]);
        each(&buffer[..count]).map_err(Failure::Fatal)?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
