//! NumPy's arrays: the text of the header changed, its length made right.

use super::extreme;
use crate::seeded::Random;

/// A changed array.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let version = *bytes.get(6)?;
    let (length, start) = match version {
        1 => (usize::from(u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?)), 10),
        _ => (u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize, 12),
    };
    let mut header = String::from_utf8_lossy(bytes.get(start..start + length)?).into_owned();
    let data = bytes.get(start + length..)?;
    for _ in 0..=random.below(2) {
        header = changed(&header, random);
    }
    let mut out = bytes.get(..8)?.to_vec();
    let length = if random.one_in(8) { extreme(random) } else { header.len() as u64 };
    match version {
        1 => out.extend((length as u16).to_le_bytes()),
        _ => out.extend((length as u32).to_le_bytes()),
    }
    out.extend(header.as_bytes());
    out.extend(data);
    Some(out)
}

fn changed(header: &str, random: &mut Random) -> String {
    let number = extreme(random).to_string();
    let (open, close) = (header.find('(').unwrap_or(0), header.find(')').unwrap_or(header.len()));
    let shape = header.get(open..close).unwrap_or_default().trim_start_matches('(').to_owned();
    let with_shape =
        |shape: &str| format!("{}({shape}{}", header.get(..open).unwrap_or_default(), header.get(close..).unwrap_or_default());
    match random.below(8) {
        0 => with_shape(&number),
        1 => with_shape(&format!("{number}, {number}, {number}")),
        2 => with_shape(&format!("{shape}, {number}")),
        3 => with_shape(&format!("0, {number}")),
        4 => with_shape(&"1, ".repeat(1 + random.below(2000))),
        5 => {
            let types = ["<f8", ">f4", "<i8", "|u1", "|b1", "<c16", "|S0", "<U4000000000", "|O", "<f2", "<M8[ns]"];
            let start = header.find("descr").and_then(|at| header[at + 6..].find('\'').map(|quote| at + 7 + quote));
            let end = start.and_then(|start| header[start..].find('\'').map(|quote| start + quote));
            match (start, end) {
                (Some(start), Some(end)) => format!("{}{}{}", &header[..start], random.pick(&types), &header[end..]),
                _ => header.to_owned(),
            }
        }
        6 => header.replace("False", "True"),
        _ => header.chars().filter(|_| !random.one_in(12)).collect(),
    }
}
