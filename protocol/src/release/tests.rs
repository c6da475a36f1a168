use super::*;

fn file(
    path: &str,
    kind: FileKind,
    sticker: Option<u64>,
    density: Option<u32>,
    format: Option<ImageFormat>,
) -> ReleaseFile {
    ReleaseFile {
        path: path.parse().unwrap(),
        kind,
        size: 100,
        sha256: Sha256::of(path.as_bytes()),
        sticker: sticker.map(|id| StickerId::new(id).unwrap()),
        density: density.map(|density| Density::new(density).unwrap()),
        format,
        width: format.map(|_| 128),
        height: format.map(|_| 128),
        recipe: None,
    }
}

fn manifest() -> Manifest {
    let webp = Some(ImageFormat::WebP);
    Manifest {
        pack: PackId::new(42).unwrap(),
        slug: "mochi".parse().unwrap(),
        titles: BTreeMap::from([("en".to_owned(), "Mochi".to_owned())]),
        descriptions: BTreeMap::new(),
        artist: Artist { slug: "somebody".parse().unwrap(), name: "Somebody".to_owned() },
        copyright: "© Somebody".to_owned(),
        price_tier: "free".to_owned(),
        tags: vec!["cute".to_owned()],
        canvas: Canvas { width_dp: 128, height_dp: 128 },
        densities: vec![Density::new(160).unwrap()],
        stickers: vec![ReleaseSticker {
            id: StickerId::new(7).unwrap(),
            name: "wink".to_owned(),
            emoji: vec!["😉".to_owned()],
            alt_texts: BTreeMap::new(),
            frame_count: 2,
            duration_ms: 100,
            loop_count: 0,
            placeholder_colour: Rgb([1, 2, 3]),
        }],
        files: vec![
            file("160/42.zip", FileKind::Bundle, None, Some(160), None),
            file("160/7.sticker", FileKind::Sticker, Some(7), Some(160), Some(ImageFormat::Png)),
            file("master/7.sticker", FileKind::Master, Some(7), Some(640), webp),
            file("web/7.poster.webp", FileKind::Poster, Some(7), None, webp),
            file("web/7.preview.webp", FileKind::Preview, Some(7), None, webp),
            file("web/cover.webp", FileKind::Cover, None, None, webp),
            file("web/icon.webp", FileKind::Icon, None, None, webp),
        ],
        packer: "sticker-packer 0.1.0".to_owned(),
    }
}

fn refusal(change: impl FnOnce(&mut Manifest)) -> String {
    let mut changed = manifest();
    change(&mut changed);
    let error = changed.write().unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn a_manifest_reads_back_as_it_was_written() {
    let bytes = manifest().write().unwrap();
    assert_eq!(Manifest::read(&bytes).unwrap(), manifest());
    assert_eq!(Manifest::read(&bytes).unwrap().write().unwrap(), bytes);
}

#[test]
fn a_manifest_cut_at_any_byte_or_with_one_more_is_refused() {
    let mut bytes = manifest().write().unwrap();
    for length in 0..bytes.len() {
        assert!(Manifest::read(&bytes[..length]).is_err(), "{length} bytes");
    }
    bytes.push(0);
    assert!(matches!(Manifest::read(&bytes), Err(ManifestError::Codec(CodecError::TrailingBytes))));
}

#[test]
fn every_file_that_a_release_needs_must_be_listed() {
    for at in 0..manifest().files.len() {
        assert!(refusal(|it| drop(it.files.remove(at))).starts_with("the manifest lists no "), "{at}");
    }
    assert_eq!(
        refusal(|it| drop(it.files.remove(1))),
        "the manifest lists no Sticker file for sticker 7 at density 160"
    );
}

#[test]
fn a_file_is_where_its_kind_says_and_nowhere_else() {
    let wrong = "the manifest's entry for `160/7.sticker` does not suit its kind";
    assert_eq!(refusal(|it| it.files[1].density = Some(Density::DEFAULT)), wrong);
    assert_eq!(refusal(|it| it.files[1].format = None), wrong);
    assert_eq!(refusal(|it| it.files[1].width = Some(0)), wrong);
    assert_eq!(refusal(|it| it.files[1].sticker = Some(StickerId::new(8).unwrap())), wrong);
    assert_eq!(
        refusal(|it| it.files.swap(0, 1)),
        "the manifest is wrong: `files` is not sorted by path, each path once"
    );
}

#[test]
fn fields_beyond_their_limits_are_refused_by_name() {
    assert_eq!(refusal(|it| it.titles.clear()), "the manifest is wrong: `titles` is outside 1 to 64");
    assert_eq!(
        refusal(|it| it.canvas.width_dp = 2000),
        "the manifest is wrong: `canvas` is outside 1 to 1024"
    );
    assert_eq!(
        refusal(|it| it.densities = vec![Density::new(200).unwrap()]),
        "the manifest is wrong: `densities` is not an ascending part of the ladder"
    );
    assert_eq!(
        refusal(|it| it.files[0].size = 0),
        "the manifest is wrong: `files.size` is outside 1 to 67108864"
    );
}

/// The manifest with a recipe for its sticker file, which is a PNG.
fn with_recipe(images: Vec<CodedImage>) -> Manifest {
    let mut manifest = manifest();
    manifest.files[1].recipe = Some(Recipe { effort: Effort::Default, images });
    manifest
}

const PNG: CodedImage = CodedImage { sparse: false, coding: Coding::Png };

#[test]
fn a_recipe_reads_back_as_it_was_written_whatever_its_images() {
    let sparse = CodedImage { sparse: true, ..PNG };
    let mut manifest = with_recipe([[PNG; 3].as_slice(), &[sparse; 200], &[PNG; 97]].concat());
    assert_eq!(Manifest::read(&manifest.write().unwrap()).unwrap(), manifest);
    manifest.files[1].format = Some(ImageFormat::WebP);
    for coding in [Coding::Lossy { quality: 86, alpha: 0 }, Coding::Lossless { near: 100 }] {
        for effort in [Effort::Fast, Effort::Default, Effort::Max] {
            manifest.files[1].recipe = Some(Recipe { effort, images: vec![CodedImage { coding, ..sparse }] });
            let bytes = manifest.write().unwrap();
            assert_eq!(Manifest::read(&bytes).unwrap(), manifest);
            assert_eq!(Manifest::read(&bytes).unwrap().write().unwrap(), bytes);
        }
    }
}

#[test]
fn a_recipe_of_too_many_images_of_another_format_or_of_another_file_is_refused() {
    let refused = |manifest: &Manifest| manifest.write().unwrap_err();
    for count in [0, 301] {
        let error = refused(&with_recipe(vec![PNG; count]));
        assert!(
            matches!(error, ManifestError::Metadata(MetadataError::OutOfRange { .. })),
            "{count}: {error:?}"
        );
    }
    for coding in [Coding::Lossy { quality: 80, alpha: 80 }, Coding::Lossless { near: 60 }] {
        let error = refused(&with_recipe(vec![CodedImage { coding, ..PNG }]));
        assert!(matches!(error, ManifestError::Metadata(MetadataError::Form { .. })), "{error:?}");
    }
    let mut above = with_recipe(vec![CodedImage { coding: Coding::Lossless { near: 101 }, ..PNG }]);
    above.files[1].format = Some(ImageFormat::WebP);
    assert!(matches!(refused(&above), ManifestError::Metadata(MetadataError::OutOfRange { .. })));
    let mut of_master = with_recipe(vec![PNG]);
    of_master.files[2].recipe = of_master.files[1].recipe.clone();
    of_master.files[2].format = Some(ImageFormat::Png);
    assert!(matches!(refused(&of_master), ManifestError::File(_)));
}

#[test]
fn runs_that_claim_millions_of_images_or_say_the_same_twice_are_refused() {
    use crate::generated::sticker as stored;
    let run = |count| stored::CodedImages {
        count,
        sparse: false,
        quality: None,
        alpha_quality: None,
        near_lossless: None,
    };
    let read = |images: Vec<stored::CodedImages>| {
        let mut written = wire::to_wire(&manifest());
        written.files[1].recipe = Some(stored::Recipe { effort: stored::Effort::FAST, images });
        Manifest::read(&crate::codec::write(&written).unwrap())
    };
    assert!(read(vec![run(1)]).is_ok());
    let mut two_coders = run(1);
    two_coders.quality = Some(80);
    for wrong in [
        vec![],
        vec![run(0)],
        vec![run(-1)],
        vec![run(i32::MAX)],
        vec![run(200), stored::CodedImages { sparse: true, ..run(101) }],
        vec![run(1), run(1)],
        vec![two_coders],
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong:?}");
    }
}
