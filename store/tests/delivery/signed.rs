//! What the store signs, as a client sees it that holds the public keys and believes nobody else.

use sea_orm::ConnectionTrait as _;
use sticker_protocol::release::Manifest;
use sticker_protocol::release::signed::{
    KnownReleases, ReleaseKeyId, ReleaseKeys, ReleaseRefusal, TrustedRelease, UntrustedRelease,
};
use sticker_protocol::{PackId, UnixSeconds};
use sticker_store::account::client::{self, Scope};
use sticker_store::app::App;
use sticker_store::audit::Actor;
use sticker_store::signing::{due, keys};
use sticker_store::token::restored::restored;
use sticker_tests::Artwork;
use tempfile::TempDir;

use crate::depot::{Answer, Depot, on_each_database};
use crate::published::{builds, published_by};

const OPERATOR: Actor<'_> = Actor("operator");
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Somebody with artwork that changes, and the right to publish it.
struct Studio {
    artwork: Artwork,
    secret: String,
}

impl Studio {
    async fn of(app: &App) -> Self {
        let secret = client::add(app, "artist", &[Scope::Publish]).await.unwrap().secret;
        Self { artwork: Artwork::project("signed", "tier1", 1, 0), secret }
    }

    /// Builds the pack under this title and publishes it; gives what was built too.
    async fn publishes(&self, app: &App, title: &str) -> (Manifest, TempDir) {
        let (project, out) = (self.artwork.path().join("pack.toml"), tempfile::tempdir().unwrap());
        let text = std::fs::read_to_string(&project).unwrap();
        let line = text.lines().find(|line| line.starts_with("en = \"")).unwrap();
        std::fs::write(&project, text.replacen(line, &format!("en = \"{title}\""), 1)).unwrap();
        builds(self.artwork.path(), &out.path().join("release"));
        (published_by(app, &self.secret, out.path()).await, out)
    }
}

async fn exported(depot: &Depot) -> ReleaseKeys {
    let answer = depot.gets("/v1/release-keys").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    ReleaseKeys::parse(std::str::from_utf8(&answer.body).unwrap()).unwrap()
}

async fn envelope(depot: &Depot, pack: PackId) -> Answer {
    let answer = depot.gets(&format!("/dl/{pack}.manifest")).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer
}

/// As an app does: it believes, and keeps in mind what it has seen.
fn believed(
    envelope: &Answer,
    keys: &ReleaseKeys,
    known: &mut KnownReleases,
    pack: PackId,
) -> Result<TrustedRelease, ReleaseRefusal> {
    let release = UntrustedRelease::read(&envelope.body)?.verify(keys, known, pack)?;
    known.remember(&release);
    Ok(release)
}

/// Only this key, as an app has that was built when there was no other.
fn only(keys: &ReleaseKeys, id: u16) -> ReleaseKeys {
    let mut one = ReleaseKeys::default();
    let (id, public) = keys.iter().find(|(known, _)| known.0 == id).unwrap();
    one.add(id, *public).unwrap();
    one
}

#[test]
fn every_publication_is_signed_under_the_next_number_and_the_one_before_is_refused() {
    on_each_database(async |depot| {
        let studio = Studio::of(&depot.app).await;
        let (first, built) = studio.publishes(&depot.app, "The first").await;
        let (keys, mut known) = (exported(depot).await, KnownReleases::new());
        let old = envelope(depot, first.pack).await;
        assert_eq!(old.header("content-type"), "application/vnd.sticker.release");
        assert_eq!(old.header("cache-control"), "public, max-age=60");
        let release = believed(&old, &keys, &mut known, first.pack).unwrap();
        assert_eq!((release.counter().get(), release.manifest()), (1, &first));
        for file in &first.files {
            let path = built.path().join("release").join(file.path.as_str());
            release.check(file, &std::fs::read(path).unwrap()).unwrap();
        }

        let (second, _) = studio.publishes(&depot.app, "The second").await;
        assert_eq!(first.pack, second.pack);
        let new = envelope(depot, first.pack).await;
        let release = believed(&new, &keys, &mut known, first.pack).unwrap();
        assert_eq!((release.counter().get(), release.manifest()), (2, &second));
        assert_eq!(believed(&old, &keys, &mut known, first.pack), Err(ReleaseRefusal::Rollback));
        let other = envelope(depot, depot.release.pack).await;
        assert_eq!(believed(&other, &keys, &mut known, first.pack), Err(ReleaseRefusal::WrongPack));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_the_newest_again_changes_nothing() {
    let depot = Depot::new(&[]).await;
    let studio = Studio::of(&depot.app).await;
    let (manifest, built) = studio.publishes(&depot.app, "The first").await;
    let before = envelope(&depot, manifest.pack).await;
    depot.later(60_000);
    published_by(&depot.app, &studio.secret, built.path()).await;
    assert_eq!(envelope(&depot, manifest.pack).await.body, before.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_is_asked_for_like_any_download() {
    let depot = Depot::new(&[]).await;
    let path = format!("/dl/{}.manifest", depot.release.pack);
    let whole = depot.gets(&path).await;
    let tag = whole.header("etag").to_owned();
    let unchanged = depot.gets_with(&path, &[("if-none-match", &tag)]).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let part = depot.gets_with(&path, &[("range", "bytes=0-7")]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &b"\x89STKM\r\n\x1a"[..]));
    for nothing in ["/dl/1.manifest", "/dl/0.manifest", "/dl/x.manifest", "/dl/.manifest"] {
        let answer = depot.gets(nothing).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{nothing}");
        assert_eq!(answer.header("cache-control"), "public, max-age=5");
    }
}

#[test]
fn keys_change_hands_while_apps_of_both_ages_believe() {
    on_each_database(async |depot| {
        let (app, pack) = (&depot.app, depot.release.pack);
        let next = keys::add(app, OPERATOR).await.unwrap();
        assert_eq!(next, ReleaseKeyId(2));
        let both = exported(depot).await;
        let (old, new) = (only(&both, 1), only(&both, 2));
        let (mut of_old, mut of_new, mut of_both) =
            (KnownReleases::new(), KnownReleases::new(), KnownReleases::new());
        let before = envelope(depot, pack).await;
        believed(&before, &old, &mut of_old, pack).unwrap();
        believed(&before, &both, &mut of_both, pack).unwrap();
        assert_eq!(believed(&before, &new, &mut of_new, pack), Err(ReleaseRefusal::UnknownKey));

        keys::sign_with(app, OPERATOR, next).await.unwrap();
        assert_eq!(due::round(app).await.unwrap(), 0, "the old key is trusted still");
        let refused = keys::retire(app, OPERATOR, next, "a try").await.unwrap_err();
        assert_eq!(refused.code(), "wrong_state");
        keys::retire(app, OPERATOR, ReleaseKeyId(1), "every app has the next").await.unwrap();
        assert_eq!(due::round(app).await.unwrap(), 1);
        assert_eq!(due::round(app).await.unwrap(), 0);
        depot.later(10_000);
        let after = envelope(depot, pack).await;
        assert_eq!(believed(&after, &both, &mut of_both, pack).unwrap().counter().get(), 2);
        assert_eq!(believed(&after, &new, &mut of_new, pack).unwrap().manifest(), &depot.release);
        assert_eq!(believed(&after, &old, &mut of_old, pack), Err(ReleaseRefusal::UnknownKey));
        assert_eq!(exported(depot).await, new);
        let gone = keys::sign_with(app, OPERATOR, ReleaseKeyId(1)).await.unwrap_err();
        assert_eq!((gone.code(), gone.status().as_u16()), ("wrong_state", 409));
        let unknown = keys::sign_with(app, OPERATOR, ReleaseKeyId(9)).await.unwrap_err();
        assert_eq!((unknown.code(), unknown.status().as_u16()), ("no_such_key", 404));
    });
}

#[test]
fn what_was_signed_long_ago_is_signed_anew_so_that_a_client_can_tell_what_somebody_kept() {
    on_each_database(async |depot| {
        let (pack, keys, mut known) = (depot.release.pack, exported(depot).await, KnownReleases::new());
        let first = believed(&envelope(depot, pack).await, &keys, &mut known, pack).unwrap();
        depot.later(30 * DAY_MS);
        assert_eq!(due::round(&depot.app).await.unwrap(), 0);
        depot.later(1_000);
        assert_eq!(due::round(&depot.app).await.unwrap(), 1);
        let second = believed(&envelope(depot, pack).await, &keys, &mut known, pack).unwrap();
        assert_eq!((second.counter().get(), second.id()), (2, first.id()));
        let now = UnixSeconds(second.statement().signed_at.0);
        assert_eq!((first.age(now), second.age(now)), (30 * 24 * 3_600 + 1, 0));
    });
}

#[test]
fn after_a_restore_numbers_go_on_beyond_what_clients_have_seen() {
    on_each_database(async |depot| {
        let studio = Studio::of(&depot.app).await;
        let (manifest, _) = studio.publishes(&depot.app, "The first").await;
        let (pack, keys, mut known) = (manifest.pack, exported(depot).await, KnownReleases::new());
        for title in ["The second", "The third"] {
            studio.publishes(&depot.app, title).await;
            believed(&envelope(depot, pack).await, &keys, &mut known, pack).unwrap();
        }
        let lost = format!("DELETE FROM release_signatures WHERE pack_id = {}", depot.release.pack.signed());
        depot.app.db.execute_unprepared(&lost).await.unwrap();
        restored(&depot.app, OPERATOR, "the disk was lost").await.unwrap();
        depot.later(10_000);
        let waits = depot.gets(&format!("/dl/{pack}.manifest")).await;
        assert_eq!((waits.status, waits.code().as_str()), (503, "not_signed"));
        assert_eq!(due::round(&depot.app).await.unwrap(), 2);
        let release = believed(&envelope(depot, pack).await, &keys, &mut known, pack).unwrap();
        let seconds = 1_800_000_000;
        assert!(release.counter().get() > seconds, "{:?}", release.counter());
        let of_the_lost = envelope(depot, depot.release.pack).await;
        let of_the_lost = believed(&of_the_lost, &keys, &mut known, depot.release.pack).unwrap();
        assert!(of_the_lost.counter().get() > seconds, "what the backup does not know goes on there too");
        restored(&depot.app, OPERATOR, "again, from the same backup").await.unwrap();
        depot.later(10_000);
        due::round(&depot.app).await.unwrap();
        let again = believed(&envelope(depot, pack).await, &keys, &mut known, pack).unwrap();
        assert!(again.counter() > release.counter());
    });
}

/// A process of the version before, which signs nothing, may publish during a deploy.
#[test]
fn what_an_earlier_version_published_is_signed_as_soon_as_this_one_comes_round() {
    on_each_database(async |depot| {
        for earlier in ["DELETE FROM release_signatures", "DELETE FROM release_keys"] {
            depot.app.db.execute_unprepared(earlier).await.unwrap();
        }
        let path = format!("/dl/{}.manifest", depot.release.pack);
        let waits = depot.gets(&path).await;
        assert_eq!((waits.status, waits.code().as_str()), (503, "not_signed"));
        assert_eq!((waits.header("cache-control"), waits.header("retry-after")), ("no-store", "60"));
        assert_eq!(due::round(&depot.app).await.unwrap(), 1);
        let (keys, mut known) = (exported(depot).await, KnownReleases::new());
        believed(&envelope(depot, depot.release.pack).await, &keys, &mut known, depot.release.pack).unwrap();
    });
}
