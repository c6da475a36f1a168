//! The signature of a pack's newest release, and the envelope that it makes with the manifest.

use std::collections::BTreeMap;

use sea_orm::{ActiveModelTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, Set};
use serde::{Deserialize, Serialize};
use sticker_protocol::release::signed::{ReleaseCounter, ReleaseKeyId, SignedRelease, Statement};
use sticker_protocol::{PackId, Sha256, UnixSeconds};

use super::entity::signature::{self, Model};
use super::keys;
use crate::app::App;
use crate::catalogue::query;
use crate::db;
use crate::web::error::Error;

/// Signs this manifest as the pack's newest release, under the next counter. The caller's transaction holds the pack's row.
///
/// # Errors
/// As [`keys`] and the database say; 409 `counter_used_up` after 2^53 - 1 publications.
pub async fn sign(
    app: &App,
    transaction: &DatabaseTransaction,
    pack: PackId,
    manifest: &[u8],
) -> Result<(), Error> {
    let signer = keys::signer(app, transaction).await?;
    let before = signature::Entity::find_by_id(pack.signed()).one(transaction).await?;
    let last = match &before {
        Some(row) => row.counter,
        None => db::mark(transaction, FLOOR).await?,
    };
    let next = last.saturating_add(1);
    let counter = u64::try_from(next).ok().and_then(ReleaseCounter::new).ok_or_else(|| {
        Error::conflict("counter_used_up", "the pack was published more often than can be counted")
            .hint("publish it under a new pack id")
    })?;
    let now = UnixSeconds(u64::try_from(app.clock.now_ms().div_euclid(1_000)).unwrap_or_default());
    let signed = signer.sign(manifest, counter, now).map_err(|error| Error::internal(&error))?;
    let row = signature::ActiveModel {
        pack_id: Set(pack.signed()),
        release_id: Set(Sha256::of(manifest).to_string()),
        counter: Set(next),
        key_id: Set(Some(i32::from(signer.id().0))),
        signed_at: Set(i64::try_from(now.0).unwrap_or(i64::MAX)),
        signature: Set(Some(signed.signature().to_vec())),
    };
    match before {
        Some(_) => row.update(transaction).await?,
        None => row.insert(transaction).await?,
    };
    Ok(())
}

/// After a restore, the number that no pack had before it.
pub(super) const FLOOR: &str = "release_counter_floor";

/// What a store keeps of an envelope beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    /// The release that was signed; its id is the SHA-256 of its manifest.
    pub(crate) release: Sha256,
    counter: u64,
    key: u16,
    /// When, in Unix seconds.
    at: u64,
    #[serde(with = "as_text")]
    signature: [u8; 64],
}

impl Signed {
    /// `None` for what has to be signed anew.
    fn of(row: &Model) -> Option<Self> {
        Some(Self {
            release: row.release_id.parse().ok()?,
            counter: u64::try_from(row.counter).ok()?,
            key: u16::try_from(row.key_id?).ok()?,
            at: u64::try_from(row.signed_at).ok()?,
            signature: row.signature.as_deref()?.try_into().ok()?,
        })
    }

    /// The envelope, with the manifest that was signed.
    pub(crate) fn envelope(&self, pack: PackId, manifest: &[u8]) -> Option<SignedRelease> {
        let statement = Statement {
            key: ReleaseKeyId(self.key),
            pack,
            counter: ReleaseCounter::new(self.counter)?,
            signed_at: UnixSeconds(self.at),
        };
        SignedRelease::of_parts(statement, manifest, self.signature).ok()
    }
}

/// In base64url without padding.
mod as_text {
    use base64_simd::URL_SAFE_NO_PAD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(signature: &[u8; 64], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode_to_string(signature))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 64], D::Error> {
        let text = String::deserialize(from)?;
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(&text).map_err(D::Error::custom)?;
        bytes.try_into().map_err(|_another_length| D::Error::custom("a signature has 64 bytes"))
    }
}

/// What was signed of one pack; `None` where there is no such pack, or it is to be signed yet.
///
/// # Errors
/// As the database says.
pub(crate) async fn of_pack(db: &impl ConnectionTrait, pack: PackId) -> Result<Option<Signed>, Error> {
    let row = signature::Entity::find_by_id(pack.signed()).one(db).await?;
    Ok(row.as_ref().and_then(Signed::of))
}

/// What was signed of every pack.
///
/// # Errors
/// As the database says.
pub(crate) async fn of_all(db: &impl ConnectionTrait) -> Result<BTreeMap<PackId, Signed>, Error> {
    let rows = signature::Entity::find().all(db).await?;
    let read = |row: &Model| Some((PackId::try_from(row.pack_id).ok()?, Signed::of(row)?));
    Ok(rows.iter().filter_map(read).collect())
}

/// The bytes of a manifest that was signed.
///
/// # Errors
/// As the database says.
pub(super) async fn manifest_of(db: &impl ConnectionTrait, release: &str) -> Result<Option<Vec<u8>>, Error> {
    let Ok(id) = release.parse() else { return Ok(None) };
    Ok(query::manifest_bytes(db, id).await?)
}
