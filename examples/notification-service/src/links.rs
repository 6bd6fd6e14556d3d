//! The links in a message: each does one thing to one reminder, for whoever has it, until it expires.
//!
//! A token is what it says and a keyed hash over it, so that nothing of it can be changed and nothing
//! needs to be stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reminder_domain::preferences::SnoozeDelay;
use reminder_domain::time::CalendarOffset;
use reminder_domain::{TaskId, Timestamp, ids::ReminderId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::time::Duration;
use url::Url;

/// Shortest key, in bytes: as long as the hash.
pub(crate) const KEY_MIN_BYTES: usize = 32;

/// Longest token that is looked at, in bytes; ours are a few hundred.
const TOKEN_MAX_BYTES: usize = 2_048;

/// Keeps these hashes apart from whatever else the key may be used for one day.
const LABEL: &[u8] = b"notification-service link v1\0";

/// How much of the hash names the command, in bytes.
const COMMAND_ID_BYTES: usize = 16;

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    /// It was seen.
    Acknowledge,
    /// Again in ten minutes.
    SnoozeTenMinutes,
    /// Again in an hour.
    SnoozeOneHour,
    /// Again at the same time tomorrow.
    SnoozeOneDay,
}

impl Action {
    /// In the order in which messages offer them.
    pub(crate) const ALL: [Self; 4] =
        [Self::Acknowledge, Self::SnoozeTenMinutes, Self::SnoozeOneHour, Self::SnoozeOneDay];

    /// How long it puts off. A day ends at the same time tomorrow, whatever clocks do in between.
    pub(crate) fn snooze(self) -> Option<SnoozeDelay> {
        let offset = match self {
            Self::Acknowledge => return None,
            Self::SnoozeTenMinutes => CalendarOffset::from_minutes(10),
            Self::SnoozeOneHour => CalendarOffset::from_minutes(60),
            Self::SnoozeOneDay => CalendarOffset::parse("P1D").expect("a day is an offset"),
        };
        Some(SnoozeDelay::For(offset))
    }

    /// What the page says before the button is pressed.
    pub(crate) const fn promise(self) -> &'static str {
        match self {
            Self::Acknowledge => "You will not be reminded of this any more.",
            Self::SnoozeTenMinutes => "You will be reminded again in 10 minutes.",
            Self::SnoozeOneHour => "You will be reminded again in an hour.",
            Self::SnoozeOneDay => "You will be reminded again tomorrow at the same time.",
        }
    }

    /// What a button says.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Acknowledge => "Done, I have seen it",
            Self::SnoozeTenMinutes => "Remind me in 10 minutes",
            Self::SnoozeOneHour => "Remind me in 1 hour",
            Self::SnoozeOneDay => "Remind me tomorrow",
        }
    }

    /// Its name in a webhook's body and in logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::SnoozeTenMinutes => "snoozeTenMinutes",
            Self::SnoozeOneHour => "snoozeOneHour",
            Self::SnoozeOneDay => "snoozeOneDay",
        }
    }
}

/// What a token says; the names are short because they are in every link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The task.
    #[serde(rename = "t")]
    pub(crate) task: TaskId,
    /// The reminder.
    #[serde(rename = "r")]
    pub(crate) reminder: ReminderId,
    /// What is done to it.
    #[serde(rename = "a")]
    pub(crate) action: Action,
    /// The event of the firing, so that the links of two firings differ.
    #[serde(rename = "i")]
    pub(crate) event_id: String,
    /// The flow that it belongs to.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<String>,
    /// Until when it can be used, in milliseconds since 1970.
    #[serde(rename = "e")]
    pub(crate) expires_ms: i64,
}

/// A token that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// What it says.
    pub(crate) claims: Claims,
    /// Names the command that it leads to: pressed twice, it is done once.
    pub(crate) command_id: String,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenRefused {
    /// Not one of ours, or not any more.
    #[error("the link is not one of ours, or was damaged on its way")]
    Forged,
    /// Too old.
    #[error("the link has expired")]
    Expired,
}

/// Makes links and checks them.
#[derive(Clone)]
pub(crate) struct Links {
    key: Vec<u8>,
    base: Url,
    lifetime: Duration,
}

/// Why links cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidLinks {
    /// Too easy to guess.
    #[error("the key of the links must have at least {KEY_MIN_BYTES} bytes")]
    Key,
    /// Nothing can be appended to it.
    #[error("the public URL must begin with https:// or http://")]
    Base,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Links {
    /// `base` is the address at which users reach this service; it may have a path.
    pub(crate) fn new(key: Vec<u8>, base: Url, lifetime: Duration) -> Result<Self, InvalidLinks> {
        if key.len() < KEY_MIN_BYTES {
            return Err(InvalidLinks::Key);
        }
        if !matches!(base.scheme(), "http" | "https") {
            return Err(InvalidLinks::Base);
        }
        Ok(Self { key, base, lifetime })
    }

    /// The address of a link that is made now.
    pub(crate) fn url(
        &self,
        task: &TaskId,
        reminder: &ReminderId,
        action: Action,
        event_id: &str,
        correlation_id: Option<&str>,
        now: Timestamp,
    ) -> String {
        let lifetime_ms = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX);
        let token = self.token(&Claims {
            task: task.clone(),
            reminder: reminder.clone(),
            action,
            event_id: event_id.to_owned(),
            correlation_id: correlation_id.map(str::to_owned),
            expires_ms: now.saturating_add_ms(lifetime_ms).as_millis(),
        });
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["act", &token]);
        }
        url.into()
    }

    fn token(&self, claims: &Claims) -> String {
        let payload = serde_json::to_vec(claims).expect("texts and a number always serialise");
        let mac = self.mac(&payload).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), URL_SAFE_NO_PAD.encode(mac))
    }

    /// What a token says, if it is ours and in time. The hashes are compared in constant time.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Result<Checked, TokenRefused> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenRefused::Forged);
        }
        let (payload, mac) = token.split_once('.').ok_or(TokenRefused::Forged)?;
        let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenRefused::Forged);
        let (payload, mac) = (decode(payload)?, decode(mac)?);
        self.mac(&payload).verify_slice(&mac).map_err(|_| TokenRefused::Forged)?;
        // What was signed was well-formed; it may be of another version of this service, though.
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| TokenRefused::Forged)?;
        if now.as_millis() >= claims.expires_ms {
            return Err(TokenRefused::Expired);
        }
        let named = mac.get(..COMMAND_ID_BYTES).unwrap_or(&mac);
        let command_id = format!("link-{}", URL_SAFE_NO_PAD.encode(named));
        Ok(Checked { claims, command_id })
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(LABEL);
        mac.update(payload);
        mac
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    pub(crate) fn links() -> Links {
        let base = Url::parse("https://todo.example.org/notify/").unwrap();
        Links::new(vec![7; 32], base, DAY).unwrap()
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn token_of(links: &Links, action: Action) -> String {
        let (task, reminder) = (TaskId::parse("milk").unwrap(), ReminderId::parse("due").unwrap());
        let url =
            links.url(&task, &reminder, action, "milk:1:reminders-2", Some("flow-1"), at(1_000));
        let prefix = "https://todo.example.org/notify/act/";
        url.strip_prefix(prefix).expect(&url).to_owned()
    }

    #[test]
    fn a_link_says_what_it_was_made_for() {
        for action in Action::ALL {
            let checked = links().check(&token_of(&links(), action), at(2_000)).unwrap();
            assert_eq!(checked.claims.action, action);
            assert_eq!(checked.claims.task.as_str(), "milk");
            assert_eq!(checked.claims.reminder.as_str(), "due");
            assert_eq!(checked.claims.correlation_id.as_deref(), Some("flow-1"));
        }
    }

    #[test]
    fn no_character_of_a_token_can_be_changed() {
        let token = token_of(&links(), Action::Acknowledge);
        for at_byte in 0..token.len() {
            for other in ['A', 'z', '-', '.', '='] {
                let mut changed = token.clone();
                changed.replace_range(at_byte..=at_byte, other.encode_utf8(&mut [0; 4]));
                if changed != token {
                    let refused = links().check(&changed, at(2_000));
                    assert_eq!(refused, Err(TokenRefused::Forged), "{changed}");
                }
            }
        }
        for end in 0..token.len() {
            assert_eq!(links().check(&token[..end], at(2_000)), Err(TokenRefused::Forged));
        }
        let long = format!("{token}{}", "A".repeat(TOKEN_MAX_BYTES));
        assert_eq!(links().check(&long, at(2_000)), Err(TokenRefused::Forged));
    }

    #[test]
    fn the_hash_of_one_action_does_not_serve_another() {
        let (seen, later) =
            (token_of(&links(), Action::Acknowledge), token_of(&links(), Action::SnoozeOneHour));
        let (payload, _) = seen.split_once('.').unwrap();
        let (_, mac) = later.split_once('.').unwrap();
        let spliced = format!("{payload}.{mac}");
        assert_eq!(links().check(&spliced, at(2_000)), Err(TokenRefused::Forged));
    }

    #[test]
    fn another_key_and_a_later_day_do_not_take_it() {
        let token = token_of(&links(), Action::SnoozeOneDay);
        let other = Links::new(vec![8; 32], links().base, DAY).unwrap();
        assert_eq!(other.check(&token, at(2_000)), Err(TokenRefused::Forged));
        let day_ms = 86_400_000;
        assert!(links().check(&token, at(1_000 + day_ms - 1)).is_ok());
        assert_eq!(links().check(&token, at(1_000 + day_ms)), Err(TokenRefused::Expired));
    }

    #[test]
    fn pressing_one_link_twice_is_one_command_and_two_links_are_two() {
        let id = |action| links().check(&token_of(&links(), action), at(2_000)).unwrap().command_id;
        assert_eq!(id(Action::SnoozeOneHour), id(Action::SnoozeOneHour));
        assert_ne!(id(Action::SnoozeOneHour), id(Action::Acknowledge));
        assert!(id(Action::SnoozeOneHour).len() < 64);
    }

    #[test]
    fn weak_keys_and_strange_addresses_are_refused() {
        let base = || Url::parse("https://todo.example.org").unwrap();
        assert_eq!(Links::new(vec![7; 31], base(), DAY).unwrap_err(), InvalidLinks::Key);
        let strange = Url::parse("javascript:alert(1)").unwrap();
        assert_eq!(Links::new(vec![7; 32], strange, DAY).unwrap_err(), InvalidLinks::Base);
    }
}
