//! Bytes in places that only hold text: as they are when they are text, in Base64 (RFC 4648) otherwise.

/// In metadata: what comes before the name of an extra.
pub(crate) const EXTRA: &str = "maobi/";
const MARK: &str = "base64:";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Text that [`to_bytes`] turns back.
pub(crate) fn from_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with(MARK) && !text.contains('\0') => text.to_string(),
        _ => encode(bytes),
    }
}

/// What [`from_bytes`] was given. Text that is no Base64 after the mark is taken as it is.
pub(crate) fn to_bytes(text: &str) -> Vec<u8> {
    text.strip_prefix(MARK).and_then(decode).unwrap_or_else(|| text.as_bytes().to_vec())
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::from(MARK);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    for group in letters.chunks(4) {
        let digits = group.iter().map(|letter| LETTERS.iter().position(|l| l == letter)).collect::<Option<Vec<usize>>>()?;
        let bits = digits.iter().fold(0u32, |bits, d| bits << 6 | *d as u32) << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_and_bytes_come_back() {
        assert_eq!(from_bytes(b"{\"scale\": 1}"), "{\"scale\": 1}");
        // RFC 4648, section 10.
        for (plain, coded) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(plain.as_bytes()), format!("{MARK}{coded}"));
            assert_eq!(to_bytes(&encode(plain.as_bytes())), plain.as_bytes());
        }
        for bytes in [&b"\xff\x00\x01"[..], b"base64:Zg==", b"", b"\0", &[0x80; 7]] {
            assert_eq!(to_bytes(&from_bytes(bytes)), bytes);
        }
        assert_eq!(to_bytes("base64:?"), b"base64:?");
    }
}
