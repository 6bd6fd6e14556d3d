//! Keeps users' URLs from leading into our own network (server-side request forgery).
//!
//! What a name stands for is looked at when the connection is made, by the resolver that the client
//! uses: a check before that could be told another address than the connection.

use hyper_util::client::legacy::connect::dns::Name;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::Service;
use url::{Host, Url};

/// Longest URL that is stored, in bytes.
pub(crate) const URL_MAX_BYTES: usize = 2_048;

/// Why a URL is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlRefused {
    /// Not a URL.
    #[error("is not a URL: {0}")]
    Malformed(String),
    /// Longer than we keep.
    #[error("is longer than {URL_MAX_BYTES} bytes")]
    TooLong,
    /// Neither http nor https.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// A name or password in it, which would end up in logs.
    #[error("must not hold a user name or password")]
    Credentials,
    /// In our own network.
    #[error("must not lead to a private address")]
    Private,
}

/// Reads a URL that may be called.
pub(crate) fn parse(text: &str, allow_private: bool) -> Result<Url, UrlRefused> {
    if text.len() > URL_MAX_BYTES {
        return Err(UrlRefused::TooLong);
    }
    let url = Url::parse(text).map_err(|error| UrlRefused::Malformed(error.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(UrlRefused::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused::Credentials);
    }
    let private = match url.host() {
        None => return Err(UrlRefused::Malformed("no host".to_owned())),
        Some(Host::Ipv4(address)) => !is_public_v4(address),
        Some(Host::Ipv6(address)) => !is_public_v6(address),
        Some(Host::Domain(name)) => is_local_name(name),
    };
    if private && !allow_private { Err(UrlRefused::Private) } else { Ok(url) }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost") || name.ends_with(".internal")
}

/// Whether an address is on the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the registry of special-purpose addresses of IANA (RFC 6890 and its updates).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // "This network", and what was never given out; the latter includes broadcast.
        || a == 0
        || a >= 240
        // Shared by carriers for their customers.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, and 6to4 relays.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // Benchmarks.
        || (a == 198 && (b == 18 || b == 19));
    !special
}

/// Only what is routed globally, `2000::/3`, and of that nothing that hides an IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [first, second, ..] = address.segments();
    let global = first & 0xe000 == 0x2000;
    let documentation = (first == 0x2001 && second == 0x0db8) || first == 0x3fff;
    let protocols = first == 0x2001 && second < 0x0200;
    let six_to_four = first == 0x2002;
    global && !documentation && !protocols && !six_to_four
}

/// Resolves names, to public addresses only unless private ones are allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver {
    /// Whether they are.
    pub(crate) allow_private: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            // The port is put in by the client.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<_> =
                found.filter(|address| allow_private || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, UrlRefused::Private));
            }
            Ok(usable.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> UrlRefused {
        parse(text, false).unwrap_err()
    }

    #[test]
    fn public_urls_pass() {
        for url in [
            "https://hooks.example.org/reminders?team=7",
            "http://8.8.8.8/",
            "https://[2606:4700::1111]/hook",
            "https://172.32.0.1/",
        ] {
            assert!(parse(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://017700000001/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://100.64.0.1/",
            "http://198.18.0.1/",
            "http://255.255.255.255/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://api.localhost/",
            "http://metadata.google.internal/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[2001::1]/",
        ] {
            assert_eq!(refused(url), UrlRefused::Private, "{url}");
            assert!(parse(url, true).is_ok(), "{url}, where private ones are allowed");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused_always() {
        for (url, why) in [
            ("ftp://example.org/", UrlRefused::Scheme),
            ("file:///etc/passwd", UrlRefused::Scheme),
            ("https://ada:secret@example.org/", UrlRefused::Credentials),
        ] {
            assert_eq!(parse(url, true), Err(why), "{url}");
        }
        assert!(matches!(refused("hooks.example.org"), UrlRefused::Malformed(_)));
        assert!(matches!(refused("https://"), UrlRefused::Malformed(_)));
        let long = format!("https://example.org/{}", "a".repeat(URL_MAX_BYTES));
        assert_eq!(refused(&long), UrlRefused::TooLong);
    }

    #[tokio::test]
    async fn a_name_that_stands_for_a_private_address_is_not_resolved() {
        // Whatever resolver the machine has, this name is its loopback.
        let resolve = |allow_private| {
            let name = "localhost".parse::<Name>().unwrap();
            Resolver { allow_private }.call(name)
        };
        let error = resolve(false).await.unwrap_err();
        assert_eq!(error.to_string(), UrlRefused::Private.to_string());
        assert!(resolve(true).await.unwrap().all(|address| address.ip().is_loopback()));
    }
}
