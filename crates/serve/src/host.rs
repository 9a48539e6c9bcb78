//! Under which names the server answers.
//!
//! A page of any web site can make a browser ask this server. When the site's own name is made to stand for this machine's address (DNS
//! rebinding), the browser takes the server for the site, and lets the page read the answers. So requests are taken only under names
//! that nobody can point here from the public DNS: addresses, `localhost`, names without a dot, names under `.local`; and under names
//! that the options allow.

use crate::problem::Problem;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Names that are allowed beside those that are local anyway.
#[derive(Debug, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Of names, and of origins such as `https://digits.example`, whose pages may ask.
    pub fn new(names: &[String], origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| origin.split_once("://")).map(|(_, host)| name_of(host).unwrap_or(host));
        Self(names.iter().map(String::as_str).chain(origins).map(plain).collect())
    }

    /// Refuses a request for another host.
    ///
    /// # Errors
    /// 400 when it does not name one host, 421 when it names one that this server does not answer for.
    pub fn check(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => Some(host.to_str().unwrap_or_default()),
            (Some(_), Some(_)) => return Err(Problem::bad("the request has more than one Host header; expected one")),
            (None, _) => None,
        };
        // An address in full names a host, too.
        let target = uri.authority().map(|authority| authority.as_str());
        if host.is_none() && target.is_none() && version > Version::HTTP_10 {
            return Err(Problem::bad("the request has no Host header; HTTP/1.1 requires one"));
        }
        [host, target].into_iter().flatten().try_for_each(|host| self.allow(host))
    }

    fn allow(&self, host: &str) -> Result<(), Problem> {
        let name = name_of(host);
        if name.is_some_and(|name| is_local(name) || self.0.contains(&plain(name))) {
            return Ok(());
        }
        let named = name.filter(|name| is_name(name)).unwrap_or("NAME");
        Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!(
                "this server answers under an address or localhost, not under '{host}'; to allow the name, start it with --host {named}"
            ),
        ))
    }
}

/// Whether it can be the name of a host.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()) && label.chars().all(fits))
}

/// Without the port; `None` for what is no host.
fn name_of(host: &str) -> Option<&str> {
    // An address of version 6 has colons itself, and brackets around it.
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(end);
    let port = if port.is_empty() { port } else { port.strip_prefix(':')? };
    (port.bytes().all(|byte| byte.is_ascii_digit()) && port.len() <= 5 && !name.is_empty()).then_some(name)
}

fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether a name is an address, this machine, or one that only a local network knows.
fn is_local(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let name = plain(name);
    if !is_name(&name) {
        return false;
    }
    match name.rsplit_once('.') {
        // Browsers take a name that ends in a number for an address.
        _ if is_number(name.rsplit('.').next().unwrap_or_default()) => name.parse::<Ipv4Addr>().is_ok(),
        Some((_, last)) => matches!(last, "localhost" | "local"),
        None => true,
    }
}

fn is_number(label: &str) -> bool {
    let digits = label.strip_prefix("0x");
    let all = |text: &str, radix| text.chars().all(|c| c.is_digit(radix));
    digits.map_or_else(|| all(label, 10), |digits| all(digits, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_public_dns_cannot_point_here_is_local() {
        for host in [
            "127.0.0.1:8501",
            "192.168.0.7",
            "[::1]:80",
            "[::1]",
            "[fe80::1]:8501",
            "localhost",
            "LOCALHOST:80",
            "localhost.:80",
            "app.localhost",
            "raspberry:8501",
            "pi.local",
            "127.0.0.1:",
        ] {
            assert!(Hosts::default().allow(host).is_ok(), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "evil.example:8501",
            "[::1].evil.example",
            "[::1]evil",
            "[evil.example]",
            "[::1",
            "[127.0.0.1]",
            "[::1]:80:evil.example",
            "::1",
            "127.0.0.1.evil.example",
            "127.0.0.1:8501:evil.example",
            "localhost.evil.example",
            "notlocalhost.example",
            "127.1",
            "0x7f000001",
            "2130706433",
            "a..local",
            "local host",
            "localhost:80x",
            "user@localhost",
            "\u{e9}vil",
            "localhost..",
            "[fe80::1%25eth0]",
            "1.2.3.04",
        ] {
            assert_eq!(Hosts::default().allow(host).map_err(|p| p.status.as_u16()), Err(421), "{host}");
        }
    }

    #[test]
    fn options_allow_names() {
        let text = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let hosts = Hosts::new(&text(&["Digits.example"]), &text(&["https://page.example:8443", "*"]));
        for host in ["digits.example", "DIGITS.EXAMPLE.:80", "page.example", "page.example:1"] {
            assert!(hosts.allow(host).is_ok(), "{host}");
        }
        let refused = hosts.allow("a.digits.example:80").unwrap_err();
        assert!(refused.message.ends_with("start it with --host a.digits.example"), "{refused}");
    }

    #[test]
    fn a_request_names_one_host() {
        let check = |version, uri: &'static str, hosts: &[&'static str]| {
            let headers: HeaderMap = hosts.iter().map(|host| (header::HOST, host.parse().unwrap())).collect();
            Hosts::default().check(version, &Uri::from_static(uri), &headers).map_err(|problem| problem.status.as_u16())
        };
        assert_eq!(check(Version::HTTP_11, "/", &["localhost"]), Ok(()));
        assert_eq!(check(Version::HTTP_11, "/", &[]), Err(400));
        assert_eq!(check(Version::HTTP_10, "/", &[]), Ok(()), "what was made before Host was");
        assert_eq!(check(Version::HTTP_10, "/", &["evil.example"]), Err(421));
        assert_eq!(check(Version::HTTP_11, "/", &["localhost", "localhost"]), Err(400));
        assert_eq!(check(Version::HTTP_11, "http://evil.example/", &["localhost"]), Err(421));
        assert_eq!(check(Version::HTTP_11, "http://localhost/", &["localhost"]), Ok(()));
    }
}
