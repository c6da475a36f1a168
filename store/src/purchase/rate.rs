//! How often each user may have done what costs others something, or what could be guessed.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sticker_protocol::token::UserId;

use crate::web::error::Error;

/// How often each user may still try something. Each instance of the store counts for itself.
#[derive(Debug)]
pub struct UserRates {
    limiter: DefaultKeyedRateLimiter<Box<[u8]>>,
    clock: DefaultClock,
    refusal: &'static str,
}

impl UserRates {
    /// So many in a minute, and as many at once; who tries more is told this.
    pub fn new(per_minute: u32, refusal: &'static str) -> Self {
        let rate = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::keyed(Quota::per_minute(rate));
        Self { limiter, clock: DefaultClock::default(), refusal }
    }

    /// Counts an attempt of this user.
    ///
    /// # Errors
    /// 429 [`RATE_LIMITED`], with the seconds after which another is admitted.
    pub fn admit(&self, user: &UserId) -> Result<(), Error> {
        if self.limiter.len() > USERS_IN_MEMORY {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&user.as_bytes().into()).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now()).as_millis().div_ceil(1_000);
            Error::new(StatusCode::TOO_MANY_REQUESTS, RATE_LIMITED, self.refusal)
                .retry_after(u32::try_from(wait).unwrap_or(u32::MAX).max(1))
        })
    }
}

/// The code of whoever tried too often.
pub const RATE_LIMITED: &str = "rate_limited";

/// Beyond this those who tried nothing for a minute are forgotten.
const USERS_IN_MEMORY: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_users_attempts_are_not_anothers() {
        let rates = UserRates::new(2, "too often");
        let user = |name: &str| UserId::from_text(name).unwrap();
        assert!(rates.admit(&user("minsu")).is_ok() && rates.admit(&user("minsu")).is_ok());
        let refused = rates.admit(&user("minsu")).unwrap_err();
        assert_eq!((refused.code(), refused.message()), (RATE_LIMITED, "too often"));
        assert!((1..=30).contains(&refused.try_again_after().unwrap()));
        assert!(rates.admit(&user("jisoo")).is_ok());
    }
}
