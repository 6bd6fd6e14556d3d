//! Keys of an identity provider, and the tokens that it signs by them. `tests/e2e` has this file as well.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of the provider's.
pub(crate) enum Signer {
    P256(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn p256() -> Self {
        let (by, random) = (&signature::ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(by, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(by, key.as_ref(), &random).unwrap())
    }

    pub(crate) fn edwards() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Edwards(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::P256(key) => key.public_key().as_ref(),
            Self::Edwards(key) => key.public_key().as_ref(),
        }
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::P256(_) => {
                let (x, y) = self.public()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": encoded(x), "y": encoded(y) })
            }
            Self::Edwards(_) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "x": encoded(self.public()) })
            }
        }
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = match self {
            Self::P256(key) => {
                key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Self::Edwards(key) => key.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encoded(signature))
    }

    /// A token whose secret is the public key: who takes the algorithm from the token believes it.
    pub(crate) fn confuse(&self, kid: &str, claims: &Value) -> String {
        let header = json!({ "alg": "HS256", "kid": kid });
        let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.public());
        format!("{message}.{}", encoded(ring::hmac::sign(&secret, message.as_bytes())))
    }
}
