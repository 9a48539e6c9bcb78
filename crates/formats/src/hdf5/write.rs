//! Writing HDF5 as Keras lays it out: contiguous little-endian datasets, texts as variable-length attributes.

use hdf5_pure::{AttrValue, FileBuilder, FinishedGroup, GroupBuilder, LibVer};

/// Most bytes of a list in one attribute: Keras' `HDF5_OBJECT_HEADER_LIMIT`; longer lists are split over several.
const LIST_LIMIT: usize = 64_512;
/// Bytes of one entry of a list of variable-length texts: length, address, index.
const ENTRY: usize = 16;

/// A group to be written.
#[derive(Debug, Default)]
pub(crate) struct Group {
    attributes: Vec<(String, AttrValue)>,
    datasets: Vec<(String, Values)>,
    groups: Vec<(String, Group)>,
}

#[derive(Debug)]
enum Values {
    F32 { shape: Vec<u64>, values: Vec<f32> },
    I64(i64),
}

impl Group {
    /// A group with Keras' attribute `name`.
    pub(crate) fn named(name: &str) -> Group {
        let mut group = Group::default();
        group.attributes.push(("name".into(), AttrValue::VarLenString(name.into())));
        group
    }

    /// Adds an attribute: a text.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        // Marked as ASCII, as Keras' are: h5py before release 3 hands others over as text, which Keras 2 of that time does not expect.
        self.attributes.push((key.into(), AttrValue::VarLenAsciiString(text.into())));
    }

    /// Adds an attribute: a list of texts, split into `key0`, `key1`, … where it is too long for one (keras,
    /// `save_attributes_to_hdf5_group`).
    pub(crate) fn texts(&mut self, key: &str, texts: &[String]) {
        if texts.is_empty() {
            // What `attrs[key] = []` makes of it.
            self.attributes.push((key.into(), AttrValue::F64Array(Vec::new())));
            return;
        }
        // Keras counts every text as long as the longest.
        let width = texts.iter().map(String::len).max().unwrap_or(0).max(ENTRY);
        let most = (LIST_LIMIT / width).max(1);
        let list = |part: &[String]| AttrValue::VarLenAsciiStringArray(part.to_vec());
        if texts.len() <= most {
            self.attributes.push((key.into(), list(texts)));
            return;
        }
        for (index, part) in texts.chunks(most).enumerate() {
            self.attributes.push((format!("{key}{index}"), list(part)));
        }
    }

    /// Adds a group and returns it.
    pub(crate) fn add(&mut self, link: &str, group: Group) {
        self.groups.push((link.to_string(), group));
    }

    /// The group at a path such as `a/b`, made where it is not there yet.
    pub(crate) fn at(&mut self, path: &str) -> &mut Group {
        path.split('/').filter(|link| !link.is_empty()).fold(self, |group, link| {
            let index = group.groups.iter().position(|(name, _)| name == link).unwrap_or_else(|| {
                group.add(link, Group::default());
                group.groups.len() - 1
            });
            &mut group.groups[index].1
        })
    }

    /// Adds a dataset at a path such as `conv2d/kernel`.
    pub(crate) fn put_f32(&mut self, path: &str, shape: &[usize], values: &[f32]) {
        let shape = shape.iter().map(|&n| n as u64).collect();
        self.put(path, Values::F32 { shape, values: values.to_vec() });
    }

    /// Adds a dataset at a path: one integer.
    pub(crate) fn put_i64(&mut self, path: &str, value: i64) {
        self.put(path, Values::I64(value));
    }

    fn put(&mut self, path: &str, values: Values) {
        let (folder, link) = path.rsplit_once('/').unwrap_or(("", path));
        self.at(folder).datasets.push((link.to_string(), values));
    }

    /// Adds the next of the datasets `0`, `1`, ….
    pub(crate) fn push_f32(&mut self, shape: &[usize], values: &[f32]) {
        self.put_f32(&self.datasets.len().to_string(), shape, values);
    }

    /// Adds the next of the datasets `0`, `1`, …: one integer.
    pub(crate) fn push_i64(&mut self, value: i64) {
        self.put_i64(&self.datasets.len().to_string(), value);
    }

    fn fill(self, builder: &mut GroupBuilder) {
        for (key, value) in self.attributes {
            builder.set_attr(&key, value);
        }
        for (link, values) in self.datasets {
            let dataset = builder.create_dataset(&link);
            match values {
                Values::F32 { shape, values } => dataset.with_f32_data(&values).with_shape(&shape),
                Values::I64(value) => dataset.with_i64_data(&[value]).with_shape(&[]),
            };
        }
        for (link, group) in self.groups {
            let inner = builder.create_group(&link);
            builder.add_group(finish(group, inner));
        }
    }
}

fn finish(group: Group, mut builder: GroupBuilder) -> FinishedGroup {
    group.fill(&mut builder);
    builder.finish()
}

/// The bytes of a file with this root, which holds groups and attributes alone. The same root gives the same bytes.
pub(crate) fn to_bytes(root: Group) -> Result<Vec<u8>, String> {
    let mut file = FileBuilder::new();
    // Readable by HDF5 1.8 and later.
    file.with_libver_bounds(LibVer::Earliest, LibVer::V18);
    for (key, value) in root.attributes {
        file.set_attr(&key, value);
    }
    for (link, group) in root.groups {
        let builder = file.create_group(&link);
        file.add_group(finish(group, builder));
    }
    file.finish().map_err(|e| format!("the weights cannot be put into HDF5: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdf5::Reader;

    #[test]
    fn long_lists_are_split_and_come_back() {
        let names: Vec<String> = (0..3000).map(|i| format!("layer_{i:05}_{}", "x".repeat(60))).collect();
        let config = "{\"a\": 1}".repeat(20_000);
        let mut root = Group::default();
        root.text("model_config", &config);
        let group = root.at("model_weights");
        group.texts("layer_names", &names);
        group.texts("one", &names[..1]);
        group.texts("none", &[]);
        group.put_f32("a/b/kernel", &[2, 1], &[1.0, 2.0]);
        let reader = Reader::open(to_bytes(root).unwrap()).unwrap();
        assert_eq!(reader.text("", "model_config").unwrap().unwrap(), config);
        assert_eq!(reader.texts("model_weights", "layer_names").unwrap().unwrap(), names);
        assert_eq!(reader.texts("model_weights", "one").unwrap().unwrap(), names[..1]);
        assert_eq!(reader.texts("model_weights", "none").unwrap().unwrap(), Vec::<String>::new());
        assert_eq!(reader.texts("model_weights", "other").unwrap(), None);
        assert_eq!(reader.shape("model_weights/a/b/kernel").unwrap().unwrap(), [2, 1]);
    }

    #[test]
    fn many_texts_that_are_one_take_no_memory() {
        // 4,000 entries of a list, each a length, an address and an index, are made to point at one text of two megabytes.
        let long = "x".repeat(2 << 20);
        let names: Vec<String> = (0..4000).map(|i| format!("{i:04}")).chain([long.clone()]).collect();
        let mut root = Group::default();
        root.at("group").attributes.push(("names".into(), AttrValue::VarLenAsciiStringArray(names.clone())));
        let mut bytes = to_bytes(root).unwrap();
        let reader = Reader::open(bytes.clone()).unwrap();
        assert_eq!(reader.texts("group", "names").unwrap().unwrap().len(), names.len());
        let length = u32::try_from(long.len()).unwrap().to_le_bytes();
        let entries = bytes.windows(ENTRY).enumerate().filter(|(_, entry)| entry[..4] == length && entry[8..12] == [0; 4]);
        let (at, entry) = entries.map(|(at, entry)| (at, entry.to_vec())).next().unwrap();
        for n in 1..=3000 {
            bytes[at - n * ENTRY..][..ENTRY].copy_from_slice(&entry);
        }
        // The header's checksum is made right with the help of the message on it.
        let message = Reader::open(bytes.clone()).unwrap().texts("group", "names").unwrap_err();
        let sums: Vec<[u8; 4]> = message
            .split("0x")
            .skip(1)
            .map(|sum| u32::from_str_radix(&sum[..8.min(sum.find(',').unwrap_or(sum.len()))], 16).unwrap().to_le_bytes())
            .collect();
        let place = bytes.windows(4).position(|part| part == sums[0]).unwrap();
        bytes[place..place + 4].copy_from_slice(&sums[1]);
        let message = Reader::open(bytes).unwrap().texts("group", "names").unwrap_err();
        assert_eq!(message, "/group: attribute names cannot be read");
    }
}
