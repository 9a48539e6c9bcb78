//! Requests of many clients, predicted together.
//!
//! Each model has a queue with an end. Threads of their own take what waits, up to a batch, of one model after the other; a request
//! of many samples goes through in pieces, so that it holds up no small one. Whoever has gone, or waited too long, is left out.

use crate::lock::lock;
use crate::memory::Share;
use crate::metrics::{Metrics, Rejected};
use crate::options::Options;
use crate::served::{Served, Tensor};
use maobi_nn::Feed;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Values of each output, `[samples, …]`.
pub type Outputs = Vec<Vec<f32>>;

/// What a request gets: outputs, and the memory that was counted for it.
type Done = Result<(Outputs, Share), Refused>;

/// Why a request is not answered with outputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More samples than one request may hold.
    #[error("{samples} samples in one request; the most for this model are {most}")]
    TooLarge {
        /// Samples of the request.
        samples: usize,
        /// The most that are accepted.
        most: usize,
    },
    /// The queue of the model is full.
    #[error("{waiting} requests wait for the model {model} already; try again")]
    Full {
        /// Requests in the queue.
        waiting: usize,
        /// The model's name.
        model: Arc<str>,
    },
    /// No request is taken any more.
    #[error("the server is stopping")]
    Stopping,
    /// It waited for longer than this before its turn came.
    #[error("the request has waited for more than {} ms; try again", .0.as_millis())]
    Late(Duration),
    /// The network could not run now, because memory is short.
    #[error("{0}")]
    NoMemory(String),
    /// Running the network panicked, which is our fault.
    #[error("the model {0} failed")]
    Failed(Arc<str>),
}

/// Where an answer will come.
pub type Answer = oneshot::Receiver<Done>;

/// The threads that predict.
#[derive(Debug)]
pub struct Batcher {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something has come to a queue, or all is to end.
    come: Condvar,
    max_batch: usize,
    max_wait: Duration,
    queue: usize,
    patience: Duration,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    /// Those models for which something waits, the one whose turn it is first.
    lanes: VecDeque<Lane>,
    ending: bool,
}

/// What waits for a model.
#[derive(Debug)]
struct Lane {
    served: Arc<Served>,
    jobs: VecDeque<Job>,
    /// Samples of all of them that nobody has taken.
    samples: usize,
}

#[derive(Debug)]
struct Job {
    request: Arc<Request>,
    /// Samples that were taken already.
    taken: usize,
}

#[derive(Debug)]
struct Request {
    /// `[samples, …]` for each input.
    inputs: Vec<Vec<f32>>,
    samples: usize,
    came: Instant,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    outputs: Outputs,
    /// Samples that are not computed yet.
    left: usize,
    /// Gone once it was answered.
    answer: Option<oneshot::Sender<Done>>,
    /// Counted for as long as the inputs are here, whether or not somebody still waits.
    share: Share,
}

/// Some samples of a request.
struct Piece {
    request: Arc<Request>,
    first: usize,
    samples: usize,
}

/// What goes through the network together.
struct Batch<'a> {
    pieces: &'a [Piece],
    samples: usize,
}

impl Batcher {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn new(options: &Options, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            come: Condvar::new(),
            max_batch: options.max_batch.max(1),
            max_wait: options.max_wait,
            queue: options.queue.max(1),
            patience: options.patience,
            metrics,
        });
        let thread = |index: usize| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("predict-{index}")).spawn(move || shared.work())
        };
        let threads = (0..options.threads.max(1)).map(thread).collect::<std::io::Result<_>>()?;
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Puts a request into the queue of its model: `[samples, …]` for each input, whose lengths the caller has checked. `share` is the
    /// memory that is counted for it.
    ///
    /// # Errors
    /// [`Refused::Full`], [`Refused::TooLarge`] or [`Refused::Stopping`].
    pub fn submit(&self, served: &Arc<Served>, inputs: Vec<Vec<f32>>, samples: usize, share: Share) -> Result<Answer, Refused> {
        if samples > served.max_samples() {
            return Err(Refused::TooLarge { samples, most: served.max_samples() });
        }
        let (sender, answer) = oneshot::channel();
        let outputs = served.outputs.iter().map(|output| vec![0.0; samples * output.len()]).collect();
        let progress = Mutex::new(Progress { outputs, left: samples, answer: Some(sender), share });
        let job = Job { request: Arc::new(Request { inputs, samples, came: Instant::now(), progress }), taken: 0 };
        let mut state = lock(&self.shared.state);
        if state.ending {
            return Err(Refused::Stopping);
        }
        match state.lanes.iter_mut().find(|lane| Arc::ptr_eq(&lane.served, served)) {
            Some(lane) if lane.jobs.len() >= self.shared.queue => {
                drop(state);
                return Err(self.full(served));
            }
            Some(lane) => {
                lane.samples += samples;
                lane.jobs.push_back(job);
            }
            None => state.lanes.push_back(Lane { served: Arc::clone(served), jobs: VecDeque::from([job]), samples }),
        }
        served.metrics.queue.fetch_add(1, Relaxed);
        drop(state);
        self.shared.come.notify_one();
        Ok(answer)
    }

    /// Whether there is room for a request, before anything is done for it.
    ///
    /// # Errors
    /// [`Refused::Full`].
    pub fn admit(&self, served: &Arc<Served>) -> Result<(), Refused> {
        let state = lock(&self.shared.state);
        let lane = state.lanes.iter().find(|lane| Arc::ptr_eq(&lane.served, served));
        let full = lane.is_some_and(|lane| lane.jobs.len() >= self.shared.queue);
        drop(state);
        if full { Err(self.full(served)) } else { Ok(()) }
    }

    fn full(&self, served: &Served) -> Refused {
        self.shared.metrics.reject(Rejected::Queue);
        Refused::Full { waiting: self.shared.queue, model: Arc::clone(&served.name) }
    }

    /// Answers what waits, then ends the threads.
    pub fn end(&self) {
        lock(&self.shared.state).ending = true;
        self.shared.come.notify_all();
        // A thread catches the panics of its batches.
        lock(&self.threads).drain(..).for_each(|thread| drop(thread.join()));
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn work(&self) {
        let mut pieces = Vec::new();
        while let Some(served) = self.take(&mut pieces) {
            let began = Instant::now();
            let samples = pieces.iter().map(|piece: &Piece| piece.samples).sum();
            let batch = Batch { pieces: &pieces, samples };
            let ran = catch_unwind(AssertUnwindSafe(|| {
                served.model().predict_batch(&batch, |output, values| batch.give(output, &served.outputs, values))
            }));
            served.metrics.batch.add(samples as f64);
            served.metrics.compute.add(began.elapsed().as_secs_f64());
            for piece in pieces.drain(..) {
                let mut progress = lock(&piece.request.progress);
                progress.left -= piece.samples;
                let result = match &ran {
                    Ok(Ok(())) if progress.left > 0 => continue,
                    Ok(Ok(())) => Ok((std::mem::take(&mut progress.outputs), std::mem::take(&mut progress.share))),
                    Ok(Err(reason)) => Err(Refused::NoMemory(reason.to_string())),
                    Err(_) => Err(Refused::Failed(Arc::clone(&served.name))),
                };
                served.metrics.latency.add(piece.request.came.elapsed().as_secs_f64());
                // Whoever has gone does not want it.
                let _ = progress.answer.take().map(|answer| answer.send(result));
            }
        }
    }

    /// Waits for a batch and takes it; `None` when all is to end.
    fn take(&self, pieces: &mut Vec<Piece>) -> Option<Arc<Served>> {
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            let ending = state.ending;
            let ripe = |lane: &Lane| {
                let oldest = lane.jobs.front().map_or(now, |job| job.request.came);
                if ending || lane.samples >= self.max_batch { now } else { oldest + self.max_wait }
            };
            let next = state.lanes.iter().map(ripe).enumerate().find(|(_, ripe)| *ripe <= now);
            match next.and_then(|(index, _)| state.lanes.remove(index)) {
                Some(mut lane) => {
                    self.take_of(&mut lane, pieces, now);
                    let served = Arc::clone(&lane.served);
                    if !lane.jobs.is_empty() {
                        state.lanes.push_back(lane);
                        self.come.notify_one();
                    }
                    if !pieces.is_empty() {
                        return Some(served);
                    }
                }
                None if state.lanes.is_empty() && ending => return None,
                None => {
                    let first = state.lanes.iter().map(ripe).min();
                    state = match first {
                        Some(ripe) => wait(self.come.wait_timeout(state, ripe - now)).0,
                        None => wait(self.come.wait(state)),
                    };
                }
            }
        }
    }

    /// Takes up to a batch of samples. A request that has more of them goes to the end.
    fn take_of(&self, lane: &mut Lane, pieces: &mut Vec<Piece>, now: Instant) {
        let mut room = self.max_batch;
        while room > 0 {
            let Some(mut job) = lane.jobs.pop_front() else { return };
            let rest = job.request.samples - job.taken;
            if !self.is_wanted(&job, now) {
                lane.samples -= rest;
                lane.served.metrics.queue.fetch_sub(1, Relaxed);
                continue;
            }
            let samples = rest.min(room);
            pieces.push(Piece { request: Arc::clone(&job.request), first: job.taken, samples });
            room -= samples;
            lane.samples -= samples;
            job.taken += samples;
            if samples < rest {
                lane.jobs.push_back(job);
            } else {
                lane.served.metrics.queue.fetch_sub(1, Relaxed);
            }
        }
    }

    /// Whether somebody still waits for it. Who has waited too long before it began is told so.
    fn is_wanted(&self, job: &Job, now: Instant) -> bool {
        let mut progress = lock(&job.request.progress);
        let gone = progress.answer.as_ref().is_none_or(oneshot::Sender::is_closed);
        let late = job.taken == 0 && now.saturating_duration_since(job.request.came) > self.patience;
        if late && !gone {
            self.metrics.reject(Rejected::Expired);
            let _ = progress.answer.take().map(|answer| answer.send(Err(Refused::Late(self.patience))));
        }
        !gone && !late
    }
}

impl Batch<'_> {
    /// Copies an output's values to the requests.
    fn give(&self, output: usize, tensors: &[Tensor], values: &[f32]) {
        let len = tensors.get(output).map_or(0, Tensor::len);
        let mut at = 0;
        for piece in self.pieces {
            let mut progress = lock(&piece.request.progress);
            let from = values.get(at..at + piece.samples * len);
            let to = progress
                .outputs
                .get_mut(output)
                .and_then(|all| all.get_mut(piece.first * len..(piece.first + piece.samples) * len));
            if let (Some(from), Some(to)) = (from, to) {
                to.copy_from_slice(from);
            }
            at += piece.samples * len;
        }
    }
}

impl Feed for Batch<'_> {
    fn samples(&self) -> usize {
        self.samples
    }

    fn fill(&self, input: usize, first: usize, out: &mut [f32]) {
        let (mut before, mut filled) = (0, 0);
        for piece in self.pieces {
            let values = &piece.request.inputs[input];
            let len = values.len() / piece.request.samples;
            let skipped = (first * len + filled).saturating_sub(before * len);
            before += piece.samples;
            if skipped < piece.samples * len && filled < out.len() {
                let values = &values[piece.first * len + skipped..(piece.first + piece.samples) * len];
                let count = values.len().min(out.len() - filled);
                out[filled..filled + count].copy_from_slice(&values[..count]);
                filled += count;
            }
        }
    }
}

fn wait<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "batcher_tests.rs"]
mod tests;
