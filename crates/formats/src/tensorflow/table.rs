//! LevelDB's table, which the index of a checkpoint is (leveldb/doc/table_format.md; tensorflow/core/lib/io/format.cc).
//!
//! Blocks of sorted keys, each behind its checksum; an index block of where they are; a footer of 48 bytes at the end. Keys leave out
//! what they share with the one before.

use super::crc::masked;

const FOOTER: usize = 48;
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
/// Compression byte and checksum behind a block.
const TRAILER: usize = 5;
const PLAIN: u8 = 0;
const SNAPPY: u8 = 1;
/// A block is begun anew above this size, as TensorFlow does.
const BLOCK: usize = 256 << 10;
/// A key in full every so many.
const RESTART: usize = 16;
/// Largest sum of unpacked blocks, and of keys and values, that is read: indexes of networks are a few kilobytes.
const MAX_BYTES: usize = 256 << 20;

/// A key and its value.
type Pair = (Vec<u8>, Vec<u8>);

/// All pairs of a table, in their order.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Pair>, String> {
    let footer = bytes.len().checked_sub(FOOTER).and_then(|at| bytes.get(at..)).ok_or_else(|| {
        let len = bytes.len();
        format!("{len} bytes are no index of a checkpoint, whose footer alone has {FOOTER}")
    })?;
    let (handles, magic) = footer.split_at(FOOTER - 8);
    if magic != MAGIC.to_le_bytes() {
        return Err("no index of a checkpoint: the mark at its end is missing; the file is cut or something else".into());
    }
    let mut left = MAX_BYTES;
    let mut handles = Bytes(handles);
    let _metaindex = handles.handle()?;
    let index = block(bytes, handles.handle()?, &mut left)?;
    let mut pairs = Vec::new();
    for (_, handle) in entries(&index, &mut left)? {
        let block = block(bytes, Bytes(&handle).handle()?, &mut left)?;
        pairs.append(&mut entries(&block, &mut left)?);
    }
    if pairs.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err("the index is damaged: its keys are not in order".into());
    }
    Ok(pairs)
}

/// The content of a block, checked and unpacked.
fn block(bytes: &[u8], (offset, size): (u64, u64), left: &mut usize) -> Result<Vec<u8>, String> {
    let outside = || format!("the index is damaged: a block of {size} bytes at {offset} lies outside its {} bytes", bytes.len());
    let start = usize::try_from(offset).map_err(|_| outside())?;
    let size = usize::try_from(size).map_err(|_| outside())?;
    let end = start.checked_add(size).and_then(|end| end.checked_add(TRAILER)).ok_or_else(outside)?;
    let (block, checksum) = bytes.get(start..end).and_then(|b| b.split_at_checked(size + 1)).ok_or_else(outside)?;
    if masked(block).to_le_bytes() != checksum {
        return Err(format!("the index is damaged: the checksum of its block at {offset} is not right"));
    }
    let (content, kind) = block.split_at_checked(size).ok_or_else(outside)?;
    let content = match kind {
        [PLAIN] => content.to_vec(),
        [SNAPPY] => {
            let len = snap::raw::decompress_len(content).map_err(|e| format!("the index is damaged: Snappy: {e}"))?;
            take(left, len)?;
            return snap::raw::Decoder::new().decompress_vec(content).map_err(|e| format!("the index is damaged: Snappy: {e}"));
        }
        other => return Err(format!("a block of the index is compressed in a way that is not known here (type {other:?})")),
    };
    take(left, content.len())?;
    Ok(content)
}

fn take(left: &mut usize, bytes: usize) -> Result<(), String> {
    *left = left.checked_sub(bytes).ok_or_else(|| format!("the index unpacks to more than {MAX_BYTES} bytes"))?;
    Ok(())
}

/// The pairs of a block.
fn entries(block: &[u8], left: &mut usize) -> Result<Vec<Pair>, String> {
    let damaged = || "the index is damaged: a block ends within an entry".to_string();
    let (rest, count) = block.split_last_chunk::<4>().ok_or_else(damaged)?;
    let restarts = (u32::from_le_bytes(*count) as usize).checked_mul(4).ok_or_else(damaged)?;
    let mut rest = Bytes(rest.len().checked_sub(restarts).and_then(|end| rest.get(..end)).ok_or_else(damaged)?);
    let mut pairs: Vec<Pair> = Vec::new();
    while !rest.0.is_empty() {
        let [shared, own, value] = [rest.size()?, rest.size()?, rest.size()?];
        let before = pairs.last().map_or(&[][..], |(key, _)| key);
        let before = before.get(..shared).ok_or_else(damaged)?;
        // A short entry can repeat a long key: what it unpacks to counts.
        let len = shared.checked_add(own).and_then(|n| n.checked_add(value)).ok_or_else(damaged)?;
        take(left, len.saturating_add(std::mem::size_of::<Pair>()))?;
        let mut key = before.to_vec();
        key.extend_from_slice(rest.bytes(own)?);
        pairs.push((key, rest.bytes(value)?.to_vec()));
    }
    Ok(pairs)
}

/// What is still to be read.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A number in groups of seven bits, the lowest first.
    pub(crate) fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?.iter().fold(0, |_, b| *b);
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number has more than ten bytes".into())
    }

    fn size(&mut self) -> Result<usize, String> {
        self.varint()?.try_into().map_err(|_| "a length is beyond memory".into())
    }

    fn handle(&mut self) -> Result<(u64, u64), String> {
        Ok((self.varint()?, self.varint()?))
    }
}

pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The table of pairs in the order of their keys.
pub(crate) fn write<'a>(pairs: impl IntoIterator<Item = (&'a [u8], Vec<u8>)>) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut index, mut block) = (Block::default(), Block::default());
    for (key, value) in pairs {
        block.push(key, &value);
        if block.bytes.len() >= BLOCK {
            finish(&mut out, &mut block, &mut index);
        }
    }
    if block.count > 0 {
        finish(&mut out, &mut block, &mut index);
    }
    let metaindex = append(&mut out, Block::default());
    let index = append(&mut out, index);
    let mut footer = [metaindex, index].concat();
    footer.resize(FOOTER - 8, 0);
    out.extend_from_slice(&footer);
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out
}

fn finish(out: &mut Vec<u8>, block: &mut Block, index: &mut Block) {
    let block = std::mem::take(block);
    let key = block.last.clone();
    let handle = append(out, block);
    // Each entry of the index is a restart of its own, as LevelDB has it.
    index.restart();
    index.push(&key, &handle);
}

/// Appends a block; returns its handle.
fn append(out: &mut Vec<u8>, block: Block) -> Vec<u8> {
    let start = out.len();
    out.extend_from_slice(&block.bytes);
    let restarts = if block.restarts.is_empty() { vec![0] } else { block.restarts };
    for restart in &restarts {
        out.extend_from_slice(&restart.to_le_bytes());
    }
    out.extend_from_slice(&(restarts.len() as u32).to_le_bytes());
    let mut handle = Vec::new();
    push_varint(&mut handle, start as u64);
    push_varint(&mut handle, (out.len() - start) as u64);
    out.push(PLAIN);
    let checksum = masked(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_le_bytes());
    handle
}

/// A block in the making.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    last: Vec<u8>,
    /// Entries in all, and since the last restart.
    count: usize,
    since: usize,
}

impl Block {
    /// The next key is written in full.
    fn restart(&mut self) {
        self.since = RESTART;
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        let mut shared = self.last.iter().zip(key).take_while(|(a, b)| a == b).count();
        if self.count == 0 || self.since >= RESTART {
            self.restarts.push(self.bytes.len() as u32);
            (shared, self.since) = (0, 0);
        }
        let own = key.get(shared..).unwrap_or_default();
        for number in [shared, own.len(), value.len()] {
            push_varint(&mut self.bytes, number as u64);
        }
        self.bytes.extend_from_slice(own);
        self.bytes.extend_from_slice(value);
        self.last = key.to_vec();
        (self.count, self.since) = (self.count + 1, self.since + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn table(pairs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
        write(pairs.iter().map(|(k, v)| (k.as_slice(), v.clone())))
    }

    #[test]
    fn many_blocks_come_back() {
        let pairs: BTreeMap<_, _> = (0..3000u32).map(|i| (format!("key-{i:06}").into_bytes(), vec![i as u8; 200])).collect();
        let bytes = table(&pairs);
        assert!(bytes.len() > 2 * BLOCK);
        assert_eq!(read(&bytes).unwrap(), pairs.into_iter().collect::<Vec<_>>());
        assert_eq!(read(&table(&BTreeMap::new())).unwrap(), []);
    }

    #[test]
    fn snappy_blocks_are_read() {
        let mut block = Block::default();
        block.push(b"a", &[7; 100]);
        let mut plain = block.bytes.clone();
        plain.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
        let mut out = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
        let mut handle = vec![0];
        push_varint(&mut handle, out.len() as u64);
        out.push(SNAPPY);
        let sum = masked(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        let mut index = Block::default();
        index.push(b"a", &handle);
        let mut footer = [append(&mut out, Block::default()), append(&mut out, index)].concat();
        footer.resize(40, 0);
        out.extend_from_slice(&footer);
        out.extend_from_slice(&MAGIC.to_le_bytes());
        assert_eq!(read(&out).unwrap(), [(b"a".to_vec(), vec![7; 100])]);
    }

    #[test]
    fn a_key_repeated_without_end_is_refused() {
        // 64 KB of key, then entries of five bytes that each repeat it.
        let mut block = Block::default();
        block.push(&[b'a'; 65_536], b"");
        for i in 0..100_000u32 {
            push_varint(&mut block.bytes, 65_536);
            block.bytes.extend_from_slice(&[1, 0, (i % 250) as u8]);
        }
        block.last = vec![b'b'];
        let mut out = Vec::new();
        let mut index = Block::default();
        finish(&mut out, &mut block, &mut index);
        let mut footer = [append(&mut out, Block::default()), append(&mut out, index)].concat();
        footer.resize(40, 0);
        out.extend_from_slice(&footer);
        out.extend_from_slice(&MAGIC.to_le_bytes());
        assert!(read(&out).unwrap_err().contains("more than"));
    }

    proptest! {
        #[test]
        fn pairs_come_back(pairs in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 0..12), prop::collection::vec(any::<u8>(), 0..40), 0..60)) {
            prop_assert_eq!(read(&table(&pairs)).unwrap(), pairs.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_an_error_or_a_table(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = bytes;
            let _ = read(&bytes);
            bytes.extend_from_slice(&MAGIC.to_le_bytes());
            let _ = read(&bytes);
        }

        // Without its checksum a block is read as far as it goes.
        #[test]
        fn any_block_is_an_error_or_pairs(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = entries(&bytes, &mut { MAX_BYTES });
        }
    }
}
