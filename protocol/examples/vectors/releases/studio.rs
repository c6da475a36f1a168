//! Small releases with all their files: packs of squares in one grey, at two densities.

use std::collections::BTreeMap;

use sticker_protocol::bundle::{self, BundledSticker, Pack};
use sticker_protocol::release::{Artist, Canvas, FileKind, Manifest, ReleaseFile, ReleaseSticker};
use sticker_protocol::sticker::{self, Blend, Dispose, Frame, Metadata, Rgb};
use sticker_protocol::{Density, ImageFormat, PackId, Sha256, StickerId};

/// What the packer would put into a folder.
#[derive(Clone)]
pub(crate) struct Release {
    pub(crate) manifest: Manifest,
    /// By path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// A pack whose stickers are squares of this grey.
pub(crate) fn release(pack: u64, stickers: &[u64], densities: &[u32], grey: u8) -> Release {
    let pack = PackId::new(pack).unwrap();
    let ids: Vec<StickerId> = stickers.iter().map(|&id| StickerId::new(id).unwrap()).collect();
    let densities: Vec<Density> = densities.iter().map(|&density| Density::new(density).unwrap()).collect();
    let mut made = Made { pack, files: BTreeMap::new(), listed: Vec::new() };
    for &density in &densities {
        let files: BTreeMap<StickerId, Vec<u8>> =
            ids.iter().map(|&id| (id, square(pack, id, density, grey))).collect();
        for (id, bytes) in &files {
            made.square(FileKind::Sticker, &format!("{density}/{id}.sticker"), *id, density, bytes);
        }
        let bundled = |&id: &StickerId| BundledSticker { id, name: format!("square {id}") };
        let bundle = Pack {
            id: pack,
            slug: "squares".parse().unwrap(),
            density,
            titles: BTreeMap::from([("en".to_owned(), "Squares".to_owned())]),
            artist: "Somebody".to_owned(),
            copyright: String::new(),
            stickers: ids.iter().map(bundled).collect(),
        };
        let bundle = bundle::write(&bundle, &files).unwrap();
        made.add(&format!("{density}/{pack}.zip"), FileKind::Bundle, &bundle, |file| {
            file.density = Some(density);
        });
    }
    let native = Density::new(640).unwrap();
    for &id in &ids {
        let bytes = square(pack, id, native, grey);
        made.square(FileKind::Master, &format!("master/{id}.sticker"), id, native, &bytes);
        made.picture(FileKind::Poster, &format!("web/{id}.poster.webp"), Some(id));
    }
    made.picture(FileKind::Cover, "web/cover.webp", None);
    made.picture(FileKind::Icon, "web/icon.webp", None);
    made.listed.sort_by(|before, after| before.path.cmp(&after.path));
    let manifest = Manifest {
        pack,
        slug: "squares".parse().unwrap(),
        titles: BTreeMap::from([("en".to_owned(), "Squares".to_owned())]),
        descriptions: BTreeMap::new(),
        artist: Artist { slug: "somebody".parse().unwrap(), name: "Somebody".to_owned() },
        copyright: String::new(),
        price_tier: "free".to_owned(),
        tags: Vec::new(),
        canvas: Canvas { width_dp: DP, height_dp: DP },
        densities,
        stickers: ids.iter().map(|&id| listed(id, grey)).collect(),
        files: made.listed,
        packer: "by hand".to_owned(),
    };
    Release { manifest, files: made.files }
}

impl Release {
    /// The bytes of the manifest.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.manifest.write().unwrap()
    }
}

struct Made {
    pack: PackId,
    files: BTreeMap<String, Vec<u8>>,
    listed: Vec<ReleaseFile>,
}

impl Made {
    fn add(&mut self, path: &str, kind: FileKind, bytes: &[u8], fields: impl FnOnce(&mut ReleaseFile)) {
        let (size, sha256) = (bytes.len() as u64, Sha256::of(bytes));
        let mut file = ReleaseFile {
            path: path.parse().unwrap(),
            kind,
            size,
            sha256,
            sticker: None,
            density: None,
            format: None,
            width: None,
            height: None,
            recipe: None,
        };
        fields(&mut file);
        self.listed.push(file);
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    fn square(&mut self, kind: FileKind, path: &str, id: StickerId, density: Density, bytes: &[u8]) {
        let side = Some(density.px(DP));
        assert_eq!(sticker::StickerFile::read(bytes).unwrap().metadata().pack, self.pack);
        self.add(path, kind, bytes, |file| {
            (file.sticker, file.density) = (Some(id), Some(density));
            (file.format, file.width, file.height) = (Some(ImageFormat::Png), side, side);
        });
    }

    fn picture(&mut self, kind: FileKind, path: &str, sticker: Option<StickerId>) {
        self.add(path, kind, WEBP, |file| {
            file.sticker = sticker;
            (file.format, file.width, file.height) = (Some(ImageFormat::WebP), Some(1), Some(1));
        });
    }
}

/// The side of a sticker.
const DP: u32 = 2;

fn listed(id: StickerId, grey: u8) -> ReleaseSticker {
    ReleaseSticker {
        id,
        name: format!("square {id}"),
        emoji: Vec::new(),
        alt_texts: BTreeMap::new(),
        frame_count: 1,
        duration_ms: 0,
        loop_count: 0,
        placeholder_colour: Rgb([grey; 3]),
    }
}

/// A sticker file of a still square.
pub(crate) fn square(pack: PackId, sticker: StickerId, density: Density, grey: u8) -> Vec<u8> {
    let side = density.px(DP);
    let metadata = Metadata {
        sticker,
        pack,
        density,
        width: side,
        height: side,
        format: ImageFormat::Png,
        loop_count: 0,
        frames: vec![Frame {
            image: 0,
            x: 0,
            y: 0,
            duration_ms: 0,
            blend: Blend::Replace,
            dispose: Dispose::None,
        }],
        poster_frame: 0,
        emoji: Vec::new(),
        alt_texts: BTreeMap::new(),
        placeholder_colour: Rgb([grey; 3]),
    };
    sticker::write(&metadata, &[png(side, grey)]).unwrap()
}

/// A whole PNG of one grey: 8 bits, no filter, the pixels in one stored block (RFC 1950, RFC 1951).
fn png(side: u32, grey: u8) -> Vec<u8> {
    let row: Vec<u8> = std::iter::once(0).chain((0..side).map(|_| grey)).collect();
    let pixels = row.repeat(side as usize);
    let length = u16::try_from(pixels.len()).unwrap();
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in &pixels {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut stored = vec![0x78, 0x01, 0x01];
    stored.extend(length.to_le_bytes());
    stored.extend((!length).to_le_bytes());
    stored.extend(&pixels);
    stored.extend((b << 16 | a).to_be_bytes());
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", stored), (b"IEND", Vec::new())] {
        let typed = [&kind[..], &content].concat();
        file.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        file.extend(&typed);
        file.extend(crc32fast::hash(&typed).to_be_bytes());
    }
    file
}

/// A whole WebP of one pixel, without loss.
const WEBP: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";
