//! What the browser loads: files of `crates/serve/page`, part of the program, compressed once. Nothing comes from another host, which
//! the content security policy also says.

use crate::problem::Problem;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::{Compression, write::GzEncoder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::LazyLock;

const JS: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        /// Name, type and content of each.
        const FILES: &[(&str, &str, &[u8])] = &[$(($name, $kind, include_bytes!(concat!("../../page/", $name)))),*];
    };
}

files! {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "main.js": JS,
    "sketch.js": JS,
    "picture.js": JS,
    "service.js": JS,
    "answer.js": JS,
    "inside.js": JS,
    "shades.js": JS,
    "teach.js": JS,
    "runs.js": JS,
    "curves.js": JS,
    "words.js": JS,
    "look.js": JS,
}

struct Asset {
    name: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    gzip: Vec<u8>,
    tag: HeaderValue,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let one = |&(name, kind, plain): &(&'static str, &'static str, &'static [u8])| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail.
        let gzip = encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        plain.hash(&mut hasher);
        let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish())).unwrap_or(HeaderValue::from_static("\"\""));
        Asset { name, kind, plain, gzip, tag }
    };
    FILES.iter().map(one).collect()
});

const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; object-src 'none'";

/// `GET /`.
pub async fn index(headers: HeaderMap) -> Response {
    found("index.html", &headers).into_response()
}

/// `GET /page/static/…`.
pub async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    found(&name, &headers).into_response()
}

fn found(name: &str, asked: &HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::not_found(format!("there is no {name} in the page")))?;
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|tags| {
        let tags = String::from_utf8_lossy(tags.as_bytes());
        tags.split(',').any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == asset.tag.as_bytes())
    });
    let packs =
        asked.get(header::ACCEPT_ENCODING).is_some_and(|accepted| takes_gzip(&String::from_utf8_lossy(accepted.as_bytes())));
    let packed = packs && !asset.gzip.is_empty();
    let mut response = match (known, packed) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, true) => asset.gzip.clone().into_response(),
        (false, false) => asset.plain.into_response(),
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, asset.kind);
    // Asked again each time, so that a new version is there at once; mostly the answer is 304.
    set(header::CACHE_CONTROL, "no-cache");
    set(header::VARY, "accept-encoding");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if packed && !known {
        set(header::CONTENT_ENCODING, "gzip");
    }
    headers.insert(header::ETAG, asset.tag.clone());
    Ok(response)
}

/// Whether `Accept-Encoding` has gzip and does not refuse it.
fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        name.eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_page_is_small_and_asks_no_other_host() {
        let packed: usize = ASSETS.iter().map(|asset| asset.gzip.len()).sum();
        assert!(packed < 60_000, "{packed} bytes");
        for asset in ASSETS.iter() {
            let text = String::from_utf8_lossy(asset.plain);
            let foreign = text.matches("http").count() - text.matches("http://www.w3.org/2000/svg").count();
            assert_eq!(foreign, 0, "{}", asset.name);
            assert!(!text.contains("innerHTML") && !text.contains("eval("), "{}", asset.name);
        }
    }

    #[test]
    fn gzip_where_it_is_taken() {
        for (accepted, takes) in [("gzip, deflate, br", true), ("br;q=1, GZIP;q=0.5", true), ("gzip;q=0", false), ("", false)] {
            assert_eq!(takes_gzip(accepted), takes, "{accepted}");
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let first = found("main.js", &headers).unwrap();
        assert_eq!(first.headers()[header::CONTENT_ENCODING], "gzip");
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(found("main.js", &headers).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert!(found("secret.js", &headers).is_err());
    }
}
