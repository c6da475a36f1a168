//! The App Store Server API: what Apple knows of a transaction, what it has notified, and what it wants to know of a purchase.
//!
//! <https://developer.apple.com/documentation/appstoreserverapi>

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use ureq::Agent;
use ureq::http::{Request, StatusCode};

use super::api_key::{ApiKey, CannotSign};
use super::refusal::Refusal;
use crate::clock::Clock;
use crate::config::apple::Apple;
use crate::config::google::is_this_machine;
use crate::web::error::Error;

/// Apple's API for one app, with the key that it takes.
#[derive(Debug)]
pub struct Api {
    agent: Agent,
    base: String,
    key: ApiKey,
    clock: Clock,
    places: Arc<Semaphore>,
    timeout: Duration,
}

/// Why Apple gave nothing that could be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no such transaction.
    #[error("Apple knows no such transaction")]
    Unknown,
    /// The key is not let in.
    #[error("Apple refuses the key: are issuer_id, key_id and key_file of one key that was not revoked?")]
    KeyRefused,
    /// It will say the same to the same request for ever.
    #[error("Apple refuses the request ({status} {code})")]
    Refused {
        /// The status.
        status: u16,
        /// Apple's number for the reason, 0 where it gave none.
        code: u64,
    },
    /// It has a fault, or enough of us.
    #[error("Apple answers {status}")]
    Busy {
        /// The status.
        status: u16,
        /// After how many seconds it wants to be asked again.
        retry_after: Option<u32>,
    },
    /// There was no answer, none in time, or one that is too long.
    #[error("Apple cannot be reached")]
    Unreachable(#[from] ureq::Error),
    /// As many requests as there may be wait for Apple.
    #[error("too many requests wait for Apple")]
    Crowded,
    /// The answer is not in the form that Apple documents.
    #[error("Apple's answer has another form")]
    Malformed(#[from] serde_json::Error),
    /// What it says is not signed as what Apple says is.
    #[error("Apple's answer is not to be believed")]
    Unproven(#[from] Refusal),
    /// The request could not be signed.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    /// The task for the request could not run.
    #[error("the request to Apple cannot be made")]
    NotMade,
}

impl Failure {
    fn is_for_good(&self) -> bool {
        matches!(self, Self::Unknown | Self::Refused { .. })
    }
}

/// Whoever asks may ask again, but for what Apple refuses for good. Nothing is lost: the purchase stays with Apple.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        if failure.is_for_good() {
            let code = if matches!(failure, Failure::Unknown) { "invalid_receipt" } else { REFUSES };
            return Self::refused(code, failure.to_string());
        }
        let (code, seconds) = match &failure {
            // Whoever can do something about it reads the log.
            Failure::KeyRefused | Failure::Unproven(_) => (REFUSES, AFTER_THE_OPERATOR),
            Failure::Busy { retry_after, .. } => (AWAY, retry_after.unwrap_or(SOON)),
            _ => (AWAY, SOON),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "the App Store does not answer; try again later")
            .hint("nothing is lost; check the way to purchase.apple.server_url, and the key")
            .retry_after(seconds)
            .because(&failure)
    }
}

/// A part of the history of notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first millisecond since 1970.
    pub from_ms: i64,
    /// The last.
    pub until_ms: i64,
    /// Which of them.
    pub which: Which,
}

/// Which notifications of the history are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All, whether they came or not.
    All,
    /// Those that did not come, with those that Apple goes on trying to send.
    Failures,
}

/// A page of what Apple has notified.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Each as it was sent, a JWS. Nothing of it is proven.
    pub notifications: Vec<String>,
    /// What to ask the next page with, unless this is the last.
    pub next: Option<String>,
}

/// What became of a purchase whose buyer wants the money back: `ConsumptionRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumption {
    /// Whether the customer has agreed that Apple is told. It takes no other answer than yes.
    pub customer_consented: bool,
    /// Whether the buyer could see beforehand what it is.
    pub sample_content_provided: bool,
    /// Whether the buyer got it.
    pub delivery_status: DeliveryStatus,
}

/// `deliveryStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// The buyer has it.
    Delivered,
    /// The buyer has it not.
    UndeliveredOther,
}

impl Api {
    /// The API of the configured app.
    pub fn new(apple: &Apple, key: ApiKey, clock: Clock) -> Self {
        let base = apple.server_url().to_owned();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections_per_host(PLACES)
            .timeout_global(Some(apple.timeout()));
        let agent =
            if is_this_machine(&base) { config.proxy(None).build().into() } else { config.build().into() };
        Self { agent, base, key, clock, places: Arc::new(Semaphore::new(PLACES)), timeout: apple.timeout() }
    }

    /// A transaction as it stands, a JWS of which nothing is proven: Get Transaction Info.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn transaction(&self, id: &str) -> Result<String, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            signed_transaction_info: String,
        }
        let request = Request::get(format!("{}/inApps/v1/transactions/{}", self.base, checked(id)?));
        let body: Body = serde_json::from_slice(&self.send(request, None).await?)?;
        Ok(body.signed_transaction_info)
    }

    /// What was notified within a window: Get Notification History. Apple goes back 180 days, 30 in the sandbox, and gives 20 at once.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn history(&self, window: Window, page: Option<&str>) -> Result<Page, Failure> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Asked {
            start_date: i64,
            end_date: i64,
            only_failures: bool,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            #[serde(default)]
            notification_history: Vec<Sent>,
            #[serde(default)]
            has_more: bool,
            pagination_token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent {
            signed_payload: String,
        }
        let mut url = format!("{}/inApps/v1/notifications/history", self.base);
        if let Some(page) = page {
            url.push_str("?paginationToken=");
            url.push_str(checked(page)?);
        }
        let asked = serde_json::to_string(&Asked {
            start_date: window.from_ms,
            end_date: window.until_ms,
            only_failures: window.which == Which::Failures,
        })?;
        let body: Body = serde_json::from_slice(&self.send(Request::post(url), Some(asked)).await?)?;
        let notifications = body.notification_history.into_iter().map(|sent| sent.signed_payload).collect();
        let next = body.pagination_token.filter(|token| body.has_more && !token.is_empty());
        if body.has_more && next.is_none() {
            let endless = serde::de::Error::custom("there is more, and no way to it");
            return Err(Failure::Malformed(endless));
        }
        Ok(Page { notifications, next })
    }

    /// Says what became of a purchase: Send Consumption Information. The same again changes nothing.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn consumption(&self, id: &str, consumption: &Consumption) -> Result<(), Failure> {
        let url = format!("{}/inApps/v2/transactions/consumption/{}", self.base, checked(id)?);
        self.send(Request::put(url), Some(serde_json::to_string(consumption)?)).await.map(drop)
    }

    /// A server that hangs must not take every thread that may wait: beyond [`PLACES`] requests others wait as long as one may take, and
    /// then go.
    async fn send(
        &self,
        request: ureq::http::request::Builder,
        body: Option<String>,
    ) -> Result<Vec<u8>, Failure> {
        let place = tokio::time::timeout(self.timeout, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(Failure::Crowded) };
        let token = self.key.token(self.clock.now())?;
        let request = request.header("authorization", format!("Bearer {token}"));
        let (agent, now_ms) = (self.agent.clone(), self.clock.now_ms());
        let asking = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut answer = match body {
                Some(body) => {
                    let request = request.header("content-type", "application/json").body(body);
                    agent.run(request.map_err(ureq::Error::from)?)?
                }
                None => agent.run(request.body(()).map_err(ureq::Error::from)?)?,
            };
            let body = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec()?;
            let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let retry_after = retry_after.and_then(|value| seconds_until(value, now_ms));
            taken(answer.status().as_u16(), body, retry_after)
        });
        asking.await.unwrap_or(Err(Failure::NotMade))
    }
}

fn taken(status: u16, body: Vec<u8>, retry_after: Option<u32>) -> Result<Vec<u8>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fault {
        error_code: u64,
    }
    let code = || serde_json::from_slice::<Fault>(&body).map_or(0, |fault| fault.error_code);
    match status {
        200..=299 => Ok(body),
        401 => Err(Failure::KeyRefused),
        404 => match code() {
            UNKNOWN_TRANSACTION => Err(Failure::Unknown),
            // Apple's ids that end in 2, 4 or 6 of these are retryable, and an address without a number is an outage's.
            0 | 4_040_002 | 4_040_004 | 4_040_006 => Err(Failure::Busy { status, retry_after }),
            code => Err(Failure::Refused { status, code }),
        },
        400 | 403 => Err(Failure::Refused { status, code: code() }),
        _ => Err(Failure::Busy { status, retry_after }),
    }
}

/// Apple says in `Retry-After` the time, in milliseconds since 1970; others on the way say seconds. An hour at most.
fn seconds_until(retry_after: &str, now_ms: i64) -> Option<u32> {
    let number: i64 = retry_after.parse().ok()?;
    let seconds = if number >= YEAR_2000_MS { (number - now_ms).div_euclid(1_000) + 1 } else { number };
    u32::try_from(seconds.clamp(1, 3_600)).ok()
}

/// Part of an address as it is: ids and page tokens of Apple's need no escapes, and what does is none of them.
fn checked(part: &str) -> Result<&str, Failure> {
    let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=.".contains(&byte));
    let fits = (1..=1_000).contains(&part.len()) && !part.contains("..");
    if plain && fits { Ok(part) } else { Err(Failure::Unknown) }
}

/// The code of an error for which the same may be asked again.
pub const AWAY: &str = "provider_away";
const REFUSES: &str = "provider_refuses";
/// Seconds after which a server that was away may be there again.
const SOON: u32 = 5;
/// Seconds after which an operator may have repaired what is wrong.
const AFTER_THE_OPERATOR: u32 = 60;
/// A page of 20 notifications has 300 KiB.
const MOST_BYTES: u64 = 8 << 20;
/// Far more than a store that sells a hundred packs a second needs.
const PLACES: usize = 64;
/// `TransactionIdNotFoundError`.
const UNKNOWN_TRANSACTION: u64 = 4_040_010;
const YEAR_2000_MS: i64 = 946_684_800_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_ask_again_is_a_moment_or_seconds() {
        let now = 1_790_000_000_000;
        assert_eq!(seconds_until("1790000030000", now), Some(31));
        assert_eq!(seconds_until("1789999999999", now), Some(1));
        assert_eq!(seconds_until("1990000000000", now), Some(3_600));
        assert_eq!(seconds_until("30", now), Some(30));
        assert_eq!(seconds_until("-5", now), Some(1));
        assert_eq!(seconds_until("Wed, 21 Oct 2015 07:28:00 GMT", now), None);
    }

    #[test]
    fn only_what_apple_names_things_by_goes_into_an_address() {
        for good in ["2000000123456789", "57715481-805a-4283-8499-1c19b5d6b20a", "a_b=="] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "..", "a/b", "a?b", "a%2fb", "a b", "é"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
