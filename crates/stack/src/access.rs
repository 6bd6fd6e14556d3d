//! What a client of the broker needs to know: its address and, where it asks for it, who we are and
//! whom to trust.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use rskafka::client::{ClientBuilder, Credentials, SaslConfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// How a broker is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its address, as a host and a port.
    pub bootstrap: String,
    /// What it asks for beside; nothing of a broker that speaks in the clear.
    pub login: Option<Login>,
}

/// For a broker that speaks TLS and asks for a password by SCRAM-SHA-512.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Who we are.
    pub username: String,
    /// What only we know.
    pub password: String,
    /// The certificate of the authority whose word is taken for the broker's, in PEM.
    pub authority: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

impl From<&str> for Access {
    fn from(bootstrap: &str) -> Self {
        Self { bootstrap: bootstrap.to_owned(), login: None }
    }
}

impl From<&String> for Access {
    fn from(bootstrap: &String) -> Self {
        Self::from(bootstrap.as_str())
    }
}

impl From<&Self> for Access {
    fn from(access: &Self) -> Self {
        access.clone()
    }
}

impl Access {
    /// A client that may come in.
    pub(crate) fn client(&self) -> Result<ClientBuilder> {
        let builder = ClientBuilder::new(vec![self.bootstrap.clone()]);
        let Some(login) = &self.login else { return Ok(builder) };
        let credentials = Credentials::new(login.username.clone(), login.password.clone());
        Ok(builder.tls_config(login.tls()?).sasl_config(SaslConfig::ScramSha512(credentials)))
    }
}

impl Login {
    fn tls(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.authority.as_bytes()) {
            roots.add(certificate.context("the authority's certificate is no PEM")?)?;
        }
        // Named, for another crate of the same program may bring a second provider along.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_shown() {
        let login = Login {
            username: "somebody".to_owned(),
            password: "hush".to_owned(),
            authority: String::new(),
        };
        let access = Access { bootstrap: "host:1".to_owned(), login: Some(login) };
        let shown = format!("{access:?}");
        assert!(shown.contains("somebody") && !shown.contains("hush"), "{shown}");
    }
}
