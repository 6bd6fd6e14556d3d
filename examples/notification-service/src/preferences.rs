//! Which ways a user wants to be told by.

use crate::channels::Channel;
use crate::channels::webhook::{self, Secret};
use lettre::Address;
use reminder_contract::Problem;
use reminder_contract::user_id;
use reminder_domain::ids::Person;
use reminder_member::sidecar::Precondition;
use reminder_member::{Sidecar, SidecarError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// As they are written and stored. A user who never said anything is told by the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Preferences {
    /// The ways; with none of them, nothing is delivered.
    pub(crate) channels: BTreeSet<Channel>,
    /// For the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<WebhookTarget>,
    /// For e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<EmailTarget>,
}

/// Where a webhook goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebhookTarget {
    /// The address.
    pub(crate) url: String,
}

/// Where an e-mail goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EmailTarget {
    /// The address.
    pub(crate) address: String,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { channels: BTreeSet::from([Channel::Console]), webhook: None, email: None }
    }
}

/// What this installation allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// Webhooks within our own network.
    pub(crate) private_webhooks: bool,
    /// E-mail at all: a server is configured.
    pub(crate) email: bool,
}

impl Preferences {
    /// Whether every chosen way leads somewhere.
    pub(crate) fn check(&self, allowed: Allowed) -> Result<(), Problem> {
        match &self.webhook {
            Some(target) => {
                webhook::parse_url(&target.url, allowed.private_webhooks)
                    .map_err(|error| Problem::invalid("webhook.url", &error.to_string()))?;
            }
            None if self.channels.contains(&Channel::Webhook) => {
                return Err(Problem::invalid("webhook", "is missing: where shall it go?"));
            }
            None => {}
        }
        match &self.email {
            Some(target) => {
                target
                    .address
                    .parse::<Address>()
                    .map_err(|error| Problem::invalid("email.address", &error.to_string()))?;
            }
            None if self.channels.contains(&Channel::Email) => {
                return Err(Problem::invalid("email", "is missing: where shall it go?"));
            }
            None => {}
        }
        if self.channels.contains(&Channel::Email) && !allowed.email {
            return Err(Problem::invalid(
                "channels",
                "no e-mail is sent from here: SMTP_URL is not set",
            ));
        }
        Ok(())
    }
}

/// As they are answered: with what the receiver of the webhook needs to verify it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    channels: BTreeSet<Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<ShownWebhook>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailTarget>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownWebhook {
    url: String,
    secret: Option<String>,
}

impl Shown {
    /// Of a user. The first of the secrets is the one to give out: others are on their way out.
    pub(crate) fn new(preferences: Preferences, user: &str, secrets: &[Secret]) -> Self {
        let secret = secrets.first().map(|master| master.of_user(user).reveal());
        let webhook = preferences.webhook.map(|target| ShownWebhook { url: target.url, secret });
        Self { channels: preferences.channels, webhook, email: preferences.email }
    }
}

/// Where preferences are kept.
#[derive(Clone, Debug)]
pub(crate) struct PreferenceStore {
    sidecar: Sidecar,
}

impl PreferenceStore {
    /// In the sidecar's state store.
    pub(crate) fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// Those of a user; of nobody in particular, and of who never said anything, the default.
    pub(crate) async fn of(&self, user: Option<&str>) -> Result<Preferences, SidecarError> {
        let Some(user) = user.and_then(|user| Person::parse(user).ok()) else {
            return Ok(Preferences::default());
        };
        let stored = self.sidecar.get_state(&key(&user)).await?;
        Ok(stored.map(|(preferences, _)| preferences).unwrap_or_default())
    }

    /// Keeps them.
    pub(crate) async fn put(&self, user: &Person, all: &Preferences) -> Result<(), SidecarError> {
        self.sidecar.save_state(&key(user), all, Precondition::None, None).await
    }
}

/// A user id is any text, and a key is not.
fn key(user: &Person) -> String {
    format!("channels:{}", user_id::to_actor_id(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: Allowed = Allowed { private_webhooks: true, email: true };
    const LITTLE: Allowed = Allowed { private_webhooks: false, email: false };

    fn field(json: &str, allowed: Allowed) -> Option<String> {
        let preferences: Preferences = serde_json::from_str(json).unwrap();
        let problem = preferences.check(allowed).err()?;
        problem.field.clone()
    }

    #[test]
    fn every_way_must_lead_somewhere() {
        let cases = [
            (r#"{"channels":[]}"#, None),
            (r#"{"channels":["console"]}"#, None),
            (r#"{"channels":["webhook"]}"#, Some("webhook")),
            (r#"{"channels":["email"]}"#, Some("email")),
            (r#"{"channels":["webhook"],"webhook":{"url":"http://127.0.0.1:9/"}}"#, None),
            (r#"{"channels":[],"webhook":{"url":"ftp://example.org"}}"#, Some("webhook.url")),
            (r#"{"channels":["email"],"email":{"address":"ada@example.org"}}"#, None),
            (r#"{"channels":["email"],"email":{"address":"ada"}}"#, Some("email.address")),
            (
                r#"{"channels":["email"],"email":{"address":"a@b.org\r\nBcc: c@d.org"}}"#,
                Some("email.address"),
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(field(json, EVERYTHING).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn what_the_installation_does_not_allow_is_refused() {
        let private = r#"{"channels":["webhook"],"webhook":{"url":"http://127.0.0.1:9/"}}"#;
        assert_eq!(field(private, LITTLE).as_deref(), Some("webhook.url"));
        let email = r#"{"channels":["email"],"email":{"address":"ada@example.org"}}"#;
        assert_eq!(field(email, LITTLE).as_deref(), Some("channels"));
    }

    #[test]
    fn misspelt_fields_are_refused_and_unknown_ways_too() {
        for json in [
            r#"{"channels":[],"webhok":{"url":"https://example.org"}}"#,
            r#"{"channels":["pigeon"]}"#,
            r"{}",
        ] {
            assert!(serde_json::from_str::<Preferences>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_answer_has_the_secret_of_this_user() {
        let master: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let json = r#"{"channels":["webhook"],"webhook":{"url":"https://example.org/"}}"#;
        let preferences: Preferences = serde_json::from_str(json).unwrap();
        let shown = Shown::new(preferences, "ada", std::slice::from_ref(&master));
        let shown = serde_json::to_value(shown).unwrap();
        assert_eq!(shown["webhook"]["secret"], master.of_user("ada").reveal());
    }
}
