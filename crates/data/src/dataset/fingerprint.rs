//! Whether data is still the same: a number for pixels, labels and classes.

use super::{Dataset, Rows};
use twox_hash::XxHash3_128;

/// A hash (XXH3, 128 bits, in hexadecimal) of what training sees of these data sets: size, pixels, labels and names of classes, in
/// order. It finds accidental changes; it does not protect against data made to have the same hash.
pub fn fingerprint<'a>(sets: impl IntoIterator<Item = &'a Dataset>) -> String {
    let mut hash = XxHash3_128::new();
    for set in sets {
        let [height, width, channels] = set.shape;
        for size in [set.len(), height, width, channels, set.classes()] {
            hash.write(&(size as u64).to_le_bytes());
        }
        for name in set.class_names() {
            hash.write(&(name.len() as u64).to_le_bytes());
            hash.write(name.as_bytes());
        }
        match &set.rows {
            Rows::Range { .. } => hash.write(set.contiguous_pixels().unwrap_or_default()),
            Rows::Picked(_) => (0..set.len()).for_each(|index| hash.write(set.image(index))),
        }
        let labels: Vec<u8> = set.labels().flat_map(u32::to_le_bytes).collect();
        hash.write(&labels);
    }
    format!("{:032x}", hash.finish_128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pixels: [u8; 4], labels: [u32; 2], classes: [&str; 2]) -> Dataset {
        Dataset::new("x", pixels.to_vec(), labels.to_vec(), [2, 1, 1], classes.map(String::from).to_vec()).unwrap()
    }

    #[test]
    fn every_change_is_seen() {
        let same = set([1, 2, 3, 4], [0, 1], ["a", "b"]);
        let first = fingerprint([&same]);
        assert_eq!((first.len(), &first), (32, &fingerprint([&same.clone().with_name("y")])));
        let others = [
            set([1, 2, 3, 5], [0, 1], ["a", "b"]),
            set([3, 4, 1, 2], [0, 1], ["a", "b"]),
            set([1, 2, 3, 4], [1, 1], ["a", "b"]),
            set([1, 2, 3, 4], [0, 1], ["a", "c"]),
            same.take(1),
            same.subset(&[1, 0]).unwrap(),
        ];
        for other in &others {
            assert_ne!(fingerprint([other]), first);
        }
        assert_eq!(fingerprint([&same.subset(&[0, 1]).unwrap()]), first, "how the images are stored makes no difference");
        assert_ne!(fingerprint([&same, &same]), first);
    }
}
