//! The values of an array in groups: those that differ only along some axes belong together.

/// Groups of the values of an array.
pub(crate) struct Groups<'s> {
    shape: &'s [usize],
    /// Distance of neighbors along each axis among the groups; 0 along an axis within a group.
    strides: Vec<usize>,
    /// How many groups there are.
    pub(crate) count: usize,
}

impl<'s> Groups<'s> {
    /// A group for each position along the axes that `kept` names; the other axes lie within a group.
    pub(crate) fn new(shape: &'s [usize], kept: impl Fn(usize) -> bool) -> Self {
        let mut strides = vec![0; shape.len()];
        let mut count = 1;
        for axis in (0..shape.len()).rev().filter(|axis| kept(*axis)) {
            strides[axis] = count;
            count *= shape[axis];
        }
        Groups { shape, strides, count }
    }

    /// Calls `f` with the index of each value, in order, and that of its group.
    pub(crate) fn each(&self, mut f: impl FnMut(usize, usize)) {
        let mut at = vec![0; self.shape.len()];
        let mut group = 0;
        for value in 0..self.shape.iter().product() {
            f(value, group);
            for axis in (0..self.shape.len()).rev() {
                at[axis] += 1;
                group += self.strides[axis];
                if at[axis] < self.shape[axis] {
                    break;
                }
                group -= self.strides[axis] * self.shape[axis];
                at[axis] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_differ_along_other_axes_belong_together() {
        let groups_of = |shape: &[usize], kept: &[usize]| {
            let groups = Groups::new(shape, |axis| kept.contains(&axis));
            let mut all = Vec::new();
            groups.each(|value, group| {
                assert_eq!(value, all.len());
                all.push(group);
            });
            (groups.count, all)
        };
        assert_eq!(groups_of(&[2, 3], &[1]), (3, vec![0, 1, 2, 0, 1, 2]));
        assert_eq!(groups_of(&[2, 3], &[0]), (2, vec![0, 0, 0, 1, 1, 1]));
        assert_eq!(groups_of(&[2, 2, 2], &[0, 2]), (4, vec![0, 1, 0, 1, 2, 3, 2, 3]));
        assert_eq!(groups_of(&[2, 2], &[]), (1, vec![0; 4]));
        assert_eq!(groups_of(&[], &[]), (1, vec![0]));
    }
}
