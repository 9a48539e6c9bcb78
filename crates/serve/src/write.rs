//! Numbers as JSON text.

/// Appends `values` as lists of lists of this shape; one number where it is empty.
pub fn nested(text: &mut Vec<u8>, shape: &[usize], values: &[f32]) {
    let Some((&length, inner)) = shape.split_first() else {
        return number(text, values.first().copied().unwrap_or_default());
    };
    let size: usize = inner.iter().product();
    text.push(b'[');
    for index in 0..length {
        if index > 0 {
            text.push(b',');
        }
        nested(text, inner, values.get(index * size..(index + 1) * size).unwrap_or_default());
    }
    text.push(b']');
}

/// Appends a number, in as few digits as give it back. It has to be finite.
pub fn number(text: &mut Vec<u8>, value: f32) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(text, &value);
}

/// Appends a string in quotes.
pub fn string(text: &mut Vec<u8>, value: &str) {
    let _ = serde_json::to_writer(text, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_their_shape() {
        let text = |shape: &[usize], values: &[f32]| {
            let mut text = Vec::new();
            nested(&mut text, shape, values);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(text(&[2, 2], &[1.0, 0.1, -3.0e-9, 4.5]), "[[1.0,0.1],[-3e-9,4.5]]");
        assert_eq!((text(&[], &[2.5]).as_str(), text(&[0], &[]).as_str()), ("2.5", "[]"));
    }
}
