//! Figures for Prometheus, in its text format: counters of our own, as plain atomics.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of times, in seconds.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of numbers of samples.
const SAMPLES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Which part of the server a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TensorFlow Serving's.
    TfServing,
    /// The Open Inference Protocol.
    V2,
    /// Pictures.
    Recognize,
    /// Everything else.
    Other,
}

impl Protocol {
    const ALL: [Self; 4] = [Self::TfServing, Self::V2, Self::Recognize, Self::Other];

    /// Of a path.
    pub fn of(path: &str) -> Self {
        match path {
            _ if path.starts_with("/v1/models") => Self::TfServing,
            _ if path.starts_with("/v1/recognize") => Self::Recognize,
            _ if path == "/v2" || path.starts_with("/v2/") => Self::V2,
            _ => Self::Other,
        }
    }

    /// Its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::TfServing => "tf_serving",
            Self::V2 => "v2",
            Self::Recognize => "recognize",
            Self::Other => "other",
        }
    }
}

/// Why a request was sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// Too many were waiting.
    Queue,
    /// Too many bytes were held.
    Memory,
    /// It has waited too long.
    Expired,
}

/// Statuses that are counted, the last for all others.
const STATUSES: [u16; 20] = [200, 204, 304, 400, 403, 404, 405, 408, 409, 413, 414, 415, 421, 422, 431, 500, 503, 504, 505, 0];

/// Counts of values below bounds, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Box<[AtomicU64]>,
    /// In millionths.
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub fn add(&self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Relaxed);
        self.sum.fetch_add((value * 1e6) as u64, Relaxed);
    }

    fn write(&self, text: &mut String, name: &str, labels: &str) {
        let mut below = 0;
        let comma = if labels.is_empty() { "" } else { "," };
        let bounds = self.bounds.iter().map(ToString::to_string).chain(std::iter::once("+Inf".to_owned()));
        for (bound, count) in bounds.zip(&self.counts) {
            below += count.load(Relaxed);
            let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_sum{{{labels}}} {}", self.sum.load(Relaxed) as f64 / 1e6);
        let _ = writeln!(text, "{name}_count{{{labels}}} {below}");
    }
}

/// Figures of one model, whatever its version.
#[derive(Debug)]
pub struct ModelMetrics {
    /// Samples a batch.
    pub batch: Histogram,
    /// Time of a batch in the network.
    pub compute: Histogram,
    /// Time from a request's coming to its answer's being computed.
    pub latency: Histogram,
    /// Requests that wait.
    pub queue: AtomicI64,
    /// Files that were loaded, after the first.
    pub reloads: AtomicU64,
    /// Files that could not be.
    pub failures: AtomicU64,
}

impl Default for ModelMetrics {
    fn default() -> Self {
        let (batch, compute, latency) = (Histogram::new(SAMPLES), Histogram::new(SECONDS), Histogram::new(SECONDS));
        Self { batch, compute, latency, queue: AtomicI64::new(0), reloads: AtomicU64::new(0), failures: AtomicU64::new(0) }
    }
}

/// Figures of the server.
#[derive(Debug)]
pub struct Metrics {
    responses: [[AtomicU64; STATUSES.len()]; Protocol::ALL.len()],
    seconds: [Histogram; Protocol::ALL.len()],
    rejected: [AtomicU64; 3],
    /// Connections that are open.
    pub connections: AtomicI64,
    /// Requests that are not answered yet.
    pub in_flight: AtomicI64,
    /// Pictures that wait to be read.
    pub pictures: AtomicI64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            responses: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            seconds: std::array::from_fn(|_| Histogram::new(SECONDS)),
            rejected: std::array::from_fn(|_| AtomicU64::new(0)),
            connections: AtomicI64::new(0),
            in_flight: AtomicI64::new(0),
            pictures: AtomicI64::new(0),
        }
    }
}

impl Metrics {
    /// Counts a response.
    pub fn response(&self, protocol: Protocol, status: u16, took: Duration) {
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        self.responses[protocol as usize][place].fetch_add(1, Relaxed);
        self.seconds[protocol as usize].add(took.as_secs_f64());
    }

    /// Counts a request that was sent away.
    pub fn reject(&self, why: Rejected) {
        self.rejected[why as usize].fetch_add(1, Relaxed);
    }

    /// The text, with the bytes that are counted in the budget of memory and the figures of `models` by their names and versions.
    pub fn text<'a>(&self, held: usize, models: impl Iterator<Item = (&'a str, Vec<u64>, &'a ModelMetrics)> + Clone) -> String {
        let mut text = String::with_capacity(8192);
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        let text = &mut text;
        head(text, "maobi_build_info", "gauge", "Version of the server.");
        let _ = writeln!(text, "maobi_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        head(text, "maobi_responses_total", "counter", "Responses by protocol and status; 0 stands for all other statuses.");
        for protocol in Protocol::ALL {
            for (status, count) in STATUSES.iter().zip(&self.responses[protocol as usize]) {
                let count = count.load(Relaxed);
                if count > 0 || *status == 200 {
                    let _ =
                        writeln!(text, "maobi_responses_total{{protocol=\"{}\",status=\"{status}\"}} {count}", protocol.name());
                }
            }
        }
        head(text, "maobi_response_seconds", "histogram", "Time from the head of a request to its response.");
        for protocol in Protocol::ALL {
            let labels = format!("protocol=\"{}\"", protocol.name());
            self.seconds[protocol as usize].write(text, "maobi_response_seconds", &labels);
        }
        head(text, "maobi_rejected_total", "counter", "Requests sent away because there was more to do than could be done.");
        for (reason, count) in ["queue_full", "memory_full", "expired"].iter().zip(&self.rejected) {
            let _ = writeln!(text, "maobi_rejected_total{{reason=\"{reason}\"}} {}", count.load(Relaxed));
        }
        let gauges = [
            ("maobi_connections", "Connections that are open.", &self.connections),
            ("maobi_requests_in_flight", "Requests that are not answered yet.", &self.in_flight),
            ("maobi_pictures_waiting", "Pictures that wait to be read.", &self.pictures),
        ];
        for (name, help, gauge) in gauges {
            head(text, name, "gauge", help);
            let _ = writeln!(text, "{name} {}", gauge.load(Relaxed));
        }
        head(
            text,
            "maobi_memory_held_bytes",
            "gauge",
            "Memory counted for connections, requests and answers that are not sent yet.",
        );
        let _ = writeln!(text, "maobi_memory_held_bytes {held}");
        head(text, "maobi_model_version", "gauge", "Versions that are served: 1 each.");
        for (model, versions, _) in models.clone() {
            for version in versions {
                let _ = writeln!(text, "maobi_model_version{{model=\"{model}\",version=\"{version}\"}} 1");
            }
        }
        head(text, "maobi_queue_depth", "gauge", "Requests that wait for a model.");
        for (model, _, figures) in models.clone() {
            let _ = writeln!(text, "maobi_queue_depth{{model=\"{model}\"}} {}", figures.queue.load(Relaxed));
        }
        head(text, "maobi_model_reloads_total", "counter", "Files that took the place of others, or could not be read.");
        for (model, _, figures) in models.clone() {
            for (result, count) in [("ok", &figures.reloads), ("failed", &figures.failures)] {
                let count = count.load(Relaxed);
                let _ = writeln!(text, "maobi_model_reloads_total{{model=\"{model}\",result=\"{result}\"}} {count}");
            }
        }
        type Pick = fn(&ModelMetrics) -> &Histogram;
        let histograms: [(&str, &str, Pick); 3] = [
            ("maobi_batch_samples", "Samples that went through a network together.", |model| &model.batch),
            ("maobi_compute_seconds", "Time of a batch in the network.", |model| &model.compute),
            ("maobi_inference_seconds", "Time of a request in the queue and the network.", |model| &model.latency),
        ];
        for (name, help, pick) in histograms {
            head(text, name, "histogram", help);
            models.clone().for_each(|(model, _, figures)| pick(figures).write(text, name, &format!("model=\"{model}\"")));
        }
        if let Some(bytes) = resident() {
            head(text, "process_resident_memory_bytes", "gauge", "Memory that the process holds.");
            let _ = writeln!(text, "process_resident_memory_bytes {bytes}");
        }
        std::mem::take(text)
    }
}

/// Bytes of memory that are this process' own, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_prometheus_own() {
        let (metrics, model) = (Metrics::default(), ModelMetrics::default());
        metrics.response(Protocol::V2, 400, Duration::from_millis(2));
        metrics.response(Protocol::V2, 418, Duration::from_secs(60));
        metrics.reject(Rejected::Queue);
        model.batch.add(3.0);
        let text = metrics.text(7, [("digits", vec![1, 3], &model)].into_iter());
        for line in [
            "maobi_responses_total{protocol=\"v2\",status=\"400\"} 1",
            "maobi_responses_total{protocol=\"v2\",status=\"0\"} 1",
            "maobi_response_seconds_bucket{protocol=\"v2\",le=\"0.001\"} 0",
            "maobi_response_seconds_bucket{protocol=\"v2\",le=\"0.0025\"} 1",
            "maobi_response_seconds_bucket{protocol=\"v2\",le=\"+Inf\"} 2",
            "maobi_response_seconds_sum{protocol=\"v2\"} 60.002",
            "maobi_rejected_total{reason=\"queue_full\"} 1",
            "maobi_memory_held_bytes 7",
            "maobi_batch_samples_bucket{model=\"digits\",le=\"2\"} 0",
            "maobi_batch_samples_bucket{model=\"digits\",le=\"4\"} 1",
            "maobi_model_version{model=\"digits\",version=\"3\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        // Every line of figures belongs to the family that was announced last.
        let mut family = "";
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(named) => family = named.split(' ').next().unwrap(),
                None => assert!(line.starts_with("# HELP") || line.starts_with(family), "{line} under {family}"),
            }
        }
    }
}
