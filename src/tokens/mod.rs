//! Tokens of callers: JSON Web Tokens (RFC 7519) of an identity provider, verified by its key set (RFC 7517).
//!
//! | File | Holds |
//! |---|---|
//! | [`token`] | a token: whose it is, or why it is refused |
//! | [`keys`] | the keys of the provider that may verify tokens, and by which algorithms |
//! | [`provider`] | the keys as they are known now, followed while the service runs |
//! | [`source`] | where they come from |
//! | [`maths`] | signatures, checked by `ring` as TLS does |
//!
//! The service never makes a token, and trusts nothing of one before its signature has been checked.

mod keys;
mod maths;
mod provider;
pub mod settings;
mod source;
#[cfg(test)]
mod tests;
mod token;

pub use provider::Provider;
pub use token::{Caller, Refused};

use crate::http::health::Readiness;
use settings::Settings;
use std::sync::Arc;

/// Verifies tokens.
#[derive(Debug)]
pub struct Tokens {
    settings: Settings,
    provider: Arc<Provider>,
}

impl Tokens {
    /// Tokens of this provider; its keys are followed by [`Provider::follow`].
    ///
    /// # Errors
    /// When this host has no root certificates.
    pub fn new(settings: Settings, readiness: Readiness) -> std::io::Result<Self> {
        maths::install();
        let provider = Arc::new(Provider::new(&settings.keys, readiness)?);
        Ok(Self { settings, provider })
    }

    /// Where the keys come from.
    pub fn provider(&self) -> Arc<Provider> {
        Arc::clone(&self.provider)
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// Why it is refused; never what it says.
    pub async fn verify(&self, token: &[u8]) -> Result<Caller, Refused> {
        let verified = self.verified(token).await;
        let outcome = match &verified {
            Ok(Caller::User(_)) => "user",
            Ok(Caller::Everything) => "administrator",
            Err(refused) => refused.outcome(),
        };
        crate::metrics::metrics().tokens.get_or_create(&[("outcome", outcome)]).inc();
        verified
    }

    async fn verified(&self, token: &[u8]) -> Result<Caller, Refused> {
        let header = token::header(token)?;
        let keys = self.provider.keys().await?;
        let key = match keys.find(&header) {
            // The provider may have taken a new key since.
            Err(Refused::UnknownKey) => self.provider.renewed(&keys).await?.find(&header)?.clone(),
            found => found?.clone(),
        };
        token::verify(token, &header, &key, &self.settings)
    }
}
