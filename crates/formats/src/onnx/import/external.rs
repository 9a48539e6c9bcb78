//! Weights in a file beside the ONNX file (`TensorProto.external_data`), as PyTorch writes them.

use crate::files::{MAX_BYTES, check_room};
use crate::onnx::proto::Tensor;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

/// The bytes of a tensor. Only a plain name in the same folder, or one below it, is followed.
pub(super) fn read(tensor: &Tensor, folder: Option<&Path>) -> Result<Vec<u8>, String> {
    let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
    let number =
        |key: &str| entry(key).map(|text| text.parse::<u64>().map_err(|_| format!("external {key} \"{text}\""))).transpose();
    let location = entry("location").ok_or("its data lies in another file, which is not named")?;
    let folder = folder.ok_or_else(|| format!("its data lies in the file \"{location}\", which is not at hand"))?;
    let path = Path::new(location);
    if location.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("its data lies in \"{location}\", outside the model's folder; such files are not followed"));
    }
    let failed = |error: std::io::Error| format!("its data lies in the file \"{location}\" beside the model: {error}");
    let mut file = maobi_guard::open_file(&folder.join(path)).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let offset = number("offset")?.unwrap_or(0);
    let length = number("length")?.unwrap_or(total.saturating_sub(offset));
    if offset.checked_add(length).is_none_or(|end| end > total) || length > MAX_BYTES {
        return Err(format!("its data, bytes {offset} + {length}, does not lie within \"{location}\" ({total} bytes)"));
    }
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    check_room("it", length)?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
