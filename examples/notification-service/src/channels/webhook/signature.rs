//! Signatures of the Standard Webhooks, <https://www.standardwebhooks.com>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;

/// What every secret begins with, so that it is known for what it is wherever it turns up.
const PREFIX: &str = "whsec_";

/// How long the specification wants a secret to be, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Keeps the keys derived for users apart from whatever else may be derived one day.
const USER_KEY_LABEL: &[u8] = b"notification-service webhook of user\0";

/// A secret shared with a receiver.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

/// Why a text is not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSecret {
    /// Something else.
    #[error("a webhook secret is `whsec_` and base64")]
    Spelling,
    /// Too easy to guess, or too long.
    #[error("a webhook secret has 24 to 64 bytes")]
    Length,
}

impl FromStr for Secret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidSecret::Spelling)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidSecret::Spelling)?;
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(InvalidSecret::Length)
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// As the receiver is told it.
    pub(crate) fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The secret of one user's webhook. Each has its own: with a common one, a receiver could
    /// forge what another one receives.
    pub(crate) fn of_user(&self, user: &str) -> Self {
        Self(self.mac(&[USER_KEY_LABEL, user.as_bytes()]))
    }

    /// One signature, as the header holds it.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let timestamp = timestamp.to_string();
        let mac = self.mac(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(mac))
    }

    fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

/// The `webhook-signature` of a message: one for each secret, so that a receiver can change to a new
/// secret at any time while both are in use.
pub(crate) fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let all: Vec<_> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn secret() -> Secret {
        SECRET.parse().unwrap()
    }

    /// The example that the libraries of the specification test themselves with.
    #[test]
    fn the_vector_of_the_specification_is_signed_as_it_says() {
        assert_eq!(
            signatures(&[secret()], ID, TIMESTAMP, BODY),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn the_reference_library_verifies_what_we_sign_and_nothing_else() {
        let reference = standardwebhooks::Webhook::new(SECRET).unwrap();
        // It takes what is minutes old at most.
        let now = reminder_member::clock::now().as_millis() / 1_000;
        let signature = signatures(&[secret()], ID, now, BODY);
        let verify = |id: &str, timestamp: i64, body: &[u8]| {
            let mut headers = axum::http::HeaderMap::new();
            headers.insert("webhook-id", id.parse().unwrap());
            headers.insert("webhook-timestamp", timestamp.into());
            headers.insert("webhook-signature", signature.parse().unwrap());
            reference.verify(body, &headers).is_ok()
        };
        assert!(verify(ID, now, BODY));
        assert!(!verify("msg_other", now, BODY));
        assert!(!verify(ID, now + 1, BODY));
        assert!(!verify(ID, now, br#"{"test": 2432232315}"#));
    }

    #[test]
    fn while_secrets_change_there_is_a_signature_for_each() {
        let new: Secret = format!("whsec_{}", STANDARD.encode([7; 32])).parse().unwrap();
        let both = signatures(&[new.clone(), secret()], ID, TIMESTAMP, BODY);
        let parts: Vec<_> = both.split(' ').collect();
        assert_eq!(parts, [new.sign(ID, TIMESTAMP, BODY), secret().sign(ID, TIMESTAMP, BODY)]);
    }

    #[test]
    fn every_user_has_a_secret_of_their_own_that_stays_the_same() {
        let (ada, bob) = (secret().of_user("ada"), secret().of_user("bob"));
        assert!(ada != bob && ada != secret());
        assert_eq!(ada, secret().of_user("ada"));
        assert_eq!(ada.reveal().parse(), Ok(ada));
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let parse = |text: &str| text.parse::<Secret>().unwrap_err();
        assert_eq!(parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), InvalidSecret::Spelling);
        assert_eq!(parse("whsec_not base64"), InvalidSecret::Spelling);
        assert_eq!(parse("whsec_c2hvcnQ="), InvalidSecret::Length);
        assert!(!format!("{:?}", secret()).contains("MfKQ"));
    }
}
