//! Bounds pictures in work: how many at a time, how much memory they share, and how long each may take.

use crate::memory::Held;
use crate::metrics::{Metrics, Rejected};
use crate::options::Options;
use crate::problem::Problem;
use axum::http::StatusCode;
use maobi_vision::{DecodeError, Limits, Picture, TooMuch, cost, decode_bytes};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// Bytes that one permit of the memory for pictures stands for.
const UNIT: u64 = 64 * 1024;

/// Turns to read pictures, and the memory that pictures in work share.
#[derive(Debug)]
pub(crate) struct Pictures {
    turns: Arc<Semaphore>,
    threads: Threads,
    /// In [`UNIT`]s.
    memory: Arc<Semaphore>,
    units: u32,
    /// How long reading one may take.
    time: Duration,
    /// How many may wait, and how long.
    queue: usize,
    patience: Duration,
    metrics: Arc<Metrics>,
}

impl Pictures {
    /// As many turns as there are threads.
    ///
    /// # Errors
    /// When the system refuses what threads need.
    pub fn new(options: &Options, metrics: Arc<Metrics>) -> io::Result<Self> {
        let units = u32::try_from(options.picture_memory as u64 / UNIT).unwrap_or(u32::MAX).max(1);
        let units = units.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Ok(Self {
            turns: Arc::new(Semaphore::new(options.threads.max(1))),
            threads: Threads::new(options.threads.max(1))?,
            memory: Arc::new(Semaphore::new(units as usize)),
            units,
            time: options.picture_time,
            queue: options.queue,
            patience: options.patience,
            metrics,
        })
    }

    /// Runs `work` on a picture that takes `bytes` of memory, on a thread that may be busy for long. `work` gets the time at which it
    /// has to end.
    ///
    /// At most as many pictures as there are threads are in work, and only while they fit into the memory for pictures. The others wait in
    /// a queue of bounded length.
    ///
    /// # Errors
    /// 413 when the picture alone takes more memory than there is for all, 503 when the queue is full or its turn does not come in time.
    pub async fn run<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce(Instant) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        if units > self.units {
            let megabytes = |units: u32| (u64::from(units) * UNIT).div_ceil(1_000_000);
            return Err(Problem::too_large(format!(
                "reading the picture takes up to {} MB of memory, the server has {} MB for pictures; shrink the picture",
                megabytes(units),
                megabytes(self.units)
            )));
        }
        let before = self.metrics.pictures.fetch_add(1, Relaxed);
        let waiting = Waiting(&self.metrics.pictures);
        if usize::try_from(before).unwrap_or(0) >= self.queue {
            self.metrics.reject(Rejected::Queue);
            return Err(Problem::busy(format!("{before} pictures wait to be read already; try again")));
        }
        let end = tokio::time::Instant::now() + self.patience;
        let busy = |rejected| {
            self.metrics.reject(rejected);
            let patience = self.patience.as_millis();
            Problem::busy(format!("the server is busy with other pictures, this one has waited for {patience} ms; try again"))
        };
        // The turn first: whatever holds memory is then running and will give it back.
        let turn = timeout_at(end, self.turns.clone().acquire_owned()).await.map_err(|_| busy(Rejected::Expired))?;
        let memory = timeout_at(end, self.memory.clone().acquire_many_owned(units)).await;
        let memory = memory.map_err(|_| busy(Rejected::Memory))?;
        drop(waiting);
        let until = Instant::now() + self.time;
        let work = self.threads.run(move || {
            // Given back when the work ends, even if the client has gone.
            let _held = (turn, memory);
            work(until)
        });
        work.await.ok_or_else(|| Problem::internal("reading the picture failed"))
    }
}

/// The threads that read pictures. They are few and always the same: glibc keeps freed memory for each thread that ever took it, and any of
/// hundreds may run a `tokio::task::spawn_blocking`.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn new(count: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(count).thread_name("picture").build()?;
        Ok(Self(Some(runtime)))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        self.0.as_ref()?.spawn_blocking(work).await.ok()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // A runtime that is dropped waits for its threads, which a task must not do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
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
    pub fn new(max_pixels: u64, held: Held, range: Range<usize>, name: Option<String>) -> Self {
        let limits = Limits { max_bytes: held.len() as u64, max_pixels, ..Limits::default() };
        Self { held, range, name, limits }
    }

    /// Estimates from the header how many bytes of memory it will take to decode and read it.
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
