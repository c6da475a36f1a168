//! The page: one HTML file with its style, its script, and every image as base64. What designers wrote goes into JSON that the
//! script shows as text, and into the title, escaped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use sticker_protocol::sticker::{Blend, Dispose, StickerFile};
use sticker_protocol::{Density, Sha256, StickerId};

use super::measure::compared_at;
use super::served::{self, ServedPage};
use super::{PreviewError, Scores, Shown, VariantScore};
use crate::error::Error;

const PAGE: &str = include_str!("page.html");
pub(super) const STYLE: &str = include_str!("page.css");
/// The player first, then what uses it.
const SCRIPT: &str = concat!(include_str!("player.js"), include_str!("page.js"));

/// Assumed connections. The first is Lighthouse's default and `WebPageTest`'s "3G Fast", the second `WebPageTest`'s "LTE".
const NETWORKS: [Network; 2] = [
    Network { name: "3G", profile: "WebPageTest’s “3G Fast”", kilobits: 1_600, round_trip_ms: 150 },
    Network { name: "4G", profile: "WebPageTest’s “LTE”", kilobits: 12_000, round_trip_ms: 70 },
];

#[derive(Serialize)]
struct Network {
    name: &'static str,
    profile: &'static str,
    kilobits: u32,
    round_trip_ms: u32,
}

/// What the script knows.
#[derive(Serialize)]
struct Data<'a> {
    titles: &'a BTreeMap<String, String>,
    descriptions: &'a BTreeMap<String, String>,
    artist: &'a str,
    copyright: &'a str,
    price_tier: &'a str,
    release: Sha256,
    packer: &'a str,
    width_dp: u32,
    height_dp: u32,
    compared_at: Density,
    scored_by_build: bool,
    some_were_drawn: bool,
    networks: [Network; 2],
    bundles: Vec<BundleData>,
    stickers: Vec<StickerData<'a>>,
}

#[derive(Serialize)]
struct BundleData {
    density: Density,
    bytes: u64,
}

#[derive(Serialize)]
struct StickerData<'a> {
    id: StickerId,
    name: &'a str,
    emoji: &'a [String],
    alt_texts: &'a BTreeMap<String, String>,
    colour: String,
    variants: Vec<VariantData>,
}

#[derive(Serialize)]
struct VariantData {
    density: Density,
    width: u32,
    height: u32,
    format: &'static str,
    media_type: &'static str,
    bytes: u64,
    score: Option<f64>,
    loop_count: u32,
    poster: u32,
    lengths: Vec<usize>,
    frames: Vec<FrameData>,
}

#[derive(Serialize)]
struct FrameData {
    image: u32,
    x: u32,
    y: u32,
    ms: u32,
    over: bool,
    clear: bool,
}

/// The file for the team, which asks nothing of the network.
pub(super) fn sent(shown: &Shown<'_>) -> Result<String, PreviewError> {
    write(shown, &Extra { style: STYLE.to_owned(), part: String::new(), policy: policy(&[SCRIPT], STYLE) })
}

/// The copy for a browser on this machine, which loads itself again when `id` is no longer the page of the newest build.
pub(super) fn served(shown: &Shown<'_>, id: Sha256) -> Result<ServedPage, PreviewError> {
    let style = [STYLE, served::STYLE].concat();
    let policy = policy(&[SCRIPT, served::SCRIPT], &style) + served::MAY_ASK;
    let page = write(shown, &Extra { style, part: served::part(&id.to_string()), policy: policy.clone() })?;
    Ok(ServedPage { id: id.to_string(), page, policy })
}

/// In what the copies of a page differ.
struct Extra {
    style: String,
    /// What stands at the end.
    part: String,
    policy: String,
}

/// The whole page.
fn write(Shown { release, scores, measured }: &Shown<'_>, extra: &Extra) -> Result<String, PreviewError> {
    let manifest = &release.manifest;
    let (mut stickers, mut blocks) = (Vec::new(), String::new());
    for (sticker, measured) in manifest.stickers.iter().zip(measured) {
        let mut variants = Vec::new();
        for scored in &measured.variants {
            let Some((file, content)) = release.variant(sticker.id, scored.density) else { continue };
            let opened = StickerFile::read(content)
                .map_err(|error| PreviewError::Sticker { path: file.path.clone(), error: Box::new(error) })?;
            block(
                &mut blocks,
                &format!("images-{}-{}", sticker.id, scored.density),
                &opened.images().concat(),
            );
            variants.push(variant(&opened, scored));
        }
        block(&mut blocks, &format!("artwork-{}", sticker.id), &measured.artwork);
        stickers.push(StickerData {
            id: sticker.id,
            name: &sticker.name,
            emoji: &sticker.emoji,
            alt_texts: &sticker.alt_texts,
            colour: sticker.placeholder_colour.to_string(),
            variants,
        });
    }
    block(&mut blocks, "cover-image", release.cover().unwrap_or_default());
    let bundle = |&density: &Density| BundleData { density, bytes: release.bundle_bytes(density) };
    let data = Data {
        titles: &manifest.titles,
        descriptions: &manifest.descriptions,
        artist: &manifest.artist.name,
        copyright: &manifest.copyright,
        price_tier: &manifest.price_tier,
        release: release.id,
        packer: &manifest.packer,
        width_dp: manifest.canvas.width_dp,
        height_dp: manifest.canvas.height_dp,
        compared_at: compared_at(release),
        scored_by_build: matches!(scores, Scores::OfBuild(_)),
        some_were_drawn: measured.iter().any(|sticker| sticker.was_drawn),
        networks: NETWORKS,
        bundles: manifest.densities.iter().map(bundle).collect(),
        stickers,
    };
    let json = serde_json::to_string(&data).map_err(Error::internal)?;
    let title = manifest.titles.get("en").or_else(|| manifest.titles.values().next());
    // An element ends at `</`, wherever it stands.
    let filled = [
        ("{policy}", extra.policy.clone()),
        ("{title}", escaped(title.map_or("", String::as_str))),
        ("{style}", extra.style.clone()),
        ("{data}", json.replace('<', "\\u003c")),
        ("{images}", blocks),
        ("{script}", SCRIPT.to_owned()),
        ("{served}", extra.part.clone()),
    ];
    Ok(fill(PAGE, &filled))
}

fn variant(opened: &StickerFile<'_>, scored: &VariantScore) -> VariantData {
    let it = opened.metadata();
    let frames = it.frames.iter().map(|frame| FrameData {
        image: frame.image,
        x: frame.x,
        y: frame.y,
        ms: frame.duration_ms,
        over: frame.blend == Blend::Over,
        clear: frame.dispose == Dispose::Background,
    });
    VariantData {
        density: scored.density,
        width: it.width,
        height: it.height,
        format: it.format.extension(),
        media_type: it.format.media_type(),
        bytes: scored.bytes,
        score: scored.score,
        loop_count: it.loop_count,
        poster: it.poster_frame,
        lengths: opened.images().iter().map(|image| image.len()).collect(),
        frames: frames.collect(),
    }
}

/// A block that no browser runs or renders; the script decodes it when its sticker comes into view.
fn block(blocks: &mut String, id: &str, content: &[u8]) {
    let encoded = base64_simd::STANDARD.encode_to_string(content);
    let _ = writeln!(blocks, "<script type=\"text/plain\" id=\"{id}\">{encoded}</script>");
}

/// Nothing from outside, no script but ours.
pub(super) fn policy(scripts: &[&str], style: &str) -> String {
    let hash = |text: &str| base64_simd::STANDARD.encode_to_string(Sha256::of(text.as_bytes()).as_bytes());
    let scripts: Vec<_> = scripts.iter().map(|script| format!("'sha256-{}'", hash(script))).collect();
    format!(
        "default-src 'none'; script-src {}; style-src 'sha256-{}'; img-src data: blob:; base-uri 'none'; form-action 'none'",
        scripts.join(" "),
        hash(style)
    )
}

/// One pass from the left, so that a placeholder's name in what a designer wrote stays what it is.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut page =
        String::with_capacity(values.iter().map(|(_, value)| value.len()).sum::<usize>() + template.len());
    let mut rest = template;
    let next = |rest: &str| {
        let found = values.iter().filter_map(|(name, value)| Some((rest.find(name)?, *name, value.as_str())));
        found.min_by_key(|&(at, ..)| at)
    };
    while let Some((at, name, value)) = next(rest) {
        let (before, after) = rest.split_at(at);
        page.push_str(before);
        page.push_str(value);
        rest = after.strip_prefix(name).unwrap_or_default();
    }
    page.push_str(rest);
    page
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
