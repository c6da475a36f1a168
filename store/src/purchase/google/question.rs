//! Questions about purchases that are under way, and those that were just answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::OnceCell;

use super::api::{Purchase, PurchaseState, PurchaseToken};
use super::wire::Failure;
use crate::web::error::Error;

/// What Google is being asked for users, by the hashes of the tokens. Who asks for a token that somebody is asking for already gets the
/// same answer, be it a failure.
#[derive(Debug)]
pub struct Questions {
    under_way: Mutex<BTreeMap<String, Weak<Question>>>,
    unknown: Cache<String, Failure>,
    paid: Cache<String, Purchase>,
}

type Question = OnceCell<Result<Purchase, Failure>>;

/// None yet.
impl Default for Questions {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
            unknown: Cache::builder().max_capacity(IN_MEMORY).time_to_live(UNKNOWN_FOR).build(),
            paid: Cache::builder().max_capacity(IN_MEMORY).time_to_live(PAID_FOR).build(),
        }
    }
}

impl Questions {
    /// How a purchase stands: what `google` says, who is asked only if nobody else is asking for it, if no answer that holds for a while
    /// came just now, and once `admit` has let this one in.
    ///
    /// # Errors
    /// What `admit` says, or the [`Failure`] of the lookup.
    pub async fn ask<L>(
        &self,
        token: &PurchaseToken,
        admit: impl FnOnce() -> Result<(), Error>,
        google: impl FnOnce() -> L,
    ) -> Result<Purchase, Error>
    where
        L: Future<Output = Result<Purchase, Failure>>,
    {
        let seat = self.seat(token.id());
        // Whoever is not let in, or goes away, leaves the question to the next who waits for its answer. An answer is remembered before
        // the question is over, so that nobody comes in between.
        let answer = seat.question.get_or_try_init(|| async {
            if let Some(answer) = self.remembered(&seat.id) {
                return Ok(answer);
            }
            admit()?;
            let answer = google().await;
            self.remember(&seat.id, &answer);
            Ok::<_, Error>(answer)
        });
        Ok(answer.await?.clone()?)
    }

    fn remembered(&self, id: &str) -> Option<Result<Purchase, Failure>> {
        self.paid.get(id).map(Ok).or_else(|| self.unknown.get(id).map(Err))
    }

    fn remember(&self, id: &str, answer: &Result<Purchase, Failure>) {
        match answer {
            Ok(purchase) if purchase.purchase_state_context.purchase_state == PurchaseState::Purchased => {
                self.paid.insert(id.to_owned(), purchase.clone());
            }
            Err(failure @ Failure::Unknown { .. }) => self.unknown.insert(id.to_owned(), failure.clone()),
            // Whoever waits for a payment, or for Google, asks again.
            Ok(_) | Err(_) => {}
        }
    }

    fn seat(&self, id: String) -> Seat<'_> {
        let mut under_way = self.under_way();
        let question = under_way.get(&id).and_then(Weak::upgrade).unwrap_or_else(|| {
            let question = Arc::new(Question::new());
            under_way.insert(id.clone(), Arc::downgrade(&question));
            question
        });
        drop(under_way);
        Seat { questions: self, id, question }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<String, Weak<Question>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for an answer.
struct Seat<'a> {
    questions: &'a Questions,
    id: String,
    question: Arc<Question>,
}

impl Drop for Seat<'_> {
    /// An answer is for those who have waited for it; who comes later asks anew.
    fn drop(&mut self) {
        let mut under_way = self.questions.under_way();
        let over = self.question.initialized() || Arc::strong_count(&self.question) == 1;
        let ours = |weak: &Weak<Question>| weak.as_ptr() == Arc::as_ptr(&self.question);
        if over && under_way.get(&self.id).is_some_and(ours) {
            under_way.remove(&self.id);
        }
    }
}

/// Google may know a purchase only some seconds after the app does, and the app hands it in again.
const UNKNOWN_FOR: Duration = Duration::from_mins(2);
/// Until the first who handed it in has settled it; from then on it is known.
const PAID_FOR: Duration = Duration::from_secs(10);
/// Of each, about 500 bytes at most.
const IN_MEMORY: u64 = 20_000;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn token() -> PurchaseToken {
        PurchaseToken::parse("token-of-minsu").unwrap()
    }

    const fn away() -> Failure {
        Failure::Busy { status: 503, retry_after: None }
    }

    #[tokio::test]
    async fn who_is_not_let_in_leaves_the_question_to_the_next() {
        let (questions, asked) = (Questions::default(), Cell::new(0));
        let google = async || {
            asked.set(asked.get() + 1);
            Err(away())
        };
        let limited = || Err(Error::refused("rate_limited", "too often"));
        let (token, none) = (token(), || Ok(()));
        let (first, second, third) = tokio::join!(
            questions.ask(&token, limited, google),
            questions.ask(&token, none, google),
            questions.ask(&token, none, google),
        );
        assert_eq!(first.unwrap_err().code(), "rate_limited");
        assert_eq!(
            (second.unwrap_err().code(), third.unwrap_err().code()),
            ("provider_away", "provider_away")
        );
        // Each asked alone, for nobody had to wait.
        assert_eq!(asked.get(), 2);
        assert!(questions.under_way().is_empty());
    }

    #[tokio::test]
    async fn those_who_wait_share_an_answer_and_who_comes_later_asks_anew() {
        let (questions, asked, token) = (Questions::default(), Cell::new(0), token());
        let google = async || {
            asked.set(asked.get() + 1);
            tokio::task::yield_now().await;
            Err(away())
        };
        let ask = || questions.ask(&token, || Ok(()), google);
        let (first, second, third) = tokio::join!(ask(), ask(), ask());
        assert!([first, second, third].iter().all(Result::is_err));
        assert_eq!(asked.get(), 1);
        assert!(ask().await.is_err());
        assert_eq!(asked.get(), 2);
    }

    #[tokio::test]
    async fn a_token_that_google_does_not_know_is_not_asked_for_again_at_once() {
        let (questions, asked, token) = (Questions::default(), Cell::new(0), token());
        let google = async || {
            asked.set(asked.get() + 1);
            Err(Failure::Unknown { status: 404, reason: "purchaseTokenNotFound".to_owned() })
        };
        for _ in 0..3 {
            let refused = questions.ask(&token, || Ok(()), google).await.unwrap_err();
            assert_eq!(refused.code(), "invalid_receipt");
        }
        assert_eq!(asked.get(), 1);
    }

    #[tokio::test]
    async fn a_question_whose_asker_goes_away_is_forgotten() {
        let (questions, token) = (Questions::default(), token());
        {
            let asking = questions.ask(&token, || Ok(()), std::future::pending);
            tokio::pin!(asking);
            let now = std::future::ready(());
            tokio::select! { biased; _ = &mut asking => {}, () = now => {} }
            assert_eq!(questions.under_way().len(), 1);
        }
        assert!(questions.under_way().is_empty());
    }
}
