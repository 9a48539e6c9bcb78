//! Schedules against real Keras (fixtures/schedules/make.py), and their configuration.

use serde_json::{Value, json};

use super::{InverseTimeDecay, OneCycle, Schedule};

const GOLDEN: &str = include_str!("../../../../../fixtures/schedules/schedules.json");

#[test]
fn values_follow_keras() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let steps: Vec<u64> = golden["steps"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    for case in golden["cases"].as_array().unwrap() {
        let schedule = Schedule::from_value(&case["schedule"]).unwrap();
        for (step, expected) in steps.iter().zip(case["values"].as_array().unwrap()) {
            let (got, expected) = (schedule.at(*step), expected.as_f64().unwrap() as f32);
            // Of the largest rates, 0.1: powers, logarithms and cosines of f32 differ in their last bits between libraries.
            assert!(
                (got - expected).abs() <= 1e-7 + 1e-6 * expected.abs(),
                "{} at {step}: {got} against {expected}",
                case["schedule"]
            );
        }
        let written = schedule.to_value();
        assert_eq!(written["config"], case["schedule"]["config"]);
        assert_eq!(Schedule::from_value(&written).unwrap(), schedule);
    }
}

#[test]
fn the_old_decay_is_an_inverse_time_decay() {
    let schedule = Schedule::from(InverseTimeDecay::new(0.01, 1, 1e-5));
    assert_eq!(schedule.at(0), 0.01);
    assert!((schedule.at(8_590) - 0.01 / 1.0859).abs() < 1e-9);
    assert_eq!(Schedule::from_value(&json!({"type": "LegacyDecay", "learning_rate": 0.01, "decay": 1e-5})).unwrap(), schedule);
}

#[test]
fn every_schedule_round_trips() {
    let arguments = [
        ("PiecewiseConstantDecay", json!({"boundaries": [3, 5.5], "values": [0.1, 0.2, 0.3]})),
        ("OneCycle", json!({"max_learning_rate": 0.1, "total_steps": 100, "div_factor": 5.0})),
        ("CosineDecayRestarts", json!({"initial_learning_rate": 0.1, "first_decay_steps": 7, "t_mul": 1.5})),
        ("CosineDecay", json!({"initial_learning_rate": 0.1, "decay_steps": 7, "warmup_target": 0.5, "warmup_steps": 3})),
    ];
    let others = json!({"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5});
    for class in Schedule::known_names() {
        let own = arguments.iter().find(|(name, _)| *name == class).map_or(&others, |(_, own)| own);
        let mut config = own.clone();
        if class == "PolynomialDecay" {
            config.as_object_mut().unwrap().remove("decay_rate");
        }
        let schedule = Schedule::from_value(&json!({"class_name": class, "config": config})).unwrap();
        let value = schedule.to_value();
        let back = Schedule::from_value(&value).unwrap();
        assert_eq!((value["class_name"].as_str(), back.class_name()), (Some(class), class));
        assert_eq!((&back, back.to_value()), (&schedule, value));
    }
    let value = Schedule::from(OneCycle::new(0.1, 100)).to_value();
    assert_eq!((&value["module"], value["config"].get("name")), (&json!("maobi"), None));
}

#[test]
fn arguments_are_checked() {
    let message = |value: Value| Schedule::from_value(&value).unwrap_err().to_string();
    assert_eq!(
        message(json!({"type": "ExponentialDecay", "initial_learning_rate": 0.1, "decay_rate": 0.9})),
        "ExponentialDecay: key \"decay_steps\" is missing; expected a whole number, 0 or more"
    );
    assert_eq!(
        message(json!({"type": "CosineDecay", "initial_learning_rate": 0.1, "decay_steps": 0})),
        "CosineDecay: decay_steps must be a whole number, 1 or more, got 0"
    );
    assert_eq!(
        message(json!({"type": "PiecewiseConstantDecay", "boundaries": [1], "values": [0.1]})),
        "PiecewiseConstantDecay: values must be one more than boundaries (2), got 1 values"
    );
    assert!(message(json!("StepDecay")).starts_with("unknown learning-rate schedule \"StepDecay\"; known: Inverse"));
}
