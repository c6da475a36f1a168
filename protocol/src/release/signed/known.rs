//! What a client has seen, so that nobody takes it back.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ReleaseCounter, ReleaseKeyId, ReleaseKeys, ReleaseRefusal, Statement, TrustedRelease};
use crate::json::{Bounded, Object};
use crate::limits::MAX_KNOWN_RELEASES;
use crate::{PackId, Sha256};

/// For each pack the newest release that a client has believed. The client keeps [its text](Self::to_json) where it keeps its other state;
/// without it an old release passes for the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownReleases(BTreeMap<PackId, KnownRelease>);

/// The newest release of one pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownRelease {
    /// Its number.
    pub counter: ReleaseCounter,
    /// The SHA-256 of its manifest.
    pub manifest: Sha256,
    /// The key that vouched for it.
    pub key: ReleaseKeyId,
}

/// A text that [`KnownReleases::to_json`] does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no list of known releases")]
pub struct KnownReleasesError;

impl KnownReleases {
    /// Nothing has been seen: the first release of each pack is believed whatever its number.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a release that was believed. `false` where nothing changed, so that nothing has to be written: it is known, or a newer one is
    /// by now.
    pub fn remember(&mut self, release: &TrustedRelease) -> bool {
        let Statement { pack, counter, key, .. } = *release.statement();
        let new = KnownRelease { counter, manifest: release.id(), key };
        let before = self.0.get(&pack).copied().filter(|&before| release.overrules() != Some(before));
        if before.is_some_and(|before| before.counter >= counter) {
            return false;
        }
        self.0.insert(pack, new);
        true
    }

    /// The newest release of a pack that was believed.
    pub fn of(&self, pack: PackId) -> Option<&KnownRelease> {
        self.0.get(&pack)
    }

    /// Forgets a pack, as when it is removed from the device.
    pub fn forget(&mut self, pack: PackId) {
        self.0.remove(&pack);
    }

    /// A JSON text, the same for the same releases.
    pub fn to_json(&self) -> String {
        let line = |(&pack, known): (&PackId, &KnownRelease)| {
            let KnownRelease { counter, manifest, key } = known;
            format!(r#"{{"pack":{pack},"counter":{},"manifest":"{manifest}","key":{key}}}"#, counter.get())
        };
        let lines: Vec<_> = self.0.iter().map(line).collect();
        format!("{{\"packs\":[{}]}}\n", lines.join(",\n"))
    }

    /// Reads the text again.
    ///
    /// # Errors
    /// [`KnownReleasesError`]: begin anew with [`Self::new`] only where the text is really lost, since that forgets what was seen.
    pub fn parse(text: &str) -> Result<Self, KnownReleasesError> {
        let Object(file): Object<FileJson> = serde_json::from_str(text).ok().ok_or(KnownReleasesError)?;
        let mut known = Self::new();
        for Object(entry) in file.packs.0 {
            let counter = ReleaseCounter::new(entry.counter).ok_or(KnownReleasesError)?;
            let (manifest, key) = (entry.manifest, ReleaseKeyId(entry.key));
            if known.0.insert(entry.pack, KnownRelease { counter, manifest, key }).is_some() {
                return Err(KnownReleasesError);
            }
        }
        Ok(known)
    }

    /// Whether a release may follow what is known. What a key vouched for that is trusted no longer does not count, and is given: who stole that
    /// key may have signed the highest number there is, and nothing would ever follow.
    pub(super) fn check(
        &self,
        statement: &Statement,
        manifest: Sha256,
        keys: &ReleaseKeys,
    ) -> Result<Option<KnownRelease>, ReleaseRefusal> {
        match self.of(statement.pack) {
            Some(known) if keys.find(known.key).is_none() => Ok(Some(*known)),
            Some(known) if statement.counter < known.counter => Err(ReleaseRefusal::Rollback),
            Some(known) if statement.counter == known.counter && manifest != known.manifest => {
                Err(ReleaseRefusal::Altered)
            }
            _ => Ok(None),
        }
    }
}

#[derive(Deserialize)]
struct FileJson {
    packs: Bounded<Object<EntryJson>, MAX_KNOWN_RELEASES>,
}

#[derive(Deserialize)]
struct EntryJson {
    pack: PackId,
    counter: u64,
    manifest: Sha256,
    key: u16,
}
