//! What the page keeps between requests: samples, and where fine-tuning stands.

use super::samples::Samples;
use crate::options::Options;
use crate::served::Served;
use maobi_nn::Model;
use maobi_recognize::Preprocessing;
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// What the page keeps between requests.
#[derive(Debug, Default)]
pub struct Page {
    pub(super) samples: Samples,
    pub(super) tuning: Tuning,
}

impl Page {
    /// With the folders that the options name.
    pub fn new(options: &Options) -> Self {
        Self { samples: Samples::new(options.samples.clone()), tuning: Tuning::default() }
    }
}

/// Where fine-tuning stands.
#[derive(Debug, Default)]
pub(super) struct Tuning {
    pub(super) state: Mutex<Stand>,
    /// The user has had enough.
    pub(super) stop: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct Stand {
    /// Somebody is at it.
    pub(super) busy: bool,
    /// What clients are told.
    pub(super) told: Told,
    /// What was learnt and not decided about.
    pub(super) candidate: Option<Candidate>,
    /// What was kept last, and what the model's file says.
    pub(super) kept: Option<Kept>,
}

#[derive(Debug)]
pub(super) struct Told(pub(super) Value);

impl Default for Told {
    fn default() -> Self {
        Self(json!({ "phase": "idle" }))
    }
}

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) taught: Arc<Served>,
    pub(super) before: Arc<Served>,
}

#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) from: Arc<Served>,
    pub(super) model: Model,
    pub(super) preprocessing: Preprocessing,
}

impl Stand {
    pub(super) fn tell(&mut self, changes: Value) {
        if let (Value::Object(told), Value::Object(changes)) = (&mut self.told.0, changes) {
            told.extend(changes);
        }
    }

    pub(super) fn text(&self) -> String {
        let mut told = self.told.0.clone();
        told["undo"] = json!(self.kept.is_some());
        told.to_string()
    }
}
