//! How much memory a file would take, before it is taken: a message of two bytes becomes hundreds here.

/// Most messages and texts of a file; networks of a thousand layers have some ten thousand.
const MAX_PARTS: usize = 500_000;
/// Most bytes of whole numbers that are not raw; each byte may become eight.
const MAX_NUMBERS: usize = 1 << 26;

/// Fields of a message that are messages: (field number, what they are).
type Fields = &'static [(u64, Kind)];

/// The messages of onnx.proto that are looked into.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Other,
}

impl Kind {
    fn fields(self) -> Fields {
        match self {
            Kind::Model => &[(7, Kind::Graph), (8, Kind::Other), (14, Kind::Other)],
            Kind::Graph => &[(1, Kind::Node), (5, Kind::Tensor), (11, Kind::Other), (12, Kind::Other)],
            Kind::Node => &[(5, Kind::Attribute)],
            Kind::Attribute => &[(5, Kind::Tensor)],
            Kind::Tensor => &[(13, Kind::Other)],
            Kind::Other => &[],
        }
    }

    /// Fields of packed whole numbers.
    fn numbers(self) -> &'static [u64] {
        match self {
            Kind::Attribute => &[8],
            Kind::Tensor => &[1, 5, 7],
            _ => &[],
        }
    }
}

#[derive(Default)]
struct Counts {
    parts: usize,
    numbers: usize,
}

/// An error for a file that is no protocol buffer, or has more parts than networks have.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    walk(bytes, Kind::Model, &mut Counts::default())
}

fn walk(mut bytes: &[u8], kind: Kind, counts: &mut Counts) -> Result<(), String> {
    const CUT: &str = "no ONNX file, damaged or cut short: a field ends beyond its message";
    while !bytes.is_empty() {
        let key = varint(&mut bytes).ok_or(CUT)?;
        counts.parts += 1;
        if counts.parts > MAX_PARTS {
            return Err(format!("more than {MAX_PARTS} parts: no network that is read here"));
        }
        match key & 7 {
            0 => {
                varint(&mut bytes).ok_or(CUT)?;
            }
            1 => bytes = bytes.get(8..).ok_or(CUT)?,
            5 => bytes = bytes.get(4..).ok_or(CUT)?,
            2 => {
                let length = varint(&mut bytes).and_then(|n| usize::try_from(n).ok()).ok_or(CUT)?;
                let (field, rest) = bytes.split_at_checked(length).ok_or(CUT)?;
                bytes = rest;
                let number = key >> 3;
                if let Some((_, inner)) = kind.fields().iter().find(|(n, _)| *n == number) {
                    walk(field, *inner, counts)?;
                } else if kind.numbers().contains(&number) {
                    counts.numbers += length;
                    if counts.numbers > MAX_NUMBERS {
                        return Err(format!("more than {MAX_NUMBERS} bytes of whole numbers: no network that is read here"));
                    }
                } else if matches!(kind, Kind::Other) {
                    // Shapes and types nest a little; their parts are at least two bytes each.
                    counts.parts += length / 2;
                }
            }
            _ => return Err("no ONNX file, or damaged: a field of no known kind".into()),
        }
    }
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for i in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(7 * i)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_messages_are_counted() {
        // 7: a graph of n empty nodes, two bytes each.
        let graph = |nodes: usize| {
            let mut bytes = vec![0x3a];
            let mut length = 2 * nodes;
            while length >= 0x80 {
                bytes.push(length as u8 | 0x80);
                length >>= 7;
            }
            bytes.push(length as u8);
            bytes.extend([0x0a, 0x00].repeat(nodes));
            bytes
        };
        check(&graph(1000)).unwrap();
        assert!(check(&graph(MAX_PARTS)).unwrap_err().contains("parts"));
        let whole = graph(1000);
        assert!(check(&whole[..whole.len() - 1]).unwrap_err().contains("cut short"));
        assert!(check(&[0xff; 12]).is_err());
        check(&[]).unwrap();
    }
}
