//! Settings about the tokens of callers.

use super::Check;
use crate::tokens::settings::{KeysAt, Settings};
use clap::Args;

/// What is asked of tokens. Without `JWT_JWKS` there are none.
#[derive(Args, Clone, Debug)]
pub(super) struct JwtArgs {
    /// Key set of the identity provider whose tokens callers show: an https URL, or the path of a file
    #[arg(long = "jwt-jwks", id = "jwt_jwks", env = "JWT_JWKS", default_value = "")]
    jwks: String,
    /// Issuer that a token must be of
    #[arg(long = "jwt-issuer", id = "jwt_issuer", env = "JWT_ISSUER", default_value = "")]
    issuer: String,
    /// Audience that a token must be for
    #[arg(long = "jwt-audience", id = "jwt_audience", env = "JWT_AUDIENCE", default_value = "")]
    audience: String,
    /// Claim of a token that says which user it is of
    #[arg(
        long = "jwt-user-claim",
        id = "jwt_user_claim",
        env = "JWT_USER_CLAIM",
        default_value = "sub"
    )]
    user_claim: String,
    /// Scope by which a token sees and does everything; empty: no token does
    #[arg(
        long = "jwt-admin-scope",
        id = "jwt_admin_scope",
        env = "JWT_ADMIN_SCOPE",
        default_value = ""
    )]
    admin_scope: String,
}

impl JwtArgs {
    /// What is asked of tokens, if there are any.
    pub(super) fn check(self, check: &mut Check) -> Option<Settings> {
        let given = |text: &str| !text.trim().is_empty();
        if !given(&self.jwks) {
            for (name, text) in [("JWT_ISSUER", &self.issuer), ("JWT_AUDIENCE", &self.audience)] {
                let alone = if given(text) { Err("is given without JWT_JWKS") } else { Ok(()) };
                check.get(name, alone, ());
            }
            return None;
        }
        let required = |text: String| {
            if given(&text) { Ok(text) } else { Err("is missing: JWT_JWKS needs it") }
        };
        let keys = check.get("JWT_JWKS", KeysAt::parse(self.jwks.trim()), KeysAt::File("".into()));
        let issuer = check.get("JWT_ISSUER", required(self.issuer), String::new());
        let audience = check.get("JWT_AUDIENCE", required(self.audience), String::new());
        let user_claim = check.get("JWT_USER_CLAIM", required(self.user_claim), String::new());
        let scope = self.admin_scope.trim();
        let words =
            if scope.contains(char::is_whitespace) { Err("must be one word") } else { Ok(()) };
        check.get("JWT_ADMIN_SCOPE", words, ());
        let admin_scope = (!scope.is_empty()).then(|| scope.to_owned());
        Some(Settings { keys, issuer, audience, user_claim, admin_scope })
    }
}
