//! Requests to Google: bounded in time, size and number, on threads that may wait.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::config::google::is_this_machine;
use crate::web::error::Error;

/// Why Google gave nothing that could be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no such purchase, or none any more, or not of this app.
    #[error("Google knows no such purchase ({status} {reason})")]
    Unknown {
        /// The status.
        status: u16,
        /// Google's name for the reason.
        reason: String,
    },
    /// The service account is not let in.
    #[error("Google refuses the service account ({status} {reason}): is it invited in the Play Console?")]
    Refused {
        /// The status.
        status: u16,
        /// Google's name for the reason.
        reason: String,
    },
    /// It does not understand what it is asked, or does not know the app.
    #[error("Google does not understand the request ({status} {reason}): is purchase.google.package right?")]
    Misasked {
        /// The status.
        status: u16,
        /// Google's name for the reason.
        reason: String,
    },
    /// It has a fault, or enough of us.
    #[error("Google answers {status}")]
    Busy {
        /// The status.
        status: u16,
        /// After how many seconds it wants to be asked again.
        retry_after: Option<u32>,
    },
    /// There was no answer, none in time, or one that is too long.
    #[error("Google cannot be reached")]
    Unreachable(#[source] Arc<ureq::Error>),
    /// As many requests as there may be wait for Google.
    #[error("too many requests wait for Google")]
    Crowded,
    /// The answer is not in the form that was agreed on.
    #[error("Google's answer has another form")]
    Malformed(#[source] Arc<serde_json::Error>),
    /// The answer is of no kind that was agreed on.
    #[error("Google's answer makes no sense: {0}")]
    Nonsense(&'static str),
    /// The service account's key does not sign, or the task for it could not run.
    #[error("the request to Google cannot be made")]
    NotMade,
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self::Unreachable(Arc::new(error))
    }
}

/// Whoever asks may ask again, but for a purchase that does not exist. Nothing is lost: the purchase stays with Google.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        const AWAY: &str = "Google Play does not answer; try again later";
        let unavailable = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        match &failure {
            Failure::Unknown { .. } => Self::refused("invalid_receipt", "Google Play knows no such purchase"),
            // Whoever can do something about it reads the log.
            Failure::Refused { .. } | Failure::Misasked { .. } => {
                Self::new(unavailable, "provider_refuses", AWAY)
                    .retry_after(AFTER_THE_OPERATOR)
                    .because(&failure)
            }
            Failure::Busy { retry_after, .. } => Self::new(unavailable, PROVIDER_AWAY, AWAY)
                .retry_after(retry_after.unwrap_or(SOON))
                .because(&failure),
            Failure::Unreachable(_)
            | Failure::Crowded
            | Failure::Malformed(_)
            | Failure::Nonsense(_)
            | Failure::NotMade => {
                Self::new(unavailable, PROVIDER_AWAY, AWAY).retry_after(SOON).because(&failure)
            }
        }
    }
}

/// An answer, whatever it says, with its body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of a 200 as JSON. Fields that are not known are passed over, for Google adds some; what is there twice or follows the
    /// end is refused.
    ///
    /// # Errors
    /// [`Failure::Malformed`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::Malformed(Arc::new(error)))
    }

    /// The seconds of `Retry-After`, an hour at most; dates are passed over.
    pub fn retry_after(&self) -> Option<u32> {
        self.text("retry-after")?.parse().ok().map(|seconds: u32| seconds.min(3_600))
    }

    /// A header's text.
    pub fn text(&self, header: &str) -> Option<&str> {
        self.headers.get(header)?.to_str().ok()
    }
}

/// The way out.
#[derive(Debug)]
pub struct Wire {
    outside: Agent,
    this_machine: Agent,
    places: Arc<Semaphore>,
    timeout: Duration,
}

impl Wire {
    /// Requests take at most this long, and an answer has no redirects to follow: no secret goes elsewhere.
    pub fn new(timeout: Duration) -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_idle_connections_per_host(PLACES)
                .timeout_global(Some(timeout))
        };
        Self {
            outside: config().build().into(),
            this_machine: config().proxy(None).build().into(),
            places: Arc::new(Semaphore::new(PLACES)),
            timeout,
        }
    }

    /// Asks for what is at an address.
    ///
    /// # Errors
    /// [`Failure`] where there is no answer; an answer that says no is one.
    pub async fn get(&self, url: String, bearer: Option<&str>, longest: u64) -> Result<Answer, Failure> {
        let mut request = Request::get(url);
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        let request = request.body(None).ok().ok_or(Failure::NotMade)?;
        self.send(request, longest).await
    }

    /// Sends a body of this type.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub async fn post(
        &self,
        url: String,
        bearer: Option<&str>,
        content: (&'static str, String),
    ) -> Result<Answer, Failure> {
        let mut request = Request::post(url).header("content-type", content.0);
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        let request = request.body(Some(content.1)).ok().ok_or(Failure::NotMade)?;
        self.send(request, SHORT).await
    }

    /// A provider that hangs must not take every thread that may wait: beyond [`PLACES`] requests others wait as long as one may take,
    /// and then go.
    async fn send(&self, request: Request<Option<String>>, longest: u64) -> Result<Answer, Failure> {
        let place = tokio::time::timeout(self.timeout, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(Failure::Crowded) };
        let agent = if is_this_machine(&request.uri().to_string()) {
            self.this_machine.clone()
        } else {
            self.outside.clone()
        };
        let asking = tokio::task::spawn_blocking(move || {
            let _place = place;
            let (parts, body) = request.into_parts();
            let mut answer = match body {
                Some(body) => agent.run(Request::from_parts(parts, body))?,
                None => agent.run(Request::from_parts(parts, ()))?,
            };
            let body = answer.body_mut().with_config().limit(longest).read_to_vec()?;
            Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
        });
        asking.await.unwrap_or(Err(Failure::NotMade))
    }
}

/// The code of an error for which the same may be asked again.
pub const PROVIDER_AWAY: &str = "provider_away";
/// Bytes of an answer that holds one thing: an access token is about 1 KiB, a purchase less.
pub const SHORT: u64 = 64 << 10;
/// Far more than a store that sells a hundred packs a second needs.
const PLACES: usize = 64;
/// Seconds after which a provider that was away may be there again.
const SOON: u32 = 5;
/// Seconds after which an operator may have repaired the credentials.
const AFTER_THE_OPERATOR: u32 = 60;
