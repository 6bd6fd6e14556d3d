//! Tokens made here, by keys made here, and keys that come, change and stay away.

mod algorithms;
mod signer;

use super::settings::{KeysAt, Settings};
use super::{Caller, Refused, Tokens};
use crate::clock::{Clock, SystemClock};
use crate::http::health::Readiness;
use reminder_domain::ids::Person;
use serde_json::{Value, json};
use signer::{Signer, encoded};
use std::path::PathBuf;
use std::time::Duration;

/// Longer than the pause between two readings of the keys that tokens ask for.
const LATER: Duration = Duration::from_secs(6);
/// Between two looks, and how long to look; of a clock that stands still.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOK_FOR: Duration = Duration::from_secs(5);

fn now() -> i64 {
    SystemClock.now().as_millis() / 1_000
}

fn claims() -> Value {
    json!({ "sub": "ada", "iss": "https://id.example", "aud": ["other", "reminders"], "exp": now() + 300 })
}

/// The claims, some of them otherwise; null: without it.
fn but(other: &Value) -> Value {
    let mut all = claims();
    for (name, value) in other.as_object().unwrap() {
        all[name] = value.clone();
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        }
    }
    all
}

/// A key set in a file of the test's own.
struct File(PathBuf);

impl File {
    fn new(name: &str, keys: &[Value]) -> Self {
        let file =
            Self(std::env::temp_dir().join(format!("keys-{}-{name}.json", std::process::id())));
        file.write(keys);
        file
    }

    fn write(&self, keys: &[Value]) {
        std::fs::write(&self.0, json!({ "keys": keys }).to_string()).unwrap();
    }

    fn tokens(&self) -> Tokens {
        let settings = Settings {
            keys: KeysAt::File(self.0.clone()),
            issuer: "https://id.example".into(),
            audience: "reminders".into(),
            user_claim: "sub".into(),
            admin_scope: Some("reminders.admin".into()),
        };
        Tokens::new(settings, Readiness::default()).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as what it is compared with")]
fn user(name: &str) -> Result<Caller, Refused> {
    Ok(Caller::User(Person::parse(name).unwrap()))
}

#[tokio::test]
async fn a_right_token_is_of_its_user_by_each_kind_of_key() {
    let (point, edwards) = (Signer::p256(), Signer::edwards());
    let file =
        File::new("kinds", &[point.jwk("p"), edwards.jwk("e"), json!({ "kty": "new" }), json!(7)]);
    let tokens = file.tokens();
    for (signer, alg, kid) in [(&point, "ES256", "p"), (&edwards, "EdDSA", "e")] {
        let token = signer.sign(&json!({ "alg": alg, "kid": kid }), &claims());
        assert_eq!(tokens.verify(token.as_bytes()).await, user("ada"), "{alg}");
        let mut broken = token.clone().into_bytes();
        // Neither the last character, whose low bits are padding, nor a point.
        let at = token.len() - 5;
        broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(tokens.verify(&broken).await, Err(Refused::Signature), "{alg}");
    }
    let other = Signer::p256().sign(&json!({ "alg": "ES256", "kid": "p" }), &claims());
    assert_eq!(tokens.verify(other.as_bytes()).await, Err(Refused::Signature));
}

/// RFC 7515, appendix A.2: signed by RSA, by a key that nobody here has.
#[tokio::test]
async fn rsa_is_understood_as_the_rfc_shows_it() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let file = File::new("rsa", &[json!({ "kty": "RSA", "n": n, "e": "AQAB" })]);
    let tokens = file.tokens();
    // Its signature is right, and it is for nobody in particular.
    let token = format!("{signed}.{signature}");
    assert_eq!(tokens.verify(token.as_bytes()).await, Err(Refused::Claim("aud".into())));
    let forged = format!("{signed}.d{}", &signature[1..]);
    assert_eq!(tokens.verify(forged.as_bytes()).await, Err(Refused::Signature));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told() {
    let key = Signer::p256();
    let file = File::new("wrong", &[key.jwk("k")]);
    let tokens = file.tokens();
    let claim = |name: &str| Refused::Claim(name.into());
    for (other, refused) in [
        (json!({ "exp": now() - 60 }), Refused::Expired),
        (json!({ "exp": null }), claim("exp")),
        (json!({ "exp": "never" }), claim("exp")),
        (json!({ "nbf": now() + 60 }), Refused::NotYet),
        (json!({ "nbf": "later" }), claim("nbf")),
        (json!({ "aud": "others" }), Refused::Audience),
        (json!({ "aud": null }), claim("aud")),
        (json!({ "iss": "https://evil.example" }), Refused::Issuer),
        (json!({ "iss": null }), claim("iss")),
        (json!({ "sub": null }), claim("sub")),
        (json!({ "sub": 7 }), claim("sub")),
        (json!({ "sub": "" }), claim("sub")),
        (json!({ "sub": "a\nb" }), claim("sub")),
    ] {
        let token = key.sign(&json!({ "alg": "ES256", "kid": "k" }), &but(&other));
        assert_eq!(tokens.verify(token.as_bytes()).await, Err(refused), "{other}");
    }
    // Clocks differ by a little.
    let token =
        key.sign(&json!({ "alg": "ES256", "kid": "k" }), &but(&json!({ "exp": now() - 20 })));
    assert_eq!(tokens.verify(token.as_bytes()).await, user("ada"));
    for nonsense in ["", "a", "a.b", "a.b.c", "..", &"x".repeat(20_000)] {
        assert_eq!(tokens.verify(nonsense.as_bytes()).await, Err(Refused::Malformed), "{nonsense}");
    }
}

#[tokio::test]
async fn the_key_decides_by_which_algorithm() {
    let key = Signer::p256();
    let file = File::new(
        "algorithms",
        &[key.jwk("k"), json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" })],
    );
    let tokens = file.tokens();
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            encoded(json!({ "alg": alg, "kid": "k" }).to_string()),
            encoded(claims().to_string())
        )
    };
    for alg in ["none", "None", "nOnE"] {
        assert_eq!(tokens.verify(unsigned(alg).as_bytes()).await, Err(Refused::Algorithm), "{alg}");
    }
    // The public key taken for a secret: what the confusion of algorithms is about.
    let forged = key.confuse("k", &claims());
    assert_eq!(tokens.verify(forged.as_bytes()).await, Err(Refused::Algorithm));
    for alg in ["RS256", "ES384", "EdDSA", "HS512"] {
        let token = key.sign(&json!({ "alg": alg, "kid": "k" }), &claims());
        assert_eq!(tokens.verify(token.as_bytes()).await, Err(Refused::Algorithm), "{alg}");
    }
    // A secret among the keys is none of them, so nothing else but `k` is there to be meant.
    let token = key.sign(&json!({ "alg": "ES256" }), &claims());
    assert_eq!(tokens.verify(token.as_bytes()).await, user("ada"));
    let token = key.sign(&json!({ "alg": "ES256", "kid": "o" }), &claims());
    assert_eq!(tokens.verify(token.as_bytes()).await, Err(Refused::UnknownKey));
}

#[tokio::test]
async fn a_scope_makes_an_administrator() {
    let key = Signer::edwards();
    let file = File::new("scopes", &[key.jwk("k")]);
    let tokens = file.tokens();
    for (other, caller) in [
        (json!({ "scope": "openid reminders.admin" }), Ok(Caller::Everything)),
        (json!({ "scp": ["reminders.admin"], "sub": null }), Ok(Caller::Everything)),
        (json!({ "scope": "reminders.administrate reminders" }), user("ada")),
        (json!({ "scope": { "reminders.admin": true } }), user("ada")),
    ] {
        let token = key.sign(&json!({ "alg": "EdDSA", "kid": "k" }), &but(&other));
        assert_eq!(tokens.verify(token.as_bytes()).await, caller, "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_and_unknown_ones_are_not_asked_for_too_often() {
    let (old, new) = (Signer::p256(), Signer::p256());
    let file = File::new("rotation", &[old.jwk("old")]);
    let tokens = file.tokens();
    let by = |key: &Signer, kid: &str| key.sign(&json!({ "alg": "ES256", "kid": kid }), &claims());
    assert_eq!(tokens.verify(by(&old, "old").as_bytes()).await, user("ada"));
    file.write(&[old.jwk("old"), new.jwk("new")]);
    // The keys were read just now.
    assert_eq!(tokens.verify(by(&new, "new").as_bytes()).await, Err(Refused::UnknownKey));
    tokio::time::advance(LATER).await;
    assert_eq!(tokens.verify(by(&new, "new").as_bytes()).await, user("ada"));
    // The keys stay good while the provider is away.
    std::fs::remove_file(&file.0).unwrap();
    tokio::time::advance(LATER).await;
    assert_eq!(tokens.verify(by(&old, "other").as_bytes()).await, Err(Refused::UnknownKey));
    assert_eq!(tokens.verify(by(&old, "old").as_bytes()).await, user("ada"));
}

#[tokio::test(start_paused = true)]
async fn without_keys_a_token_is_undecided_until_they_are_there() {
    let key = Signer::p256();
    let file = File::new("late", &[]);
    let tokens = file.tokens();
    let token = key.sign(&json!({ "alg": "ES256", "kid": "k" }), &claims());
    assert_eq!(tokens.verify(token.as_bytes()).await, Err(Refused::NoKeys));
    file.write(&[key.jwk("k")]);
    let following = tokio::spawn(tokens.provider().follow());
    let known = async {
        while tokens.verify(token.as_bytes()).await != user("ada") {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(LOOK_FOR, known).await.unwrap();
    following.abort();
}
