//! A store's data with sticker files of a known size.

use std::path::Path;

use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _, Set};
use sticker_protocol::release::{FileKind, Manifest};
use sticker_protocol::sticker::{StickerFile, write};
use sticker_protocol::{ImageFormat, Sha256};
use sticker_store::app::{App, Parts};
use sticker_store::catalogue::entity::release;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use tempfile::TempDir;

use crate::published;

/// Data of a store, and where its objects are asked for.
pub(crate) struct Depot {
    folder: TempDir,
    /// Objects by their size in KB; the first one is shown at a negotiated address.
    pub(crate) sizes: Vec<(usize, Vec<Served>)>,
}

/// An object, by the store's addresses and by its file in the folder of objects.
pub(crate) struct Served {
    pub(crate) negotiated: String,
    pub(crate) canonical: String,
    pub(crate) file: String,
}

/// So many of each size: more than the processor's caches hold.
const OBJECTS: u32 = 200;

impl Depot {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sizes = runtime.block_on(filled(folder.path()));
        Self { folder, sizes }
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Scripts for `wrk` that ask for these one after the other: of the store, and of nginx.
    pub(crate) fn script(&self, name: &str, paths: &[(String, String)]) -> [String; 2] {
        let [ours, theirs] = [0, 1].map(|whose| {
            let quoted =
                paths.iter().map(|(ours, theirs)| format!("{:?}", if whose == 0 { ours } else { theirs }));
            let list = quoted.collect::<Vec<_>>().join(",");
            let lua = format!(
                "local paths = {{{list}}}\nlocal requests, at = {{}}, 0\n\
                 init = function() for i, p in ipairs(paths) do requests[i] = wrk.format('GET', p) end end\n\
                 request = function() at = at % #requests + 1; return requests[at] end\n"
            );
            let path = self.folder.path().join(format!("{name}-{whose}.lua"));
            std::fs::write(&path, lua).expect("a script");
            path.display().to_string()
        });
        [ours, theirs]
    }
}

async fn filled(data: &Path) -> Vec<(usize, Vec<Served>)> {
    let setting = ("STICKER_STORE__DATA_DIR".to_owned(), data.display().to_string());
    let config = Config::load(None, [setting].into_iter()).expect("a configuration");
    let app = Parts::open(config, Clock::System, Random::system()).await.expect("a store");
    let out = published::built("bench");
    let mut manifest = published::published(&app, out.path()).await;
    let mut sizes = Vec::new();
    for (at, size) in [30, 300].into_iter().enumerate() {
        sizes.push((size, of_size(&app, &mut manifest, at, size * 1_000, out.path()).await));
    }
    // A release that shows them: the designer's own would have other sizes.
    let bytes = manifest.write().expect("a manifest");
    let id = Sha256::of(&bytes).to_string();
    let row = release::ActiveModel {
        id: Set(id.clone()),
        pack_id: Set(manifest.pack.signed()),
        client_id: Set("bench".to_owned()),
        manifest: Set(bytes),
        created_at: Set(1),
        published_at: Set(Some(1)),
    };
    row.insert(&app.db).await.expect("a release");
    app.db.execute_unprepared(&format!("UPDATE stickers SET release_id = '{id}'")).await.expect("rows");
    app.db.clone().close().await.expect("it closes");
    sizes
}

/// Sticker files of one size for one sticker; the first one takes the place of the sticker's densest.
async fn of_size(app: &App, manifest: &mut Manifest, sticker: usize, size: usize, out: &Path) -> Vec<Served> {
    let id = manifest.stickers[sticker].id;
    let files = manifest.files.iter_mut();
    let file = files
        .filter(|file| file.kind == FileKind::Sticker && file.sticker == Some(id))
        .filter(|file| file.format == Some(ImageFormat::WebP))
        .max_by_key(|file| file.density)
        .expect("a WebP variant");
    let built = std::fs::read(out.join("release").join(file.path.as_str())).expect("a file");
    let density = file.density.expect("a density");
    let mut served = Vec::new();
    for number in 0..OBJECTS {
        let content = padded(&built, size, number);
        let hash = Sha256::of(&content);
        if number == 0 {
            (file.size, file.sha256) = (content.len() as u64, hash);
        }
        app.objects.put(hash, content).await.expect("an object");
        let hash = hash.to_string();
        served.push(Served {
            negotiated: format!("/dl/{id}.sticker?density={density}"),
            canonical: format!("/dl/{density}/{id}.{hash}.sticker"),
            file: format!("/{}/{}", &hash[..2], &hash[2..]),
        });
    }
    served
}

/// The sticker file with a chunk in its image that no decoder looks at (RFC 9649, section 2.7.1.6), so that it has about this size.
fn padded(file: &[u8], size: usize, number: u32) -> Vec<u8> {
    let read = StickerFile::read(file).expect("a sticker file");
    let mut image = read.images()[0].to_vec();
    let length = size.saturating_sub(file.len()) & !1;
    image.extend_from_slice(b"PADD");
    image.extend_from_slice(&u32::try_from(length).expect("a length").to_le_bytes());
    // Noise, so that nothing on the way can make it smaller.
    let noise =
        |at: u32| at.wrapping_mul(2_654_435_761).wrapping_add(number.wrapping_mul(40_503)).to_le_bytes();
    image.extend((0_u32..).map(|at| noise(at)[3]).take(length));
    let riff = u32::try_from(image.len() - 8).expect("a length").to_le_bytes();
    image[4..8].copy_from_slice(&riff);
    let mut images: Vec<&[u8]> = read.images().to_vec();
    images[0] = &image;
    write(read.metadata(), &images).expect("a sticker file")
}
