//! The closed-form numbers of `fixtures/parity/formula.py`.

fn hash(stream: u32, i: u32) -> u32 {
    let mut h = i.wrapping_mul(2_654_435_761).wrapping_add(stream.wrapping_mul(40_503)).wrapping_add(12_345);
    h ^= h >> 16;
    h = h.wrapping_mul(0x85EB_CA6B);
    h ^= h >> 13;
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}

fn unit(stream: u32, n: usize) -> Vec<f32> {
    (0..n as u32).map(|i| (hash(stream, i) >> 8) as f32 / 16_777_216.0).collect()
}

/// Numbers in [-1, 1).
pub fn signed(stream: u32, n: usize) -> Vec<f32> {
    unit(stream, n).into_iter().map(|v| 2.0 * v - 1.0).collect()
}

/// Weight number `index` of a model, of Keras' `name`.
pub fn weight(index: usize, name: &str, shape: &[usize]) -> Vec<f32> {
    let n = shape.iter().product();
    let stream = index as u32;
    let (offset, factor) = match (name, shape) {
        ("moving_variance", _) => return unit(stream, n).into_iter().map(|v| 0.5 + v).collect(),
        ("gamma", _) => (1.0, 0.05),
        (_, [field @ .., fan_in, fan_out]) => {
            let receptive: usize = field.iter().product();
            (0.0, (6.0 / (receptive * (fan_in + fan_out)) as f64).sqrt() as f32)
        }
        _ => (0.0, 0.05),
    };
    signed(stream, n).into_iter().map(|v| offset + factor * v).collect()
}

/// Input number `k` of a layer, in [-2, 2).
pub fn layer_input(k: usize, n: usize) -> Vec<f32> {
    signed(1000 + k as u32, n).into_iter().map(|v| 2.0 * v).collect()
}

/// The weights of the outputs in a layer's loss.
pub fn cotangent(n: usize) -> Vec<f32> {
    signed(2000, n)
}

#[test]
fn the_formula_is_that_of_the_script() {
    // Printed by running fixtures/parity/formula.py.
    assert_eq!((0..4).map(|i| hash(0, i)).collect::<Vec<_>>(), HASH_0);
    assert_eq!(signed(1, 4), SIGNED_1);
}

const HASH_0: [u32; 4] = [1011272156, 1302547177, 4116061953, 3557774184];
const SIGNED_1: [f32; 4] = [0.14009762, -0.3198228, -0.8992621, -0.0039361715];
