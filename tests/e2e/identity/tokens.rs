//! Which tokens are taken, what is told of the others, and what happens when the provider is away.

use super::provider::{ADMIN_SCOPE, Answered, Call, Provider, REST_TOKEN, claims, now};
use super::signer::{Signer, encoded};
use crate::process::Service;
use crate::suite::gentle;
use reminder_stack::probe;
use serde_json::{Value, json};
use std::time::Duration;

/// Until a key that the provider has just taken is asked for again, and a while.
const KEYS_DEADLINE: Duration = Duration::from_secs(30);

async fn list(service: &Service, token: &str) -> Answered {
    Call::new("GET", "/v1/tasks?limit=1").by(service, token).await
}

fn but(name: &str, value: &Value) -> Value {
    let mut all = claims("ada");
    all[name] = value.clone();
    all
}

#[test]
fn right_tokens_are_taken_and_of_wrong_ones_it_is_told_what_is_wrong() {
    gentle(async |suite| {
        let provider = Provider::start().await;
        let service = provider.service(suite, &[]);
        service.becomes_ready().await;
        let by_admin = provider.sign(&but("scope", &json!(format!("openid {ADMIN_SCOPE}"))));
        for token in [REST_TOKEN, &by_admin, &provider.token("ada")] {
            let answer = list(&service, token).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        let none = format!(
            "{}.{}.",
            encoded(r#"{"alg":"none","kid":"one"}"#),
            encoded(claims("ada").to_string())
        );
        let other = Signer::p256().sign(&json!({ "alg": "ES256", "kid": "one" }), &claims("ada"));
        let unknown =
            provider.signer.sign(&json!({ "alg": "ES256", "kid": "two" }), &claims("ada"));
        for (token, told) in [
            (provider.sign(&but("exp", &json!(now() - 60))), "expired"),
            (provider.sign(&but("nbf", &json!(now() + 60))), "not valid yet"),
            (provider.sign(&but("aud", &json!("others"))), "audience"),
            (provider.sign(&but("iss", &json!("https://evil.example"))), "issuer"),
            (provider.sign(&but("sub", &json!(7))), "claim sub"),
            (none, "key is not for"),
            (provider.signer.confuse("one", &claims("ada")), "key is not for"),
            (other, "signature"),
            (unknown, "does not have"),
            ("nonsense".to_owned(), "no JSON Web Token"),
        ] {
            let answer = list(&service, &token).await;
            assert_eq!(answer.status, 401, "{told}: {}", answer.body);
            let problem = answer.json();
            assert!(problem["detail"].as_str().unwrap().contains(told), "{told}: {problem}");
            let header = answer.header("www-authenticate").unwrap();
            assert!(
                header.starts_with("Bearer error=\"invalid_token\"") && header.contains(told),
                "{header}"
            );
            assert!(!answer.body.contains(&token), "a token is not repeated");
        }
        let bare = Call::new("GET", "/v1/tasks").by(&service, "").await;
        assert_eq!((bare.status, bare.header("www-authenticate")), (401, Some("Bearer")));
        let scrape = service.get("/metrics", &[]).await.unwrap().body;
        for line in [
            "{outcome=\"user\"} 1",
            "{outcome=\"administrator\"} 1",
            "{outcome=\"signature\"} 1",
            "{outcome=\"time\"} 2",
        ] {
            assert!(scrape.contains(&format!("reminder_tokens_total{line}")), "{line}");
        }
        service.terminate();
        service.ended().await;
    });
}

#[test]
fn keys_change_and_the_provider_may_be_away_at_the_start_and_later() {
    gentle(async |suite| {
        let provider = Provider::start().await;
        provider.tells(None);
        let service = provider.service(suite, &[]);
        // Without keys nothing can be told of a token; the service does all else.
        let body = service.readiness_is(200, "/checks/keys", "lost").await;
        assert!(body["waitingFor"]["keys"].as_str().unwrap().contains("503"), "{body}");
        let answer = list(&service, &provider.token("ada")).await;
        assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
        assert_eq!(list(&service, REST_TOKEN).await.status, 200);
        provider.tells(Some(vec![provider.signer.jwk("one")]));
        taken(&service, &provider.token("ada")).await;
        service.readiness_is(200, "/checks/keys", "ok").await;
        // A new key is found by the first token that names it.
        let new = Signer::edwards();
        let by_new = new.sign(&json!({ "alg": "EdDSA", "kid": "new" }), &claims("ada"));
        assert_eq!(list(&service, &by_new).await.status, 401);
        provider.tells(Some(vec![new.jwk("new")]));
        taken(&service, &by_new).await;
        assert_eq!(list(&service, &provider.token("ada")).await.status, 401, "the old key is gone");
        // The last keys stay good while the provider is away.
        provider.tells(None);
        let unknown = new.sign(&json!({ "alg": "EdDSA", "kid": "newer" }), &claims("ada"));
        let asked = async || {
            assert_eq!(list(&service, &unknown).await.status, 401);
            let ready = service.get("/readyz", &[]).await?;
            ready.body.contains(r#""keys":"lost""#).then_some(())
        };
        assert!(
            probe::until(KEYS_DEADLINE, asked).await.is_some(),
            "the keys were never asked for"
        );
        assert_eq!(list(&service, &by_new).await.status, 200);
        service.terminate();
        service.ended().await;
    });
}

async fn taken(service: &Service, token: &str) {
    let answered = async || (list(service, token).await.status == 200).then_some(());
    assert!(probe::until(KEYS_DEADLINE, answered).await.is_some(), "the token was never taken");
}
