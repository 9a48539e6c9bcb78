//! Readers that are private, for the fuzz targets in `crates/fuzz`. Not part of the API.

use crate::multipart;
use crate::scan::Scan;

/// Reads `bytes` as a number, a whole number and a list of lists; each must be what the standard library or serde_json reads.
///
/// # Panics
/// When they differ.
pub fn numbers(bytes: &[u8]) {
    let mut scan = Scan::new(bytes);
    let start = scan.place_of_next();
    if let Ok(value) = scan.float() {
        let text = text(bytes, start, &mut scan);
        // Rounded once, or first to f64, as TensorFlow does.
        let known = [text.parse::<f32>().map(f32::to_bits), text.parse::<f64>().map(|value| (value as f32).to_bits())];
        assert!(known.contains(&Ok(value.to_bits())), "{text}: {value}");
    }
    let mut scan = Scan::new(bytes);
    if let Ok(value) = scan.whole(i64::MIN, i64::MAX) {
        let text = text(bytes, start, &mut scan);
        assert_eq!(text.parse::<i64>().map(|known| known as f32), Ok(value), "{text}");
    }
    let (mut scan, mut values) = (Scan::new(bytes), Vec::new());
    if scan.nested(&[2, 2], &mut values, Scan::float).and_then(|()| scan.end()).is_ok() {
        let known: [[f64; 2]; 2] = serde_json::from_slice(bytes).expect("the scanner takes only JSON");
        for (value, known) in values.iter().zip(known.as_flattened()) {
            // Two roundings instead of one differ by one step at most.
            assert!(value.to_bits().abs_diff((*known as f32).to_bits()) <= 1, "{value} {known}");
        }
    }
}

/// What `scan` has read since `start`.
fn text<'a>(bytes: &'a [u8], start: usize, scan: &mut Scan<'_>) -> &'a str {
    let read = &bytes[start..scan.place_of_next()];
    str::from_utf8(read).expect("numbers are ASCII").trim_ascii_end()
}

/// Reads a request of the Open Inference Protocol of which `json` bytes are text.
///
/// # Panics
/// When a tensor does not have as many values as its shape says, or one of them is not finite.
pub fn v2_request(body: &[u8], json: Option<usize>) {
    for (shape, values) in crate::v2::tensors(body, json) {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        assert!(values.iter().all(|value| value.is_finite()));
    }
}

/// Reads a form by the boundary of `content_type`, and by a boundary `B`.
///
/// # Panics
/// When a field is not part of the body.
pub fn multipart(content_type: &str, body: &[u8]) {
    for boundary in multipart::boundary(content_type).into_iter().chain(["B"]) {
        for field in multipart::fields(body, boundary).unwrap_or_default() {
            assert!(body.as_ptr_range().contains(&field.bytes.as_ptr()) || field.bytes.is_empty());
        }
    }
}
