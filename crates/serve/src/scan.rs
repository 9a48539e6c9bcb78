//! JSON read from front to back: numbers of nested lists go straight into a buffer of f32, without a tree in between.
//!
//! Whatever is no number is read by serde_json. Errors are sentences that say where.

use serde::de::{DeserializeOwned, IgnoredAny};

/// Powers of ten that an f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
];
/// As many digits always fit the 53 bits of an f64's significand.
const EXACT_DIGITS: usize = 15;

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// At a place that [`Scan::place_of_next`] gave.
    pub fn starting(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next value begins.
    pub fn place_of_next(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The next byte that is no space; `None` at the end.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Nothing but spaces may follow.
    ///
    /// # Errors
    /// When something does.
    pub fn end(&mut self) -> Result<(), String> {
        if self.peek().is_some() { Err(self.wrong("the end")) } else { Ok(()) }
    }

    /// Reads an object; `member` is called behind each key and reads its value.
    ///
    /// # Errors
    /// When it is none, and those of `member`.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<(), String>) -> Result<(), String> {
        self.expect(b'{', "an object")?;
        if self.next_is(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in quotes"));
            }
            let key: String = self.value()?;
            self.expect(b':', "a colon")?;
            member(self, &key)?;
            if self.next_is(b'}') {
                return Ok(());
            }
            self.expect(b',', "a comma or }")?;
        }
    }

    /// Reads a list; `element` is called with the number of each. Their count.
    ///
    /// # Errors
    /// When it is none, and those of `element`.
    pub fn list(&mut self, mut element: impl FnMut(&mut Self, usize) -> Result<(), String>) -> Result<usize, String> {
        self.expect(b'[', "a list")?;
        if self.next_is(b']') {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            element(self, count)?;
            count += 1;
            if self.next_is(b']') {
                return Ok(count);
            }
            self.expect(b',', "a comma or ]")?;
        }
    }

    /// Reads any value.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn value<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) if error.is_data() => Err(format!("{} at offset: {}", plain(&error), self.at)),
            Some(Err(error)) => Err(format!("JSON Parse error: {} at offset: {}", plain(&error), self.at)),
            None => Err(self.wrong("a value")),
        }
    }

    /// Goes past any value.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn skip(&mut self) -> Result<(), String> {
        self.value::<IgnoredAny>().map(drop)
    }

    /// Appends the numbers of a list of lists of exactly this shape; a number where it is empty.
    ///
    /// # Errors
    /// Which list has another length, or what is no number; `out` then holds what came before.
    pub fn nested(
        &mut self,
        shape: &[usize],
        out: &mut Vec<f32>,
        number: impl Fn(&mut Self) -> Result<f32, String> + Copy,
    ) -> Result<(), String> {
        self.level(shape, 0, out, number)
    }

    fn level(
        &mut self,
        shape: &[usize],
        level: usize,
        out: &mut Vec<f32>,
        number: impl Fn(&mut Self) -> Result<f32, String> + Copy,
    ) -> Result<(), String> {
        let Some(&length) = shape.get(level) else {
            if self.peek() == Some(b'[') {
                return Err(format!("Encountered list at unexpected level: {level} expected < {level}{}", self.place()));
            }
            out.push(number(self)?);
            return Ok(());
        };
        if self.peek() != Some(b'[') {
            let rank = shape.len();
            return Err(match self.peek() {
                Some(b'-' | b'0'..=b'9') => {
                    format!(
                        "JSON Value found at incorrect level: {} in the JSON DOM. Expected at level: {rank}{}",
                        level + 1,
                        self.place()
                    )
                }
                _ => self.wrong("a list"),
            });
        }
        let uneven =
            |count: String| format!("Encountered list at unexpected size: {count} at level: {level} expected size: {length}");
        let count = self.list(|scan, index| {
            if index == length {
                return Err(uneven(format!("more than {length}")) + &scan.place());
            }
            scan.level(shape, level + 1, out, number)
        })?;
        if count == length { Ok(()) } else { Err(uneven(count.to_string()) + &self.place()) }
    }

    /// Reads a number as f32, rounded to the nearest.
    ///
    /// # Errors
    /// When it is none, or too large.
    pub fn float(&mut self) -> Result<f32, String> {
        self.peek();
        let (start, bytes) = (self.at, self.bytes);
        let negative = bytes.get(start) == Some(&b'-');
        let first = start + usize::from(negative);
        let (whole, mantissa) = digits(bytes, first, 0);
        let mut end = first + whole;
        if whole == 0 || (whole > 1 && bytes.get(first) == Some(&b'0')) {
            return Err(self.wrong("a number"));
        }
        let (mut fraction, mut mantissa) = (0, mantissa);
        if bytes.get(end) == Some(&b'.') {
            (fraction, mantissa) = digits(bytes, end + 1, mantissa);
            end += 1 + fraction;
            if fraction == 0 {
                return Err(self.wrong("a number"));
            }
        }
        let simple = end;
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            end += 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let (exponent, _) = digits(bytes, end, 0);
            if exponent == 0 {
                return Err(self.wrong("a number"));
            }
            end += exponent;
        }
        let value = match POWERS.get(fraction) {
            // Both exact, so that the quotient is rounded once; and once more to f32, as TensorFlow does.
            Some(power) if simple == end && whole + fraction <= EXACT_DIGITS => {
                let value = (mantissa as f64 / power) as f32;
                if negative { -value } else { value }
            }
            _ => {
                let text = bytes.get(start..end).and_then(|text| str::from_utf8(text).ok());
                text.and_then(|text| text.parse().ok()).ok_or_else(|| self.wrong("a number"))?
            }
        };
        if !value.is_finite() {
            return Err(format!("Cannot convert JSON value to float without loss of precision: it is too large{}", self.place()));
        }
        self.at = end;
        Ok(value)
    }

    /// Reads a whole number that f32 holds exactly, from `least` to `most`.
    ///
    /// # Errors
    /// When it is none, or not between them.
    pub fn whole(&mut self, least: i64, most: i64) -> Result<f32, String> {
        self.peek();
        let (start, bytes) = (self.at, self.bytes);
        let negative = bytes.get(start) == Some(&b'-');
        let first = start + usize::from(negative);
        let (count, magnitude) = digits(bytes, first, 0);
        let (leading, next) = (bytes.get(first), bytes.get(first + count));
        let value = match (count, leading, next) {
            // Whatever is no plain number of so few digits, serde_json takes or refuses.
            (0 | 19.., ..) | (2.., Some(b'0'), _) | (.., Some(b'.' | b'e' | b'E')) => {
                self.value().map_err(|_| format!("expected a whole number at offset: {start}"))?
            }
            _ => {
                self.at = first + count;
                if negative { -(magnitude as i64) } else { magnitude as i64 }
            }
        };
        exact(value, least, most).map_err(|e| format!("{e} at offset: {start}"))
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), String> {
        if self.next_is(byte) { Ok(()) } else { Err(self.wrong(what)) }
    }

    /// Goes past `byte` if it is next.
    fn next_is(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn place(&self) -> String {
        format!(" at offset: {}", self.at)
    }

    /// That something else was expected here.
    pub fn wrong(&mut self, expected: &str) -> String {
        let found = match self.peek() {
            None => "the end of the text".to_owned(),
            Some(b'N' | b'I') => "a value that JSON does not know, such as NaN or Infinity".to_owned(),
            Some(b'"') => "a string".to_owned(),
            Some(byte) if byte.is_ascii_graphic() => format!("'{}'", char::from(byte)),
            Some(byte) => format!("byte {byte}"),
        };
        format!("JSON Parse error: expected {expected}, got {found}{}", self.place())
    }
}

/// How a number is read: [`Scan::float`] or by [`Scan::whole`].
pub type Number = fn(&mut Scan<'_>) -> Result<f32, String>;

/// Number and value of the digits from `at` on, behind those of `mantissa`; wraps where there are too many.
fn digits(bytes: &[u8], at: usize, mut mantissa: u64) -> (usize, u64) {
    let mut count = 0;
    for &byte in bytes.get(at..).unwrap_or_default() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (count, mantissa)
}

/// A whole number as f32, if it is between `least` and `most` and f32 holds it exactly.
///
/// # Errors
/// When it is not.
pub fn exact(value: i64, least: i64, most: i64) -> Result<f32, String> {
    if !(least..=most).contains(&value) {
        return Err(format!("expected a whole number from {least} to {most}, got {value}"));
    }
    let float = value as f32;
    if float as i128 == i128::from(value) {
        Ok(float)
    } else {
        Err(format!("{value} cannot be converted to FP32, the type of the model's inputs, without loss of precision"))
    }
}

/// serde_json's message without its own place, which counts from where reading began.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float(text: &str) -> Result<f32, String> {
        let mut scan = Scan::new(text.as_bytes());
        let value = scan.float()?;
        scan.end().map(|()| value)
    }

    #[test]
    fn numbers_are_those_of_json() {
        for (text, value) in [
            ("0", 0.0),
            ("-0.5", -0.5),
            ("12.25e1", 122.5),
            (" 1E-2 ", 0.01),
            ("0.12156862765550613", 0.121_568_63),
            ("3.4e38", 3.4e38),
        ] {
            assert_eq!(float(text), Ok(value), "{text}");
        }
        for text in [
            "",
            "-",
            "01",
            "+1",
            ".5",
            "1.",
            "1e",
            "1e+",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e39",
            "-1e999",
            "1 2",
            "null",
            "\"1\"",
        ] {
            assert!(float(text).is_err(), "{text}");
        }
        assert_eq!(
            float("NaN").unwrap_err(),
            "JSON Parse error: expected a number, got a value that JSON does not know, such as NaN or Infinity at offset: 0"
        );
    }

    #[test]
    fn lists_have_the_shape_that_is_asked_for() {
        let read = |text: &str| {
            let mut out = Vec::new();
            Scan::new(text.as_bytes()).nested(&[2, 2], &mut out, Scan::float).map(|()| out)
        };
        assert_eq!(read("[[1, 2],[3,4 ] ]"), Ok(vec![1.0, 2.0, 3.0, 4.0]));
        let error = |text: &str| read(text).unwrap_err();
        assert!(error("[[1,2]]").starts_with("Encountered list at unexpected size: 1 at level: 0 expected size: 2"));
        assert!(
            error("[[1,2,3],[4,5]]").starts_with("Encountered list at unexpected size: more than 2 at level: 1 expected size: 2")
        );
        assert!(error("[1,2]").starts_with("JSON Value found at incorrect level: 2"));
        assert!(error("[[[1],2],[3,4]]").starts_with("Encountered list at unexpected level: 2"));
        assert!(error("[[1,2],[3,4}").contains("expected a comma or ], got '}' at offset: 11"));
    }

    #[test]
    fn whole_numbers_are_exact_or_refused() {
        let whole = |text: &str| Scan::new(text.as_bytes()).whole(-(1 << 40), 1 << 40);
        assert_eq!((whole("7"), whole("-16777216")), (Ok(7.0), Ok(-16_777_216.0)));
        assert!(whole("16777217").unwrap_err().contains("without loss of precision"));
        assert!(whole("1.5").is_err() && whole("99999999999999").is_err() && whole("true").is_err());
        assert!(exact(i64::MAX, i64::MIN, i64::MAX).is_err());
        let wide = |text: &str| Scan::new(text.as_bytes()).whole(i64::MIN, i64::MAX);
        assert_eq!((wide("4611686018427387904"), wide(" -0")), (Ok(4_611_686_018_427_387_904.0), Ok(-0.0)));
        for text in ["", "-", "007", "1e2", "9223372036854775808", "\"1\""] {
            assert_eq!(wide(text).unwrap_err(), "expected a whole number at offset: 0", "{text}");
        }
        assert_eq!(Scan::new(b"  300").whole(0, 255).unwrap_err(), "expected a whole number from 0 to 255, got 300 at offset: 2");
    }

    proptest! {
        #[test]
        fn floats_come_back(bits: u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(float(&serde_json::to_string(&value).unwrap()), Ok(value));
            // As Python writes it: the f64's digits.
            prop_assert_eq!(float(&serde_json::to_string(&f64::from(value)).unwrap()), Ok(value));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "[\\[\\]{},:\"0-9eE. +-]{0,40}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let mut scan = Scan::new(bytes);
                let known: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
                if let Ok(value) = scan.float().and_then(|value| scan.end().map(|()| value)) {
                    prop_assert_eq!(known.unwrap().as_f64().map(|v| v as f32), Some(value));
                }
                let _ = Scan::new(bytes).nested(&[2, 3], &mut Vec::new(), Scan::float);
                let _ = Scan::new(bytes).object(|scan, _| scan.skip());
            }
        }
    }
}
