//! How many checks a client may ask for.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::check::MAX_CHECKS;
use crate::web::error::Error;

/// The checks that each client may still ask for. Each instance of the store counts for itself; there are as many entries as clients.
#[derive(Debug)]
pub struct CheckRates {
    limiter: DefaultKeyedRateLimiter<Arc<str>>,
    clock: DefaultClock,
}

impl CheckRates {
    /// So many checks a second, and at once as many as a second gives, or as one request may have.
    pub fn new(checks_per_second: u32) -> Self {
        let rate = NonZeroU32::new(checks_per_second).unwrap_or(NonZeroU32::MIN);
        let request = u32::try_from(MAX_CHECKS).ok().and_then(NonZeroU32::new).unwrap_or(rate);
        let limiter = RateLimiter::keyed(Quota::per_second(rate).allow_burst(rate.max(request)));
        Self { limiter, clock: DefaultClock::default() }
    }

    /// Counts the checks of a request, all or none.
    ///
    /// # Errors
    /// 429 `rate_limited`, with the seconds after which they are admitted.
    pub fn admit(&self, client: &Arc<str>, checks: u32) -> Result<(), Error> {
        let Some(checks) = NonZeroU32::new(checks) else { return Ok(()) };
        match self.limiter.check_key_n(client, checks) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.clock.now());
                Err(limited(u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)))
            }
            // A request has at most as many as fit at once.
            Err(_) => Err(limited(1)),
        }
    }
}

fn limited(seconds: u32) -> Error {
    let message = "this client asks for more checks than token.checks_per_second allows";
    Error::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).retry_after(seconds.max(1))
}
