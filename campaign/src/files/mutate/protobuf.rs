//! Protocol buffers (ONNX, TensorFlow's graphs and indexes): fields changed, moved, repeated and nested; all lengths are made right.

use super::{extreme, raw};
use crate::seeded::Random;

/// Deepest message that is taken apart.
const DEEPEST: usize = 12;

/// A field with its number.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Varint(u32, u64),
    Fixed64(u32, [u8; 8]),
    Fixed32(u32, [u8; 4]),
    Bytes(u32, Vec<u8>),
    Message(u32, Vec<Field>),
}

/// A changed message.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut message = parse(bytes, 0)?;
    for _ in 0..=random.below(3) {
        let total = count(&message);
        let mut at = random.below(total);
        change(&mut message, &mut at, random);
    }
    let mut out = Vec::new();
    write(&message, &mut out);
    Some(out)
}

fn count(message: &[Field]) -> usize {
    message.iter().map(|field| 1 + if let Field::Message(_, inner) = field { count(inner) } else { 0 }).sum()
}

/// Changes field number `at`; whether it was reached.
fn change(message: &mut Vec<Field>, at: &mut usize, random: &mut Random) -> bool {
    for index in 0..message.len() {
        if *at == 0 {
            here(message, index, random);
            return true;
        }
        *at -= 1;
        if let Field::Message(_, inner) = &mut message[index]
            && change(inner, at, random)
        {
            return true;
        }
    }
    false
}

fn here(message: &mut Vec<Field>, index: usize, random: &mut Random) {
    match random.below(12) {
        0 => drop(message.remove(index)),
        1 => message.insert(index, message[index].clone()),
        2 => {
            let copy = message[index].clone();
            message.extend(std::iter::repeat_n(copy, [8, 500][random.below(2)]));
        }
        3 => {
            let other = random.below(message.len());
            message.swap(index, other);
        }
        4 => {
            let number = random.below(40) as u32 + 1;
            match &mut message[index] {
                Field::Varint(n, _) | Field::Fixed64(n, _) | Field::Fixed32(n, _) | Field::Bytes(n, _) | Field::Message(n, _) => {
                    *n = number
                }
            }
        }
        // A message within itself, and deeply.
        5 => {
            let copy = message[index].clone();
            if let Field::Message(_, inner) = &mut message[index] {
                inner.push(copy);
            }
        }
        6 if random.one_in(4) => {
            if let Field::Message(number, _) = message[index] {
                for _ in 0..[20, 150][random.below(2)] {
                    let inner = message[index].clone();
                    message[index] = Field::Message(number, vec![inner]);
                }
            }
        }
        _ => value(&mut message[index], random),
    }
}

fn value(field: &mut Field, random: &mut Random) {
    match field {
        Field::Varint(_, value) => *value = if random.one_in(4) { value.wrapping_neg() } else { extreme(random) },
        Field::Fixed64(_, bytes) => *bytes = extreme(random).to_le_bytes(),
        Field::Fixed32(_, bytes) => *bytes = (extreme(random) as u32).to_le_bytes(),
        Field::Bytes(_, bytes) => *bytes = if random.one_in(4) { Vec::new() } else { raw::damaged(bytes, random) },
        Field::Message(_, inner) => inner.clear(),
    }
}

fn parse(bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let (mut fields, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|n| (1..=4096).contains(n))?;
        fields.push(match key & 7 {
            0 => Field::Varint(number, varint(&mut rest)?),
            1 => Field::Fixed64(number, *take::<8>(&mut rest)?),
            5 => Field::Fixed32(number, *take::<4>(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (content, after) = rest.split_at_checked(length)?;
                rest = after;
                // A text may look like a message; as long as it is written back the same, that does no harm.
                let whole = |inner: &Vec<Field>| {
                    let mut out = Vec::new();
                    write(inner, &mut out);
                    out == content
                };
                match (depth < DEEPEST && length > 1).then(|| parse(content, depth + 1)).flatten().filter(whole) {
                    Some(inner) => Field::Message(number, inner),
                    None => Field::Bytes(number, content.to_vec()),
                }
            }
            _ => return None,
        });
    }
    Some(fields)
}

fn write(fields: &[Field], out: &mut Vec<u8>) {
    for field in fields {
        match field {
            Field::Varint(number, value) => {
                push_varint(out, u64::from(*number) << 3);
                push_varint(out, *value);
            }
            Field::Fixed64(number, bytes) => {
                push_varint(out, u64::from(*number) << 3 | 1);
                out.extend(bytes);
            }
            Field::Fixed32(number, bytes) => {
                push_varint(out, u64::from(*number) << 3 | 5);
                out.extend(bytes);
            }
            Field::Bytes(number, bytes) => {
                push_varint(out, u64::from(*number) << 3 | 2);
                push_varint(out, bytes.len() as u64);
                out.extend(bytes);
            }
            Field::Message(number, inner) => {
                let mut bytes = Vec::new();
                write(inner, &mut bytes);
                push_varint(out, u64::from(*number) << 3 | 2);
                push_varint(out, bytes.len() as u64);
                out.extend(bytes);
            }
        }
    }
}

/// A number in groups of seven bits, the lowest first.
pub fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let [byte] = *take::<1>(rest)?;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Appends a number in groups of seven bits.
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(first)
}
