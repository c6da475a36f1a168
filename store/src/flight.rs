//! Work that many ask for at the same moment, done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::sync::watch;

use crate::web::error::Error;

/// Work under way, by what it is for. It goes on when those who asked for it hang up, and how it ended is told to all who wait and kept for
/// nobody else: after a failure the next one who asks begins anew.
pub(crate) struct Flights<K, V>(Arc<Mutex<HashMap<K, Outcome<V>>>>);

type Outcome<V> = watch::Receiver<Option<Result<V, Error>>>;

impl<K, V> std::fmt::Debug for Flights<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

impl<K: Copy + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Joins the work for this key, or begins it, unless `known` has its result: looked at again because the work may have ended since
    /// the caller looked.
    ///
    /// # Errors
    /// What the work said; 503 `busy` where [`MOST`] others are under way.
    pub(crate) async fn join<F>(
        &self,
        key: K,
        known: impl FnOnce() -> Option<V>,
        work: impl FnOnce() -> F,
    ) -> Result<V, Error>
    where
        F: Future<Output = Result<V, Error>> + Send + 'static,
    {
        let mut outcome = {
            let mut under_way = lock(&self.0);
            if let Some(outcome) = under_way.get(&key) {
                outcome.clone()
            } else if let Some(known) = known() {
                return Ok(known);
            } else if under_way.len() >= MOST {
                return Err(busy());
            } else {
                let (tell, outcome) = watch::channel(None);
                under_way.insert(key, outcome.clone());
                // Gone again when the work ends, also where it ends in a panic.
                let landing = Landing(Arc::clone(&self.0), key);
                let work = work();
                tokio::spawn(async move {
                    let done = work.await;
                    drop(landing);
                    tell.send_replace(Some(done));
                });
                outcome
            }
        };
        let done = outcome.wait_for(Option::is_some).await.map(|done| done.clone());
        done.ok()
            .flatten()
            .unwrap_or_else(|| Err(Error::internal(&std::io::Error::other("the work broke off"))))
    }
}

struct Landing<K: Eq + Hash, V>(Arc<Mutex<HashMap<K, Outcome<V>>>>, K);

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        lock(&self.0).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy() -> Error {
    Error::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "too much is asked for that is not at hand; try again later",
    )
}

/// Different works that may be under way or wait.
const MOST: usize = 1_024;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn many_who_ask_share_one_work_and_who_hangs_up_ends_it_for_nobody() {
        let (flights, begun) = (Arc::new(Flights::<u8, u8>::new()), Arc::new(AtomicU32::new(0)));
        let (go, gone) = oneshot::channel::<()>();
        let first = tokio::spawn({
            let (flights, begun) = (Arc::clone(&flights), Arc::clone(&begun));
            async move {
                let work = || async move {
                    begun.fetch_add(1, Ordering::SeqCst);
                    gone.await.unwrap();
                    Ok(7)
                };
                flights.join(1, || None, work).await
            }
        });
        while begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let others: Vec<_> = (0..100)
            .map(|_| {
                let flights = Arc::clone(&flights);
                tokio::spawn(async move { flights.join(1, || None, || async { Ok(9) }).await.unwrap() })
            })
            .collect();
        tokio::task::yield_now().await;
        go.send(()).unwrap();
        for other in others {
            assert_eq!(other.await.unwrap(), 7);
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_and_a_panic_are_told_and_not_remembered() {
        let flights = Flights::<u8, u8>::new();
        let failing = || async { Err(Error::not_found("not now")) };
        assert_eq!(flights.join(1, || None, failing).await.unwrap_err().code(), "not_found");
        let panicking = || async { panic!("a fault") };
        assert_eq!(flights.join(1, || None, panicking).await.unwrap_err().code(), "internal");
        assert_eq!(flights.join(1, || None, || async { Ok(7) }).await.unwrap(), 7);
        assert_eq!(flights.join(1, || Some(8), || async { Ok(7) }).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn beyond_the_most_at_a_time_who_asks_for_something_else_is_told_to_come_again() {
        let flights = Arc::new(Flights::<usize, u8>::new());
        let (go, _) = watch::channel(false);
        let waiting: Vec<_> = (0..MOST)
            .map(|key| {
                let (flights, mut gone) = (Arc::clone(&flights), go.subscribe());
                let work = || async move {
                    gone.wait_for(|&gone| gone).await.unwrap();
                    Ok(1)
                };
                tokio::spawn(async move { flights.join(key, || None, work).await })
            })
            .collect();
        while lock(&flights.0).len() < MOST {
            tokio::task::yield_now().await;
        }
        let refused = flights.join(MOST, || None, || async { Ok(2) }).await.unwrap_err();
        assert_eq!((refused.code(), refused.status().as_u16()), ("busy", 503));
        go.send_replace(true);
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap().unwrap(), 1);
        }
    }
}
