//! Forms with files, `multipart/form-data` as in RFC 7578, of a body that is in memory already.

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: String,
    /// The name of its file, if it is one.
    pub file: Option<String>,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Most fields of a form.
const MAX_FIELDS: usize = 32;
/// Most bytes of the head of a field.
const MAX_HEAD: usize = 8192;

/// The boundary that a `Content-Type` names, or `None`.
pub fn boundary(content_type: &str) -> Option<&str> {
    let parameter = content_type.split(';').skip(1).map(str::trim).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("boundary").then_some(value.trim())
    })?;
    let plain = parameter.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')).unwrap_or(parameter);
    (1..=70).contains(&plain.len()).then_some(plain)
}

/// The fields of a form.
///
/// # Errors
/// What is wrong with it, in words.
pub fn fields<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Field<'a>>, String> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    // The first delimiter has no line before it where nothing precedes it.
    let first = &delimiter[2..];
    let mut rest = match body.starts_with(first) {
        true => &body[first.len()..],
        false => after(body, &delimiter).ok_or("the form does not begin with its boundary")?.1,
    };
    let mut fields = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        if fields.len() == MAX_FIELDS {
            return Err(format!("the form has more than {MAX_FIELDS} fields"));
        }
        // Spaces may follow a delimiter.
        let line = after(rest, b"\r\n").filter(|(spaces, _)| spaces.iter().all(|byte| matches!(byte, b' ' | b'\t')));
        let (_, part) = line.ok_or("a boundary of the form does not end its line")?;
        let (head, content) = match part.starts_with(b"\r\n") {
            true => (&[][..], &part[2..]),
            false => after(part, b"\r\n\r\n").ok_or("the head of a field does not end")?,
        };
        if head.len() > MAX_HEAD {
            return Err(format!("the head of a field has more than {MAX_HEAD} bytes"));
        }
        let (bytes, next) = after(content, &delimiter).ok_or("the form breaks off: its last boundary is missing")?;
        let (name, file) = disposition(head).ok_or("a field of the form has no Content-Disposition with a name")?;
        fields.push(Field { name, file, bytes });
        rest = next;
    }
}

/// What stands before and behind the first `needle`.
fn after<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let first = *needle.first()?;
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == first)?;
        let (before, rest) = bytes.split_at(at);
        if let Some(behind) = rest.strip_prefix(needle) {
            return Some((before, behind));
        }
        at += 1;
    }
}

/// Names of a field and of its file.
fn disposition(head: &[u8]) -> Option<(String, Option<String>)> {
    let head = String::from_utf8_lossy(head);
    let line = head.split("\r\n").find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case("content-disposition").then(|| value.trim().to_owned())
    })?;
    line.to_ascii_lowercase().starts_with("form-data").then_some(())?;
    Some((parameter(&line, "name")?, parameter(&line, "filename")))
}

/// A parameter of a header: `; name="a \"b\""`.
fn parameter(line: &str, wanted: &str) -> Option<String> {
    let mut rest = line.split_once(';')?.1;
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let (value, next) = match behind.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                (behind[..end].trim().to_owned(), &behind[end..])
            }
        };
        if key.trim().trim_start_matches(';').trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORM: &[u8] = b"--B\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png\r\n\r\n\r\n--A\r\n\r\n--B\r\ncontent-disposition: form-data; name=layout\r\n\r\nline\r\n--B--\r\n";

    #[test]
    fn fields_and_files() {
        let fields = fields(FORM, "B").unwrap();
        let image = Field { name: "image".into(), file: Some("a \"b\".png".into()), bytes: b"\r\n--A\r\n" };
        assert_eq!(fields, [image, Field { name: "layout".into(), file: None, bytes: b"line" }]);
        assert_eq!(boundary("multipart/form-data; charset=utf-8; Boundary=\"a b\""), Some("a b"));
        assert_eq!((boundary("multipart/form-data"), boundary("multipart/form-data; boundary=")), (None, None));
    }

    #[test]
    fn what_is_no_form_is_said() {
        let error = |body: &[u8]| fields(body, "B").unwrap_err();
        assert_eq!(error(b""), "the form does not begin with its boundary");
        assert!(error(b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx").contains("breaks off"));
        assert!(error(b"--B\r\nX: y\r\n\r\nx\r\n--B--").contains("no Content-Disposition"));
        assert!(error(b"--Bx\r\n").contains("does not end its line"));
        assert_eq!(fields(b"--B--\r\n", "B"), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(cut in 0..FORM.len(), byte: u8, bytes: Vec<u8>) {
            let mut form = FORM.to_vec();
            form[cut] = byte;
            for body in [&form[..], &FORM[..cut], &bytes[..], &[b"--B", &bytes[..]].concat()] {
                let _ = fields(body, "B");
            }
        }
    }
}
