//! Losses and gradients against real Keras (fixtures/losses/make.py), and gradients against finite differences.

use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../../../fixtures/losses/losses.json");

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().map(|list| list.iter().map(|v| v.as_f64().unwrap() as f32).collect()).unwrap_or_default()
}

struct Case {
    name: String,
    loss: Loss,
    source: Source,
    prediction: Vec<f32>,
    classes: Option<Vec<u32>>,
    values: Vec<f32>,
    weights: Option<Vec<f32>>,
    mean: f64,
    each: Vec<f32>,
    gradient: Vec<f32>,
}

impl Case {
    fn target(&self) -> Target<'_> {
        self.classes.as_deref().map_or(Target::Values(&self.values), Target::Classes)
    }
}

fn cases() -> (usize, usize, Vec<Case>) {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let read = |case: &Value| Case {
        name: case["name"].as_str().unwrap().into(),
        loss: Loss::from_value(&case["loss"]).unwrap(),
        source: match case["source"].as_str().unwrap() {
            "softmax" => Source::SoftmaxLogits,
            "sigmoid" => Source::SigmoidLogits,
            _ => Source::Probabilities,
        },
        prediction: numbers(&case["prediction"]),
        classes: case["classes"].as_array().map(|c| c.iter().map(|v| v.as_u64().unwrap() as u32).collect()),
        values: numbers(&case["values"]),
        weights: case["weights"].as_array().map(|_| numbers(&case["weights"])),
        mean: case["mean"].as_f64().unwrap(),
        each: numbers(&case["each"]),
        gradient: numbers(&case["gradient"]),
    };
    let size = |key: &str| golden[key].as_u64().unwrap() as usize;
    (size("rows"), size("cols"), golden["cases"].as_array().unwrap().iter().map(read).collect())
}

fn batch<'a>(case: &'a Case, rows: usize, cols: usize) -> LossBatch<'a> {
    LossBatch {
        source: case.source,
        rows,
        cols,
        prediction: &case.prediction,
        target: case.target(),
        sample_weight: case.weights.as_deref(),
        denominator: case.loss.denominator(rows, case.target()),
        first_row: 0,
    }
}

#[test]
fn values_and_gradients_follow_keras() {
    let (rows, cols, cases) = cases();
    assert!(cases.len() > 30);
    for case in &cases {
        let batch = batch(case, rows, cols);
        let (mut gradient, mut each) = (vec![f32::NAN; rows * cols], vec![f32::NAN; rows]);
        let sum = case.loss.evaluate(&batch, Some(&mut gradient), Some(&mut each)).unwrap();
        let mean = sum / f64::from(batch.denominator);
        // A few roundings of f32 in logarithms and sums of five.
        assert!((mean - case.mean).abs() <= 2e-6 * case.mean.abs().max(1e-3), "{}: {mean} against {}", case.name, case.mean);
        for (row, (got, expected)) in each.iter().zip(&case.each).enumerate() {
            let near = 2e-6 * expected.abs().max(1.0);
            assert!((got - expected).abs() <= near, "{}: row {row} is {got}, Keras has {expected}", case.name);
        }
        for (i, (got, expected)) in gradient.iter().zip(&case.gradient).enumerate() {
            let near = 5e-6 * expected.abs().max(0.02);
            assert!((got - expected).abs() <= near, "{}: gradient[{i}] is {got}, Keras has {expected}", case.name);
        }
        // Without the extras nothing changes, and a batch may be split anywhere.
        assert_eq!(case.loss.evaluate(&batch, None, None).unwrap(), sum, "{}", case.name);
        let mut parts = 0.0;
        let mut pieces = vec![f32::NAN; rows * cols];
        for row in 0..rows {
            let at = row * cols..(row + 1) * cols;
            let target = match batch.target {
                Target::Classes(classes) => Target::Classes(&classes[row..row + 1]),
                Target::Values(values) => Target::Values(&values[at.clone()]),
            };
            let weight = batch.sample_weight.map(|weights| &weights[row..row + 1]);
            let prediction = &batch.prediction[at.clone()];
            let part = LossBatch { rows: 1, prediction, target, sample_weight: weight, first_row: row, ..batch };
            parts += case.loss.evaluate(&part, Some(&mut pieces[at]), None).unwrap();
        }
        assert_eq!(pieces, gradient, "{}", case.name);
        assert!((parts - sum).abs() <= 1e-12 * sum.abs(), "{}", case.name);
    }
}

#[test]
fn gradients_are_slopes() {
    let (cols, rows) = (4, 3);
    let p = [0.1, 0.2, 0.3, 0.4, 0.7, 0.1, 0.15, 0.05, 0.25, 0.3, 0.2, 0.25];
    let t = [0.0, 1.0, 0.0, 0.0, 0.6, 0.2, 0.1, 0.1, 1.0, 0.0, 0.9, 0.3];
    let weights = [1.0, 0.5, 2.0];
    let losses = [
        (Loss::from(CategoricalCrossentropy::new().label_smoothing(0.1)), Source::Probabilities),
        (Loss::from(CategoricalCrossentropy::new().from_logits(true)), Source::Probabilities),
        (Loss::from(CategoricalCrossentropy::new()), Source::SoftmaxLogits),
        (Loss::from(BinaryCrossentropy::new()), Source::Probabilities),
        (Loss::from(BinaryCrossentropy::new()), Source::SigmoidLogits),
        (Loss::from(MeanSquaredError::new()), Source::Probabilities),
        (Loss::from(MeanAbsoluteError::new()), Source::Probabilities),
        (Loss::from(Huber::new().delta(0.17)), Source::Probabilities),
        (Loss::from(KLDivergence::new()), Source::Probabilities),
        (Loss::from(CosineSimilarity::new()), Source::Probabilities),
        (Loss::from(Poisson::new()), Source::Probabilities),
        (Loss::from(LogCosh::new()), Source::Probabilities),
        (Loss::from(Hinge::new()), Source::Probabilities),
    ];
    // The last row's targets sum to 2.2; softmax gradients hold for distributions, as in TensorFlow.
    for (loss, source) in losses {
        let rows = if loss.class_name() == "CategoricalCrossentropy" { 2 } else { rows };
        let value = |p: &[f32], gradient: Option<&mut [f32]>| {
            let batch = LossBatch {
                source,
                rows,
                cols,
                prediction: &p[..rows * cols],
                target: Target::Values(&t[..rows * cols]),
                sample_weight: Some(&weights[..rows]),
                denominator: rows as f32,
                first_row: 0,
            };
            loss.evaluate(&batch, gradient, None).unwrap() / rows as f64
        };
        let mut gradient = vec![0.0; rows * cols];
        value(&p, Some(&mut gradient));
        for i in 0..rows * cols {
            let (mut up, mut down) = (p, p);
            up[i] += 2e-3;
            down[i] -= 2e-3;
            let slope = (value(&up, None) - value(&down, None)) / f64::from(up[i] - down[i]);
            // The third derivative of a logarithm at 0.05 gives (2e-3)²·2/0.05³/6 = 0.01 at most; elsewhere far less.
            let near = 2e-3 + 2e-3 * slope.abs() + if p[i] < 0.11 { 1e-2 } else { 0.0 };
            assert!((f64::from(gradient[i]) - slope).abs() < near, "{loss:?} {source:?} {i}: {} against {slope}", gradient[i]);
        }
    }
}

#[test]
fn classes_are_one_hot_to_losses_over_values() {
    let p = [0.2, 0.5, 0.3, 0.6, 0.3, 0.1];
    let one_hot = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
    for loss in [
        Loss::from(CategoricalCrossentropy::new()),
        Loss::from(MeanSquaredError::new()),
        Loss::from(BinaryCrossentropy::new()),
        Loss::from(KLDivergence::new()),
    ] {
        let run = |target| {
            let batch = LossBatch {
                source: Source::Probabilities,
                rows: 2,
                cols: 3,
                prediction: &p,
                target,
                sample_weight: None,
                denominator: 2.0,
                first_row: 0,
            };
            let mut gradient = [0.0; 6];
            (loss.evaluate(&batch, Some(&mut gradient), None).unwrap(), gradient)
        };
        assert_eq!(run(Target::Classes(&[1, 0])), run(Target::Values(&one_hot)), "{loss:?}");
    }
}

#[test]
fn wrong_data_is_refused_with_its_place() {
    let p = [0.5f32; 6];
    let batch = LossBatch {
        source: Source::Probabilities,
        rows: 2,
        cols: 3,
        prediction: &p,
        target: Target::Classes(&[0, 3]),
        sample_weight: None,
        denominator: 2.0,
        first_row: 64,
    };
    let loss = Loss::from(SparseCategoricalCrossentropy::new());
    let message = |batch: &LossBatch<'_>| loss.evaluate(batch, None, None).unwrap_err().to_string();
    assert_eq!(message(&batch), "sample 65: label 3 is not one of the 3 classes 0 to 2");
    assert_eq!(
        message(&LossBatch { target: Target::Values(&p), ..batch }),
        "sparse_categorical_crossentropy: expected one class number per row, got one-hot rows of 3 values. Give class numbers (labels = \
         \"sparse\" in a recipe), or use the loss categorical_crossentropy"
    );
    let batch = LossBatch { target: Target::Values(&p[..5]), ..batch };
    assert_eq!(
        message(&batch),
        "sparse_categorical_crossentropy: the target must hold 2 values (one class a row, 2 rows), got 5"
    );
    let dense = |target| Loss::from(CategoricalCrossentropy::new()).evaluate(&LossBatch { target, ..batch }, None, None);
    assert_eq!(
        dense(Target::Values(&[0.0, 2.0])).unwrap_err().to_string(),
        "categorical_crossentropy: expected one-hot rows of 3 values, got one value per row. Give one-hot rows (labels = \"one-hot\" in a \
         recipe), or use the loss sparse_categorical_crossentropy"
    );
    assert!(dense(Target::Classes(&[0, 2])).is_ok() && dense(Target::Values(&p)).is_ok());
    assert_eq!(
        message(&LossBatch { prediction: &p[..5], ..batch }),
        "sparse_categorical_crossentropy: the prediction must hold 6 values (2 rows of 3 columns), got 5"
    );
    assert_eq!(
        message(&LossBatch { source: Source::SigmoidLogits, ..batch }),
        "sparse_categorical_crossentropy cannot be computed from SigmoidLogits; pass the model's output (Loss::source_for tells)"
    );
}

#[test]
fn configurations_round_trip() {
    use serde_json::json;
    for name in Loss::known_names() {
        let loss = Loss::from_value(&json!(name)).unwrap();
        assert_eq!(loss.class_name(), name);
        assert_eq!(Loss::from_value(&loss.to_value()).unwrap(), loss);
        assert_eq!(Loss::from_value(&json!(loss.name())).unwrap(), loss);
        let text = serde_json::to_string(&loss).unwrap();
        assert_eq!(serde_json::from_str::<Loss>(&text).unwrap(), loss);
    }
    for loss in
        [Loss::from(Huber::new().delta(0.5)), Loss::from(BinaryCrossentropy::new().from_logits(true).label_smoothing(0.25))]
    {
        assert_eq!(Loss::from_value(&loss.to_value()).unwrap(), loss);
    }
    assert_eq!(Loss::from_value(&json!("mse")).unwrap(), Loss::from(MeanSquaredError::new()));
    assert_eq!(Loss::from_value(&json!("KLD")).unwrap(), Loss::from(KLDivergence::new()));
    let smooth = json!({"type": "CategoricalCrossentropy", "label_smoothing": 0.1});
    assert_eq!(Loss::from_value(&smooth).unwrap(), Loss::from(CategoricalCrossentropy::new().label_smoothing(0.1)));
    let error = Loss::from_value(&json!({"type": "CategoricalCrossentropy", "label_smoothing": 2})).unwrap_err();
    assert_eq!(error.to_string(), "CategoricalCrossentropy: label_smoothing must be a number from 0 to 1, got 2");
    let error = Loss::from_value(&json!({"type": "MeanSquaredError", "reduction": "sum"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "MeanSquaredError: reduction must be \"sum_over_batch_size\" or \"mean\" or \"auto\" or absent, got \"sum\""
    );
    assert!(Loss::from_value(&json!("ctc")).unwrap_err().to_string().starts_with("unknown loss \"ctc\"; known: Sparse"));
}
