//! Which release each sticker and pack shows, for a process that serves nothing but downloads: kept fresh while the database is there, and
//! in a file of the data folder, so that the process goes on and may even be started while the database is away.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sticker_protocol::{PackId, Sha256, StickerId};

use super::address::Named;
use super::choice;
use crate::app::App;
use crate::catalogue::query::{self, Showing};
use crate::config::Variants;
use crate::signing::envelope::{self, Signed};
use crate::variants;
use crate::web::error::Error;

/// The releases as they were last seen.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    /// Whether this process has seen that every manifest is an object.
    looked: AtomicBool,
    seen: RwLock<Arc<Seen>>,
}

/// What was seen at one time.
#[derive(Debug, Default)]
struct Seen {
    file: Kept,
    stickers: Arc<HashMap<StickerId, Sha256>>,
}

/// The form in the file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// When the database was last there, in milliseconds since 1970.
    seen_at: i64,
    packs: BTreeMap<PackId, Pack>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    release: Sha256,
    /// Every sticker that ever belonged to it, by the latest release that holds it.
    stickers: BTreeMap<Sha256, Vec<StickerId>>,
    /// What the store signed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<Signed>,
}

impl Seen {
    fn new(file: Kept) -> Self {
        let of = |pack: &Pack| {
            let pairs = |(release, ids): (&Sha256, &Vec<StickerId>)| {
                ids.iter().map(|&id| (id, *release)).collect::<Vec<_>>()
            };
            pack.stickers.iter().flat_map(pairs).collect::<Vec<_>>()
        };
        let stickers = Arc::new(file.packs.values().flat_map(of).collect());
        Self { file, stickers }
    }
}

impl Index {
    /// Reads what an earlier process kept. A file that is not there or cannot be read is as good as none: it is written anew.
    pub(crate) fn open(data_dir: &Path) -> Self {
        let path = data_dir.join("delivery.json");
        let kept = match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other))
        {
            Ok(Ok(kept)) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Ok(Err(error)) | Err(error) => {
                tracing::warn!(
                    file.path = %path.display(), error.source = %error,
                    "what was known of the releases cannot be read; it is read from the database anew"
                );
                Kept::default()
            }
        };
        Self { path, looked: AtomicBool::new(false), seen: RwLock::new(Arc::new(Seen::new(kept))) }
    }

    fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The release that this is shown from, as far as was seen.
    pub(super) fn release_of(&self, named: Named) -> Option<Sha256> {
        let seen = self.seen();
        match named {
            Named::Sticker(id) => seen.stickers.get(&id).copied(),
            Named::Pack(id) => seen.file.packs.get(&id).map(|pack| pack.release),
        }
    }

    /// What was signed of a pack, as far as was seen.
    pub(super) fn signed(&self, pack: PackId) -> Option<Signed> {
        self.seen().file.packs.get(&pack)?.signed
    }

    /// How many packs are known, and when the database was last there, in milliseconds since 1970; `None` where it never was.
    pub fn known(&self) -> Option<(usize, i64)> {
        let seen = self.seen();
        (seen.file.seen_at > 0).then(|| (seen.file.packs.len(), seen.file.seen_at))
    }

    fn take(&self, kept: Kept) -> io::Result<()> {
        let before = self.seen();
        let changed = before.file.packs != kept.packs;
        let told_long_ago = kept.seen_at.saturating_sub(before.file.seen_at) > WRITTEN_MS;
        let written = if changed || told_long_ago { self.write(&kept) } else { Ok(()) };
        let unchanged = |kept| Seen { file: kept, stickers: Arc::clone(&before.stickers) };
        let seen = if changed { Seen::new(kept) } else { unchanged(kept) };
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(seen);
        written
    }

    /// Whole or not at all: a power cut leaves the file before.
    fn write(&self, kept: &Kept) -> io::Result<()> {
        let beside = self.path.with_extension("json.new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

/// Keeps the index fresh until the store stops.
pub(crate) async fn keep(app: App) {
    let mut stopping = app.stopping.subscribe();
    let (mut failing, mut looks) = (false, 0);
    loop {
        let refreshed = refresh(&app).await;
        match (&refreshed, failing) {
            (Err(error), false) => {
                tracing::warn!(error.source = %error, "the releases are not seen any more; downloads go on with those that were");
            }
            (Ok(()), true) => tracing::info!("the releases are seen again"),
            _ => {}
        }
        failing = refreshed.is_err();
        // The rounds of the store run elsewhere, and know only what is used there.
        looks = (looks + 1) % LOOKS_TO_NOTE;
        if looks == 0
            && app.config.delivery.variants == Variants::OnDemand
            && let Err(error) = variants::note_used(&app).await
        {
            tracing::debug!(error.code = error.code(), "what was used is not written down");
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopping.wait_for(|&stopping| stopping) => return,
        }
    }
}

/// Looks which packs show another release than before, and reads their stickers.
///
/// # Errors
/// As the database says.
async fn refresh(app: &App) -> Result<(), Error> {
    let Some(index) = &app.delivery.index else { return Ok(()) };
    let seen_at = app.clock.now_ms();
    let before = index.seen();
    let showing = query::showing(&app.db).await?;
    let is_known =
        |it: &Showing| before.file.packs.get(&it.pack).is_some_and(|pack| pack.release == it.release);
    let (known, changed): (Vec<_>, Vec<_>) = showing.into_iter().partition(is_known);
    let mut packs: BTreeMap<PackId, Pack> = known
        .iter()
        .filter_map(|it| before.file.packs.get(&it.pack).map(|pack| (it.pack, pack.clone())))
        .collect();
    for some in changed.chunks(PACKS_AT_ONCE) {
        for it in some {
            let pack = Pack { release: it.release, stickers: BTreeMap::new(), signed: None };
            packs.insert(it.pack, pack);
        }
        let ids: Vec<_> = some.iter().map(|it| it.pack).collect();
        for (sticker, pack, release) in query::releases_of_stickers(&app.db, &ids).await? {
            if let Some(pack) = packs.get_mut(&pack) {
                pack.stickers.entry(release).or_default().push(sticker);
            }
        }
    }
    // What is known is on disk by its hash; that its manifest still is, each process sees once.
    let all = !index.looked.load(Ordering::Relaxed);
    let to_see = packs.values().filter(|pack| all || changed.iter().any(|it| it.release == pack.release));
    let releases: BTreeSet<Sha256> =
        to_see.flat_map(|pack| pack.stickers.keys().chain([&pack.release])).copied().collect();
    for release in releases {
        has_object(app, release).await?;
    }
    index.looked.store(true, Ordering::Relaxed);
    for (id, signed) in envelope::of_all(&app.db).await? {
        if let Some(pack) = packs.get_mut(&id) {
            pack.signed = Some(signed);
        }
    }
    let kept = Kept { seen_at, packs };
    let app = App::clone(app);
    let taken = tokio::task::spawn_blocking(move || {
        app.delivery.index.as_ref().map_or(Ok(()), |index| index.take(kept))
    });
    if let Err(error) = taken.await.map_err(io::Error::other).flatten() {
        tracing::warn!(error.source = %error, "what is known of the releases cannot be kept; a restart while the database is away would not know it");
    }
    Ok(())
}

/// Reads the manifest while the database is there. One that is no object, as of a release from before they were, becomes one.
async fn has_object(app: &App, release: Sha256) -> Result<(), Error> {
    choice::manifest(app, release).await?;
    if !app.objects.has(release).await?
        && let Some(bytes) = query::manifest_bytes(&app.db, release).await?
        && let Err(error) = app.objects.put(release, bytes).await
    {
        tracing::warn!(release.id = %release, error.source = %error, "a manifest cannot be kept; its stickers need the database after a restart");
    }
    Ok(())
}

/// A release is known after this at the latest, while the database is there.
const PAUSE: Duration = Duration::from_secs(5);
/// A minute.
const LOOKS_TO_NOTE: u32 = 12;
/// How old the time in the file may become while nothing changes.
const WRITTEN_MS: i64 = 60_000;
const PACKS_AT_ONCE: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_there_after_a_restart_and_a_damaged_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (pack, sticker) = (PackId::new(3).unwrap(), StickerId::new(7).unwrap());
        let (first, second) = (Sha256::of(b"first"), Sha256::of(b"second"));
        let shown =
            Pack { release: second, stickers: BTreeMap::from([(first, vec![sticker])]), signed: None };
        let index = Index::open(folder.path());
        assert_eq!((index.known(), index.release_of(Named::Pack(pack))), (None, None));
        index.take(Kept { seen_at: 5, packs: BTreeMap::from([(pack, shown)]) }).unwrap();

        let again = Index::open(folder.path());
        assert_eq!(again.known(), Some((1, 5)));
        assert_eq!(again.release_of(Named::Pack(pack)), Some(second));
        assert_eq!(again.release_of(Named::Sticker(sticker)), Some(first));

        let path = folder.path().join("delivery.json");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(Index::open(folder.path()).known(), None);
    }
}
