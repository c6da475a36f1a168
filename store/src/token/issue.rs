//! Issuing: tokens for what a user owns, whose text stays the same for a while, and none of which outlives what a refund refuses.

use std::collections::{BTreeMap, BTreeSet};

use ::ring::digest;
use axum::http::StatusCode;
use sticker_protocol::token::{Claims, Token, UserId, Version};
use sticker_protocol::{Expiry, PackId, StickerId, UnixSeconds};

use super::ring;
use crate::app::App;
use crate::catalogue;
use crate::catalogue::takedown::{self, Standing};
use crate::db;
use crate::library::query::{self as grants, Held};
use crate::telemetry::metrics;
use crate::web::error::Error;

/// For what tokens are wanted.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Every sticker of the pack's latest release.
    Pack(PackId),
    /// These stickers, of whichever packs.
    Stickers(Vec<StickerId>),
}

/// A token that is on its way to its user.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The sticker.
    pub sticker: StickerId,
    /// The token.
    pub token: Token,
    /// The first second at which it is no longer valid.
    pub expires_at: Expiry,
    /// From when on another token with a later expiry can be had.
    pub renew_at: u64,
}

/// Issues tokens, all of them or none.
///
/// # Errors
/// 403 `not_owned` or `taken_down`, 422 `version_unavailable`, and as the database says.
pub async fn issue(
    app: &App,
    user: &UserId,
    wanted: &Wanted,
    version: Version,
) -> Result<Vec<Issued>, Error> {
    // The stickers come before the grants: what a refund then takes back under the grant includes these.
    let stickers = stickers(app, wanted).await?;
    let packs: BTreeSet<PackId> = stickers.iter().map(|(_, pack)| *pack).collect();
    let packs: Vec<PackId> = packs.into_iter().collect();
    let window = Window::of(user, app.clock.now(), app.config.token.lifetime_seconds);
    let expiries = covered(app, user, &packs, window).await?;
    let claims = |(sticker, pack): (StickerId, PackId)| {
        let expires = expiries.get(&pack).copied().ok_or_else(not_owned)?;
        Ok(Claims { sticker, user: *user, expires })
    };
    let claims: Vec<Claims> = stickers.into_iter().map(claims).collect::<Result<_, Error>>()?;
    let tokens = ring::sign(app, version, &claims).await?;
    metrics::tokens_issued(tokens.len() as u64);
    let issued = |(claims, token): (&Claims, Token)| Issued {
        sticker: claims.sticker,
        token,
        expires_at: claims.expires,
        // Where a right came back, the expiry may be past the window's; no later one is to be had before.
        renew_at: window
            .renew_at
            .max(u64::from(claims.expires.0).saturating_sub(app.config.token.lifetime_seconds.into())),
    };
    Ok(claims.iter().zip(tokens).map(issued).collect())
}

async fn stickers(app: &App, wanted: &Wanted) -> Result<Vec<(StickerId, PackId)>, Error> {
    match wanted {
        Wanted::Pack(pack) => {
            let shown = catalogue::query::by_id(app, *pack).await?.ok_or_else(not_owned)?;
            Ok(shown.release.stickers.iter().map(|sticker| (sticker.id, *pack)).collect())
        }
        Wanted::Stickers(ids) => {
            let packs = catalogue::query::packs_of(&app.db, ids).await?;
            let with_pack = |id: &StickerId| packs.get(id).map(|pack| (*id, *pack)).ok_or_else(not_owned);
            ids.iter().map(with_pack).collect()
        }
    }
}

/// The expiry for each pack, recorded with the user's grant: it is committed there that tokens expire as late as that, before any
/// token leaves.
async fn covered(
    app: &App,
    user: &UserId,
    packs: &[PackId],
    window: Window,
) -> Result<BTreeMap<PackId, Expiry>, Error> {
    for _ in 0..LOOKS {
        let standing = takedown::standing(&app.db, packs).await?;
        let held = grants::held(&app.db, user, packs).await?;
        let rights = rights(packs, &standing, &held, window)?;
        // Within a window this is the usual case, and nothing is written. Each grant was active with this last expiry when we
        // looked, so whoever takes it or the pack back later finds an expiry that covers these tokens.
        if rights.iter().all(|right| right.recorded) {
            return Ok(expiries(&rights));
        }
        if let Some(recorded) = db::retried(|| record(app, packs, &held, window)).await? {
            return Ok(recorded);
        }
        // A grant was taken back, or somebody recorded a later expiry: look again.
    }
    let message = "the rights to the pack change too fast to follow; try again";
    Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, db::BUSY, message))
}

/// How often a request looks at grants that change under its eyes.
const LOOKS: u32 = 10;

/// Raises the last expiry of the grants where needed; `None` where one of them is no longer as it was.
async fn record(
    app: &App,
    packs: &[PackId],
    held: &[Held],
    window: Window,
) -> Result<Option<BTreeMap<PackId, Expiry>>, Error> {
    let transaction = db::begin(&app.db).await?;
    // Held until the commit: a takedown, which takes this row for itself, sees what is recorded here or comes before it.
    let standing = takedown::hold(&transaction, packs).await?;
    let rights = rights(packs, &standing, held, window)?;
    let mut by_expiry: BTreeMap<Expiry, Vec<&str>> = BTreeMap::new();
    for right in rights.iter().filter(|right| !right.recorded) {
        by_expiry.entry(right.expires).or_default().push(&right.grant.id);
    }
    for (expiry, ids) in by_expiry {
        if !grants::raise_last_expiry(&transaction, &ids, i64::from(expiry.0)).await? {
            return Ok(None);
        }
    }
    transaction.commit().await?;
    Ok(Some(expiries(&rights)))
}

/// One pack that tokens are to be issued for.
struct Right<'a> {
    grant: &'a Held,
    expires: Expiry,
    /// Whether the grant's last expiry covers it already.
    recorded: bool,
}

fn rights<'a>(
    packs: &[PackId],
    standing: &BTreeMap<PackId, Standing>,
    held: &'a [Held],
    window: Window,
) -> Result<Vec<Right<'a>>, Error> {
    let right = |pack: &PackId| {
        let grant = held.iter().find(|grant| grant.pack == *pack).ok_or_else(not_owned)?;
        let standing = standing.get(pack).ok_or_else(not_owned)?;
        if standing.taken_down {
            return Err(Error::new(StatusCode::FORBIDDEN, "taken_down", "the pack was taken down"));
        }
        let after = grant.tokens_after.max(standing.tokens_after);
        let expires = u64::try_from(after).unwrap_or_default().saturating_add(1).max(window.expires);
        let expires = Expiry(u32::try_from(expires).unwrap_or(u32::MAX));
        Ok(Right { grant, expires, recorded: i64::from(expires.0) <= grant.last_expiry })
    };
    packs.iter().map(right).collect()
}

fn expiries(rights: &[Right<'_>]) -> BTreeMap<PackId, Expiry> {
    rights.iter().map(|right| (right.grant.pack, right.expires)).collect()
}

/// The same answer for what exists and what does not.
fn not_owned() -> Error {
    Error::new(StatusCode::FORBIDDEN, "not_owned", "the user does not own this")
}

/// The time in which a user's tokens keep their text; section 1.7 of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When tokens of this window expire.
    pub expires: u64,
    /// When the next window begins.
    pub renew_at: u64,
}

impl Window {
    /// The window that is open for this user now. Each user has a phase, so that not all renew at the same moment.
    pub fn of(user: &UserId, now: UnixSeconds, lifetime: u32) -> Self {
        let lifetime = u64::from(lifetime);
        let window = (lifetime / 4).max(1);
        let hash = digest::digest(&digest::SHA256, user.as_bytes());
        let phase = hash.as_ref().first_chunk().map_or(0, |first| u64::from_be_bytes(*first)) % window;
        let into = now.0.saturating_add(phase) % window;
        Self {
            expires: now.0.saturating_add(lifetime).saturating_sub(into),
            renew_at: now.0.saturating_add(window).saturating_sub(into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: [u32; 8] = [4, 5, 7, 11, 60, 3_600, 86_400, 2_592_000];
    const NOW: u64 = 1_800_000_000;

    fn at(user: &str, now: u64, lifetime: u32) -> Window {
        Window::of(&UserId::from_text(user).unwrap(), UnixSeconds(now), lifetime)
    }

    #[test]
    fn a_fresh_token_lives_for_more_than_lifetime_less_a_window_and_at_most_lifetime() {
        for lifetime in LIFETIMES {
            let (most, window) = (u64::from(lifetime), (u64::from(lifetime) / 4).max(1));
            for user in ["alice", "bob", "대한민국"] {
                for now in (0..50).chain(NOW..NOW + 50) {
                    let remaining = at(user, now, lifetime).expires - now;
                    assert!(most - window < remaining && remaining <= most, "{lifetime} {user} {now}");
                }
            }
        }
    }

    #[test]
    fn the_expiry_stays_within_a_window_and_moves_by_one_window_at_its_edge() {
        for lifetime in LIFETIMES {
            let window = (u64::from(lifetime) / 4).max(1);
            let edge = at("alice", NOW, lifetime).renew_at;
            let (before, first, last, next) = (
                at("alice", edge - 1, lifetime),
                at("alice", edge, lifetime),
                at("alice", edge + window - 1, lifetime),
                at("alice", edge + window, lifetime),
            );
            assert_eq!((before.renew_at, first.renew_at), (edge, edge + window), "{lifetime}");
            assert_eq!(first, last, "{lifetime}");
            assert_eq!(first.expires, before.expires + window, "{lifetime}");
            assert_eq!(next.expires, first.expires + window, "{lifetime}");
            assert_eq!(first.expires - edge, u64::from(lifetime), "{lifetime}");
        }
    }

    #[test]
    fn the_formula_of_the_specification_gives_the_same() {
        let (lifetime, window) = (86_400, 21_600);
        let hash = digest::digest(&digest::SHA256, b"alice");
        let phase = u64::from_be_bytes(hash.as_ref()[..8].try_into().unwrap()) % window;
        for now in (NOW..NOW + 2 * window).step_by(977) {
            let expiry = ((now + phase) / window + lifetime / window) * window - phase;
            assert_eq!(at("alice", now, 86_400).expires, expiry);
        }
        assert_ne!(at("alice", NOW, 86_400).renew_at, at("bob", NOW, 86_400).renew_at);
    }
}
