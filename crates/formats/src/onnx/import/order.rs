//! In which order the values of a tensor lie here, when ONNX has its axes in another.
//!
//! ONNX puts channels before height and width, this library behind; values are never moved for that. A tensor of the file is known as
//! one of ours, seen with axes `factors`, whose axes are then taken in the order `turned`; reshaping it in the file changes nothing
//! in that. Where order matters (rows of a dense kernel) weights are sorted by it.

/// How ONNX' order of values follows from ours. The batch is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// Axes of our tensor, in our order.
    factors: Vec<usize>,
    /// Which of them is ONNX' first, second, … axis.
    turned: Vec<usize>,
}

impl Order {
    /// The same order here and there.
    pub(super) fn same(shape: &[usize]) -> Order {
        Order { factors: shape.to_vec(), turned: (0..shape.len()).collect() }
    }

    /// ONNX has [channels, height, width], we [height, width, channels].
    pub(super) fn planes([h, w, c]: [usize; 3]) -> Order {
        Order { factors: vec![h, w, c], turned: vec![2, 0, 1] }
    }

    /// ONNX' axes, as long as it has not reshaped them.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.turned.iter().map(|&axis| self.factors[axis]).collect()
    }

    /// Whether both have the values in one order.
    pub(super) fn is_same(&self) -> bool {
        self.simple().turned.len() <= 1
    }

    /// Whether two orders are the same, whatever axes they are written with.
    pub(super) fn agrees(&self, other: &Order) -> bool {
        self.simple() == other.simple()
    }

    /// After ONNX takes its axes in the order `order`. `None` when it has reshaped them before.
    pub(super) fn transposed(&self, shape: &[usize], order: &[usize]) -> Option<Order> {
        let own = if self.shape() == shape {
            self.clone()
        } else if self.is_same() {
            Order::same(shape)
        } else {
            self.split(shape)?
        };
        Some(Order { turned: order.iter().map(|&axis| own.turned[axis]).collect(), factors: own.factors })
    }

    /// The same order written with the axes that ONNX has now, when only axes of length 1 have come or gone.
    fn split(&self, shape: &[usize]) -> Option<Order> {
        let long = |shape: &[usize]| shape.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
        if long(&self.shape()) != long(shape) {
            return None;
        }
        let mut axes = self.turned.iter().filter(|&&axis| self.factors[axis] != 1);
        // Axes of length 1 may lie anywhere: behind all others.
        let mut factors = self.factors.clone();
        let turned = shape.iter().map(|&n| {
            if n == 1 {
                factors.push(1);
                Some(factors.len() - 1)
            } else {
                axes.next().copied()
            }
        });
        let turned = turned.collect::<Option<Vec<usize>>>()?;
        // What is not named any more has length 1.
        let kept: Vec<usize> = (0..factors.len()).filter(|axis| turned.contains(axis)).collect();
        let place = |axis: usize| kept.iter().position(|k| *k == axis);
        Some(Order {
            factors: kept.iter().map(|&k| factors[k]).collect(),
            turned: turned.into_iter().filter_map(place).collect(),
        })
    }

    /// Without axes of length 1, and axes that stay neighbours as one.
    fn simple(&self) -> Order {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let long: Vec<usize> = (0..self.factors.len()).filter(|&axis| self.factors[axis] != 1).collect();
        let rank = |axis: usize| long.iter().position(|l| *l == axis);
        for place in self.turned.iter().filter_map(|&axis| rank(axis)) {
            match groups.last_mut() {
                Some(group) if group.last() == place.checked_sub(1).as_ref() => group.push(place),
                _ => groups.push(vec![place]),
            }
        }
        let length = |group: &[usize]| group.iter().map(|&place| self.factors[long[place]]).product();
        let mut sorted: Vec<usize> = (0..groups.len()).collect();
        sorted.sort_by_key(|&g| groups[g][0]);
        let factors = sorted.iter().map(|&g| length(&groups[g])).collect();
        let turned = (0..groups.len()).filter_map(|g| sorted.iter().position(|s| *s == g)).collect();
        Order { factors, turned }
    }

    /// For each value in ONNX' order, its place in ours.
    pub(super) fn places(&self) -> Vec<usize> {
        let strides: Vec<usize> = (0..self.factors.len()).map(|axis| self.factors[axis + 1..].iter().product()).collect();
        let mut places = vec![0usize];
        for &axis in &self.turned {
            let (length, stride) = (self.factors[axis], strides[axis]);
            places = places.iter().flat_map(|&p| (0..length).map(move |i| p + i * stride)).collect();
        }
        places
    }

    /// Rows of `width` values, from the file's order to ours.
    pub(super) fn sorted(&self, values: &[f32], width: usize) -> Vec<f32> {
        let mut sorted = vec![0.0; values.len()];
        for (place, row) in self.places().into_iter().zip(values.chunks_exact(width.max(1))) {
            if let Some(to) = sorted.get_mut(place * width..(place + 1) * width) {
                to.copy_from_slice(row);
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_channel_has_no_order() {
        assert!(Order::planes([28, 28, 1]).is_same());
        assert!(Order::planes([1, 1, 7]).is_same());
        assert!(!Order::planes([2, 3, 4]).is_same());
        assert!(Order::planes([1, 6, 4]).agrees(&Order::planes([2, 3, 4])));
        assert!(!Order::planes([6, 1, 4]).agrees(&Order::planes([4, 1, 6])));
        assert!(Order::planes([5, 5, 1]).agrees(&Order::same(&[25])));
    }

    #[test]
    fn turning_back_is_the_same_order() {
        let planes = Order::planes([2, 3, 4]);
        assert_eq!(planes.shape(), [4, 2, 3]);
        let back = planes.transposed(&[4, 2, 3], &[1, 2, 0]).unwrap();
        assert_eq!((back.shape(), back.is_same()), (vec![2, 3, 4], true));
        assert_eq!(planes.transposed(&[24], &[0]), None);
        // [4, 6] as [4, 1, 6]: an axis of length 1 came.
        let flat = Order::planes([1, 6, 4]);
        let turned = flat.transposed(&[4, 6, 1], &[1, 2, 0]).unwrap();
        assert_eq!((turned.shape(), turned.is_same()), (vec![6, 1, 4], true));
    }

    #[test]
    fn places_follow_the_axes() {
        assert_eq!(Order::planes([1, 2, 3]).places(), [0, 3, 1, 4, 2, 5]);
        assert_eq!(Order::same(&[2, 2]).places(), [0, 1, 2, 3]);
    }
}
