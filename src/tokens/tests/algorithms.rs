//! Every algorithm by which a token may be signed, and those by which none may be.

use super::signer::{Signer, encoded};
use super::{File, claims, user};
use crate::tokens::{Refused, Tokens};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, KeyPair, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};

/// An RSA key of 2048 bits, as PKCS #1. It signs nothing but these tokens; `ring` makes none.
const RSA_KEY: &str = include_str!("rsa.key");
/// The modulus of one of 1024 bits, which is too short.
const SHORT_MODULUS: &str = "lz_q7B1t0G_uUtDxix13HdDoqJndWSZZAR1FUd5i8XXq-Z05pOQ_m0Lvqd8KYCqpNCgoFefGldeh3iRtt48SwxqT_4XaRs3iHsPqZ8625ZOiTMqztF2Tc1rx03aqO200kNswIg4Cncf_uLGUqqKg31RVnQXd4wG2t-bzcQ8jLds";

const RSA: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const CURVES: [(&str, &str); 3] = [("ES256", "p256"), ("ES384", "p384"), ("EdDSA", "ed")];
/// By a shared secret.
const SHARED: [&str; 3] = ["HS256", "HS384", "HS512"];

/// One key of each kind, named as in [`CURVES`], and `rsa`.
struct Keys {
    rsa: RsaKeyPair,
    p256: Signer,
    p384: EcdsaKeyPair,
    ed: Signer,
}

impl Keys {
    fn new() -> Self {
        let der = STANDARD.decode(RSA_KEY.split_whitespace().collect::<String>()).unwrap();
        let (by, random) = (&signature::ECDSA_P384_SHA384_FIXED_SIGNING, SystemRandom::new());
        let p384 = EcdsaKeyPair::generate_pkcs8(by, &random).unwrap();
        Self {
            rsa: RsaKeyPair::from_der(&der).unwrap(),
            p256: Signer::p256(),
            p384: EcdsaKeyPair::from_pkcs8(by, p384.as_ref(), &random).unwrap(),
            ed: Signer::edwards(),
        }
    }

    fn rsa_jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "n": encoded(n), "e": encoded(e) })
    }

    fn jwks(&self) -> [Value; 4] {
        let (x, y) = self.p384.public_key().as_ref()[1..].split_at(48);
        let p384 =
            json!({ "kty": "EC", "crv": "P-384", "kid": "p384", "x": encoded(x), "y": encoded(y) });
        [self.rsa_jwk(), self.p256.jwk("p256"), p384, self.ed.jwk("ed")]
    }

    /// A token that names an algorithm and a key, signed `by` an algorithm of that key.
    fn token(&self, alg: &str, kid: &str, by: &str) -> String {
        let header = json!({ "alg": alg, "kid": kid });
        match kid {
            "p256" => return self.p256.sign(&header, &claims()),
            "ed" => return self.ed.sign(&header, &claims()),
            _ => {}
        }
        let message = message(alg, kid);
        let random = SystemRandom::new();
        let signature = if kid == "p384" {
            self.p384.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(padding(by), &random, message.as_bytes(), &mut signature).unwrap();
            signature
        };
        format!("{message}.{}", encoded(signature))
    }

    /// What an attacker knows of the keys, in each form in which it might be taken for a secret.
    fn public(&self) -> Vec<(&'static str, Vec<u8>)> {
        let PublicKeyComponents { n, .. } = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let point = self.p384.public_key().as_ref();
        vec![
            ("rsa", self.rsa.public().as_ref().to_vec()),
            ("rsa", n),
            ("rsa", self.rsa_jwk().to_string().into_bytes()),
            ("p384", point.to_vec()),
            ("p384", point[1..].to_vec()),
        ]
    }
}

fn padding(algorithm: &str) -> &'static dyn RsaEncoding {
    match algorithm {
        "RS256" => &signature::RSA_PKCS1_SHA256,
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        "PS512" => &signature::RSA_PSS_SHA512,
        other => panic!("{other} is no algorithm of RSA"),
    }
}

/// What is signed.
fn message(alg: &str, kid: &str) -> String {
    let header = json!({ "alg": alg, "kid": kid }).to_string();
    format!("{}.{}", encoded(header), encoded(claims().to_string()))
}

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    RSA.into_iter().map(|alg| (alg, "rsa")).chain(CURVES)
}

async fn refused(tokens: &Tokens, token: &str, why: Refused, told: &str) {
    assert_eq!(tokens.verify(token.as_bytes()).await, Err(why), "{told}");
}

#[tokio::test]
async fn each_algorithm_is_taken_by_its_own_kind_of_key_alone() {
    let keys = Keys::new();
    let file = File::new("every-algorithm", &keys.jwks());
    let tokens = file.tokens();
    for (alg, kid) in all() {
        let token = keys.token(alg, kid, alg);
        assert_eq!(tokens.verify(token.as_bytes()).await, user("ada"), "{alg}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let broken = format!("{message}.{other}{}", &signature[1..]);
        refused(&tokens, &broken, Refused::Signature, alg).await;
        let short = format!("{message}.{}", &signature[..signature.len() / 2]);
        refused(&tokens, &short, Refused::Signature, alg).await;
        refused(&tokens, &format!("{message}."), Refused::Signature, alg).await;
        // The same signature under another name of the same length of key.
        for (other, its) in all().filter(|(other, _)| *other != alg) {
            let named = keys.token(other, kid, alg);
            let why = if its == kid { Refused::Signature } else { Refused::Algorithm };
            refused(&tokens, &named, why, &format!("{other} signed by {alg}")).await;
        }
    }
}

#[tokio::test]
async fn a_key_that_names_its_algorithm_verifies_no_other() {
    let keys = Keys::new();
    for only in RSA {
        let mut jwk = keys.rsa_jwk();
        jwk["alg"] = only.into();
        let file = File::new(&format!("only-{only}"), &[jwk]);
        let tokens = file.tokens();
        for alg in RSA {
            let verified = tokens.verify(keys.token(alg, "rsa", alg).as_bytes()).await;
            let right = if alg == only { user("ada") } else { Err(Refused::Algorithm) };
            assert_eq!(verified, right, "{alg} by a key for {only}");
        }
    }
}

/// The public key as the secret of an HMAC: who takes the algorithm from the token believes it.
#[tokio::test]
async fn no_secret_is_shared_and_none_is_no_algorithm() {
    let keys = Keys::new();
    let file = File::new("no-secret", &keys.jwks());
    let tokens = file.tokens();
    let hmacs = [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512];
    for (kid, secret) in keys.public() {
        for (alg, by) in SHARED.into_iter().zip(hmacs) {
            let message = message(alg, kid);
            let signed = hmac::sign(&hmac::Key::new(by, &secret), message.as_bytes());
            let token = format!("{message}.{}", encoded(signed));
            refused(&tokens, &token, Refused::Algorithm, &format!("{alg} with {kid}")).await;
        }
    }
    // What the specification has beside these, and what it has not.
    for alg in ["none", "NONE", "", "ES512", "ES256K", "rs256", "RSA1_5", "A128KW"] {
        for (_, kid) in all() {
            for signature in ["", "AAAA"] {
                let token = format!("{}.{signature}", message(alg, kid));
                refused(&tokens, &token, Refused::Algorithm, alg).await;
            }
        }
    }
}

#[tokio::test]
async fn short_keys_verify_nothing_and_keys_for_other_ends_are_none() {
    let keys = Keys::new();
    let short = json!({ "kty": "RSA", "kid": "rsa", "n": SHORT_MODULUS, "e": "AQAB" });
    let file = File::new("short", &[short]);
    for alg in RSA {
        // Its signature cannot be right; that it is not even looked at, nobody can tell.
        refused(&file.tokens(), &keys.token(alg, "rsa", alg), Refused::Signature, alg).await;
    }
    let with = |name: &str, value: Value| {
        let mut jwk = keys.rsa_jwk();
        jwk[name] = value;
        jwk
    };
    let others = [
        with("use", json!("enc")),
        with("key_ops", json!(["sign", "encrypt"])),
        with("alg", json!("RSA-OAEP")),
        with("alg", json!("HS256")),
    ];
    for other in others {
        let file = File::new("for-other-ends", &[other.clone(), keys.ed.jwk("ed")]);
        let token = keys.token("RS256", "rsa", "RS256");
        refused(&file.tokens(), &token, Refused::UnknownKey, &other.to_string()).await;
    }
}
