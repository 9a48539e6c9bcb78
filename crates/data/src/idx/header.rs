//! The head of an IDX file.

use std::io::Read;

use crate::error::DataError;
use maobi_files::numbers::Element;

/// Dimensions beyond this many are taken for a damaged file.
const MOST_DIMS: u8 = 8;

/// Types of the elements, each with the code that stands third in the file.
const CODES: [(u8, Element); 6] = [
    (0x08, Element::U8),
    (0x09, Element::Int { size: 1, signed: true }),
    (0x0b, Element::Int { size: 2, signed: true }),
    (0x0c, Element::Int { size: 4, signed: true }),
    (0x0d, Element::F32),
    (0x0e, Element::F64),
];

/// The code of a type; `None` for one that IDX lacks.
pub(super) fn code(element: Element) -> Option<u8> {
    CODES.iter().find(|(_, known)| *known == element).map(|(code, _)| *code)
}

/// Reads the head: type, dimensions, and the bytes it took.
pub(super) fn read_header(file: &str, input: &mut impl Read) -> Result<(Element, Vec<usize>, u64), DataError> {
    let mut magic = [0u8; 4];
    take(file, input, &mut magic, 0)?;
    let [0, 0, code, count] = magic else {
        let expected = "an IDX file, which starts with two zero bytes (packed with gzip or not)";
        return Err(DataError::malformed(file, expected, format!("{:02x} {:02x}", magic[0], magic[1])));
    };
    let known = CODES.iter().find(|(known, _)| *known == code);
    let (_, element) =
        *known.ok_or_else(|| DataError::malformed(file, "an IDX type code 08, 09, 0b, 0c, 0d or 0e", format!("{code:02x}")))?;
    if count == 0 || count > MOST_DIMS {
        return Err(DataError::malformed(file, format!("1 to {MOST_DIMS} dimensions"), count));
    }
    let mut dims = Vec::with_capacity(usize::from(count));
    for i in 0..u64::from(count) {
        let mut dim = [0u8; 4];
        take(file, input, &mut dim, 4 + 4 * i)?;
        dims.push(u32::from_be_bytes(dim) as usize);
    }
    Ok((element, dims, 4 + 4 * u64::from(count)))
}

/// Fills `out`, which stands `at` bytes from the start.
fn take(file: &str, input: &mut impl Read, out: &mut [u8], at: u64) -> Result<(), DataError> {
    input.read_exact(out).map_err(|error| {
        DataError::malformed(
            file,
            format!("an IDX header of at least {} bytes", at + out.len() as u64),
            format!("less ({error})"),
        )
    })
}
