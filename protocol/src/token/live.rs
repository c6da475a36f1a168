//! What a running verifier shares between its threads.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{DenyList, Expected, KeyFile, Keyring, PageError, Refusal, RevocationPage};
use crate::limits::REVOCATIONS_KEPT;
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
    /// Seconds since the store last answered with a keyring or that it is still current; `None` is never, or not since the clock
    /// went back.
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

    /// Takes the page of the deny feed that came after [`cursor`](Self::cursor): enters what it says, moves the cursor, forgets what
    /// has expired. Checks go on between the entries.
    ///
    /// # Errors
    /// [`PageError`] for a page that goes back, or that promises more and goes nowhere: who follows it would never end.
    pub fn take_revocations(&self, page: &RevocationPage, now: UnixSeconds) -> Result<(), PageError> {
        let cursor = self.cursor();
        if page.cursor < cursor || (page.more && page.cursor == cursor) {
            return Err(PageError);
        }
        for revocation in &page.revocations {
            for stickers in revocation.stickers.chunks(STICKERS_AT_ONCE) {
                self.write().denied.enter(revocation.user.as_ref(), stickers, revocation.refuse_until);
            }
        }
        let mut state = self.write();
        state.cursor = page.cursor;
        // Where more follows, what this page says is not yet all that the store knew.
        if !page.more {
            state.revocations_are_current(now);
        }
        Ok(())
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
        // What is said to have been heard in the future has an age that nobody knows: the clock went back.
        let age = |at: Option<UnixSeconds>| at.and_then(|at| now.0.checked_sub(at.0));
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

/// Seconds between two looks through the whole list for what has expired.
const BETWEEN_FORGETTING: u64 = 60;
/// So few that no check waits long for the lock.
const STICKERS_AT_ONCE: usize = 1_000;

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
    /// The latest moment at which entries were forgotten.
    forgot_at: Option<UnixSeconds>,
}

impl State {
    /// Forgets late and seldom (section 1.6). A clock that was ahead made it forget what counts again: the store still has it.
    fn revocations_are_current(&mut self, now: UnixSeconds) {
        self.revocations_at = Some(now);
        let past = UnixSeconds(now.0.saturating_sub(REVOCATIONS_KEPT));
        match self.forgot_at {
            Some(at) if now.0 < at.0.saturating_sub(REVOCATIONS_KEPT) => {
                self.cursor = 0;
                self.forgot_at = None;
            }
            Some(at) if now.0 < at.0.saturating_add(BETWEEN_FORGETTING) => {}
            _ => {
                self.denied.forget_expired(past);
                self.forgot_at = Some(now);
            }
        }
    }
}

impl Default for State {
    fn default() -> Self {
        let (ring, denied) = (Keyring::new(&KeyFile::default()), DenyList::new());
        Self { ring, denied, cursor: 0, keyring_at: None, revocations_at: None, forgot_at: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StickerId;
    use crate::token::{Claims, KeyId, KeyMaterial, KeyRecord, KeyState, Revocation, Secret, Token, UserId};

    const EXPIRY: u32 = 1_000;

    fn file(byte: u8) -> KeyFile {
        let key = KeyMaterial::Hmac(Secret::new([byte; 32]));
        KeyFile::new(vec![KeyRecord { id: KeyId(byte.into()), key, state: KeyState::Signing }]).unwrap()
    }

    fn message() -> Expected {
        Expected { sticker: StickerId::new(5).unwrap(), user: UserId::from_text("alice").unwrap() }
    }

    fn token(byte: u8) -> Token {
        let Expected { sticker, user } = message();
        Keyring::new(&file(byte)).issue(&Claims { sticker, user, expires: Expiry(EXPIRY) }).unwrap()
    }

    fn page(cursor: u64, until: u32, more: bool) -> RevocationPage {
        let Expected { sticker, user } = message();
        let entry =
            Revocation { cursor, user: Some(user), stickers: vec![sticker], refuse_until: Expiry(until) };
        RevocationPage { revocations: vec![entry], cursor, more }
    }

    fn verify(live: &LiveVerifier, byte: u8, now: u64) -> Result<Expiry, Refusal> {
        live.verify(token(byte).as_str(), UnixSeconds(now), &message())
    }

    #[test]
    fn without_a_keyring_every_token_is_refused() {
        let live = LiveVerifier::new();
        assert_eq!(verify(&live, 1, 0), Err(Refusal::UnknownKey));
        let never = Freshness { keyring_age: None, revocations_age: None, entries: 0 };
        assert_eq!((live.freshness(UnixSeconds(50)), live.cursor()), (never, 0));
    }

    #[test]
    fn the_keyring_that_was_taken_last_counts() {
        let live = LiveVerifier::default();
        live.take_keyring(&file(1), UnixSeconds(0));
        assert_eq!(verify(&live, 1, 0), Ok(Expiry(EXPIRY)));
        live.take_keyring(&file(2), UnixSeconds(0));
        assert_eq!(verify(&live, 1, 0), Err(Refusal::UnknownKey));
        assert_eq!(verify(&live, 2, 0), Ok(Expiry(EXPIRY)));
    }

    #[test]
    fn a_page_refuses_its_tokens_moves_the_cursor_and_ends_by_itself() {
        let live = LiveVerifier::new();
        live.take_keyring(&file(1), UnixSeconds(0));
        live.take_revocations(&page(18, EXPIRY, false), UnixSeconds(10)).unwrap();
        assert_eq!(verify(&live, 1, 10), Err(Refusal::Revoked));
        assert_eq!((live.cursor(), live.freshness(UnixSeconds(10)).entries), (18, 1));
        let entries_at = |now| {
            live.revocations_are_current(UnixSeconds(now));
            live.freshness(UnixSeconds(now)).entries
        };
        let end = u64::from(EXPIRY) + 300;
        assert_eq!((entries_at(end - 1), entries_at(end - 1 + 59), entries_at(end - 1 + 60)), (1, 1, 0));
    }

    #[test]
    fn a_clock_that_was_ahead_makes_a_verifier_read_again_what_it_forgot() {
        let live = LiveVerifier::new();
        live.take_keyring(&file(1), UnixSeconds(0));
        live.take_revocations(&page(18, EXPIRY, false), UnixSeconds(10)).unwrap();
        let ahead = u64::from(EXPIRY) + 1_000;
        live.revocations_are_current(UnixSeconds(ahead));
        assert_eq!((live.cursor(), live.freshness(UnixSeconds(ahead)).entries), (18, 0));
        live.revocations_are_current(UnixSeconds(ahead - 300));
        assert_eq!(live.cursor(), 18);
        live.revocations_are_current(UnixSeconds(20));
        assert_eq!(live.cursor(), 0);
        live.take_revocations(&page(18, EXPIRY, false), UnixSeconds(21)).unwrap();
        assert_eq!((live.cursor(), verify(&live, 1, 21)), (18, Err(Refusal::Revoked)));
    }

    #[test]
    fn a_feed_that_begins_again_leaves_refused_what_was_refused() {
        let live = LiveVerifier::new();
        live.take_keyring(&file(1), UnixSeconds(0));
        live.take_revocations(&page(18, EXPIRY, false), UnixSeconds(10)).unwrap();
        live.restart_feed();
        assert_eq!((live.cursor(), verify(&live, 1, 10)), (0, Err(Refusal::Revoked)));
    }

    #[test]
    fn what_is_known_ages_until_the_store_answers_even_with_304() {
        let live = LiveVerifier::new();
        live.take_keyring(&file(1), UnixSeconds(100));
        live.take_revocations(&page(18, EXPIRY, false), UnixSeconds(110)).unwrap();
        let ages = |now| {
            let Freshness { keyring_age, revocations_age, .. } = live.freshness(UnixSeconds(now));
            (keyring_age, revocations_age)
        };
        assert_eq!(ages(130), (Some(30), Some(20)));
        live.keyring_is_current(UnixSeconds(130));
        live.revocations_are_current(UnixSeconds(125));
        assert_eq!(ages(130), (Some(0), Some(5)));
        // A clock that was set back knows no age: it must not say that all is fresh.
        assert_eq!(ages(90), (None, None));
    }

    #[test]
    fn a_page_with_more_behind_it_does_not_make_the_feed_current() {
        let live = LiveVerifier::new();
        live.take_revocations(&page(18, EXPIRY, true), UnixSeconds(10)).unwrap();
        assert_eq!((live.cursor(), live.freshness(UnixSeconds(10)).revocations_age), (18, None));
        live.take_revocations(&page(19, EXPIRY, false), UnixSeconds(11)).unwrap();
        assert_eq!(live.freshness(UnixSeconds(11)).revocations_age, Some(0));
    }

    #[test]
    fn a_thread_that_panicked_with_the_lock_stops_nobody() {
        let live = LiveVerifier::new();
        live.take_keyring(&file(1), UnixSeconds(0));
        let panicked = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _guard = live.state.write();
                    panic!("as a bug would");
                })
                .join()
                .is_err()
        });
        assert!(panicked && live.state.is_poisoned());
        assert_eq!(verify(&live, 1, 0), Ok(Expiry(EXPIRY)));
        live.take_revocations(&page(18, EXPIRY, false), UnixSeconds(10)).unwrap();
        assert_eq!(verify(&live, 1, 10), Err(Refusal::Revoked));
    }

    #[test]
    fn a_batch_sees_one_state_while_another_thread_changes_it() {
        let live = LiveVerifier::new();
        live.take_keyring(&file(1), UnixSeconds(0));
        let token = token(1);
        std::thread::scope(|scope| {
            scope.spawn(|| (2..100).for_each(|byte| live.take_keyring(&file(byte % 2 + 1), UnixSeconds(0))));
            for _ in 0..100 {
                let agree = live.with(|ring, denied| {
                    let check = || ring.verify(token.as_str(), UnixSeconds(0), &message(), denied);
                    check() == check()
                });
                assert!(agree);
            }
        });
    }
}
