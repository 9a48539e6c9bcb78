//! What layers share that take several inputs value by value, such as [`Add`](super::Add): inputs of one shape, or with axes of length 1
//! that are repeated.

use super::{Shape, check_size, show};
use std::sync::OnceLock;

/// How an input is laid under the output.
#[derive(Clone, Debug)]
pub(super) enum Placement {
    /// Value by value.
    Same,
    /// Some axes are repeated.
    Repeated(Places),
}

/// Per output value of a sample, the input value. Made at the first use: a description of a network takes no memory.
#[derive(Clone, Debug)]
pub(super) struct Places {
    shape: Shape,
    output: Shape,
    made: OnceLock<Vec<u32>>,
}

impl Places {
    fn get(&self) -> &[u32] {
        self.made.get_or_init(|| map(&self.shape, &self.output))
    }
}

/// The output shape, and the placement of each input.
pub(super) fn broadcast(inputs: &[Shape]) -> Result<(Shape, Vec<Placement>), String> {
    if inputs.len() < 2 {
        return Err(format!("takes a list of at least two inputs, got {}", inputs.len()));
    }
    let shapes = || inputs.iter().map(|s| show(s)).collect::<Vec<_>>().join(", ");
    let rank = inputs[0].len();
    if inputs.iter().any(|s| s.len() != rank) {
        return Err(format!("inputs must have equally many axes, got {}; put a Reshape before the shorter one", shapes()));
    }
    let output: Shape = (0..rank).map(|axis| inputs.iter().map(|s| s[axis]).max().unwrap_or(1)).collect();
    if inputs.iter().any(|s| s.iter().zip(&output).any(|(&n, &out)| n != out && n != 1)) {
        return Err(format!("inputs must agree in every axis (or have length 1 there), got {}", shapes()));
    }
    // Places in it fit u32.
    check_size("the output", &output)?;
    let repeated = |s: &Shape| Placement::Repeated(Places { shape: s.clone(), output: output.clone(), made: OnceLock::new() });
    let placements = inputs.iter().map(|s| if *s == output { Placement::Same } else { repeated(s) }).collect();
    Ok((output, placements))
}

/// For every output position in memory order, the position in an input of `shape`.
fn map(shape: &[usize], output: &[usize]) -> Vec<u32> {
    let mut map = vec![0u32];
    for (&n, &out) in shape.iter().zip(output) {
        // One axis more: a position p becomes p·n + i, where i stays 0 along a repeated axis.
        map = map.iter().flat_map(|&p| (0..out as u32).map(move |i| p * n as u32 + if n == 1 { 0 } else { i })).collect();
    }
    map
}

impl Placement {
    /// Calls `f(output value, input value)` over samples of `len` output values; the closure sees positions.
    pub(super) fn each(&self, outputs: usize, len: usize, inputs: usize, mut f: impl FnMut(usize, usize)) {
        match self {
            Placement::Same => (0..outputs).for_each(|i| f(i, i)),
            Placement::Repeated(places) => {
                let map = places.get();
                let samples = outputs / len.max(1);
                let own = inputs / samples.max(1);
                for sample in 0..samples {
                    for (i, &from) in map.iter().enumerate() {
                        f(sample * len + i, sample * own + from as usize);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_length_1_are_repeated() {
        let (shape, placements) = broadcast(&[vec![2, 3], vec![2, 1], vec![1, 3]]).unwrap();
        assert_eq!(shape, [2, 3]);
        let maps: Vec<_> =
            placements.iter().map(|p| if let Placement::Repeated(m) = p { m.get().to_vec() } else { vec![] }).collect();
        assert_eq!(maps, [vec![], vec![0, 0, 0, 1, 1, 1], vec![0, 1, 2, 0, 1, 2]]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        assert_eq!(
            broadcast(&[vec![2, 3], vec![2, 2]]).unwrap_err(),
            "inputs must agree in every axis (or have length 1 there), got (None, 2, 3), (None, 2, 2)"
        );
        assert!(broadcast(&[vec![2, 3], vec![3]]).unwrap_err().contains("Reshape"));
        assert!(broadcast(&[vec![2]]).unwrap_err().contains("at least two"));
    }
}
