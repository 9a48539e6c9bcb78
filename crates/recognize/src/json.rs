//! A reading as the JSON object that programs get: from `maobi predict --json` and from the server.

use crate::reading::{Item, Reading};
use serde_json::{Map, Value, json};

impl Reading {
    /// The object, with `others` from [`Reading::alternatives`]. A picture of one digit says of itself what its item says, too.
    pub fn to_json(&self, others: &[(String, f32)]) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("digits".into(), json!(self.digits));
        object.insert("confidence".into(), json!(self.confidence));
        object.insert("rejected".into(), json!(self.rejected));
        object.insert("blank".into(), json!(self.blank));
        if let [item] = self.items.as_slice() {
            object.extend(says(item));
        }
        let others = others.iter().map(|(digits, confidence)| json!({ "digits": digits, "confidence": confidence }));
        object.insert("others".into(), others.collect());
        object.insert("items".into(), self.items.iter().map(item_json).collect());
        object
    }
}

fn says(item: &Item) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("digit".into(), json!(item.digit));
    object.insert("class".into(), json!(item.class));
    object.insert("probability".into(), json!(item.probability));
    object.insert("probabilities".into(), json!(item.probabilities));
    object
}

fn item_json(item: &Item) -> Value {
    let mut object = says(item);
    let rect = item.rect;
    object.insert("box".into(), json!([rect.x, rect.y, rect.width, rect.height]));
    object.insert("line".into(), json!(item.line));
    object.insert("rejected".into(), json!(item.rejected));
    object.insert("none".into(), json!(item.none));
    Value::Object(object)
}
