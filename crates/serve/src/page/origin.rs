//! Whose requests the page's routes take. The service listens where any page that the user has open could send requests to, so they are
//! taken from the page itself, whatever `--cors` lets others ask (<https://owasp.org/www-community/attacks/csrf>). Programs may ask for what
//! changes nothing. Under which names the server answers at all is the matter of [`crate::host`].

use crate::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses what does not come from the page.
pub async fn check(request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if is_own(request.headers(), changes) {
        return next.run(request).await;
    }
    let message = "this is for the page of this server; other programs ask /v1 and /v2, see /openapi.json";
    Problem::new(StatusCode::FORBIDDEN, message).into_response()
}

/// Whether a request may come from the page.
fn is_own(headers: &HeaderMap, changes: bool) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let origin = text(header::ORIGIN);
    let named = |origin: &str| origin.split_once("://").map_or(origin, |(_, host)| host) == host;
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    match (site, origin) {
        // An address that the user has typed.
        (Some("none"), None) => !changes,
        (Some(site), origin) => site == "same-origin" && origin.is_none_or(named),
        (None, Some(origin)) => named(origin),
        (None, None) => !changes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)], changes: bool) -> bool {
        let headers = pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect();
        is_own(&headers, changes)
    }

    #[test]
    fn only_the_page_changes_anything() {
        let host = ("host", "127.0.0.1:8501");
        assert!(of(&[host], false));
        assert!(!of(&[host], true), "who does not say where it comes from");
        assert!(of(&[host, ("origin", "http://127.0.0.1:8501")], true));
        assert!(of(&[host, ("origin", "http://127.0.0.1:8501"), ("sec-fetch-site", "same-origin")], true));
        for foreign in ["http://evil.example", "http://127.0.0.1:9000", "null"] {
            assert!(!of(&[host, ("origin", foreign)], true), "{foreign}");
            assert!(!of(&[host, ("origin", foreign)], false), "{foreign}");
        }
        for (site, shown) in [("cross-site", false), ("same-site", false), ("same-origin", true), ("none", true)] {
            assert_eq!(of(&[host, ("sec-fetch-site", site)], false), shown, "{site}");
        }
        assert!(!of(&[host, ("origin", "http://127.0.0.1:8501"), ("sec-fetch-site", "cross-site")], true));
        assert!(!of(&[host, ("sec-fetch-site", "none")], true));
    }
}
