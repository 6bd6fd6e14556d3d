//! What is asked of tokens, and where the keys come from.

use std::net::IpAddr;
use std::path::PathBuf;
use url::Url;

/// Whose tokens are good, and for whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the keys are.
    pub keys: KeysAt,
    /// Who must have made a token.
    pub issuer: String,
    /// For whom it must have been made.
    pub audience: String,
    /// The claim that says whose it is.
    pub user_claim: String,
    /// The scope of those who may see and do everything.
    pub admin_scope: Option<String>,
}

/// Where a key set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAt {
    /// In the web.
    Web(Url),
    /// In a file.
    File(PathBuf),
}

impl KeysAt {
    /// Reads an `https://` URL, or the path of a file. Without TLS, keys come from this host alone: whoever
    /// can answer in the provider's place can make tokens.
    ///
    /// # Errors
    /// Why it cannot be used; the reason reads on from the setting.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let url: Url = text.parse().map_err(|_| "is no URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must hold no user and no password: a key set is public");
        }
        match url.scheme() {
            "https" if url.host().is_some() => Ok(Self::Web(url)),
            "http" if is_this_host(&url) => Ok(Self::Web(url)),
            "http" => Err("must begin with https://; http:// is for loopback alone"),
            _ => Err("must be an https:// URL, or the path of a file"),
        }
    }
}

fn is_this_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_tls_or_from_this_host() {
        let web = |text: &str| Ok(KeysAt::Web(text.parse().unwrap()));
        for url in [
            "https://id.example/keys",
            "http://127.0.0.1:9/k",
            "http://[::1]/k",
            "http://localhost/k",
        ] {
            assert_eq!(KeysAt::parse(url), web(url), "{url}");
        }
        assert_eq!(KeysAt::parse("/etc/keys.json"), Ok(KeysAt::File("/etc/keys.json".into())));
        for url in [
            "http://id.example/keys",
            "http://127.0.0.1.example/keys",
            "http://localhost.example/keys",
            "https://ada:pw@id.example/keys",
            "ftp://id.example/keys",
            "https://",
            "file:///etc/keys.json",
        ] {
            assert!(KeysAt::parse(url).is_err(), "{url}");
        }
    }
}
