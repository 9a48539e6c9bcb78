//! Objects of a user: declared, registered, trained with, and found again by the names that files hold.

use maobi_nn::graph::Sequential;
use maobi_nn::keras_object;
use maobi_nn::layers::{Dense, InputLayer};
use maobi_nn::losses::{Loss, LossError, LossFunction, Row, Target};
use maobi_nn::metrics::{Metric, MetricFunction, Rows};
use maobi_nn::object::range;
use maobi_nn::optimizers::Adam;
use maobi_nn::{Batch, Compile, Samples};
use serde_json::json;

keras_object! {
    /// Mean over columns of |p − t|^power.
    struct PowerLoss("power_loss") {
        /// The power; above 0.
        power: f32 where range::POSITIVE = 2.0,
    }
}

impl LossFunction for PowerLoss {
    fn row(&self, row: Row<'_>) -> f32 {
        let cols = row.prediction.len();
        let error = |j: usize, p: f32| p - row.truth.value(j, cols);
        if let Some(gradient) = row.gradient {
            for (j, (g, p)) in gradient.iter_mut().zip(row.prediction).enumerate() {
                let e = error(j, *p);
                *g = self.power * e.abs().powf(self.power - 1.0) * e.signum() / cols as f32 * row.scale;
            }
        }
        row.prediction.iter().enumerate().map(|(j, p)| error(j, *p).abs().powf(self.power)).sum::<f32>() / cols as f32
    }
}

keras_object! {
    /// Share of rows that are closer than `distance` in every column.
    struct Close("close") {
        /// The distance; above 0.
        distance: f32 where range::POSITIVE = 0.1,
    }
}

impl MetricFunction for Close {
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| {
            let truth = rows.truth(row)?;
            let near = |(j, p): (usize, &f32)| (p - truth.value(j, rows.cols)).abs() < self.distance;
            Ok(f32::from(u8::from(rows.prediction(row).iter().enumerate().all(near))))
        })
    }
}

#[test]
fn a_loss_and_a_metric_of_ones_own_train_and_are_found_by_name() {
    assert!(Loss::from_value(&json!("power_loss")).is_err());
    Loss::register::<PowerLoss>();
    Metric::register::<Close>();
    let loss = Loss::from(PowerLoss::new().power(3.0));
    let written = loss.to_value();
    assert_eq!(
        written,
        json!({"module": null, "class_name": "PowerLoss", "registered_name": "Custom>PowerLoss",
            "config": {"name": "power_loss", "reduction": "sum_over_batch_size", "power": 3.0}})
    );
    assert_eq!(Loss::from_value(&written).unwrap(), loss);
    // As a recipe writes it.
    assert_eq!(Loss::from_value(&json!({"type": "PowerLoss", "power": 3})).unwrap(), loss);
    let wrong = Loss::from_value(&json!({"type": "PowerLoss", "power": 0})).unwrap_err();
    assert_eq!(wrong.to_string(), "PowerLoss: power must be a positive number, got 0");
    // Every loss is a metric too.
    assert_eq!(Metric::from_value(&json!("power_loss")).unwrap().name(), "power_loss");

    let mut model = Sequential::new().add(InputLayer::new([2])).add(Dense::new(1)).build(3).unwrap();
    model.compile(Compile::new(Adam::new(0.05), loss).metrics(["close"]).unwrap()).unwrap();
    let inputs = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let targets = [0.0, 1.0, 2.0, 3.0];
    let mut losses = Vec::new();
    for _ in 0..300 {
        let (feed, targets) = (Samples { samples: 4, inputs: &[&inputs] }, [Target::Values(&targets)]);
        let batch = Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None };
        losses.push(model.train_on_batch(batch).unwrap().loss);
    }
    assert!(losses[299] < 0.01 * losses[0], "{} to {}", losses[0], losses[299]);
}
