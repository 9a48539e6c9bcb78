//! Tensor bundles: `PREFIX.index` says where in `PREFIX.data-00000-of-00001` each tensor is (tensorflow/core/util/tensor_bundle).

use super::crc::{mask, masked};
use super::proto::{BundleEntry, BundleHeader, Dim, TensorShape, VersionDef};
use super::table::{self, Bytes, push_varint};
use super::values;
use crate::error::{Error, Result};
use crate::files::{self, MAX_BYTES};
use prost::Message;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Most files of values; TensorFlow writes one for each device.
const MAX_SHARDS: i32 = 1024;

/// A path with an ending behind whatever it ends in.
pub(crate) fn with_ending(prefix: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(ending);
    PathBuf::from(name)
}

/// The index's file.
pub(crate) fn index_path(prefix: &Path) -> PathBuf {
    with_ending(prefix, ".index")
}

fn shard_path(prefix: &Path, shard: i32, shards: i32) -> PathBuf {
    with_ending(prefix, &format!(".data-{shard:05}-of-{shards:05}"))
}

/// What an index says.
#[derive(Debug)]
pub(crate) struct Index {
    shards: i32,
    entries: BTreeMap<String, BundleEntry>,
}

impl Index {
    /// Reads the index of a prefix.
    pub(crate) fn open(prefix: &Path) -> Result<Index> {
        let path = index_path(prefix);
        Index::parse(&files::read(&path)?).map_err(|message| Error::damaged(&path, message))
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Index, String> {
        let mut pairs = table::read(bytes)?.into_iter();
        let header = pairs.next().filter(|(key, _)| key.is_empty()).map(|(_, value)| value);
        let header = header.ok_or("the index has no header")?;
        let header = BundleHeader::decode(header.as_slice()).map_err(|e| format!("the header of the index: {e}"))?;
        if header.endianness != 0 {
            return Err("it was written on a big-endian machine; load it there and save it anew as .h5".into());
        }
        if !(1..=MAX_SHARDS).contains(&header.num_shards) {
            return Err(format!("expected 1 to {MAX_SHARDS} files of values, the index speaks of {}", header.num_shards));
        }
        if header.version.as_ref().is_some_and(|v| v.min_consumer > 1) {
            return Err("it is of a later version of TensorFlow's checkpoints than is known here".into());
        }
        let mut entries = BTreeMap::new();
        for (key, value) in pairs {
            let key = String::from_utf8(key).map_err(|_| "a name in the index is not UTF-8")?;
            let entry = BundleEntry::decode(value.as_slice()).map_err(|e| format!("\"{key}\" in the index: {e}"))?;
            entries.insert(key, entry);
        }
        Ok(Index { shards: header.num_shards, entries })
    }

    /// Whether there is a tensor of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }
}

/// A checkpoint that is open to read.
#[derive(Debug)]
pub(crate) struct Bundle {
    index: Index,
    shards: Vec<Vec<u8>>,
}

impl Bundle {
    /// Reads index and values of a prefix.
    pub(crate) fn open(prefix: &Path) -> Result<Bundle> {
        let index = Index::open(prefix)?;
        let (mut shards, mut left) = (Vec::new(), MAX_BYTES);
        for shard in 0..index.shards {
            let path = shard_path(prefix, shard, index.shards);
            let bytes = files::read(&path)?;
            left = left.checked_sub(bytes.len() as u64).ok_or_else(|| {
                Error::damaged(&path, format!("all files of values together: at most {MAX_BYTES} bytes are read"))
            })?;
            shards.push(bytes);
        }
        Ok(Bundle { index, shards })
    }

    /// The same from bytes.
    pub(crate) fn from_bytes(index: &[u8], shards: Vec<Vec<u8>>) -> Result<Bundle, String> {
        let index = Index::parse(index)?;
        if index.shards as usize != shards.len() {
            return Err(format!("the index speaks of {} files of values, there are {}", index.shards, shards.len()));
        }
        Ok(Bundle { index, shards })
    }

    /// Whether there is a tensor of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.index.has(name)
    }

    /// Names and types, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, i32)> {
        self.index.entries.iter().map(|(name, entry)| (name.as_str(), entry.dtype))
    }

    /// Axis lengths of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Result<Option<Vec<usize>>, String> {
        let Some(entry) = self.index.entries.get(name) else { return Ok(None) };
        let shape = entry.shape.clone().unwrap_or_default();
        let lengths = shape.dim.iter().map(|dim| usize::try_from(dim.size).ok()).collect::<Option<Vec<usize>>>();
        match lengths.filter(|_| !shape.unknown_rank) {
            Some(lengths) => Ok(Some(lengths)),
            None => Err(format!("\"{name}\": its shape is not known")),
        }
    }

    /// The values of a tensor of floating-point numbers.
    pub(crate) fn floats(&self, name: &str) -> Result<Vec<f32>, String> {
        let (entry, bytes) = self.bytes(name)?;
        values::floats(entry.dtype, bytes).map_err(|message| format!("\"{name}\": {message}"))
    }

    /// A single integer.
    pub(crate) fn integer(&self, name: &str) -> Result<i64, String> {
        let (entry, bytes) = self.bytes(name)?;
        values::integer(entry.dtype, bytes).map_err(|message| format!("\"{name}\": {message}"))
    }

    /// A single string: its length, the checksum of its length, its bytes.
    pub(crate) fn string(&self, name: &str) -> Result<&[u8], String> {
        let entry = self.entry(name)?;
        if entry.dtype != values::STRING || self.shape(name)? != Some(Vec::new()) {
            return Err(format!("\"{name}\": expected a string, got {}", values::name(entry.dtype)));
        }
        let bytes = self.range(name, entry)?;
        let within = |message: String| format!("\"{name}\": {message}");
        let mut rest = Bytes(bytes);
        let len = rest.varint().map_err(within)?;
        let lengths = length_bytes(len);
        let sum = rest.bytes(4).map_err(within)?;
        let string = usize::try_from(len).map_err(|e| e.to_string()).and_then(|len| rest.bytes(len)).map_err(within)?;
        let right = masked(&lengths).to_le_bytes() == sum && mask(string_crc(&lengths, sum, string)) == entry.crc32c;
        if !right || !rest.0.is_empty() {
            return Err(within("its checksum is not right; the file is damaged".into()));
        }
        Ok(string)
    }

    fn entry(&self, name: &str) -> Result<&BundleEntry, String> {
        self.index.entries.get(name).ok_or_else(|| format!("\"{name}\" is not in the checkpoint"))
    }

    /// The bytes of a tensor of numbers, checked.
    fn bytes(&self, name: &str) -> Result<(&BundleEntry, &[u8]), String> {
        let entry = self.entry(name)?;
        let shape = self.shape(name)?.unwrap_or_default();
        let size = values::size(entry.dtype)
            .ok_or_else(|| format!("\"{name}\": values of {} are not read", values::name(entry.dtype)))?;
        let expected = shape.iter().try_fold(size, |n, axis| n.checked_mul(*axis));
        if expected.and_then(|n| i64::try_from(n).ok()) != Some(entry.size) {
            return Err(format!("\"{name}\": shape {shape:?} does not take {} bytes", entry.size));
        }
        let bytes = self.range(name, entry)?;
        if masked(bytes) != entry.crc32c {
            return Err(format!("\"{name}\": its checksum is not right; the file of values is damaged or another's"));
        }
        Ok((entry, bytes))
    }

    fn range(&self, name: &str, entry: &BundleEntry) -> Result<&[u8], String> {
        if !entry.slices.is_empty() {
            return Err(format!("\"{name}\" is a partitioned variable, which is not read; save it whole, without a partitioner"));
        }
        let shard = usize::try_from(entry.shard).ok().and_then(|n| self.shards.get(n));
        let shard = shard.ok_or_else(|| format!("\"{name}\" lies in file of values {}, which is not there", entry.shard))?;
        let start = usize::try_from(entry.offset).ok();
        let end = start.and_then(|start| start.checked_add(usize::try_from(entry.size).ok()?));
        let bytes = start.zip(end).and_then(|(start, end)| shard.get(start..end));
        bytes.ok_or_else(|| {
            let (size, offset, len) = (entry.size, entry.offset, shard.len());
            format!("\"{name}\": {size} bytes at {offset} lie outside the {len} bytes of the file of values")
        })
    }
}

/// A length as its checksum sees it (`WriteStringTensor` in tensor_bundle.cc).
fn length_bytes(len: u64) -> Vec<u8> {
    match u32::try_from(len) {
        Ok(len) => len.to_le_bytes().to_vec(),
        Err(_) => len.to_le_bytes().to_vec(),
    }
}

fn string_crc(lengths: &[u8], sum: &[u8], string: &[u8]) -> u32 {
    [sum, string].iter().fold(crc32c::crc32c(lengths), |crc, bytes| crc32c::crc32c_append(crc, bytes))
}

/// A checkpoint in the making.
#[derive(Default)]
pub(crate) struct Writer {
    data: Vec<u8>,
    entries: BTreeMap<String, Vec<u8>>,
}

impl Writer {
    /// Appends a tensor of f32; its name must be a new one.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<(), String> {
        let start = self.data.len();
        self.data.reserve(values.len() * 4);
        self.data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        self.entry(name, values::FLOAT, shape, start, None)
    }

    /// Appends an integer.
    pub(crate) fn integer(&mut self, name: &str, value: u64) -> Result<(), String> {
        let start = self.data.len();
        let value = i64::try_from(value).map_err(|_| format!("\"{name}\": {value} does not fit into i64"))?;
        self.data.extend_from_slice(&value.to_le_bytes());
        self.entry(name, values::INT64, &[], start, None)
    }

    /// Appends a string.
    pub(crate) fn string(&mut self, name: &str, string: &[u8]) -> Result<(), String> {
        let start = self.data.len();
        push_varint(&mut self.data, string.len() as u64);
        let lengths = length_bytes(string.len() as u64);
        let sum = masked(&lengths).to_le_bytes();
        self.data.extend_from_slice(&sum);
        self.data.extend_from_slice(string);
        self.entry(name, values::STRING, &[], start, Some(mask(string_crc(&lengths, &sum, string))))
    }

    fn entry(&mut self, name: &str, dtype: i32, shape: &[usize], start: usize, crc: Option<u32>) -> Result<(), String> {
        let bytes = self.data.get(start..).unwrap_or_default();
        let dim = shape.iter().map(|axis| Dim { size: *axis as i64 }).collect();
        let entry = BundleEntry {
            dtype,
            shape: Some(TensorShape { dim, unknown_rank: false }),
            shard: 0,
            offset: start as i64,
            size: bytes.len() as i64,
            crc32c: crc.unwrap_or_else(|| masked(bytes)),
            slices: Vec::new(),
        };
        match self.entries.insert(name.to_owned(), entry.encode_to_vec()) {
            _ if name.is_empty() => Err("a variable needs a name".into()),
            None => Ok(()),
            Some(_) => Err(format!("two variables would both be called \"{name}\"")),
        }
    }

    /// The index and the values.
    pub(crate) fn to_bytes(&self) -> (Vec<u8>, &[u8]) {
        let version = Some(VersionDef { producer: 1, min_consumer: 0 });
        let header = BundleHeader { num_shards: 1, endianness: 0, version }.encode_to_vec();
        let entries = self.entries.iter().map(|(name, entry)| (name.as_bytes(), entry.clone()));
        (table::write(std::iter::once((&b""[..], header)).chain(entries)), &self.data)
    }

    /// Writes both files of a prefix: the index last, so that it never speaks of values that are not there.
    pub(crate) fn write(&self, prefix: &Path) -> Result<()> {
        let (index, data) = self.to_bytes();
        crate::atomic_write(shard_path(prefix, 0, 1), data)?;
        crate::atomic_write(index_path(prefix), &index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written() -> Writer {
        let mut writer = Writer::default();
        writer.floats("b/kernel", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        writer.floats("a", &[], &[0.5]).unwrap();
        writer.integer("step", 20_000).unwrap();
        writer.string("graph", &[9; 300]).unwrap();
        writer
    }

    fn read_all(bundle: &Bundle) -> Result<(), String> {
        let names: Vec<(String, i32)> = bundle.names().map(|(name, dtype)| (name.to_string(), dtype)).collect();
        let mut result = Ok(());
        for (name, dtype) in names {
            result = result.and(match dtype {
                values::STRING => bundle.string(&name).map(|_| ()),
                values::INT64 => bundle.integer(&name).map(|_| ()),
                _ => bundle.floats(&name).map(|_| ()),
            });
        }
        result
    }

    #[test]
    fn everything_comes_back() {
        let (index, data) = (written().to_bytes().0, written().data);
        let bundle = Bundle::from_bytes(&index, vec![data]).unwrap();
        assert_eq!(bundle.names().map(|n| n.0).collect::<Vec<_>>(), ["a", "b/kernel", "graph", "step"]);
        assert_eq!(bundle.shape("b/kernel").unwrap(), Some(vec![2, 3]));
        assert_eq!(bundle.floats("b/kernel").unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((bundle.floats("a").unwrap(), bundle.shape("a").unwrap()), (vec![0.5], Some(vec![])));
        assert_eq!(bundle.integer("step").unwrap(), 20_000);
        assert_eq!(bundle.string("graph").unwrap(), [9; 300]);
        assert_eq!(bundle.shape("none").unwrap(), None);
        assert!(bundle.floats("step").unwrap_err().contains("\"step\": expected floating-point numbers, got int64"));
        assert!(written().floats("a", &[1], &[0.0]).unwrap_err().contains("both be called \"a\""));
    }

    #[test]
    fn values_may_lie_in_several_files() {
        let (index, data) = (written().to_bytes().0, written().data);
        let mut pairs = table::read(&index).unwrap();
        let header = BundleHeader { num_shards: 2, endianness: 0, version: None };
        pairs[0].1 = header.encode_to_vec();
        for (_, value) in &mut pairs[1..] {
            let mut entry = BundleEntry::decode(value.as_slice()).unwrap();
            entry.shard = 1;
            *value = entry.encode_to_vec();
        }
        let index = table::write(pairs.iter().map(|(k, v)| (k.as_slice(), v.clone())));
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("m.ckpt");
        std::fs::write(index_path(&prefix), index).unwrap();
        std::fs::write(shard_path(&prefix, 0, 2), b"").unwrap();
        let missing = Bundle::open(&prefix).unwrap_err().to_string();
        assert!(missing.contains("m.ckpt.data-00001-of-00002: cannot read"), "{missing}");
        std::fs::write(shard_path(&prefix, 1, 2), data).unwrap();
        read_all(&Bundle::open(&prefix).unwrap()).unwrap();
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (index, data) = (written().to_bytes().0, written().data);
        for at in 0..data.len() {
            let mut changed = data.clone();
            changed[at] ^= 4;
            read_all(&Bundle::from_bytes(&index, vec![changed]).unwrap()).unwrap_err();
        }
        for cut in 0..index.len() {
            Bundle::from_bytes(&index[..cut], vec![data.clone()]).unwrap_err();
        }
        for cut in 0..data.len() {
            read_all(&Bundle::from_bytes(&index, vec![data[..cut].to_vec()]).unwrap()).unwrap_err();
        }
    }

    proptest! {
        // Behind a checksum that is right again, an entry may claim anything.
        #[test]
        fn any_entry_is_an_error_or_a_tensor(
            dtype in -1i32..25, axes in prop::collection::vec(prop_oneof![0i64..5, any::<i64>()], 0..4), shard in -1i32..3,
            offset in prop_oneof![0i64..40, any::<i64>()], size in prop_oneof![0i64..40, any::<i64>()], shards in -1i32..3
        ) {
            let shape = Some(TensorShape { dim: axes.into_iter().map(|size| Dim { size }).collect(), unknown_rank: false });
            let entry = BundleEntry { dtype, shape, shard, offset, size, crc32c: 0, slices: Vec::new() };
            let header = BundleHeader { num_shards: shards, endianness: 0, version: None };
            let index = table::write([(&b""[..], header.encode_to_vec()), (&b"x"[..], entry.encode_to_vec())]);
            if let Ok(bundle) = Bundle::from_bytes(&index, vec![vec![0; 64]; shards.max(0) as usize]) {
                let _ = (bundle.floats("x"), bundle.integer("x"), bundle.string("x").map(<[u8]>::len));
            }
        }

        #[test]
        fn flipped_indexes_are_errors(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let (mut index, data) = (written().to_bytes().0, written().data);
            let at = at.index(index.len());
            index[at] ^= 1 << bit;
            // The padding of the footer and the handle of the empty metaindex are of no meaning.
            if let Ok(bundle) = Bundle::from_bytes(&index, vec![data]) {
                prop_assert!(at + 48 >= index.len() || read_all(&bundle).is_ok());
            }
        }
    }
}
