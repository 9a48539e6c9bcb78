//! The header of a `.npy`: a Python dictionary with the keys `descr`, `fortran_order` and `shape`.

use crate::error::FormatError;
use crate::numbers::{Element, Encoding};

/// Dimensions beyond this many are taken for a damaged file (NumPy itself allows 64).
const MOST_DIMS: usize = 32;

/// NumPy's letters for a type, without the byte order; `None` for a type that NumPy lacks.
pub(super) fn code(element: Element) -> Option<String> {
    let letter = match element {
        Element::Bool => 'b',
        Element::BF16 => return None,
        Element::F16 | Element::F32 | Element::F64 => 'f',
        Element::Int { signed: true, .. } => 'i',
        Element::Int { signed: false, .. } => 'u',
    };
    Some(format!("{letter}{}", element.size()))
}

/// The type of a type string such as `<f4`.
fn encoding(descr: &str) -> Option<Encoding> {
    let code = descr.trim_start_matches(['<', '>', '|', '=']);
    let order = &descr[..descr.len() - code.len()];
    let element = match code {
        "b1" => Element::Bool,
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8" => {
            Element::Int { size: code[1..].parse().ok()?, signed: code.starts_with('i') }
        }
        _ => return None,
    };
    matches!(order, "" | "<" | ">" | "|" | "=").then_some(Encoding { element, big_endian: order == ">" })
}

/// What the dictionary says.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub encoding: Encoding,
    /// The first axis is the fastest one (Fortran's order).
    pub fortran: bool,
    pub shape: Vec<usize>,
}

/// Reads the dictionary.
pub(super) fn parse_header(text: &str) -> Result<Header, FormatError> {
    let wrong = || {
        let shown: String = text.chars().take(80).collect();
        FormatError::malformed("a header like {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }", shown)
    };
    let mut rest = Cursor { text };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    rest.eat('{').ok_or_else(wrong)?;
    while rest.eat('}').is_none() {
        let key = rest.string().ok_or_else(wrong)?;
        rest.eat(':').ok_or_else(wrong)?;
        match key {
            "descr" => descr = Some(rest.string().ok_or_else(|| unsupported(rest.text))?),
            "fortran_order" => fortran = Some(rest.boolean().ok_or_else(wrong)?),
            "shape" => shape = Some(rest.tuple().ok_or_else(wrong)?),
            _ => return Err(wrong()),
        }
        if rest.eat(',').is_none() && !rest.text.trim_start().starts_with('}') {
            return Err(wrong());
        }
    }
    let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else { return Err(wrong()) };
    let encoding = encoding(descr).ok_or_else(|| unsupported(descr))?;
    Ok(Header { encoding, fortran, shape })
}

fn unsupported(descr: &str) -> FormatError {
    let shown: String = descr.chars().take(40).collect();
    FormatError::Other(format!(
        "elements of type {shown} are not read: use bool, integers of 8 to 64 bits, or floats of 16 to 64 bits"
    ))
}

/// What is left of the text; each method skips white space, then takes one thing or nothing.
struct Cursor<'t> {
    text: &'t str,
}

impl<'t> Cursor<'t> {
    fn eat(&mut self, c: char) -> Option<()> {
        self.text = self.text.trim_start().strip_prefix(c)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'t str> {
        let text = self.text.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (inside, after) = text[1..].split_once(quote)?;
        self.text = after;
        Some(inside)
    }

    fn boolean(&mut self) -> Option<bool> {
        let text = self.text.trim_start();
        let (value, word) = if text.starts_with("True") { (true, 4) } else { (false, 5) };
        if !value && !text.starts_with("False") {
            return None;
        }
        self.text = &text[word..];
        Some(value)
    }

    /// `()`, `(3,)`, `(3, 4)`; an `L` behind a number is Python 2's.
    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.eat('(')?;
        let mut sides = Vec::new();
        while self.eat(')').is_none() {
            let text = self.text.trim_start();
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            sides.push(text[..digits].parse().ok()?);
            if sides.len() > MOST_DIMS {
                return None;
            }
            self.text = text[digits..].strip_prefix('L').unwrap_or(&text[digits..]);
            if self.eat(',').is_none() && !self.text.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Result<Vec<usize>, String> {
        parse_header(text).map(|h| h.shape).map_err(|e| e.to_string())
    }

    #[test]
    fn shapes_as_numpy_writes_them() {
        let with = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}  \n");
        assert_eq!(shape(&with("()")), Ok(vec![]));
        assert_eq!(shape(&with("(3,)")), Ok(vec![3]));
        assert_eq!(shape(&with("(60000L, 28, 28)")), Ok(vec![60000, 28, 28]));
        for bad in ["(3", "(,)", "(3 4)", "(-1,)", "[3]", "(99999999999999999999,)", "3"] {
            assert!(shape(&with(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn types_and_orders() {
        let with = |descr: &str| parse_header(&format!("{{\"shape\": (1,), 'descr': {descr}, 'fortran_order': True}}"));
        let encoding = Encoding { element: Element::Int { size: 2, signed: true }, big_endian: true };
        assert_eq!(with("'>i2'").unwrap(), Header { encoding, fortran: true, shape: vec![1] });
        assert!(!with("'<f8'").unwrap().encoding.big_endian);
        for bad in ["'<f3'", "'<u3'", "'<c8'", "'|O'", "'|S3'", "'<<f4'", "[('a', '<f4')]"] {
            let error = with(bad).unwrap_err().to_string();
            assert!(error.contains("are not read: use bool"), "{bad}: {error}");
        }
        assert!(with("'<f4', 'more': True").is_err());
        let ints = [1, 2, 4, 8].map(|size| [true, false].map(|signed| Element::Int { size, signed }));
        for element in [Element::Bool, Element::F16, Element::F32, Element::F64].iter().chain(ints.as_flattened()) {
            let read = super::encoding(&format!("<{}", code(*element).unwrap()));
            assert_eq!(read, Some(Encoding::little(*element)));
        }
        assert_eq!(code(Element::BF16), None);
    }
}
