//! The order in which Keras keeps the layers of a functional model (keras/src/ops/function.py, `map_graph`).
//!
//! Files and optimizers number weights in this order, so it is ours too. It differs from the order of creation where branches have
//! different lengths: the longer one comes first.

/// A call of a layer, by numbers.
pub(super) struct PlainCall {
    /// Which layer; calls of a shared layer have the same.
    pub(super) layer: usize,
    /// The calls whose outputs it takes, earlier in the list.
    pub(super) inputs: Vec<usize>,
}

/// Indices of `calls`, sorted by depth (the longest way to an output, largest first), and within a depth by when a walk from the
/// outputs first meets the layer. Every call comes after those it takes from.
pub(super) fn keras_order(calls: &[PlainCall], outputs: &[usize]) -> Vec<usize> {
    let layers = calls.iter().map(|c| c.layer + 1).max().unwrap_or(0);
    let (finished, met) = walk(calls, outputs, layers);
    let mut layer_depth = vec![0usize; layers];
    let mut depth = vec![0usize; calls.len()];
    for &call in finished.iter().rev() {
        let own = depth[call].max(layer_depth[calls[call].layer]);
        layer_depth[calls[call].layer] = own;
        depth[call] = own;
        for &input in &calls[call].inputs {
            depth[input] = depth[input].max(own + 1);
        }
    }
    let mut order: Vec<usize> = (0..calls.len()).collect();
    // Inputs that no output needs were not met: they have depth 0 and come first there.
    order.sort_by_key(|&i| (std::cmp::Reverse(depth[i]), met[calls[i].layer].map_or(0, |m| m + 1), i));
    order
}

/// Calls in the order in which a depth-first walk from the outputs leaves them, and when it first entered each layer.
fn walk(calls: &[PlainCall], outputs: &[usize], layers: usize) -> (Vec<usize>, Vec<Option<usize>>) {
    let mut finished = Vec::with_capacity(calls.len());
    let mut met = vec![None; layers];
    let mut count = 0;
    let mut seen = vec![false; calls.len()];
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for &output in outputs {
        stack.push((output, 0));
        while let Some((call, next)) = stack.pop() {
            if next == 0 {
                if seen[call] {
                    continue;
                }
                seen[call] = true;
                if met[calls[call].layer].is_none() {
                    met[calls[call].layer] = Some(count);
                    count += 1;
                }
            }
            if let Some(&input) = calls[call].inputs.get(next) {
                stack.push((call, next + 1));
                stack.push((input, 0));
            } else {
                finished.push(call);
            }
        }
    }
    (finished, met)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(calls: &[(usize, &[usize])], outputs: &[usize]) -> Vec<usize> {
        let calls: Vec<PlainCall> = calls.iter().map(|&(layer, inputs)| PlainCall { layer, inputs: inputs.to_vec() }).collect();
        keras_order(&calls, outputs)
    }

    #[test]
    fn a_chain_stays_as_it_is() {
        assert_eq!(order(&[(0, &[]), (1, &[0]), (2, &[1])], &[2]), [0, 1, 2]);
    }

    #[test]
    fn the_longer_branch_comes_first() {
        // 0 input; 1 the short branch, made first; 2, 3 the long one; 4 their sum.
        assert_eq!(order(&[(0, &[]), (1, &[0]), (2, &[0]), (3, &[2]), (4, &[1, 3])], &[4]), [0, 2, 1, 3, 4]);
        // At equal depth the order of the sum's arguments decides.
        assert_eq!(order(&[(0, &[]), (1, &[0]), (2, &[0]), (3, &[2, 1])], &[3]), [0, 2, 1, 3]);
    }

    #[test]
    fn shared_layers_and_unused_inputs() {
        // Layer 1 is called on the input and on its own output.
        assert_eq!(order(&[(0, &[]), (1, &[0]), (1, &[1]), (2, &[2])], &[3]), [0, 1, 2, 3]);
        // Input 1 leads nowhere.
        assert_eq!(order(&[(0, &[]), (1, &[]), (2, &[0])], &[2]), [0, 1, 2]);
    }
}
