//! What a server may take and hold: every bound in one place.

use std::path::PathBuf;
use std::time::Duration;

/// How a server works; the defaults are those of the command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that predict, and as many that read pictures.
    pub threads: usize,
    /// Most samples that go through a network together.
    pub max_batch: usize,
    /// How long a request waits for others to share its batch. With none, whatever has come while a batch ran is the next one.
    pub max_wait: Duration,
    /// Requests that may wait for one model; those beyond are answered 503.
    pub queue: usize,
    /// Longest time that a request waits before work on it begins; then it is answered 504.
    pub patience: Duration,
    /// Largest body of a request, in bytes.
    pub max_body: usize,
    /// Bytes that connections, requests and answers that are not sent yet may take together; what goes beyond is answered 503. One request
    /// of the largest size always has room.
    pub max_held: usize,
    /// Largest picture, width × height.
    pub max_pixels: u64,
    /// Memory in bytes that all pictures in work share, by an estimate from their headers. A picture that needs more than this alone is
    /// answered 413; one that does not get its share within `patience` is answered 503.
    pub picture_memory: usize,
    /// Longest time from the start of work on a picture to its reading; then it is answered 504. Decoding is not interrupted.
    pub picture_time: Duration,
    /// Connections that may be open at the same time; those beyond wait to be accepted.
    pub connections: usize,
    /// Longest time that a client may take to send the head of a request, then its body, and then to take its answer, or another
    /// megabyte of a larger one.
    pub read_timeout: Duration,
    /// Longest time that requests may take to end once the server is asked to stop.
    pub drain: Duration,
    /// How often files of models are looked at; `None`: never.
    pub reload: Option<Duration>,
    /// Origins whose pages may ask, or `*`; empty: those of no other host.
    pub cors: Vec<String>,
    /// Names under which the server answers, beside addresses, `localhost`, names without a dot, names under `.local`, and the hosts of
    /// `cors`.
    pub hosts: Vec<String>,
    /// Where the page keeps what it is taught; `None`: it cannot be taught.
    pub samples: Option<PathBuf>,
    /// The folder with training runs that the page shows; `None`: it shows none.
    pub runs: Option<PathBuf>,
}

impl Default for Options {
    /// Memory for pictures: 512 MB, or 128 MB for each core if that is more.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
        Self {
            threads,
            max_batch: 32,
            max_wait: Duration::ZERO,
            queue: 512,
            patience: Duration::from_secs(10),
            max_body: 32_000_000,
            max_held: 512_000_000,
            max_pixels: 50_000_000,
            picture_memory: (threads * 128_000_000).max(512_000_000),
            picture_time: Duration::from_secs(10),
            connections: 4096,
            read_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            reload: Some(Duration::from_secs(1)),
            cors: Vec::new(),
            hosts: Vec::new(),
            samples: None,
            runs: None,
        }
    }
}
