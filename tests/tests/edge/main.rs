//! A CDN in front of the store, as `sticker-store edge-config` sets it up: one copy of each variant, the right bytes, and nothing kept that
//! is not for everybody.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod away;
mod errors;
mod pages;
mod program;
mod table;
mod variants;

use sticker_protocol::release::{FileKind, ReleaseFile};
use sticker_protocol::{Density, StickerId};
use sticker_tests::{Between, Database, Edge, Phone, Town};

/// Runs a test on each product, with nothing in it, in front of one store with one pack.
fn on_each_edge(test: impl Fn(&Town, &Between, &Edge)) {
    let town = Town::with_pack(Database::Sqlite, "tier1");
    let origin = Between::before(&town.store.url());
    for edge in Edge::each_before(&origin.url()) {
        origin.was_asked("");
        test(&town, &origin, &edge);
        origin.is_honest();
    }
}

/// Path and query of what the origin was asked since the last look, without the edge's own questions.
fn asked(origin: &Between) -> Vec<String> {
    let downloads = origin.was_asked("").into_iter().filter(|asked| asked.target != "/health/live");
    downloads.map(|asked| asked.target).collect()
}

/// What the release has for a sticker or the pack (`None`) on a screen of this density.
fn chosen(town: &Town, sticker: Option<u64>, wanted: u32) -> &ReleaseFile {
    let kind = if sticker.is_some() { FileKind::Sticker } else { FileKind::Bundle };
    let files = || town.release.files_of(kind).filter(|file| file.sticker.map(StickerId::get) == sticker);
    let built = files().filter_map(|file| file.density);
    let best = Density::choose(built, Density::new(wanted).unwrap());
    files().find(|file| file.density == best).unwrap()
}

/// The strong entity tag of a file.
fn tag(file: &ReleaseFile) -> String {
    format!("\"{}\"", file.sha256)
}

/// A phone that downloads through an edge.
fn through(edge: &Edge) -> Phone {
    Phone::at(&edge.url())
}
