//! The header of a safetensors file: names, types, shapes and places of its tensors, and free text.
//!
//! u64 length of the header, the header as JSON, then the tensors' bytes one after the other, little-endian, without gaps
//! (github.com/huggingface/safetensors, README "Format").

use crate::files::check_json;
use crate::numbers::{Element, Encoding};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::ops::Range;

/// Longest header that the format allows.
const MAX_HEADER: usize = 100_000_000;
/// Key of the free text.
const METADATA: &str = "__metadata__";
/// Bytes that one element takes, for every type of the format; 0 for those that are smaller than a byte.
const TYPES: [(&str, usize); 16] = [
    ("F32", 4),
    ("F16", 2),
    ("BF16", 2),
    ("F64", 8),
    ("BOOL", 1),
    ("U8", 1),
    ("I8", 1),
    ("F8_E4M3", 1),
    ("F8_E5M2", 1),
    ("F8_E8M0", 1),
    ("I16", 2),
    ("U16", 2),
    ("I32", 4),
    ("U32", 4),
    ("I64", 8),
    ("U64", 8),
];

/// One tensor of a file.
#[derive(Debug)]
pub(super) struct Tensor {
    /// The type's name in the file.
    pub(super) dtype: String,
    /// Axis lengths.
    pub(super) shape: Vec<usize>,
    /// Its bytes in the file.
    pub(super) bytes: Range<usize>,
}

impl Tensor {
    /// How its numbers are read; `None` for integers and the small floats.
    pub(super) fn float(&self) -> Option<Encoding> {
        Some(Encoding::little(match self.dtype.as_str() {
            "F16" => Element::F16,
            "BF16" => Element::BF16,
            "F32" => Element::F32,
            "F64" => Element::F64,
            _ => return None,
        }))
    }
}

/// What a file says about itself.
#[derive(Debug)]
pub(super) struct Header {
    /// The tensors by name.
    pub(super) tensors: HashMap<String, Tensor>,
    /// Free text, in the order of the file.
    pub(super) metadata: Vec<(String, String)>,
}

impl Header {
    /// Reads the header of a whole file; every tensor lies within the file, where the one before it ends.
    pub(super) fn parse(file: &[u8]) -> Result<Header, String> {
        let (length, rest) = file.split_first_chunk::<8>().ok_or("shorter than the 8 bytes of a header's length")?;
        let length = u64::from_le_bytes(*length);
        let header = usize::try_from(length).ok().filter(|n| *n <= MAX_HEADER).and_then(|n| rest.get(..n));
        let header =
            header.ok_or_else(|| format!("a header of {length} bytes does not fit into the file: damaged or cut short"))?;
        check_json("the header", header.len())?;
        let header: Map<String, Value> =
            serde_json::from_slice(header).map_err(|e| format!("the header is not JSON with one entry a tensor: {e}"))?;
        let start = 8 + length as usize;
        let mut metadata = Vec::new();
        let mut tensors = HashMap::with_capacity(header.len());
        for (name, entry) in &header {
            if name == METADATA {
                let texts = entry.as_object().ok_or("__metadata__: expected texts by name")?;
                for (key, text) in texts {
                    let text = text.as_str().ok_or_else(|| format!("__metadata__: \"{key}\" is not a text"))?;
                    metadata.push((key.clone(), text.to_string()));
                }
            } else {
                tensors.insert(name.clone(), tensor(entry, start).map_err(|m| format!("tensor \"{name}\": {m}"))?);
            }
        }
        let mut places: Vec<(&Range<usize>, &String)> = tensors.iter().map(|(name, tensor)| (&tensor.bytes, name)).collect();
        places.sort_by_key(|(bytes, _)| (bytes.start, bytes.end));
        let mut end = start;
        for (bytes, name) in places {
            if bytes.start != end {
                return Err(format!("tensor \"{name}\" begins at byte {}, expected {end}", bytes.start));
            }
            end = bytes.end;
        }
        if end != file.len() {
            return Err(format!("the tensors end at byte {end}, the file at {}: damaged or cut short", file.len()));
        }
        Ok(Header { tensors, metadata })
    }
}

fn tensor(entry: &Value, start: usize) -> Result<Tensor, String> {
    let dtype = entry.get("dtype").and_then(Value::as_str).ok_or("no dtype")?;
    let numbers = |key: &str| -> Option<Vec<usize>> {
        entry.get(key)?.as_array()?.iter().map(|n| usize::try_from(n.as_u64()?).ok()).collect()
    };
    let shape = numbers("shape").ok_or("shape: expected a list of axis lengths")?;
    let offsets = numbers("data_offsets").filter(|o| o.len() == 2).ok_or("data_offsets: expected [begin, end]")?;
    let place = offsets.iter().map(|o| o.checked_add(start)).collect::<Option<Vec<usize>>>();
    let bytes = match place.as_deref() {
        Some(&[begin, end]) if begin <= end => begin..end,
        _ => return Err(format!("data_offsets: expected [begin, end], got {offsets:?}")),
    };
    if let Some((_, size)) = TYPES.iter().find(|(name, _)| *name == dtype) {
        let expected = shape.iter().try_fold(*size, |product, n| product.checked_mul(*n));
        if expected != Some(bytes.len()) {
            return Err(format!("{} bytes do not hold {dtype} of shape {shape:?}", bytes.len()));
        }
    }
    Ok(Tensor { dtype: dtype.to_string(), shape, bytes })
}

/// A file of f32 tensors, in the order given.
pub(super) fn write(metadata: &[(String, String)], tensors: &[(String, &[usize], &[f32])]) -> Result<Vec<u8>, String> {
    let mut header = Map::new();
    let texts: Map<String, Value> = metadata.iter().map(|(key, text)| (key.clone(), json!(text))).collect();
    header.insert(METADATA.into(), Value::Object(texts));
    let mut end = 0;
    for (name, shape, values) in tensors {
        let begin = end;
        end += 4 * values.len();
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, end] });
        if name == METADATA || header.insert(name.clone(), entry).is_some() {
            return Err(format!("two weights would be named \"{name}\"; rename a layer"));
        }
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // Readers map the file into memory: numbers lie on multiples of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    if header.len() > MAX_HEADER {
        return Err(format!("a header of {} bytes; the format allows {MAX_HEADER}", header.len()));
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for (_, _, values) in tensors {
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    Ok(bytes)
}
