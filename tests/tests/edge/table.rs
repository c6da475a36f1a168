//! How each product writes what is asked for: one table for nginx, Varnish and the function of `CloudFront`.

use sticker_protocol::Density;
use sticker_protocol::LADDER;

/// What is asked for, and what the store is asked.
pub(super) const TABLE: &[(&str, &str)] = &[
    ("/dl/{id}.sticker", "/dl/{id}.sticker?density=320"),
    ("/dl/{id}.sticker?", "/dl/{id}.sticker?density=320"),
    ("/dl/{id}.sticker?density=1", "/dl/{id}.sticker?density=120"),
    ("/dl/{id}.sticker?density=119", "/dl/{id}.sticker?density=120"),
    ("/dl/{id}.sticker?density=120", "/dl/{id}.sticker?density=120"),
    ("/dl/{id}.sticker?density=121", "/dl/{id}.sticker?density=160"),
    ("/dl/{id}.sticker?density=00420", "/dl/{id}.sticker?density=480"),
    ("/dl/{id}.sticker?density=641", "/dl/{id}.sticker?density=640"),
    ("/dl/{id}.sticker?density=4096", "/dl/{id}.sticker?density=640"),
    ("/dl/{id}.zip?density=400", "/dl/{id}.zip?density=480"),
    // What apps and trackers add, and what only looks like a field.
    ("/dl/{id}.sticker?utm_source=x&density=200&v=3", "/dl/{id}.sticker?density=240"),
    ("/dl/{id}.sticker?xdensity=1", "/dl/{id}.sticker?density=320"),
    ("/dl/{id}.sticker?density2=1&DENSITY=1", "/dl/{id}.sticker?density=320"),
    ("/dl/{id}.sticker?a=density=1", "/dl/{id}.sticker?density=320"),
    ("/dl/{id}.sticker?width=96", "/dl/{id}.sticker?density=320"),
    // Formats; a bundle is the same in each.
    ("/dl/{id}.sticker?format=png", "/dl/{id}.sticker?density=320&format=png"),
    ("/dl/{id}.sticker?format=webp&density=500", "/dl/{id}.sticker?density=640&format=webp"),
    ("/dl/{id}.zip?density=500&format=png", "/dl/{id}.zip?density=640"),
    // What makes no sense has one spelling, and the store refuses it.
    ("/dl/{id}.sticker?density=0", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=-1", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=+1", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=4097", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=1000000000", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=99999999999999999999999", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=abc", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=32%30", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=320.0", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density", "/dl/{id}.sticker?density=0"),
    ("/dl/{id}.sticker?density=320&density=320", "/dl/{id}.sticker?density=0&density=0"),
    ("/dl/{id}.sticker?density=1&x=2&density=3&density=4", "/dl/{id}.sticker?density=0&density=0"),
    ("/dl/{id}.sticker?density&x&density", "/dl/{id}.sticker?density=0&density=0"),
    ("/dl/{id}.sticker?format=gif", "/dl/{id}.sticker?density=320&format=0"),
    ("/dl/{id}.sticker?format=PNG&density=9", "/dl/{id}.sticker?density=120&format=0"),
    ("/dl/{id}.zip?format=", "/dl/{id}.zip?density=320&format=0"),
    ("/dl/{id}.zip?format=png&format=webp", "/dl/{id}.zip?density=320&format=0&format=0"),
    ("/dl/{id}.sticker?density=0&format=png", "/dl/{id}.sticker?density=0&format=png"),
    // Canonical addresses, manifests and whatever else has no query.
    ("/dl/320/{id}.{hash}.sticker?density=1&x=2", "/dl/320/{id}.{hash}.sticker"),
    ("/dl/{id}.manifest?x=1", "/dl/{id}.manifest"),
    ("/dl/{id}.apk?density=1", "/dl/{id}.apk"),
    ("/dl/{id}x.sticker?density=1", "/dl/{id}x.sticker"),
    // Other spellings of an address are the store's to refuse.
    ("/dl/%37{id}.sticker?density=1", "/dl/%37{id}.sticker"),
    ("/dl/x/..%2f{id}.sticker?density=1", "/dl/x/..%2f{id}.sticker"),
    // Pictures, at a width of the list.
    ("/media/{hash}.webp", "/media/{hash}.webp"),
    ("/media/{hash}.webp?density=1&v=2", "/media/{hash}.webp"),
    ("/media/{hash}.webp?width=320&v=2", "/media/{hash}.webp?width=320"),
    ("/media/{hash}.webp?v=2&width=960", "/media/{hash}.webp?width=960"),
    ("/media/{hash}.webp?width=321", "/media/{hash}.webp?width=0"),
    ("/media/{hash}.webp?width=0320", "/media/{hash}.webp?width=0"),
    ("/media/{hash}.webp?width=320&width=320", "/media/{hash}.webp?width=0"),
];

/// A row of the table for one object that nobody asked for before.
pub(super) fn row(at: usize) -> (String, String) {
    let (asked, wanted) = TABLE[at];
    let (id, hash) = ((700_000 + at).to_string(), format!("{at:064x}"));
    let of = |text: &str| text.replace("{id}", &id).replace("{hash}", &hash);
    (of(asked), of(wanted))
}

/// The densities that may be asked for, each with its rung: the smallest that is enough, else the largest.
pub(super) fn rungs() -> impl Iterator<Item = (u32, u32)> {
    (1..=4096).map(|wanted| {
        let rung = Density::choose(LADDER, Density::new(wanted).unwrap()).unwrap();
        (wanted, u32::from(rung))
    })
}
