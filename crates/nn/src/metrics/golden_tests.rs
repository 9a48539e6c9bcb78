//! Metrics over two batches against real Keras (fixtures/metrics/make.py).

use serde_json::Value;

use super::*;
use crate::losses::Target;

const GOLDEN: &str = include_str!("../../../../fixtures/metrics/metrics.json");

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

#[test]
fn results_follow_keras() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cols = golden["cols"].as_u64().unwrap() as usize;
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 50);
    for case in cases {
        let metric = Metric::from_value(&case["metric"]).unwrap();
        let mut state = MetricState::new(&metric, cols);
        for round in 0..2 {
            for batch in 0..2 {
                let prediction = numbers(&golden["predictions"][batch]);
                let kind = case["target"].as_str().unwrap();
                let values = numbers(&golden[kind][batch]);
                let classes: Vec<u32> = values.iter().map(|value| *value as u32).collect();
                let target = if kind == "classes" { Target::Classes(&classes) } else { Target::Values(&values) };
                let weights = numbers(&golden["weights"][batch]);
                let weights = case["weighted"].as_bool().unwrap().then_some(weights.as_slice());
                let rows = prediction.len() / cols;
                state.update(rows, cols, &prediction, target, weights).unwrap();
                let expected = numbers(&case["results"][batch]);
                let results = state.results();
                assert_eq!(results.len(), expected.len(), "{}", case["metric"]);
                for (got, expected) in results.iter().zip(&expected) {
                    // Keras sums in f32, over thirteen rows or two hundred thresholds.
                    let near = 3e-6 * f64::from(expected.abs()).max(0.3);
                    let what = format!("{} {kind} weighted {} batch {batch}", case["metric"], case["weighted"]);
                    assert!((got - f64::from(*expected)).abs() <= near, "{what}: {got} against {expected}");
                }
            }
            // The second round starts from nothing.
            if round == 0 {
                state.reset();
                assert_eq!(state.result(), 0.0, "{}", case["metric"]);
            }
        }
    }
}

#[test]
fn accuracy_fits_whatever_target_comes() {
    let p = [0.1, 0.9, 0.8, 0.2];
    let result = |target| {
        let mut state = MetricState::new(&Metric::accuracy(), 2);
        state.update(2, 2, &p, target, None).unwrap();
        state.result()
    };
    assert_eq!(result(Target::Classes(&[1, 1])), 0.5);
    assert_eq!(result(Target::Values(&[1.0, 1.0])), 0.5);
    assert_eq!(result(Target::Values(&[0.0, 1.0, 1.0, 0.0])), 1.0);
    let mut binary = MetricState::new(&Metric::accuracy(), 1);
    binary.update(4, 1, &p, Target::Classes(&[0, 1, 0, 0]), None).unwrap();
    assert_eq!(binary.result(), 0.75);
}

#[test]
fn ties_at_the_edge_are_in_the_top_k() {
    let mut state = MetricState::new(&SparseTopKCategoricalAccuracy::new().k(1).into(), 3);
    state.update(1, 3, &[0.4, 0.4, 0.2], Target::Classes(&[1]), None).unwrap();
    assert_eq!(state.result(), 1.0);
    let mut state = MetricState::new(&SparseCategoricalAccuracy::new().into(), 3);
    state.update(1, 3, &[0.4, 0.4, 0.2], Target::Classes(&[1]), None).unwrap();
    assert_eq!(state.result(), 0.0);
}

#[test]
fn wrong_lengths_are_refused() {
    let mut state = MetricState::new(&Metric::accuracy(), 2);
    let error = state.update(2, 2, &[0.0; 3], Target::Classes(&[0, 1]), None).unwrap_err().to_string();
    assert_eq!(error, "accuracy: the prediction must hold 4 values (2 rows of 2 columns), got 3");
    let error = state.update(2, 2, &[0.0; 4], Target::Classes(&[0]), None).unwrap_err().to_string();
    assert_eq!(error, "accuracy: the target must hold 2 values (one class a row, 2 rows), got 1");
}
