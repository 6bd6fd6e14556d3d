//! The keys of the provider: which may verify tokens, and by which algorithms.

use super::token::Refused;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

/// Most keys of a set that are looked at; providers have a handful.
const KEYS_MAX: usize = 100;

/// A key, and what it may verify.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// By which algorithms. They follow from the key: what the token says decides nothing, or a public key
    /// could be taken for the secret of an HMAC.
    algorithms: Vec<Algorithm>,
    pub(super) verifies: DecodingKey,
}

/// The keys of one answer of the provider.
#[derive(Clone, Debug)]
pub(super) struct KeySet(Vec<Key>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set (RFC 7517 §5). Keys for other uses, and those that this service cannot use, are passed
    /// over.
    pub(super) fn read(document: &[u8]) -> Result<Self, String> {
        let Document { keys } = serde_json::from_slice(document)
            .map_err(|error| format!("it is no JSON Web Key Set: {error}"))?;
        let read = |key| Key::of(&serde_json::from_value(key).ok()?);
        let keys: Vec<Key> = keys.into_iter().take(KEYS_MAX).filter_map(read).collect();
        if keys.is_empty() {
            return Err("no key in it may verify signatures of RSA, ECDSA or Ed25519".into());
        }
        Ok(Self(keys))
    }

    /// The key that the header names.
    pub(super) fn find(&self, header: &Header) -> Result<&Key, Refused> {
        let key = match (&header.kid, &self.0[..]) {
            (None, [only]) => only,
            (None, _) => return Err(Refused::NamesNoKey),
            (Some(id), keys) => {
                let named = |key: &&Key| key.id.as_ref() == Some(id);
                keys.iter().find(named).ok_or(Refused::UnknownKey)?
            }
        };
        if key.algorithms.contains(&header.alg) { Ok(key) } else { Err(Refused::Algorithm) }
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let for_signatures =
            common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let may_verify =
            common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        if !for_signatures || !may_verify {
            return None;
        }
        let possible: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(point) => match point.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            _ => return None,
        };
        let said = common.key_algorithm;
        let allowed =
            |algorithm: &Algorithm| said.is_none_or(|said| said == KeyAlgorithm::from(*algorithm));
        let algorithms: Vec<Algorithm> = possible.iter().copied().filter(allowed).collect();
        let verifies = DecodingKey::from_jwk(jwk).ok()?;
        (!algorithms.is_empty()).then(|| Self { id: common.key_id.clone(), algorithms, verifies })
    }
}
