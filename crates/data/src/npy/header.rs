//! The header of a `.npy`: a Python dictionary with the keys `descr`, `fortran_order` and `shape`.

use crate::error::DataError;

/// Dimensions beyond this many are taken for a damaged file (NumPy itself allows 64).
const MOST_DIMS: usize = 32;

/// Type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum ElementType {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl ElementType {
    /// NumPy's own letters, and the bytes of one element.
    const CODES: [(ElementType, &'static str, usize); 11] = [
        (ElementType::Bool, "b1", 1),
        (ElementType::U8, "u1", 1),
        (ElementType::I8, "i1", 1),
        (ElementType::U16, "u2", 2),
        (ElementType::I16, "i2", 2),
        (ElementType::U32, "u4", 4),
        (ElementType::I32, "i4", 4),
        (ElementType::U64, "u8", 8),
        (ElementType::I64, "i8", 8),
        (ElementType::F32, "f4", 4),
        (ElementType::F64, "f8", 8),
    ];

    /// Bytes of one element.
    pub fn width(self) -> usize {
        Self::CODES.iter().find(|(element, ..)| *element == self).map_or(1, |(.., width)| *width)
    }

    /// The type string of the header: `|u1`, `<f4`, …
    pub fn descr(self) -> String {
        let (_, code, width) = Self::CODES.into_iter().find(|(element, ..)| *element == self).unwrap_or(Self::CODES[1]);
        format!("{}{code}", if width == 1 { '|' } else { '<' })
    }

    /// The type of a type string, and whether its bytes are big-endian.
    fn from_descr(descr: &str) -> Option<(Self, bool)> {
        let code = descr.trim_start_matches(['<', '>', '|', '=']);
        let order = &descr[..descr.len() - code.len()];
        let (element, ..) = Self::CODES.into_iter().find(|(_, c, _)| *c == code)?;
        matches!(order, "" | "<" | ">" | "|" | "=").then_some((element, order == ">"))
    }
}

/// What the dictionary says.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub element: ElementType,
    pub big_endian: bool,
    pub shape: Vec<usize>,
}

/// Reads the dictionary.
pub(super) fn parse_header(file: &str, text: &str) -> Result<Header, DataError> {
    let wrong = || {
        let shown: String = text.chars().take(80).collect();
        DataError::malformed(file, "a header like {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }", shown)
    };
    let mut rest = Cursor { text };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    rest.eat('{').ok_or_else(wrong)?;
    while rest.eat('}').is_none() {
        let key = rest.string().ok_or_else(wrong)?;
        rest.eat(':').ok_or_else(wrong)?;
        match key {
            "descr" => descr = Some(rest.string().ok_or_else(|| unsupported(file, rest.text))?),
            "fortran_order" => fortran = Some(rest.boolean().ok_or_else(wrong)?),
            "shape" => shape = Some(rest.tuple().ok_or_else(wrong)?),
            _ => return Err(wrong()),
        }
        if rest.eat(',').is_none() && !rest.text.trim_start().starts_with('}') {
            return Err(wrong());
        }
    }
    let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else { return Err(wrong()) };
    if fortran && shape.len() > 1 {
        let what = "its array is in Fortran order, which is not read: save it again after numpy.ascontiguousarray(array)";
        return Err(DataError::Unsupported { file: file.to_owned(), what: what.to_owned() });
    }
    let (element, big_endian) = ElementType::from_descr(descr).ok_or_else(|| unsupported(file, descr))?;
    Ok(Header { element, big_endian, shape })
}

fn unsupported(file: &str, descr: &str) -> DataError {
    let shown: String = descr.chars().take(40).collect();
    let what = format!("elements of type {shown} are not read: use bool, 8 to 64 bit integers, float32 or float64");
    DataError::Unsupported { file: file.to_owned(), what }
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
        parse_header("f", text).map(|h| h.shape).map_err(|e| e.to_string())
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
        let with = |descr: &str| parse_header("f", &format!("{{\"shape\": (1,), 'descr': {descr}, 'fortran_order': True}}"));
        assert_eq!(with("'>i2'").unwrap(), Header { element: ElementType::I16, big_endian: true, shape: vec![1] });
        assert!(!with("'<f8'").unwrap().big_endian);
        for bad in ["'<f2'", "'<c8'", "'|O'", "'|S3'", "'<<f4'", "[('a', '<f4')]"] {
            let error = with(bad).unwrap_err().to_string();
            assert!(error.contains("are not read: use bool"), "{bad}: {error}");
        }
        assert!(with("'<f4', 'more': True").is_err());
        for (element, ..) in ElementType::CODES {
            assert_eq!(ElementType::from_descr(&element.descr()), Some((element, false)));
        }
    }

    #[test]
    fn fortran_order_is_refused_with_the_way_out() {
        let error = shape("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}").unwrap_err();
        assert!(error.contains("numpy.ascontiguousarray"), "{error}");
    }
}
