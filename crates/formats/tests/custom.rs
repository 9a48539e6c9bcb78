//! Layers of users: registered, written, found again, and refused by formats that cannot hold them.

use maobi_formats::format::{by_extension, named};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Built, Dense, InputLayer, Layer, Shape, register_layer};
use maobi_nn::op::{Backward, Forward, Op};
use maobi_nn::program::{Call, Operation};
use maobi_nn::{Model, keras_layer};

keras_layer! {
    /// x + `by`.
    pub struct Shift("shift") new(
        /// The summand.
        by: f64,
    ) {
        /// Whether formats that hold a computation are told of it.
        exported: bool = true,
    }
}

impl Layer for Shift {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        Ok(Built::op(ShiftOp(self.by as f32), inputs[0].clone()))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        if !self.exported {
            return Err("is a secret".into());
        }
        Ok(call.step(Operation::Scale { scale: 1.0, offset: self.by }))
    }
}

#[derive(Debug)]
struct ShiftOp(f32);

impl Op for ShiftOp {
    fn forward(&self, c: Forward<'_>) {
        c.output.iter_mut().zip(c.inputs[0]).for_each(|(y, x)| *y = x + self.0);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            dx.copy_from_slice(c.d_output);
        }
    }
}

fn model(shift: Shift) -> Model {
    Sequential::new().add(InputLayer::new([3])).add(Dense::new(2)).add(shift.name("up")).build(1).unwrap()
}

#[test]
fn a_layer_of_your_own_is_written_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(Shift::new(0.5));
    let json: serde_json::Value = serde_json::from_str(&model.to_json()).unwrap();
    let written = &json["config"]["layers"][2];
    assert_eq!((&written["class_name"], &written["config"]["by"]), (&"Shift".into(), &0.5.into()));
    let unknown = Model::from_json(&model.to_json(), 1).unwrap_err().to_string();
    assert!(unknown.starts_with("layer \"up\" (Shift): no such layer here; known are InputLayer,"), "{unknown}");

    register_layer::<Shift>();
    let json: serde_json::Value = serde_json::from_str(&model.to_json()).unwrap();
    let written = &json["config"]["layers"][2];
    assert_eq!((&written["module"], &written["registered_name"]), (&serde_json::Value::Null, &"Custom>Shift".into()));
    let x = [1.0, -2.0, 3.0];
    for file in ["model.keras", "model.h5", "model.onnx"] {
        let path = folder.path().join(file);
        let format = by_extension(&path).unwrap();
        format.save(&model, &path, &[]).unwrap();
        let again = format.load(&path, 1).unwrap().model;
        assert_eq!(again.predict(&[&x]).unwrap(), model.predict(&[&x]).unwrap(), "{file}");
    }
    let class = |file: &str| {
        let path = folder.path().join(file);
        let model = by_extension(&path).unwrap().load(&path, 1).unwrap().model;
        model.graph().layers.last().unwrap().layer.class_name()
    };
    assert_eq!((class("model.keras"), class("model.h5")), ("Shift", "Shift"));
}

#[test]
fn formats_that_cannot_hold_it_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(Shift::new(0.5).exported(false));
    for file in ["model.onnx", "model.saved_model"] {
        let path = folder.path().join(file);
        let format = by_extension(&path).or_else(|_| named("saved-model")).unwrap();
        let error = format.save(&model, &path, &[]).unwrap_err().to_string();
        assert!(error.contains("layer \"up\" (Shift): is a secret"), "{error}");
        assert!(!path.exists(), "{file}");
    }
}
