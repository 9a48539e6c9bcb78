//! What all requests share: models, batches, memory, figures, the log.

use crate::batcher::{Batcher, Outputs, Refused};
use crate::host::Hosts;
use crate::log::{Log, Requests};
use crate::memory::{Memory, Share};
use crate::metrics::{Metrics, Protocol};
use crate::models::Models;
use crate::options::Options;
use crate::page::Page;
use crate::pictures::Pictures;
use crate::problem::Problem;
use crate::served::{Served, Tensor};
use axum::http::HeaderValue;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// All that requests need.
#[derive(Debug)]
pub struct Service {
    /// Bounds.
    pub options: Options,
    /// What is served.
    pub models: Models,
    /// What predicts.
    pub batcher: Batcher,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// What is told.
    pub log: Log,
    /// Memory for connections, bodies and answers.
    pub(crate) memory: Arc<Memory>,
    pub(crate) hosts: Hosts,
    /// Turns and memory to read pictures.
    pub(crate) pictures: Pictures,
    /// What the page keeps.
    pub(crate) page: Page,
    draining: AtomicBool,
    pub(crate) ids: Ids,
}

impl Service {
    /// Starts the threads that predict.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(options: Options, models: Models, log: Log) -> std::io::Result<Self> {
        let metrics = Arc::new(Metrics::default());
        // One request of the largest size always has room.
        let most = options.max_held.max(options.max_body.saturating_mul(8));
        Ok(Self {
            batcher: Batcher::new(&options, Arc::clone(&metrics))?,
            memory: Memory::new(most, Arc::clone(&metrics)),
            hosts: Hosts::new(&options.hosts, &options.cors),
            pictures: Pictures::new(&options, Arc::clone(&metrics))?,
            page: Page::new(&options),
            draining: AtomicBool::new(false),
            ids: Ids::new(),
            options,
            models,
            metrics,
            log,
        })
    }

    /// Outputs for samples, `[samples, …]` for each input and output. `share` is the memory of the request; it grows to that of inputs,
    /// outputs and the answer as text, and is given back with the outputs.
    ///
    /// # Errors
    /// 503 when too many wait or there is no memory for it, 504 when it took too long, 400 when the outputs are no numbers any more.
    pub async fn predict(
        &self,
        served: &Arc<Served>,
        inputs: Vec<Vec<f32>>,
        samples: usize,
        mut share: Share,
    ) -> Result<(Outputs, Share), Problem> {
        // A number takes four bytes, and up to sixteen as text.
        let answer = samples.saturating_mul(served.outputs.iter().map(Tensor::len).sum()).saturating_mul(4 + 16);
        share.set(answer.saturating_add(inputs.iter().map(|values| 4 * values.len()).sum()))?;
        let answer = self.batcher.submit(served, inputs, samples, share)?.await;
        let (outputs, share) = answer.map_err(|_| Refused::Failed(Arc::clone(&served.name)))??;
        match outputs.iter().flatten().all(|value| value.is_finite()) {
            true => Ok((outputs, share)),
            false => {
                Err(Problem::bad("the outputs for these inputs are NaN or infinite, which JSON does not know; are they scaled?"))
            }
        }
    }

    /// From here on every answer ends its connection.
    pub fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    /// The bytes of an answer to what is no request, which is counted and told like one.
    pub(crate) fn refuse(&self, problem: &Problem) -> Vec<u8> {
        let (status, id) = (problem.status, self.ids.next());
        let id = String::from_utf8_lossy(id.as_bytes());
        self.metrics.response(Protocol::Other, status.as_u16(), Duration::ZERO);
        if self.log.requests != Requests::None {
            self.log.event("request", &[("id", &id), ("status", &status.as_u16()), ("error", &problem.message)]);
        }
        let body = serde_json::json!({ "error": problem.message }).to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\nx-request-id: {id}\r\n\r\n",
            body.len()
        );
        [head, body].concat().into_bytes()
    }

    /// Whether the server is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }
}

/// Identities of requests: a number of this run, and one that goes up.
#[derive(Debug)]
pub(crate) struct Ids {
    run: u32,
    next: AtomicU64,
}

impl Ids {
    fn new() -> Self {
        // The standard library's source of random numbers.
        Self { run: RandomState::new().build_hasher().finish() as u32, next: AtomicU64::new(1) }
    }

    pub(crate) fn next(&self) -> HeaderValue {
        let text = format!("{:08x}-{:x}", self.run, self.next.fetch_add(1, Relaxed));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("-"))
    }
}
