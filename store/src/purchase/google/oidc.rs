//! Whether a push comes from the subscription that we made: an OIDC token in its header, signed by Google.
//!
//! <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>. RS256 alone, with a key of Google's published set
//! ([`jwks`](super::jwks)); nothing that the token says is read before its signature holds, but the names of algorithm and key.

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::jwks::{Jwks, NoKey};
use super::wire::{Failure, Wire};
use crate::clock::Clock;
use crate::config::google::Google;
use crate::web::error::Error;

/// Why a push is not let in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no `Authorization: Bearer`.
    #[error("the push has no bearer token")]
    Missing,
    /// Not a JWS of three parts with the claims that an OIDC token has.
    #[error("the token is not in the form of an OIDC token")]
    Malformed,
    /// Signed by something else than RS256, or not at all.
    #[error("the token is not signed by RS256")]
    WrongAlgorithm,
    /// Google has published no such key.
    #[error("the token is signed by a key that is not Google's")]
    UnknownKey,
    /// The signature is not that key's.
    #[error("the token's signature does not hold")]
    BadSignature,
    /// Made by somebody else.
    #[error("the token's issuer is not Google")]
    WrongIssuer,
    /// Made for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is of the future")]
    NotYetValid,
    /// Another service account pushes.
    #[error("the token is of another service account")]
    WrongEmail,
    /// Google does not vouch for the service account's address.
    #[error("the token's address is not verified")]
    EmailNotVerified,
    /// Google's keys cannot be had at the moment.
    #[error("Google's keys cannot be had")]
    KeysAway(#[source] Failure),
}

impl Refusal {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "push_token_missing",
            Self::Malformed => "push_token_malformed",
            Self::WrongAlgorithm => "push_token_wrong_algorithm",
            Self::UnknownKey => "push_token_unknown_key",
            Self::BadSignature => "push_token_bad_signature",
            Self::WrongIssuer => "push_token_wrong_issuer",
            Self::WrongAudience => "push_token_wrong_audience",
            Self::Expired => "push_token_expired",
            Self::NotYetValid => "push_token_not_yet_valid",
            Self::WrongEmail => "push_token_wrong_email",
            Self::EmailNotVerified => "push_token_email_not_verified",
            Self::KeysAway(_) => "provider_away",
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::KeysAway(failure) => failure.into(),
            refusal => {
                let unauthorized = axum::http::StatusCode::UNAUTHORIZED;
                Self::new(unauthorized, refusal.code(), refusal.to_string())
            }
        }
    }
}

/// Who may push.
#[derive(Debug)]
pub struct Oidc {
    keys: Jwks,
    audience: String,
    email: String,
    clock: Clock,
}

impl Oidc {
    /// Lets in what the configuration says of the subscription.
    pub fn new(wire: Arc<Wire>, google: &Google, clock: &Clock) -> Self {
        Self {
            keys: Jwks::new(wire, google.jwks_url.clone(), clock.clone()),
            audience: google.push_audience.clone(),
            email: google.push_email.clone(),
            clock: clock.clone(),
        }
    }

    /// Checks the value of the header `Authorization`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn check(&self, authorization: Option<&str>) -> Result<(), Refusal> {
        let (scheme, token) = authorization.and_then(|it| it.split_once(' ')).ok_or(Refusal::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::Missing);
        }
        let claims = self.verified(token.trim()).await?;
        self.accept(&claims)
    }

    async fn verified(&self, token: &str) -> Result<Claims, Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        if claims.contains('.') {
            return Err(Refusal::Malformed);
        }
        let header: Header = read(header)?;
        if header.alg != "RS256" {
            return Err(Refusal::WrongAlgorithm);
        }
        // What has to be understood (RFC 7515, section 4.1.11) is nothing that we understand.
        if header.crit.is_some() || header.kid.is_empty() || header.kid.len() > LONGEST_KEY_ID {
            return Err(Refusal::Malformed);
        }
        let signature = decoded(signature)?;
        let key = self.keys.key(&header.kid).await.map_err(|error| match error {
            NoKey::Unknown => Refusal::UnknownKey,
            NoKey::Away(failure) => Refusal::KeysAway(failure),
        })?;
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(Refusal::BadSignature);
        }
        read(claims)
    }

    fn accept(&self, claims: &Claims) -> Result<(), Refusal> {
        if !ISSUERS.contains(&claims.iss.as_str()) {
            return Err(Refusal::WrongIssuer);
        }
        if claims.aud != self.audience {
            return Err(Refusal::WrongAudience);
        }
        let now = self.clock.now_ms() / 1_000;
        if now >= claims.exp.saturating_add(LEEWAY_SECONDS) {
            return Err(Refusal::Expired);
        }
        if claims.iat.saturating_sub(LEEWAY_SECONDS) > now {
            return Err(Refusal::NotYetValid);
        }
        if claims.email != self.email {
            return Err(Refusal::WrongEmail);
        }
        if !claims.email_verified {
            return Err(Refusal::EmailNotVerified);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_verified: bool,
}

fn read<T: DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    serde_json::from_slice(&decoded(part)?).ok().ok_or(Refusal::Malformed)
}

fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode_to_vec(part).ok().ok_or(Refusal::Malformed)
}

/// Google has used both.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// Clocks differ, ours from Google's.
const LEEWAY_SECONDS: i64 = 30;
/// Bytes; Google's tokens have about 1 KiB.
const LONGEST: usize = 8 << 10;
/// Bytes; Google's have 40.
const LONGEST_KEY_ID: usize = 200;
