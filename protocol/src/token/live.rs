//! What a running verifier shares between its threads.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{DenyList, Expected, KeyFile, Keyring, Refusal, RevocationPage};
use crate::{Expiry, UnixSeconds};

/// Ring, deny list, the place in the feed, and when each was last known to be current. Many threads verify while one takes
/// what the store answers. While the store cannot be reached it goes on with what it has and says how old that is.
///
/// Without a keyring, as at first, every token is refused.
#[derive(Debug)]
pub struct LiveVerifier {
    state: RwLock<State>,
}

/// How old a verifier's knowledge is: what to alarm on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds since the store last answered with a keyring or that it is still current; `None` is never.
    pub keyring_age: Option<u64>,
    /// The same for the deny feed.
    pub revocations_age: Option<u64>,
    /// Entries of the deny list.
    pub entries: usize,
}

impl LiveVerifier {
    /// A verifier that knows no key yet.
    pub fn new() -> Self {
        Self { state: RwLock::new(State::default()) }
    }

    /// All checks in the order of the specification, as [`Keyring::verify`].
    ///
    /// # Errors
    /// The first [`Refusal`] in that order.
    pub fn verify(&self, text: &str, now: UnixSeconds, expected: &Expected) -> Result<Expiry, Refusal> {
        let state = self.read();
        state.ring.verify(text, now, expected, &state.denied)
    }

    /// Lends ring and deny list, so that a batch takes the lock once. What the store answers waits until `check` is through.
    pub fn with<T>(&self, check: impl FnOnce(&Keyring, &DenyList) -> T) -> T {
        let state = self.read();
        check(&state.ring, &state.denied)
    }

    /// Takes the ring that the store answered with.
    pub fn take_keyring(&self, file: &KeyFile, now: UnixSeconds) {
        // Preparing keys is work, so it comes before the lock.
        let ring = Keyring::new(file);
        let mut state = self.write();
        state.ring = ring;
        state.keyring_at = Some(now);
    }

    /// Notes that the store answered 304 for the keyring.
    pub fn keyring_is_current(&self, now: UnixSeconds) {
        self.write().keyring_at = Some(now);
    }

    /// Takes a page of the deny feed: enters what it says, moves the cursor, forgets what has expired.
    pub fn take_revocations(&self, page: &RevocationPage, now: UnixSeconds) {
        let mut state = self.write();
        page.revocations.iter().for_each(|revocation| state.denied.apply(revocation));
        state.cursor = page.cursor;
        // Where more follows, what this page says is not yet all that the store knew.
        if !page.more {
            state.revocations_are_current(now);
        }
    }

    /// Notes that the store answered 304 for the deny feed, and forgets what has expired.
    pub fn revocations_are_current(&self, now: UnixSeconds) {
        self.write().revocations_are_current(now);
    }

    /// Begins the feed again, as after 409 `cursor_ahead`. Entries stay: whoever was refused stays refused.
    pub fn restart_feed(&self) {
        self.write().cursor = 0;
    }

    /// What to ask the feed after.
    pub fn cursor(&self) -> u64 {
        self.read().cursor
    }

    /// How old the ring and the deny list are.
    pub fn freshness(&self, now: UnixSeconds) -> Freshness {
        let state = self.read();
        let age = |at: Option<UnixSeconds>| at.map(|at| now.0.saturating_sub(at.0));
        Freshness {
            keyring_age: age(state.keyring_at),
            revocations_age: age(state.revocations_at),
            entries: state.denied.len(),
        }
    }

    // Poison: nothing that holds the lock for writing leaves a half-written state that would accept more than before, and to
    // panic in every later check would be worse.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LiveVerifier {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct State {
    ring: Keyring,
    denied: DenyList,
    cursor: u64,
    keyring_at: Option<UnixSeconds>,
    revocations_at: Option<UnixSeconds>,
}

impl State {
    fn revocations_are_current(&mut self, now: UnixSeconds) {
        self.denied.forget_expired(now);
        self.revocations_at = Some(now);
    }
}

impl Default for State {
    fn default() -> Self {
        let (ring, denied) = (Keyring::new(&KeyFile::default()), DenyList::new());
        Self { ring, denied, cursor: 0, keyring_at: None, revocations_at: None }
    }
}
