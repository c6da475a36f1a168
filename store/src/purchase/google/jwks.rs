//! The keys that Google publishes (RFC 7517), kept as long as Google says.
//!
//! Whoever pushes names the key, so an unknown name must not become a request to Google each time: the set is asked for again once a
//! minute at most.

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::wire::{Answer, Failure, SHORT, Wire};
use crate::clock::Clock;

/// A published RSA key.
#[derive(Debug)]
pub struct Key {
    id: String,
    components: RsaPublicKeyComponents<Vec<u8>>,
}

impl Key {
    /// Whether this is the key's RS256 signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.components.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }
}

/// Why there is no key of a name.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoKey {
    /// Google publishes none.
    #[error("Google publishes no such key")]
    Unknown,
    /// Google cannot be asked.
    #[error("Google's keys cannot be had")]
    Away(#[source] Failure),
}

/// Google's set of keys.
#[derive(Debug)]
pub struct Jwks {
    wire: Arc<Wire>,
    url: String,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Vec<Arc<Key>>,
    fetched_at: i64,
    fresh_until: i64,
    asked_at: Option<i64>,
    failure: Option<Failure>,
}

impl Known {
    fn find(&self, id: &str) -> Option<Arc<Key>> {
        self.keys.iter().find(|key| key.id == id).cloned()
    }

    /// A clock that stepped back makes nothing fresh for longer.
    const fn is_fresh(&self, now: i64) -> bool {
        self.fetched_at <= now && now < self.fresh_until
    }

    fn may_ask(&self, now: i64) -> bool {
        let pause = if self.is_fresh(now) { UNKNOWN_PAUSE } else { FAILED_PAUSE };
        self.asked_at.is_none_or(|asked| now < asked || asked + pause <= now)
    }
}

impl Jwks {
    /// The set at an address.
    pub fn new(wire: Arc<Wire>, url: String, clock: Clock) -> Self {
        Self { wire, url, clock, known: Mutex::default() }
    }

    /// The key of a name, from memory where the set is fresh. While Google is away, what it said within a day still holds.
    ///
    /// # Errors
    /// [`NoKey`].
    pub async fn key(&self, id: &str) -> Result<Arc<Key>, NoKey> {
        let mut known = self.known.lock().await;
        let now = self.clock.now_ms();
        let found = known.find(id);
        if let Some(key) = found.as_ref().filter(|_| known.is_fresh(now)) {
            return Ok(Arc::clone(key));
        }
        if known.may_ask(now) {
            known.asked_at = Some(now);
            match self.fetch().await {
                Ok((keys, seconds)) => {
                    let fresh_until = now + seconds * 1_000;
                    *known = Known { keys, fetched_at: now, fresh_until, asked_at: Some(now), failure: None };
                    return known.find(id).ok_or(NoKey::Unknown);
                }
                Err(failure) => {
                    tracing::warn!(error.reason = %failure, "Google's keys cannot be fetched; going on with those that are known");
                    known.failure = Some(failure);
                }
            }
        }
        match found {
            Some(key) if now < known.fetched_at + STALE => Ok(key),
            _ => Err(known.failure.clone().map_or(NoKey::Unknown, NoKey::Away)),
        }
    }

    /// The set, and for how many seconds it holds.
    async fn fetch(&self) -> Result<(Vec<Arc<Key>>, i64), Failure> {
        #[derive(Deserialize)]
        struct Body {
            keys: Vec<Published>,
        }
        let answer = self.wire.get(self.url.clone(), None, SHORT).await?;
        if answer.status != 200 {
            return Err(Failure::Busy { status: answer.status, retry_after: answer.retry_after() });
        }
        let body: Body = answer.json()?;
        let keys: Vec<_> = body.keys.into_iter().take(MOST_KEYS).filter_map(usable).map(Arc::new).collect();
        if keys.is_empty() {
            return Err(Failure::Nonsense("a set without a key for RS256"));
        }
        Ok((keys, fresh_seconds(&answer)))
    }
}

/// A key as it is published; of another kind where fields are missing.
#[derive(Deserialize)]
struct Published {
    kty: String,
    #[serde(default)]
    kid: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

fn usable(key: Published) -> Option<Key> {
    let fits = key.kty == "RSA"
        && !key.kid.is_empty()
        && key.alg.is_none_or(|algorithm| algorithm == "RS256")
        && key.purpose.is_none_or(|purpose| purpose == "sig");
    if !fits {
        return None;
    }
    let number = |text: &str| URL_SAFE_NO_PAD.decode_to_vec(text).ok().filter(|bytes| !bytes.is_empty());
    Some(Key { id: key.kid, components: RsaPublicKeyComponents { n: number(&key.n)?, e: number(&key.e)? } })
}

/// The seconds of `Cache-Control: max-age`, within bounds.
fn fresh_seconds(answer: &Answer) -> i64 {
    let directives = answer.text("cache-control").unwrap_or_default().split(',');
    let mut ages = directives.filter_map(|directive| directive.trim().strip_prefix("max-age="));
    let age = ages.next().and_then(|age| age.parse().ok()).unwrap_or(USUAL_SECONDS);
    age.clamp(FEWEST_SECONDS, MOST_SECONDS)
}

/// Google publishes two or three.
const MOST_KEYS: usize = 32;
/// Google says about six hours.
const USUAL_SECONDS: i64 = 3_600;
const FEWEST_SECONDS: i64 = 60;
const MOST_SECONDS: i64 = 86_400;
/// Milliseconds between two looks for a key that a fresh set does not have.
const UNKNOWN_PAUSE: i64 = 60_000;
/// Milliseconds before Google is asked again after it was away.
const FAILED_PAUSE: i64 = 5_000;
/// Milliseconds for which a set is used while Google is away.
const STALE: i64 = 86_400_000;
