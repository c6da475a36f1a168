//! What an export looks at before it draws anything.

use std::collections::BTreeMap;

use super::super::codes::{Rule, code};
use super::super::platforms::Platform;
use super::super::{Fingerprint, Seen};
use crate::check::Surveyed;
use crate::finding::Finding;

/// What headers and words say against the platform's limits, but for what the export itself mends or knows better: bytes, frame rates,
/// and how many stickers are in a pack where it makes several. `text` gives the one of some texts by locale that is exported.
pub(crate) fn before_export(
    platform: &Platform,
    surveyed: &Surveyed,
    text: &dyn Fn(&BTreeMap<String, String>) -> Option<&str>,
    findings: &mut Vec<Finding>,
) {
    let stickers = surveyed.project.file.stickers.iter().zip(&surveyed.artworks);
    let seen: Vec<_> =
        stickers.map(|(sticker, artwork)| Seen::of(sticker, artwork, None, Fingerprint::default())).collect();
    let mut found = Vec::new();
    super::look(
        platform,
        &surveyed.readable(),
        &seen,
        &|texts| text(texts).into_iter().collect(),
        &mut found,
    );
    let mut left_out = vec![Rule::FileSize, Rule::FrameRate];
    if !platform.mixed.is {
        left_out.extend([Rule::Mixed, Rule::StickerCount]);
    }
    let left_out: Vec<_> = left_out.into_iter().map(|rule| code(platform.id, rule)).collect();
    findings.extend(found.into_iter().filter(|finding| !left_out.contains(&finding.code)));
}
