use std::collections::BTreeMap;

use super::*;
use crate::format::tests::{png_header, webp_header};
use crate::{Density, ImageFormat, PackId, StickerId};

fn frame(image: u32, duration_ms: u32) -> Frame {
    Frame { image, x: 0, y: 0, duration_ms, blend: Blend::Replace, dispose: Dispose::None }
}

fn blinking() -> (Metadata, Vec<Vec<u8>>) {
    let metadata = Metadata {
        sticker: StickerId::new(8_675_309).unwrap(),
        pack: PackId::new(42).unwrap(),
        density: Density::DEFAULT,
        width: 256,
        height: 256,
        format: ImageFormat::WebP,
        loop_count: 0,
        frames: vec![frame(0, 83), Frame { x: 64, y: 100, blend: Blend::Over, ..frame(1, 84) }, frame(0, 83)],
        poster_frame: 2,
        emoji: vec!["😉".to_owned()],
        alt_texts: BTreeMap::from([
            ("en".to_owned(), "winks".to_owned()),
            ("ko".to_owned(), "윙크".to_owned()),
        ]),
        placeholder_colour: Rgb([255, 0, 16]),
    };
    (metadata, vec![webp_header(256, 256), webp_header(128, 32)])
}

fn written(change: impl FnOnce(&mut Metadata, &mut Vec<Vec<u8>>)) -> Result<Vec<u8>, StickerFileError> {
    let (mut metadata, mut images) = blinking();
    change(&mut metadata, &mut images);
    write(&metadata, &images)
}

fn refusal(change: impl FnOnce(&mut Metadata, &mut Vec<Vec<u8>>)) -> String {
    let error = written(change).unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn a_file_reads_back_as_it_was_written() {
    let (metadata, images) = blinking();
    let file = write(&metadata, &images).unwrap();
    let read = StickerFile::read(&file).unwrap();
    assert_eq!(read.metadata(), &metadata);
    assert_eq!(read.images(), images);
    assert_eq!(read.metadata().duration_ms(), 250);
    assert_eq!(write(read.metadata(), read.images()).unwrap(), file);
}

#[test]
fn the_header_is_the_one_of_the_specification() {
    let file = written(|_, _| ()).unwrap();
    assert_eq!(file[..12], [0x89, 0x53, 0x54, 0x4B, 0x52, 0x0D, 0x0A, 0x1A, 0, 1, 0, 0]);
    let length = u32::from_be_bytes(file[12..16].try_into().unwrap()) as usize;
    assert!(file[16 + length..].starts_with(b"RIFF"));
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let file = written(|_, _| ()).unwrap();
    for length in 0..file.len() {
        assert!(StickerFile::read(&file[..length]).is_err(), "{length} of {} bytes", file.len());
    }
}

#[test]
fn a_byte_after_the_last_image_is_refused() {
    let mut file = written(|_, _| ()).unwrap();
    file.push(0);
    assert!(matches!(StickerFile::read(&file), Err(StickerFileError::TrailingBytes(1))));
}

#[test]
fn later_versions_and_set_reserved_bits_are_refused() {
    for at in [8, 9, 10, 11] {
        let mut file = written(|_, _| ()).unwrap();
        file[at] ^= 2;
        assert!(
            matches!(StickerFile::read(&file), Err(StickerFileError::UnsupportedVersion(_))),
            "byte {at}"
        );
    }
}

#[test]
fn no_changed_byte_makes_the_reader_panic_or_take_too_much() {
    let file = written(|_, _| ()).unwrap();
    for at in 0..file.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, file[at].wrapping_add(1)] {
            let mut changed = file.clone();
            changed[at] = value;
            // Many changes are harmless (a letter of an alt text); those that read must also be writable again.
            if let Ok(read) = StickerFile::read(&changed) {
                write(read.metadata(), read.images()).unwrap();
            }
        }
    }
}

#[test]
fn a_list_that_claims_millions_of_frames_is_refused_before_it_is_allocated() {
    // Field 9, a list of structs, length 90,000,000 as a varint.
    let metadata = [0x99, 0xfc, 0x80, 0x95, 0xf5, 0x2a];
    let mut file = [&MAGIC[..], &[0, 1, 0, 0, 0, 0, 0, 6], &metadata].concat();
    assert!(matches!(StickerFile::read(&file), Err(StickerFileError::Codec(_))));
    file[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(StickerFile::read(&file), Err(StickerFileError::Codec(CodecError::TooLong))));
}

#[test]
fn metadata_that_make_no_sense_are_refused_with_the_field() {
    assert_eq!(refusal(|it, _| it.frames.clear()), "its metadata are wrong: `frames` is outside 1 to 300");
    assert_eq!(
        refusal(|it, _| it.poster_frame = 3),
        "its metadata are wrong: `poster_frame` is outside 0 to 2"
    );
    assert_eq!(
        refusal(|it, _| it.frames[1].image = 2),
        "its metadata are wrong: frame 1 names an image that is not there"
    );
    assert_eq!(
        refusal(|it, _| it.width = 0),
        "its metadata are wrong: `width * height` is outside 1 to 4194304"
    );
    assert_eq!(
        refusal(|it, _| it.width = u32::MAX),
        "its metadata are wrong: `width * height` is outside 1 to 4194304"
    );
    assert_eq!(
        refusal(|it, _| it.frames[0].duration_ms = 0),
        "its metadata are wrong: `frames.duration_ms` is outside 1 to 600000"
    );
    assert_eq!(
        refusal(|it, _| drop(it.alt_texts.insert("English".to_owned(), "x".to_owned()))),
        "its metadata are wrong: `alt_texts` has a key that is no language tag like `en` or `zh-Hant`"
    );
}

#[test]
fn images_that_do_not_fit_their_place_are_refused() {
    assert_eq!(
        refusal(|it, _| it.frames[1].x = 129),
        "image 1 is wrong: frame 1 puts it partly outside the canvas"
    );
    assert_eq!(
        refusal(|it, _| it.frames[1].y = u32::MAX),
        "image 1 is wrong: frame 1 puts it partly outside the canvas"
    );
    assert_eq!(
        refusal(|_, images| images[1] = png_header(128, 32)),
        "image 1 is wrong: its format is not the one that the metadata name"
    );
    assert_eq!(
        refusal(|it, _| (it.frames[1].image, it.frames[1].x, it.frames[1].y) = (0, 0, 0)),
        "image 1 is wrong: no frame shows it"
    );
    assert_eq!(
        refusal(|_, images| images[0] = b"GIF89a".to_vec()),
        "image 0 is wrong: it is neither a PNG nor a WebP file"
    );
}

#[test]
fn images_with_too_many_pixels_together_are_refused_before_any_is_decoded() {
    let many = |it: &mut Metadata, images: &mut Vec<Vec<u8>>| {
        (it.width, it.height) = (2048, 2048);
        *images = vec![webp_header(2048, 2048); 17];
        it.frames = (0..17).map(|image| frame(image, 10)).collect();
    };
    assert_eq!(refusal(many), "its images have 71303168 pixels together; at most 67108864 may be decoded");
}
