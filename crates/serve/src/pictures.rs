//! Pictures in work: how many at a time, how much memory all of them may take, and for how long one may be read.

use crate::body::Held;
use crate::http::Service;
use crate::metrics::Rejected;
use crate::options::Options;
use crate::problem::Problem;
use axum::http::StatusCode;
use maobi_vision::{DecodeError, Limits, Picture, TooMuch, cost, decode_bytes};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// Bytes that one permit of the memory for pictures stands for.
const UNIT: u64 = 64 * 1024;

/// Turns to read pictures, and the memory for all that are read at the same time.
#[derive(Debug)]
pub(crate) struct Pictures {
    turns: Arc<Semaphore>,
    /// In [`UNIT`]s.
    memory: Arc<Semaphore>,
    units: u32,
    /// How long reading one may take.
    time: Duration,
}

impl Pictures {
    /// As many turns as there are threads.
    pub fn new(options: &Options) -> Self {
        let units = u32::try_from(options.picture_memory as u64 / UNIT).unwrap_or(u32::MAX).max(1);
        let units = units.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self {
            turns: Arc::new(Semaphore::new(options.threads.max(1))),
            memory: Arc::new(Semaphore::new(units as usize)),
            units,
            time: options.picture_time,
        }
    }
}

/// A picture of a request, not decoded yet.
#[derive(Debug)]
pub(crate) struct Waits {
    held: Held,
    range: Range<usize>,
    /// As the client calls it.
    pub name: Option<String>,
    limits: Limits,
}

impl Waits {
    /// The bytes `range` of a body.
    pub fn new(service: &Service, held: Held, range: Range<usize>, name: Option<String>) -> Self {
        let limits = Limits { max_bytes: held.len() as u64, max_pixels: service.options.max_pixels, ..Limits::default() };
        Self { held, range, name, limits }
    }

    /// The memory in bytes that it will take to decode and read, by its head.
    pub async fn cost(self) -> Result<(Self, u64), Problem> {
        let look = move || {
            let cost = cost(self.bytes(), self.called(), &self.limits).map_err(refused)?;
            Ok((self, cost.bytes()))
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_else(|_| Err(Problem::internal("looking at the picture failed")))
    }

    /// The picture.
    pub fn decode(&self) -> Result<Picture, Problem> {
        decode_bytes(self.bytes(), self.called(), &self.limits).map_err(refused)
    }

    fn bytes(&self) -> &[u8] {
        self.held.get(self.range.clone()).unwrap_or_default()
    }

    fn called(&self) -> &str {
        self.name.as_deref().unwrap_or("the picture")
    }
}

/// Why a picture is not decoded.
fn refused(error: DecodeError) -> Problem {
    let message = error.to_string();
    match error {
        DecodeError::TooManyPixels { .. }
        | DecodeError::TooLong { .. }
        | DecodeError::TooMuchMemory { .. }
        | DecodeError::TooManyBytes { .. } => Problem::too_large(message),
        _ => Problem::bad(message),
    }
}

/// Why a picture was not read.
pub(crate) fn failed(error: maobi_recognize::Error) -> Problem {
    let message = error.to_string();
    match error {
        maobi_recognize::Error::TooMuch(TooMuch::Work) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message),
        maobi_recognize::Error::TooMuch(TooMuch::Time) => Problem::late(message),
        _ => Problem::internal(message),
    }
}

/// Counts a picture that waits for its turn.
struct Waiting<'a>(&'a AtomicI64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Service {
    /// Runs work on a picture, which will take that many bytes of memory, on a thread that may be busy for long. `work` gets the time
    /// at which it has to end.
    ///
    /// As many run at a time as there are threads, and as fit into the memory for pictures; the others wait, no more of them than the queue
    /// holds.
    ///
    /// # Errors
    /// 413 when the picture alone takes more memory than there is for all, 503 when the queue is full or its turn does not come in time.
    pub(crate) async fn on_pictures<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce(Instant) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let pictures = &self.pictures;
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        if units > pictures.units {
            let megabytes = |units: u32| (u64::from(units) * UNIT).div_ceil(1_000_000);
            return Err(Problem::too_large(format!(
                "reading the picture takes up to {} MB of memory, the server has {} MB for pictures; shrink the picture",
                megabytes(units),
                megabytes(pictures.units)
            )));
        }
        let before = self.metrics.pictures.fetch_add(1, Relaxed);
        let waiting = Waiting(&self.metrics.pictures);
        if usize::try_from(before).unwrap_or(0) >= self.options.queue {
            self.metrics.reject(Rejected::Queue);
            return Err(Problem::busy(format!("{before} pictures wait to be read already; try again")));
        }
        let end = tokio::time::Instant::now() + self.options.patience;
        let too_late = |rejected| {
            self.metrics.reject(rejected);
            let patience = self.options.patience.as_millis();
            Problem::busy(format!("the server is busy with other pictures, this one has waited for {patience} ms; try again"))
        };
        // Only who has a turn waits for memory: those who hold memory run, and give it back.
        let turn = timeout_at(end, pictures.turns.clone().acquire_owned()).await.map_err(|_| too_late(Rejected::Expired))?;
        let memory = timeout_at(end, pictures.memory.clone().acquire_many_owned(units)).await;
        let memory = memory.map_err(|_| too_late(Rejected::Memory))?;
        drop(waiting);
        let until = Instant::now() + pictures.time;
        let work = tokio::task::spawn_blocking(move || {
            // Given back when the work is over, even if nobody waits for it any more.
            let _held = (turn, memory);
            work(until)
        });
        work.await.map_err(|_| Problem::internal("reading the picture failed"))
    }
}
