//! What the initializers draw, and their configurations.

use super::variance_scaling::TRUNCATED_DEVIATION;
use super::*;
use crate::object::to_snake_case;
use serde_json::json;

fn draw(initializer: &Initializer, shape: &[usize]) -> Vec<f32> {
    let mut out = vec![f32::NAN; shape.iter().product()];
    initializer.fill(shape, 1, &mut out);
    out
}

fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    (mean, values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n)
}

#[test]
fn fans_as_keras_counts_them() {
    assert_eq!(compute_fans(&[]), (1, 1));
    assert_eq!(compute_fans(&[7]), (7, 7));
    assert_eq!(compute_fans(&[784, 10]), (784, 10));
    assert_eq!(compute_fans(&[5, 5, 32, 64]), (800, 1600));
}

#[test]
fn variances_and_bounds() {
    // [3, 3, 32, 64]: fans 288 and 576. Bounds in units of the value's own formula; 18,432 draws keep the
    // sample variance within 3 % (three deviations: sqrt(2/18432)·3 = 3.1 % for a normal, less when cut).
    let shape = [3, 3, 32, 64];
    let cut = 2.0 / TRUNCATED_DEVIATION;
    let cases: [(Initializer, f64, f64); 9] = [
        (GlorotUniform::new().into(), 1.0 / 432.0, (3.0f64 / 432.0).sqrt()),
        (GlorotNormal::new().into(), 1.0 / 432.0, cut * (1.0f64 / 432.0).sqrt()),
        (HeUniform::new().into(), 2.0 / 288.0, (6.0f64 / 288.0).sqrt()),
        (HeNormal::new().into(), 2.0 / 288.0, cut * (2.0f64 / 288.0).sqrt()),
        (LecunUniform::new().into(), 1.0 / 288.0, (3.0f64 / 288.0).sqrt()),
        (LecunNormal::new().into(), 1.0 / 288.0, cut * (1.0f64 / 288.0).sqrt()),
        (RandomUniform::new().minval(-0.5).maxval(0.5).into(), 1.0 / 12.0, 0.5),
        (RandomNormal::new().stddev(0.1).into(), 0.01, 0.1 * 5.5),
        // The cut without rescaling keeps 0.7737 of the variance.
        (TruncatedNormal::new().stddev(0.1).into(), 0.01 * TRUNCATED_DEVIATION.powi(2), 0.2),
    ];
    for (initializer, variance, bound) in cases {
        let values = draw(&initializer, &shape);
        let (mean, got) = moments(&values);
        assert!((got / variance - 1.0).abs() < 0.035, "{initializer:?}: variance {got}, expected {variance}");
        // Four deviations of the mean of 18,432 draws.
        assert!(mean.abs() < 4.0 * (variance / values.len() as f64).sqrt(), "{initializer:?}: mean {mean}");
        let largest = values.iter().fold(0.0f64, |m, v| m.max(f64::from(v.abs())));
        assert!(largest <= bound * (1.0 + 1e-6), "{initializer:?}: {largest} beyond {bound}");
        assert!(largest > bound * 0.5, "{initializer:?}: {largest} never comes near {bound}");
    }
}

#[test]
fn means_are_added_after_scaling() {
    let values = draw(&TruncatedNormal::new().mean(3.0).stddev(0.1).into(), &[4000]);
    assert!(values.iter().all(|v| (2.8 - 1e-6..=3.2 + 1e-6).contains(v)));
}

#[test]
fn a_seed_of_its_own_wins() {
    let (mut a, mut b) = ([0.0; 64], [0.0; 64]);
    let mut fill = |initializer: GlorotUniform| {
        initializer.fill(&[8, 8], 1, &mut a);
        initializer.fill(&[8, 8], 2, &mut b);
        a == b
    };
    assert!(!fill(GlorotUniform::new()));
    assert!(fill(GlorotUniform::new().seed(5)));
}

#[test]
fn constants() {
    assert_eq!(draw(&Zeros::new().into(), &[2, 2]), [0.0; 4]);
    assert_eq!(draw(&Ones::new().into(), &[3]), [1.0; 3]);
    assert_eq!(draw(&Constant::new(0.1).into(), &[2]), [0.1; 2]);
}

#[test]
fn every_class_round_trips_from_its_name() {
    for class in Initializer::known_names() {
        let initializer = Initializer::from_value(&json!(class)).unwrap();
        assert_eq!(initializer.class_name(), class);
        let snake = to_snake_case(class);
        assert_eq!(initializer.function().default_name(), snake);
        assert_eq!(Initializer::from_value(&json!(snake)).unwrap(), initializer);
        let read = Initializer::from_value(&initializer.to_value()).unwrap();
        assert_eq!((read.class_name(), &read), (class, &initializer));
    }
}

#[test]
fn keras_objects_and_recipe_tables() {
    let keras = json!({"module": "keras.initializers", "class_name": "TruncatedNormal",
        "config": {"seed": 66478, "mean": 0.0, "stddev": 0.1}, "registered_name": null});
    let expected = Initializer::from(TruncatedNormal::new().stddev(0.1).seed(66478));
    assert_eq!(Initializer::from_value(&keras).unwrap(), expected);
    assert_eq!(expected.to_value(), keras);
    let recipe = json!({"type": "TruncatedNormal", "stddev": 0.1, "seed": 66478});
    assert_eq!(Initializer::from_value(&recipe).unwrap(), expected);
}

#[test]
fn a_seed_may_be_a_generator() {
    let with = |seed: i64| json!({"class_name": "SeedGenerator", "config": {"seed": seed}});
    let read = Initializer::from_value(&json!({"type": "HeNormal", "seed": with(-7)})).unwrap();
    assert_eq!(read, HeNormal::new().seed(-7).into());
    let none = json!({"type": "HeNormal", "seed": {"class_name": "SeedGenerator", "config": {"seed": null}}});
    assert_eq!(Initializer::from_value(&none).unwrap(), HeNormal::new().into());
    assert_eq!(
        Initializer::from_value(&json!({"type": "HeNormal", "seed": 0.5})).unwrap_err().to_string(),
        "HeNormal: seed must be a whole number or null, got 0.5"
    );
}

#[test]
fn keys_added_lately_are_read_but_never_written() {
    let late = json!({"class_name": "GlorotUniform",
        "config": {"seed": null, "input_axes": null, "output_axes": null}});
    let initializer = Initializer::from_value(&late).unwrap();
    assert_eq!(initializer.to_value()["config"], json!({"seed": null}));
    let axes = json!({"class_name": "GlorotUniform", "config": {"input_axes": [0]}});
    assert_eq!(Initializer::from_value(&axes).unwrap_err().to_string(), "GlorotUniform: input_axes must be absent, got [0]");
}

#[test]
fn aliases_and_errors() {
    assert_eq!(Initializer::from_value(&json!("zero")).unwrap(), Zeros::new().into());
    assert_eq!(Initializer::from_value(&json!("normal")).unwrap().class_name(), "RandomNormal");
    let message = |value| Initializer::from_value(&value).unwrap_err().to_string();
    let unknown = message(json!("xavier"));
    assert!(unknown.starts_with("unknown initializer \"xavier\"; known: Zeros, Ones, Constant,"), "{unknown}");
    assert_eq!(
        message(json!({"type": "VarianceScaling", "scale": 0})),
        "VarianceScaling: scale must be a positive number, got 0"
    );
    assert_eq!(
        message(json!({"type": "VarianceScaling", "mode": "fan"})),
        "VarianceScaling: mode must be one of fan_in, fan_out, fan_avg, got \"fan\""
    );
    assert_eq!(
        message(json!({"type": "RandomNormal", "std": 1.0})),
        "RandomNormal: unknown key \"std\"; known: seed, mean, stddev"
    );
    assert_eq!(
        message(json!({"type": "RandomUniform", "minval": 1, "maxval": 0.5})),
        "RandomUniform: maxval must be a number, minval or more, got 0.5"
    );
}

#[test]
fn one_of_your_own_is_found_when_it_is_registered() {
    crate::keras_object! {
        /// 0, 1, 2, …
        pub struct Counting("counting") {}
    }
    impl InitializerFunction for Counting {
        fn fill(&self, _: &[usize], _: u64, out: &mut [f32]) {
            out.iter_mut().zip(0u16..).for_each(|(value, i)| *value = i.into());
        }
    }
    let written = json!({"module": null, "class_name": "Counting", "config": {}, "registered_name": "Custom>Counting"});
    assert!(Initializer::from_value(&written).is_err());
    Initializer::register::<Counting>();
    let read = Initializer::from_value(&written).unwrap();
    assert_eq!(read, Counting::new().into());
    assert_eq!((draw(&read, &[3]), read.to_value()), (vec![0.0, 1.0, 2.0], written));
}
