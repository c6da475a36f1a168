use std::io::{Cursor, Read as _};

use super::*;
use crate::format::tests::png_header;
use crate::sticker::{self, Blend, Dispose, Frame, Metadata, Rgb};
use crate::{Density, ImageFormat};

type Files = BTreeMap<StickerId, Vec<u8>>;

fn pack() -> (Pack, Files) {
    let density = Density::new(160).unwrap();
    let id = PackId::new(42).unwrap();
    let ids = [900, 7, 80].map(|id| StickerId::new(id).unwrap());
    let files = ids.map(|sticker| {
        let frame =
            Frame { image: 0, x: 0, y: 0, duration_ms: 0, blend: Blend::Replace, dispose: Dispose::None };
        let metadata = Metadata {
            sticker,
            pack: id,
            density,
            width: 128,
            height: 128,
            format: ImageFormat::Png,
            loop_count: 0,
            frames: vec![frame],
            poster_frame: 0,
            emoji: vec![],
            alt_texts: BTreeMap::new(),
            placeholder_colour: Rgb([1, 2, 3]),
        };
        (sticker, sticker::write(&metadata, &[png_header(128, 128)]).unwrap())
    });
    let pack = Pack {
        id,
        slug: "mochi".parse().unwrap(),
        density,
        titles: BTreeMap::from([("en".to_owned(), "Mochi".to_owned())]),
        artist: "Somebody".to_owned(),
        copyright: String::new(),
        stickers: ids.map(|id| BundledSticker { id, name: format!("sticker {id}") }).into(),
    };
    (pack, files.into())
}

fn bundle() -> Vec<u8> {
    let (pack, stickers) = pack();
    write(&pack, &stickers).unwrap()
}

#[test]
fn a_bundle_reads_back_as_it_was_written() {
    let (pack, stickers) = pack();
    let file = write(&pack, &stickers).unwrap();
    let read = Bundle::read(&file).unwrap();
    assert_eq!(read.pack(), &pack);
    let contents: BTreeMap<_, _> = read.stickers().iter().map(|(&id, file)| (id, file.to_vec())).collect();
    assert_eq!(contents, stickers);
    assert_eq!(write(read.pack(), read.stickers()).unwrap(), file);
}

#[test]
fn another_zip_reader_finds_the_same_entries_in_sorted_order() {
    let file = bundle();
    let mut archive = ::zip::ZipArchive::new(Cursor::new(&file)).unwrap();
    let names: Vec<_> =
        (0..archive.len()).map(|at| archive.by_index(at).unwrap().name().unwrap().to_string()).collect();
    assert_eq!(names, ["7.sticker", "80.sticker", "900.sticker", "pack"]);
    let mut content = Vec::new();
    archive.by_name("7.sticker").unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, pack().1[&StickerId::new(7).unwrap()]);
}

#[test]
fn a_bundle_cut_at_any_byte_is_refused() {
    let file = bundle();
    for length in 0..file.len() {
        assert!(Bundle::read(&file[..length]).is_err(), "{length} of {} bytes", file.len());
    }
}

#[test]
fn bytes_before_between_or_after_the_entries_are_refused() {
    let file = bundle();
    for at in [0, 100, file.len() - 22, file.len()] {
        let mut longer = file.clone();
        longer.insert(at, 0);
        assert!(Bundle::read(&longer).is_err(), "byte {at}");
    }
}

/// Bytes that mean nothing to a reader of contents: who wrote the archive, and a file's permissions where it is unpacked.
#[test]
fn every_changed_byte_is_refused_but_for_the_writer_and_the_permissions() {
    let file = bundle();
    let free: Vec<_> = (0..file.len() - 4)
        .filter(|&at| file[at..].starts_with(b"PK\x01\x02"))
        .flat_map(|record| [record + 4, record + 5, record + 38, record + 39, record + 40, record + 41])
        .collect();
    // Version needed is compared between the two headers, so a change of one of them is refused too.
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        assert_eq!(Bundle::read(&changed).is_ok(), free.contains(&at), "byte {at}");
    }
}

#[test]
fn a_pack_and_its_files_must_agree() {
    let refusal = |change: &dyn Fn(&mut Pack, &mut Files)| {
        let (mut pack, mut stickers) = pack();
        change(&mut pack, &mut stickers);
        write(&pack, &stickers).unwrap_err().to_string()
    };
    assert_eq!(refusal(&|_, files| drop(files.pop_first())), "the file of sticker 7 is missing");
    assert_eq!(
        refusal(&|pack, _| drop(pack.stickers.remove(0))),
        "the entry `900.sticker` does not belong in the bundle"
    );
    assert_eq!(
        refusal(&|pack, _| pack.id = PackId::new(1).unwrap()),
        "the file of sticker 900 names another sticker, pack or density"
    );
    assert_eq!(
        refusal(&|pack, _| pack.density = Density::DEFAULT),
        "the file of sticker 900 names another sticker, pack or density"
    );
    assert_eq!(refusal(&|pack, _| pack.stickers.push(pack.stickers[0].clone())), "its pack entry is wrong");
    assert_eq!(
        refusal(&|_, files| drop(files.insert(StickerId::new(80).unwrap(), vec![1]))),
        "the file of sticker 80 is wrong"
    );
}
