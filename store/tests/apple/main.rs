//! What Apple's App Store signs, against an authority that is made when the tests run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it should be"
)]

mod buying;
mod check;
#[path = "../shared/counter.rs"]
mod counter;
mod damage;
mod history;
mod inspect;
mod notifications;
#[path = "../shared/published.rs"]
mod published;
mod shop;
mod verify;

use sticker_protocol::UnixSeconds;
use sticker_store::purchase::apple::{Expected, Root, Verifier};
use sticker_store::purchase::word::World;
use sticker_tests::apple::{AppleAuthority, BUNDLE_ID, SIGNED_MS};

/// A moment after payloads were signed.
const NOW: UnixSeconds = UnixSeconds(SIGNED_MS.unsigned_abs() / 1000 + 60);
const ORDER: &str = "8f14e45f-ceea-467f-a0e6-3f2b2f6c9a11";
const PRODUCT: &str = "com.example.stickers.tier1";

/// Trusts one authority, for our app in the sandbox.
fn verifier_of(authority: &AppleAuthority) -> Verifier {
    let expected = Expected { bundle_id: BUNDLE_ID.to_owned(), app_id: Some(1_234), world: World::Sandbox };
    Verifier::new(vec![Root::of_der(authority.root()).unwrap()], expected)
}

/// How a transaction fares: `ok`, or the code.
fn fares(verifier: &Verifier, jws: &str, now: UnixSeconds) -> &'static str {
    verifier.transaction(jws, now).map_or_else(|refusal| refusal.code(), |_| "ok")
}
