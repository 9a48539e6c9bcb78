//! What is too large, too slow or too much.

use super::*;
use crate::batcher::Batcher;
use crate::memory::Share;
use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;
#[test]
fn bounds_hold() {
    let small = service(Options { threads: 1, max_body: 20_000, max_pixels: 10_000, ..Options::default() });
    let large = ask_of(&small, "POST", "/v1/models/digits:predict", &[], vec![b' '; 20_001]);
    assert_eq!((large.status, large.error().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 20000 bytes"));
    // Without a length, too.
    let endless = Body::new(Endless);
    assert_eq!(ask_of(&small, "POST", "/v1/models/digits:predict", &[], endless).status, StatusCode::PAYLOAD_TOO_LARGE);
    let wide = ask_of(&small, "POST", "/v1/recognize", &[("content-type", "image/png")], png(101, 100, |_, _| 255));
    assert_eq!(wide.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", wide.error());

    let slow = service(Options { threads: 1, read_timeout: Duration::from_millis(20), ..Options::default() });
    let silent = Body::new(Silence);
    assert_eq!(ask_of(&slow, "POST", "/v1/models/digits:predict", &[], silent).status, StatusCode::REQUEST_TIMEOUT);
}

/// A body without end.
struct Endless;
/// A body that does not come.
struct Silence;

type Polled = Poll<Option<Result<Frame<Bytes>, std::io::Error>>>;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1000])))))
    }
}

impl HttpBody for Silence {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Poll::Pending
    }
}

#[test]
fn more_than_can_be_done_is_sent_away() {
    // Nothing runs before a batch of 32 is full: what waits, waits.
    let busy = service(Options { threads: 1, queue: 1, max_wait: Duration::from_secs(3600), ..Options::default() });
    let served = busy.models.default_model().unwrap();
    let waiting = busy.batcher.submit(&served, vec![seven()], 1, Share::default()).unwrap();
    let body = json!({ "instances": [nested(&seven())] }).to_string();
    let refused = ask_of(&busy, "POST", "/v1/models/digits:predict", &[], body.clone());
    assert_eq!((refused.status, &refused.headers["retry-after"]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
    assert_eq!(refused.error(), "1 requests wait for the model digits already; try again");
    let text = String::from_utf8(ask_of(&busy, "GET", "/metrics", &[], "").bytes).unwrap();
    for line in ["maobi_rejected_total{reason=\"queue_full\"} 1", "maobi_queue_depth{model=\"digits\"} 1"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    Batcher::end(&busy.batcher);
    assert!(waiting.blocking_recv().unwrap().is_ok());
    busy.drain();
    assert_eq!(ask_of(&busy, "GET", "/v2/health/ready", &[], "").json(), json!({ "ready": false }));
    assert_eq!(ask_of(&busy, "GET", "/v2/health/live", &[], "").headers["connection"], "close");

    let full = service(Options { threads: 1, max_held: 0, max_body: 10_000, ..Options::default() });
    let held = full.memory.share(65_001).unwrap();
    // With what is read from it, a body counts three times.
    let refused = ask_of(&full, "POST", "/v1/models/digits:predict", &[], vec![b' '; 5000]);
    assert_eq!((refused.status, &refused.headers["retry-after"]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
    drop(held);
    assert_eq!(ask_of(&full, "POST", "/v1/models/digits:predict", &[], vec![b' '; 5000]).status, StatusCode::BAD_REQUEST);

    // A body that is only announced takes nothing from others.
    let silent = || {
        let request = Request::builder().method("POST").uri("/v1/models/digits:predict").header("host", "localhost");
        request.body(Body::new(Silence)).unwrap()
    };
    let slow: Vec<_> = (0..3).map(|_| RUNTIME.spawn(send(router(Arc::clone(&full)), silent()))).collect();
    while full.metrics.in_flight.load(Relaxed) < 3 {
        std::thread::yield_now();
    }
    assert_eq!(ask_of(&full, "POST", "/v1/models/digits:predict", &[], vec![b' '; 5000]).status, StatusCode::BAD_REQUEST);
    slow.into_iter().for_each(|one| one.abort());
}

#[test]
fn answers_count_until_they_are_sent_and_health_needs_no_memory() {
    let full = service(Options { threads: 1, max_held: 0, max_body: 10_000, ..Options::default() });
    let answer = |path: &str| {
        let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty()).unwrap();
        RUNTIME.block_on(router(Arc::clone(&full)).oneshot(request)).unwrap()
    };
    let document = answer("/openapi.json");
    let size = document.body().size_hint().exact().unwrap() as usize;
    assert_eq!((document.status(), full.memory.held()), (StatusCode::OK, size), "nobody has read it yet");
    drop(document);
    assert_eq!(full.memory.held(), 0);
    let _held = full.memory.share(80_000).unwrap();
    let refused = ask_of(&full, "GET", "/openapi.json", &[], "");
    assert_eq!((refused.status, &refused.headers["retry-after"]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
    for path in ["/v2/health/live", "/v2/health/ready", "/metrics"] {
        assert_eq!(ask_of(&full, "GET", path, &[], "").status, StatusCode::OK, "{path}");
    }
}

#[test]
fn a_request_whose_client_has_gone_counts_until_it_leaves_the_queue() {
    // Nothing runs before a batch of 32 is full.
    let busy = service(Options { threads: 1, max_wait: Duration::from_secs(3600), ..Options::default() });
    let body = json!({ "instances": vec![nested(&seven()); 10] }).to_string();
    let request = Request::builder().method("POST").uri("/v1/models/digits:predict").header("host", "localhost");
    let asked = RUNTIME.spawn(send(router(Arc::clone(&busy)), request.body(body.into()).unwrap()));
    let served = busy.models.default_model().unwrap();
    while served.metrics.queue.load(Relaxed) == 0 {
        std::thread::yield_now();
    }
    asked.abort();
    assert!(RUNTIME.block_on(asked).is_err_and(|error| error.is_cancelled()));
    assert!(busy.memory.held() >= 10 * 784 * 4, "{} bytes", busy.memory.held());
    Batcher::end(&busy.batcher);
    assert_eq!(busy.memory.held(), 0);
}

#[test]
fn pictures_share_one_budget_of_memory_and_have_an_end() {
    let image = [("content-type", "image/png"), ("host", "localhost:8501"), ("sec-fetch-site", "same-origin")];
    let routes = ["/v1/recognize", "/page/look?show=stages"];
    let options = Options { threads: 2, patience: Duration::from_millis(50), ..Options::default() };
    let seven = picture();
    // Alone too large for all that there is.
    let tiny = service(Options { picture_memory: 10_000_000, ..options.clone() });
    for route in routes {
        let refused = ask_of(&tiny, "POST", route, &image, seven.clone());
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", refused.error());
        let (begin, end) = ("reading the picture takes up to ", "the server has 10 MB for pictures; shrink the picture");
        assert!(refused.error().starts_with(begin) && refused.error().ends_with(end), "{}", refused.error());
    }
    // Room for one of two that come at the same time, whatever thread is free.
    let full = service(Options { picture_memory: 40_000_000, ..options.clone() });
    let (began, wait) = std::sync::mpsc::channel();
    let (go, held) = std::sync::mpsc::channel::<()>();
    let other = Arc::clone(&full);
    let first = RUNTIME.spawn(async move {
        let work = move |_| {
            began.send(()).unwrap();
            held.recv().unwrap();
        };
        other.pictures.run(30_000_000, work).await
    });
    wait.recv().unwrap();
    for route in routes {
        let refused = ask_of(&full, "POST", route, &image, seven.clone());
        assert_eq!((refused.status, &refused.headers["retry-after"]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
        assert_eq!(refused.error(), "the server is busy with other pictures, this one has waited for 50 ms; try again");
    }
    go.send(()).unwrap();
    RUNTIME.block_on(first).unwrap().unwrap();
    assert_eq!(ask_of(&full, "POST", "/v1/recognize", &image, seven.clone()).status, StatusCode::OK);
    // A picture that is not read in time.
    let hasty = service(Options { picture_time: Duration::ZERO, ..options });
    for route in routes {
        let late = ask_of(&hasty, "POST", route, &image, seven.clone());
        assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT, "{}", late.error());
    }
}

#[test]
fn a_decoder_that_panics_is_a_bad_picture() {
    let palette = include_bytes!("../../../../fixtures/vision/plte-of-4-bytes.png");
    let answer = ask("POST", "/v1/recognize", &[("content-type", "image/png")], palette.to_vec());
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.error().starts_with("the picture: the PNG is damaged or cut short (the decoder failed: "),
        "{}",
        answer.error()
    );
}
