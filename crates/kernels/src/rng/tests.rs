//! Tests of [`super`]: published answers, independence of the split and the instruction set, moments.

use super::*;
use crate::isa;

/// Known answers of Random123 (`kat_vectors`, philox4x32 with 10 rounds).
#[test]
fn philox_gives_the_published_answers() {
    let cases = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    for (counter, key, expected) in cases {
        assert_eq!(philox4x32_10(counter, key), expected);
    }
}

#[test]
fn every_instruction_set_and_every_split_gives_the_elements_asked_one_by_one() {
    let stream = Stream::new(7, 3, 2, 11);
    let expected: Vec<u32> = (0..400).map(|i| stream.u32_at(i)).collect();
    for isa in isa::available() {
        for start in [0usize, 1, 17, 63, 64, 65, 130] {
            for len in [0usize, 1, 15, 16, 63, 64, 65, 193] {
                // Guard bands: the kernel sees the middle only.
                let mut out = vec![0xdead_beef; len + 8];
                fill_u32_with(isa, &stream, start as u64, &mut out[4..4 + len]);
                assert_eq!(out[4..4 + len], expected[start..start + len], "{isa} {start} {len}");
                assert!(out[..4].iter().chain(&out[4 + len..]).all(|w| *w == 0xdead_beef));
            }
        }
    }
}

#[test]
fn float_fills_are_the_same_bits_everywhere_and_however_split() {
    let stream = Stream::new(1, 2, 3, 4);
    let fills = [fill_uniform_with, fill_normal_with, fill_truncated_normal_with];
    for (which, fill) in fills.into_iter().enumerate() {
        let mut whole = vec![0.0; 300];
        fill(isa::Isa::Scalar, &stream, 0, &mut whole);
        for isa in isa::available() {
            for (start, end) in [(0, 300), (5, 6), (30, 100), (64, 128), (63, 193)] {
                let mut part = vec![0.0; end - start];
                fill(isa, &stream, start as u64, &mut part);
                assert_eq!(part, whole[start..end], "{isa} fill {which} {start}..{end}");
            }
        }
    }
    assert_eq!(stream.uniform_at(77), {
        let mut one = [0.0];
        stream.fill_uniform(77, &mut one);
        one[0]
    });
}

#[test]
fn streams_differ_in_every_argument() {
    let streams = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0), (0, 1 << 32, 0, 0), (0, 0, 0, 1 << 32)];
    let first: Vec<[u32; 2]> = streams
        .iter()
        .map(|&(seed, step, layer, sample)| {
            let stream = Stream::new(seed, step, layer, sample);
            [stream.u32_at(0), stream.u32_at(1)]
        })
        .collect();
    for i in 0..first.len() {
        for j in 0..i {
            assert_ne!(first[i], first[j], "{:?} and {:?}", streams[i], streams[j]);
        }
    }
}

/// Mean, deviation and the share below 1 of `n` numbers.
fn moments(x: &[f32]) -> (f64, f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt(), x.iter().filter(|v| **v < 1.0).count() as f64 / n)
}

/// 2²⁰ numbers: a mean of them is within 4.5 standard errors, 0.0044 deviations; a share within 0.0022.
#[test]
fn distributions_have_their_moments() {
    let mut x = vec![0.0; 1 << 20];
    let stream = Stream::new(42, 0, 0, 0);

    stream.fill_uniform(0, &mut x);
    assert!(x.iter().all(|v| (0.0..1.0).contains(v)));
    let (mean, deviation, _) = moments(&x);
    assert!((mean - 0.5).abs() < 0.0013 && (deviation - 1.0 / 12f64.sqrt()).abs() < 0.001, "{mean} {deviation}");

    stream.fill_normal(0, &mut x);
    let (mean, deviation, below) = moments(&x);
    assert!(x.iter().all(|v| v.abs() < 5.9));
    assert!(
        mean.abs() < 0.0044 && (deviation - 1.0).abs() < 0.0031 && (below - 0.841_345).abs() < 0.0022,
        "{mean} {deviation} {below}"
    );

    // Deviation of the normal cut at ±2: √(1 − 4φ(2) / (2Φ(2) − 1)) = 0.879626; share below 1 by (Φ(1) − Φ(−2)) / (2Φ(2) − 1).
    stream.fill_truncated_normal(0, &mut x);
    let (mean, deviation, below) = moments(&x);
    assert!(x.iter().all(|v| v.abs() <= 2.0));
    assert!(x.iter().any(|v| v.abs() > 1.999));
    assert!(
        mean.abs() < 0.0044 && (deviation - 0.879_626).abs() < 0.003 && (below - 0.857_611).abs() < 0.0022,
        "{mean} {deviation} {below}"
    );
}

/// The two halves of a Box–Muller block are independent: their correlation over 2¹⁹ pairs is within 4.5 / √2¹⁹.
#[test]
fn normal_pairs_are_uncorrelated() {
    let mut x = vec![0.0; 1 << 20];
    Stream::new(3, 0, 0, 0).fill_normal(0, &mut x);
    let product: f64 = x.chunks_exact(64).map(|b| (0..32).map(|i| f64::from(b[i]) * f64::from(b[i + 32])).sum::<f64>()).sum();
    assert!((product / (1 << 19) as f64).abs() < 0.0063, "{product}");
}

/// The distribution function of each drawn number is the uniform number it was drawn from: Φ by numerical integration in f64.
#[test]
fn truncated_normal_inverts_the_distribution_function() {
    let stream = Stream::new(5, 0, 0, 0);
    let (mut words, mut x) = ([0; 64], [0.0; 64]);
    stream.fill_u32(0, &mut words);
    stream.fill_truncated_normal(0, &mut x);
    let below = |to: f64| {
        let steps = 2000;
        let (mut sum, width) = (0.0, (to + 2.0) / steps as f64);
        for i in 0..steps {
            let t = -2.0 + (i as f64 + 0.5) * width;
            sum += (-0.5 * t * t).exp() * width;
        }
        sum
    };
    for (word, x) in words.into_iter().zip(x) {
        let expected = (f64::from(word >> 8) + 0.5) / 16_777_216.0;
        // A polynomial in f32: a few roundings, 2·10⁻⁷ each.
        assert!((below(f64::from(x)) / below(2.0) - expected).abs() < 1e-6, "{x} {expected}");
    }
}

#[test]
fn a_shuffle_is_a_permutation_and_a_function_of_seed_epoch_and_length() {
    for n in [0usize, 1, 2, 3, 10, 1000] {
        let mut indices = vec![0; n];
        shuffle_indices(1, 2, &mut indices);
        let mut sorted = indices.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().zip(0u32..).all(|(a, b)| *a == b));
        let mut again = vec![7; n];
        shuffle_indices(1, 2, &mut again);
        assert_eq!(indices, again);
    }
    let draw = |seed, epoch| {
        let mut indices = [0; 20];
        shuffle_indices(seed, epoch, &mut indices);
        indices
    };
    assert_ne!(draw(1, 2), draw(1, 3));
    assert_ne!(draw(1, 2), draw(2, 2));
}

/// All 24 orders of four are equally likely: χ² with 23 degrees of freedom exceeds 60 once in 30,000 such tests; the seed is fixed.
#[test]
fn a_shuffle_is_fair() {
    let mut counts = std::collections::HashMap::new();
    for epoch in 0..24_000 {
        let mut indices = [0; 4];
        shuffle_indices(9, epoch, &mut indices);
        *counts.entry(indices).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 24);
    let chi: f64 = counts.values().map(|&c| (f64::from(c) - 1000.0).powi(2) / 1000.0).sum();
    assert!(chi < 60.0, "{chi}");
}

#[test]
#[should_panic(expected = "2^34 elements")]
fn a_range_beyond_the_stream_panics() {
    Stream::new(0, 0, 0, 0).fill_u32(LENGTH - 1, &mut [0; 2]);
}
