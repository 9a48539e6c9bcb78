//! Writing HDF5 as Keras lays it out: contiguous little-endian datasets, names as variable-length UTF-8 attributes.

use hdf5_pure::{AttrValue, FileBuilder, FinishedGroup, GroupBuilder, LibVer};

/// A group to be written.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The attribute `name`.
    name: Option<String>,
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
        Group { name: Some(name.to_string()), ..Group::default() }
    }

    /// Adds a group and returns it.
    pub(crate) fn add(&mut self, link: &str, group: Group) {
        self.groups.push((link.to_string(), group));
    }

    /// Adds the next of the datasets `0`, `1`, ….
    pub(crate) fn push_f32(&mut self, shape: &[usize], values: &[f32]) {
        let shape = shape.iter().map(|&n| n as u64).collect();
        self.push(Values::F32 { shape, values: values.to_vec() });
    }

    /// Adds the next of the datasets `0`, `1`, …: one integer.
    pub(crate) fn push_i64(&mut self, value: i64) {
        self.push(Values::I64(value));
    }

    fn push(&mut self, values: Values) {
        self.datasets.push((self.datasets.len().to_string(), values));
    }

    fn fill(self, builder: &mut GroupBuilder) {
        if let Some(name) = self.name {
            builder.set_attr("name", AttrValue::VarLenString(name));
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

/// The bytes of a file whose root holds `groups`. The same groups give the same bytes.
pub(crate) fn to_bytes(groups: Vec<(String, Group)>) -> Result<Vec<u8>, String> {
    let mut file = FileBuilder::new();
    // Readable by HDF5 1.8 and later.
    file.with_libver_bounds(LibVer::Earliest, LibVer::V18);
    for (link, group) in groups {
        let builder = file.create_group(&link);
        file.add_group(finish(group, builder));
    }
    file.finish().map_err(|e| format!("the weights cannot be put into HDF5: {e}"))
}
