//! A token: its shape, its signature, its claims; and whose it is.

use super::keys::Key;
use super::settings::Settings;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Header, Validation};
use reminder_domain::ids::Person;
use serde_json::{Map, Value};

/// By how much the clocks of the provider and of this host may differ.
const LEEWAY_SECONDS: u64 = 30;
/// Longest token. Those with many groups have some kilobytes.
const TOKEN_MAX_BYTES: usize = 16 * 1024;
/// Where scopes are: RFC 9068 §2.2.3, and what some providers call it.
const SCOPES: [&str; 2] = ["scope", "scp"];
/// Claims without which no token is good for anything.
const REQUIRED: [&str; 3] = ["exp", "iss", "aud"];

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who may see and do everything.
    Everything,
    /// A user, to whom what is of others is not there.
    User(Person),
}

impl Caller {
    /// The user on whose behalf everything is asked.
    pub fn as_user(&self) -> Option<&Person> {
        match self {
            Self::Everything => None,
            Self::User(user) => Some(user),
        }
    }
}

/// Why a token is refused. The words are for whoever sent it, and quote nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no token.
    #[error("the token is no JSON Web Token")]
    Malformed,
    /// It is signed by an algorithm that its key is not for, or by none, or by a shared secret.
    #[error("the token is signed in a way that its key is not for")]
    Algorithm,
    /// It does not say which of several keys.
    #[error("the token does not name its key (kid)")]
    NamesNoKey,
    /// Its key is none of the provider's.
    #[error("the token names a key (kid) that the identity provider does not have")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("the signature of the token is wrong")]
    Signature,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It will be.
    #[error("the token is not valid yet")]
    NotYet,
    /// It is somebody else's.
    #[error("the token is of another issuer than JWT_ISSUER")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is for another audience than JWT_AUDIENCE")]
    Audience,
    /// A claim is missing, or of a wrong type.
    #[error("the token has no usable claim {0}")]
    Claim(String),
    /// No keys were to be had yet, so nothing can be told of it.
    #[error("the keys of the identity provider are not known yet")]
    NoKeys,
    /// Too many tokens wait for keys.
    #[error("too many tokens wait for the keys of the identity provider")]
    Crowded,
}

impl Refused {
    /// In one word, for metrics.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::NamesNoKey | Self::UnknownKey => "key",
            Self::Signature => "signature",
            Self::Expired | Self::NotYet => "time",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Claim(_) => "claim",
            Self::NoKeys | Self::Crowded => "unknown",
        }
    }

    /// Whether it may be good all the same, and should be shown again.
    pub const fn is_undecided(&self) -> bool {
        matches!(self, Self::NoKeys | Self::Crowded)
    }
}

/// What the token says of itself, before anything of it is trusted.
pub(super) fn header(token: &[u8]) -> Result<Header, Refused> {
    if token.len() > TOKEN_MAX_BYTES {
        return Err(Refused::Malformed);
    }
    jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
        // `none` and whatever else is no algorithm of signatures.
        _ if names_an_algorithm(token) => Refused::Algorithm,
        _ => Refused::Malformed,
    })
}

/// Whether it is a token at least, of an algorithm that nobody here knows.
fn names_an_algorithm(token: &[u8]) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = token.split(|byte| *byte == b'.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: Map<String, Value> = serde_json::from_slice(&header).unwrap_or_default();
    header.get("alg").is_some_and(Value::is_string)
}

/// Checks the signature, then what the token claims.
pub(super) fn verify(
    token: &[u8],
    header: &Header,
    key: &Key,
    settings: &Settings,
) -> Result<Caller, Refused> {
    let mut rules = Validation::new(header.alg);
    rules.leeway = LEEWAY_SECONDS;
    rules.validate_nbf = true;
    rules.set_required_spec_claims(&REQUIRED);
    rules.set_issuer(&[&settings.issuer]);
    rules.set_audience(&[&settings.audience]);
    let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &key.verifies, &rules);
    let claims = decoded.map_err(|error| refused(&error))?.claims;
    if settings.admin_scope.as_ref().is_some_and(|scope| has_scope(&claims, scope)) {
        return Ok(Caller::Everything);
    }
    let user = claims.get(&settings.user_claim).and_then(Value::as_str);
    let user = user.and_then(|user| Person::parse(user).ok());
    user.map(Caller::User).ok_or_else(|| Refused::Claim(settings.user_claim.clone()))
}

fn refused(error: &Error) -> Refused {
    match error.kind() {
        ErrorKind::ExpiredSignature => Refused::Expired,
        ErrorKind::ImmatureSignature => Refused::NotYet,
        ErrorKind::InvalidIssuer => Refused::Issuer,
        ErrorKind::InvalidAudience => Refused::Audience,
        // Both are claims of RFC 7519, whose names the crate knows beforehand.
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            Refused::Claim(claim.clone())
        }
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => Refused::Algorithm,
        ErrorKind::InvalidSignature | ErrorKind::Base64(_) => Refused::Signature,
        _ => Refused::Malformed,
    }
}

/// Whether the claims hold this scope: in a text of words, or in a list.
fn has_scope(claims: &Map<String, Value>, scope: &str) -> bool {
    SCOPES.iter().filter_map(|name| claims.get(*name)).any(|scopes| match scopes {
        Value::String(words) => words.split(' ').any(|word| word == scope),
        Value::Array(words) => words.iter().any(|word| word.as_str() == Some(scope)),
        _ => false,
    })
}
