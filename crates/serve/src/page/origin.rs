//! Whose requests the page's routes take. The service listens where any page that the user has open could send requests to, so they are
//! taken from the page itself, whatever `--cors` lets others ask (<https://owasp.org/www-community/attacks/csrf>): those that change nothing
//! from programs, too. And only under a name that another host cannot have given to this machine (DNS rebinding).

use crate::http::Service;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// Refuses what does not come from the page.
pub async fn check(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    match allowed(request.headers(), changes, &service.options.cors) {
        Ok(()) => next.run(request).await,
        Err(reason) => Problem::new(StatusCode::FORBIDDEN, reason).into_response(),
    }
}

/// Why not.
fn allowed(headers: &HeaderMap, changes: bool, trusted: &[String]) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let origin = text(header::ORIGIN);
    let named = |origin: &str| origin.split_once("://").map_or(origin, |(_, host)| host) == host;
    let is_trusted = trusted.iter().any(|one| named(one));
    if !is_trusted && !is_local(host) {
        return Err(format!(
            "the page answers under an address or localhost, not under '{host}'; start the server with --cors https://{host} to use it there"
        ));
    }
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    let same = match (site, origin) {
        // An address that the user has typed.
        (Some("none"), None) => !changes,
        (Some(site), origin) => site == "same-origin" && origin.is_none_or(named),
        (None, Some(origin)) => named(origin),
        (None, None) => !changes,
    };
    if same {
        Ok(())
    } else {
        Err("this is for the page of this server; other programs ask /v1 and /v2, see /openapi.json".into())
    }
}

/// Whether a host is an address, this machine, or a name that only a local network knows.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.');
    name.parse::<IpAddr>().is_ok()
        || name.ends_with(".localhost")
        || name.ends_with(".local")
        || (!name.is_empty() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)], changes: bool, trusted: &[&str]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect();
        allowed(&headers, changes, &trusted.iter().map(ToString::to_string).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn only_the_page_changes_anything() {
        let host = ("host", "127.0.0.1:8501");
        assert!(of(&[host], false, &[]));
        assert!(!of(&[host], true, &[]), "who does not say where it comes from");
        assert!(of(&[host, ("origin", "http://127.0.0.1:8501")], true, &[]));
        assert!(of(&[host, ("origin", "http://127.0.0.1:8501"), ("sec-fetch-site", "same-origin")], true, &[]));
        for foreign in ["http://evil.example", "http://127.0.0.1:9000", "null"] {
            assert!(!of(&[host, ("origin", foreign)], true, &[]), "{foreign}");
            assert!(!of(&[host, ("origin", foreign)], false, &["*"]), "{foreign}");
        }
        for (site, shown) in [("cross-site", false), ("same-site", false), ("same-origin", true), ("none", true)] {
            assert_eq!(of(&[host, ("sec-fetch-site", site)], false, &["*"]), shown, "{site}");
        }
        assert!(!of(&[host, ("origin", "http://127.0.0.1:8501"), ("sec-fetch-site", "cross-site")], true, &[]));
        assert!(!of(&[host, ("sec-fetch-site", "none")], true, &[]));
    }

    #[test]
    fn names_of_other_hosts_are_not_ours() {
        for (host, local) in [("[::1]:80", true), ("localhost", true), ("raspberry:8501", true), ("pi.local", true), ("", false)]
        {
            assert_eq!(of(&[("host", host)], false, &[]), local, "{host}");
        }
        let rebound = [("host", "evil.example:8501"), ("origin", "http://evil.example:8501"), ("sec-fetch-site", "same-origin")];
        assert!(!of(&rebound, false, &[]) && !of(&rebound, true, &[]));
        let mine = [("host", "digits.example"), ("origin", "https://digits.example")];
        assert!(of(&mine, true, &["https://digits.example"]) && !of(&mine, true, &["*"]));
        assert!(of(&mine[..1], false, &["https://digits.example"]));
    }
}
