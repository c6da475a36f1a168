//! Who we are to Google: a service account, whose key signs for access tokens that last an hour (RFC 7523).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64_simd::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use ureq::tls::PrivateKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::wire::{Answer, Failure, Wire};
use crate::clock::Clock;
use crate::config::google::keeps_secrets;
use crate::random::Random;
use crate::token::file::{self, FileError};

/// A service account with its key, and the access token that it has at the moment.
pub struct ServiceAccount {
    email: String,
    key_id: String,
    key: RsaKeyPair,
    token_uri: String,
    wire: Arc<Wire>,
    clock: Clock,
    random: Random,
    held: Mutex<Held>,
    /// Exchanges that have ended.
    exchanges: AtomicU64,
}

/// What the last exchange gave.
#[derive(Default)]
struct Held {
    token: Option<AccessToken>,
    failure: Option<Failure>,
}

/// What opens the API until it expires.
#[derive(Clone)]
pub struct AccessToken {
    text: Arc<str>,
    use_until_ms: i64,
}

impl AccessToken {
    /// The token, for the header of a request.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// Why a service account cannot be used. Never shows what is in the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not the JSON that Google gives for a service account.
    #[error("{} is not the file of a service account: line {line}, column {column}", path.display())]
    NotAnAccount {
        /// The file.
        path: PathBuf,
        /// Where it is wrong, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
    },
    /// The field `private_key` is not an RSA key of at least 2048 bits as PKCS#8 in PEM.
    #[error("private_key in {} is not an RSA key of 2048 to 4096 bits as PKCS#8 in PEM", .0.display())]
    BadKey(PathBuf),
    /// The key's signature would go over a network in the clear.
    #[error("token_uri in {} does not begin with https://", .0.display())]
    NotEncrypted(PathBuf),
}

impl AccountError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File(_) => "put the service account's JSON file there, and chmod 600 it",
            _ => "download a JSON key of the service account again, and give it as it is",
        }
    }
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct AccountFile {
    client_email: String,
    private_key: String,
    private_key_id: String,
    token_uri: String,
}

impl ServiceAccount {
    /// Reads the file, which only its owner may read.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn load(path: &Path, wire: Arc<Wire>, clock: &Clock, random: &Random) -> Result<Self, AccountError> {
        let text = Zeroizing::new(file::read_private(path)?);
        let account: AccountFile = serde_json::from_str(&text).map_err(|error| {
            // Its words could repeat a value.
            AccountError::NotAnAccount { path: path.to_owned(), line: error.line(), column: error.column() }
        })?;
        if !keeps_secrets(&account.token_uri) {
            return Err(AccountError::NotEncrypted(path.to_owned()));
        }
        let key = rsa_key(&account.private_key).ok_or_else(|| AccountError::BadKey(path.to_owned()))?;
        Ok(Self {
            email: account.client_email.clone(),
            key_id: account.private_key_id.clone(),
            key,
            token_uri: account.token_uri.clone(),
            wire,
            clock: clock.clone(),
            random: random.clone(),
            held: Mutex::default(),
            exchanges: AtomicU64::new(0),
        })
    }

    /// An access token with some life left. Of many who ask at once one exchanges, and the others get what it got, be it a failure.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn access_token(&self) -> Result<AccessToken, Failure> {
        let before = self.exchanges.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        if let Some(token) = &held.token
            && self.clock.now_ms() < token.use_until_ms
        {
            return Ok(token.clone());
        }
        if let Some(failure) = &held.failure
            && self.exchanges.load(Ordering::Acquire) != before
        {
            return Err(failure.clone());
        }
        let exchanged = self.exchange().await;
        *held = Held { token: exchanged.as_ref().ok().cloned(), failure: exchanged.as_ref().err().cloned() };
        self.exchanges.fetch_add(1, Ordering::Release);
        exchanged
    }

    /// Forgets a token that Google no longer takes, unless there is a newer one.
    pub async fn forget(&self, token: &AccessToken) {
        let mut held = self.held.lock().await;
        if held.token.as_ref().is_some_and(|held| Arc::ptr_eq(&held.text, &token.text)) {
            held.token = None;
        }
    }

    async fn exchange(&self) -> Result<AccessToken, Failure> {
        #[derive(Deserialize)]
        struct Body {
            access_token: String,
            expires_in: u32,
        }
        let now_ms = self.clock.now_ms();
        // A JWT of base64url and dots needs no escapes in a form.
        let form = format!("grant_type={GRANT_TYPE}&assertion={}", self.assertion(now_ms / 1_000)?);
        let content = ("application/x-www-form-urlencoded", form);
        let answer = self.wire.post(self.token_uri.clone(), None, content).await?;
        match answer.status {
            200 => {}
            status @ (400 | 401 | 403) => {
                return Err(Failure::Refused { status, reason: reason(&answer) });
            }
            status => return Err(Failure::Busy { status, retry_after: answer.retry_after() }),
        }
        let body: Body = answer.json()?;
        if body.access_token.is_empty() || !body.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Nonsense("an access token that no header can hold"));
        }
        let lifetime = i64::from(body.expires_in.min(MOST_SECONDS)) - MARGIN_SECONDS;
        Ok(AccessToken { text: body.access_token.into(), use_until_ms: now_ms + lifetime * 1_000 })
    }

    fn assertion(&self, now: i64) -> Result<String, Failure> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.token_uri,
            "iat": now, "exp": now + i64::from(MOST_SECONDS),
        });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode_to_string(json.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let done = self.key.sign(&RSA_PKCS1_SHA256, self.random.secure(), signed.as_bytes(), &mut signature);
        done.ok().ok_or(Failure::NotMade)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode_to_string(&signature)))
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("email", &self.email)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("use_until_ms", &self.use_until_ms).finish_non_exhaustive()
    }
}

/// The name that OAuth has for what is wrong, such as `invalid_grant`; RFC 6749, section 5.2.
fn reason(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    answer.json::<Body>().map_or_else(|_| String::new(), |body| super::api::name_of(&body.error))
}

fn rsa_key(pem: &str) -> Option<RsaKeyPair> {
    let key = PrivateKey::from_pem(pem.as_bytes()).ok()?;
    RsaKeyPair::from_pkcs8(key.der()).ok()
}

/// Percent-encoded for the form: `urn:ietf:params:oauth:grant-type:jwt-bearer`.
const GRANT_TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const SCOPE: &str = "https://www.googleapis.com/auth/androidpublisher";
/// Google gives tokens for an hour, and takes no assertion for longer.
const MOST_SECONDS: u32 = 3_600;
/// A token is not used in its last minute: the request takes time, and clocks differ.
const MARGIN_SECONDS: i64 = 60;
