//! Packs that put pages to the test: markup in titles, missing languages, a cover without a scene.

use std::collections::BTreeMap;

use sticker_protocol::StickerId;
use sticker_protocol::sticker::Rgb;
use sticker_store::web::page::Picture;

use crate::samples::{Art, ArtSticker};

/// Two packs whose pictures lead nowhere.
pub(crate) fn packs() -> (Art, Art) {
    let picture = |name: String, width, height| Picture { src: format!("/pictures/{name}"), width, height };
    let art = |slug: &str, stickers: u64, title: &[(&str, &str)]| Art {
        slug: slug.to_owned(),
        titles: texts(title),
        descriptions: texts(&[
            ("en", "Five <small> feelings & a sixth."),
            ("ko", "다섯 가지 마음 & 하나 더."),
        ]),
        cover: picture(format!("{slug}/cover.webp"), 960, if slug == "moth" { 960 } else { 540 }),
        stickers: (1..=stickers)
            .map(|id| ArtSticker {
                id: StickerId::new(id).unwrap(),
                alt: if id == 2 {
                    BTreeMap::new()
                } else {
                    texts(&[("en", "A \"wave\""), ("ja", "手を振る")])
                },
                poster: picture(format!("{slug}/{id}.poster.webp"), 320, 320),
                preview: (id % 2 == 0).then(|| picture(format!("{slug}/{id}.preview.webp"), 320, 320)),
                colour: Rgb([0xff, 0xce, 0x47]),
            })
            .collect(),
    };
    (
        art("moss", 6, &[("en", "Moss & <Friends>"), ("ko", "이끼와 친구들"), ("ja", "こけと友だち")]),
        art("moth", 1, &[("de", "Die ungewöhnlich gesellige Nachtschmetterlingsgesellschaft")]),
    )
}

fn texts(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect()
}
