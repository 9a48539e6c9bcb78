//! Answers on their way to a client: in small pieces, and counted until the last of them is handed to the connection.
//!
//! hyper copies what it sends into a buffer of the connection. Given an answer of 50 MB as one piece, it would copy all of it, and keep
//! a buffer of that size for as long as the connection lives. In pieces, its buffer stays small, and the answer waits here.

use crate::memory::{Memory, SMALL, Share};
use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Bytes that are handed over at a time.
const PIECE: usize = 16 << 10;

/// Says of a response that its memory is counted already.
#[derive(Clone, Debug)]
struct Counted(Arc<Share>);

/// A body in pieces. `held` is dropped once the last of it is handed over, or the client has gone.
pub struct Outgoing<T> {
    body: Body,
    rest: Bytes,
    _held: T,
}

impl<T> Outgoing<T> {
    pub fn new(body: Body, held: T) -> Self {
        Self { body, rest: Bytes::new(), _held: held }
    }

    fn piece(&mut self) -> Frame<Bytes> {
        Frame::data(self.rest.split_to(self.rest.len().min(PIECE)))
    }
}

impl<T: Unpin> HttpBody for Outgoing<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.piece())));
        }
        Pin::new(&mut self.body).poll_frame(context).map(|frame| {
            frame.map(|frame| {
                frame.map(|frame| match frame.into_data() {
                    Ok(data) => {
                        self.rest = data;
                        self.piece()
                    }
                    Err(other) => other,
                })
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut all = SizeHint::new();
        if let Some(upper) = body.upper() {
            all.set_upper(upper + rest);
        }
        all.set_lower(body.lower() + rest);
        all
    }
}

/// Marks a response whose memory `share` stands for.
pub fn counted(mut response: Response, share: Share) -> Response {
    response.extensions_mut().insert(Counted(Arc::new(share)));
    response
}

/// Counts a response until it is sent, if nobody has yet.
///
/// # Errors
/// 503 when there is no memory left for it.
pub fn count(memory: &Arc<Memory>, mut response: Response) -> Result<Response, Problem> {
    let size = response.body().size_hint().exact().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    let share = match response.extensions_mut().remove::<Counted>() {
        Some(Counted(share)) => share,
        None if size > SMALL => Arc::new(memory.share(size)?),
        None => return Ok(response),
    };
    Ok(response.map(|body| Body::new(Outgoing::new(body, share))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_large_answer_is_handed_over_in_pieces_and_counted_until_the_last() {
        let memory = Memory::new(1 << 20, Arc::default());
        let bytes: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
        let response = count(&memory, Response::new(bytes.clone().into())).unwrap();
        assert_eq!((memory.held(), response.body().size_hint().exact()), (100_000, Some(100_000)));
        let mut body = response.into_body();
        let (mut all, mut context) = (Vec::new(), Context::from_waker(Waker::noop()));
        while !body.is_end_stream() {
            assert_eq!(memory.held(), 100_000);
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut context) else { panic!("a frame") };
            let piece = frame.into_data().unwrap();
            assert!((1..=PIECE).contains(&piece.len()));
            all.extend_from_slice(&piece);
        }
        drop(body);
        assert_eq!((all, memory.held()), (bytes, 0));
        assert!(count(&memory, Response::new(vec![0; (1 << 20) + 1].into())).is_err());
        assert!(count(&memory, Response::new(vec![0; SMALL].into())).is_ok());
        // What was counted before is not counted twice.
        let share = memory.share(1 << 20).unwrap();
        let response = count(&memory, counted(Response::new(vec![0; 1 << 20].into()), share)).unwrap();
        assert_eq!(memory.held(), 1 << 20);
        drop(response);
        assert_eq!(memory.held(), 0);
    }
}
