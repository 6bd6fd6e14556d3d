//! The signatures of tokens, checked by `ring`: what the crate for tokens offers itself is either a C library
//! that takes minutes to build, or an RSA with an open advisory.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{self, RsaParameters, UnparsedPublicKey, VerificationAlgorithm};

static RING: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has all tokens of this process checked so.
pub(super) fn install() {
    // A second call finds it installed.
    let _ = RING.install_default();
}

/// This service makes no tokens.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the crate's own type")]
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the crate's own type")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    // A key of another family would be read as what it is not.
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(ByRing { algorithm: *algorithm, check: check(*algorithm)?, key: key.clone() }))
}

/// RSA keys have from 2048 to 8192 bits.
fn check(algorithm: Algorithm) -> Result<Check> {
    let point = |algorithm: &'static dyn VerificationAlgorithm| Check::Point(algorithm);
    Ok(match algorithm {
        Algorithm::RS256 => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => point(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => point(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => point(&signature::ED25519),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    })
}

/// How a signature is checked.
enum Check {
    Rsa(&'static RsaParameters),
    Point(&'static dyn VerificationAlgorithm),
}

struct ByRing {
    algorithm: Algorithm,
    check: Check,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match (&self.check, self.key.kind()) {
            (Check::Rsa(by), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                signature::RsaPublicKeyComponents { n, e }.verify(by, message, signature)
            }
            (Check::Point(by), DecodingKeyKind::SecretOrDer(key)) => {
                UnparsedPublicKey::new(*by, key).verify(message, signature)
            }
            _ => return Err(Error::new()),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
