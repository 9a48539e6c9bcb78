//! One transfer over HTTP, into a file that may hold a part already.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::{Failure, length};
use crate::error::DataError;
use crate::progress::Progress;

/// How long a silent network is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until a connection stands, the look-up of the name included. Default 10 s.
    pub connect: Duration,
    /// Until the next bytes come. Default 30 s.
    pub stall: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect: Duration::from_secs(10), stall: Duration::from_secs(30) }
    }
}

/// An HTTP client.
pub(super) struct Client {
    agent: Agent,
}

/// A transfer that came to its end.
pub(super) struct Transfer {
    /// Whether the front of the file was there before.
    pub(super) resumed: bool,
}

impl Client {
    pub(super) fn new(timeouts: Timeouts, proxy: bool) -> Self {
        let mut config = Agent::config_builder()
            .timeout_resolve(Some(timeouts.connect))
            .timeout_connect(Some(timeouts.connect))
            .timeout_recv_response(Some(timeouts.stall))
            .timeout_per_read(Some(timeouts.stall))
            .http_status_as_error(false)
            .user_agent(concat!("maobi/", env!("CARGO_PKG_VERSION")));
        if !proxy {
            config = config.proxy(None);
        }
        Client { agent: config.build().new_agent() }
    }

    /// Fetches `address` into `part`, going on from what it holds, up to `most` bytes in all.
    pub(super) fn transfer(&self, address: &str, part: &Path, most: u64, progress: &dyn Progress) -> Result<Transfer, Failure> {
        let have = length(part);
        let mut request = self.agent.get(address);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| Failure::Unreachable(error.to_string()))?;
        let resumed = match response.status() {
            StatusCode::OK => false,
            StatusCode::PARTIAL_CONTENT if have > 0 && starts_at(&response, have) => true,
            // The part is whole (or too long, which its digest tells).
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(Transfer { resumed: true }),
            status => return Err(Failure::Useless(format!("answers {status}"))),
        };
        let done = if resumed { have } else { 0 };
        let total = response.body().content_length().map(|rest| done + rest);
        if total.unwrap_or(0) > most {
            return Err(Failure::Useless(format!("announces {} bytes, more than the file can have", total.unwrap_or(0))));
        }
        let written = |error| Failure::Fatal(DataError::write(part)(error));
        let mut options = OpenOptions::new();
        let out = if resumed { options.append(true) } else { options.write(true).truncate(true) }.create(true).open(part);
        let mut out = out.map_err(written)?;
        progress.start(address, total, done);
        let copied = copy(response.into_body(), &mut out, most - done.min(most), progress, written);
        progress.finish();
        copied.map(|()| Transfer { resumed })
    }
}

/// Copies the body, at most `room` bytes of it.
fn copy(
    mut body: Body,
    out: &mut File,
    room: u64,
    progress: &dyn Progress,
    written: impl Fn(std::io::Error) -> Failure,
) -> Result<(), Failure> {
    let announced = body.content_length();
    let mut input = body.as_reader();
    let mut buffer = vec![0u8; 1 << 16];
    let mut copied = 0u64;
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => return Err(Failure::Useless(format!("breaks off after {copied} bytes ({error})"))),
        };
        copied += count as u64;
        if copied > room {
            return Err(Failure::Useless("sends more bytes than the file can have".to_owned()));
        }
        out.write_all(&buffer[..count]).map_err(&written)?;
        progress.advance(count as u64);
    }
    match announced {
        Some(announced) if copied < announced => Err(Failure::Useless(format!("breaks off after {copied} of {announced} bytes"))),
        _ => Ok(()),
    }
}

/// Whether the answer to a range begins where it was asked to.
fn starts_at(response: &Response<Body>, have: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.trim_start().starts_with(&format!("bytes {have}-")))
}
