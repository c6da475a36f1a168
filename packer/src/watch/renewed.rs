//! Which stickers have other files than in the release before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sticker_protocol::release::{FileKind, MANIFEST_FILE, Manifest};
use sticker_protocol::{Sha256, StickerId};

/// The stickers of a release.
#[derive(Debug)]
pub(super) struct Stickers {
    pub(super) release: Sha256,
    /// In the pack's order.
    names: Vec<(StickerId, String)>,
    /// Of every sticker file.
    hashes: BTreeMap<StickerId, Vec<Sha256>>,
}

/// `None` where there is no release that can be read.
pub(super) fn stickers(out: &Path) -> Option<Stickers> {
    let encoded = fs::read(out.join(MANIFEST_FILE)).ok()?;
    let manifest = Manifest::read(&encoded).ok()?;
    let mut hashes = BTreeMap::<_, Vec<_>>::new();
    for file in manifest.files.iter().filter(|file| file.kind == FileKind::Sticker) {
        hashes.entry(file.sticker?).or_default().push(file.sha256);
    }
    let names = manifest.stickers.into_iter().map(|it| (it.id, it.name)).collect();
    Some(Stickers { release: Sha256::of(&encoded), names, hashes })
}

/// In the pack's order.
pub(super) fn names(before: Option<&Stickers>, now: Option<&Stickers>) -> Vec<String> {
    let Some(now) = now else { return Vec::new() };
    let is_new = |id: &StickerId| before.is_none_or(|before| before.hashes.get(id) != now.hashes.get(id));
    now.names.iter().filter(|(id, _)| is_new(id)).map(|(_, name)| name.clone()).collect()
}
