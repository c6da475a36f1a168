//! The layout of `WhatsApp`'s sample apps: `contents.json`, and a folder of pictures for each pack.

use std::collections::BTreeMap;

use serde::Serialize;
use sticker_protocol::Sha256;

use super::make::Made;
use super::names::Names;
use super::{LaidOut, Pack};
use crate::encode::{self, Effort};
use crate::error::Error;
use crate::finding::Finding;
use crate::import::CONTENTS_FILE;
use crate::lint::codes::{Rule, code};
use crate::lint::platforms::{Icon, Platform, Range};
use crate::project::PROJECT_FILE;

/// The sample app's reader refuses a file with any other field.
#[derive(Serialize)]
struct Contents<'a> {
    android_play_store_link: &'static str,
    ios_app_store_link: &'static str,
    sticker_packs: Vec<StickerPack<'a>>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the sample app names the fields")]
struct StickerPack<'a> {
    identifier: &'a str,
    name: String,
    publisher: &'a str,
    tray_image_file: &'static str,
    /// Phones fetch the pack anew when this changes.
    image_data_version: String,
    avoid_cache: bool,
    publisher_email: &'static str,
    publisher_website: &'static str,
    privacy_policy_website: &'static str,
    license_agreement_website: &'static str,
    animated_sticker_pack: bool,
    stickers: Vec<Sticker<'a>>,
}

#[derive(Serialize)]
struct Sticker<'a> {
    image_file: String,
    emojis: &'a [String],
    accessibility_text: &'a str,
}

/// Packs of stills and packs of animations, each of as many as the platform takes; `None` where a finding is an error.
pub(super) fn lay_out(
    pack: &Pack<'_>,
    platform: &Platform,
    made: &[Made<'_>],
    findings: &mut Vec<Finding>,
) -> Result<Option<LaidOut>, Error> {
    let groups = groups(pack, platform, made, findings);
    let Some(tray) = tray(pack, platform, findings)? else { return Ok(None) };
    let most_emoji = platform.emoji.as_ref().map_or(usize::MAX, |emoji| emoji.is.max as usize);
    let mut names = Names::default();
    let mut files = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut sticker_packs = Vec::new();
    for (number, group) in (1_usize..).zip(&groups) {
        let mut stickers = Vec::new();
        let mut content = tray.clone();
        for made in &group.stickers {
            let image_file = format!("{}.webp", names.of(&made.sticker.name));
            let emojis = made.sticker.emoji.get(..most_emoji).unwrap_or(&made.sticker.emoji);
            let accessibility_text = pack.text(&made.sticker.alt).unwrap_or_default();
            content.extend(&made.file);
            let place = format!("{}/{image_file}", group.identifier);
            files.insert(place.clone(), made.file.clone());
            places.insert(made.sticker.name.as_str(), place);
            stickers.push(Sticker { image_file, emojis, accessibility_text });
        }
        files.insert(format!("{}/{TRAY_FILE}", group.identifier), tray.clone());
        sticker_packs.push(StickerPack {
            identifier: &group.identifier,
            name: numbered(pack.title(), number, platform),
            publisher: pack.artist(),
            tray_image_file: TRAY_FILE,
            image_data_version: Sha256::of(&content).to_string().chars().take(16).collect(),
            avoid_cache: false,
            publisher_email: "",
            publisher_website: "",
            privacy_policy_website: "",
            license_agreement_website: "",
            animated_sticker_pack: group.animated,
            stickers,
        });
    }
    let contents = Contents { android_play_store_link: "", ios_app_store_link: "", sticker_packs };
    files.insert(CONTENTS_FILE.to_owned(), super::json(&contents)?);
    let stickers =
        made.iter().filter_map(|made| Some(made.exported(places.get(made.sticker.name.as_str())?)));
    let stickers = stickers.collect();
    let packs = groups.into_iter().map(|group| group.identifier).collect();
    Ok(Some(LaidOut { packs, files, stickers }))
}

const TRAY_FILE: &str = "tray.png";

/// Stickers of one kind that become one pack.
struct Group<'m, 's> {
    identifier: String,
    animated: bool,
    stickers: Vec<&'m Made<'s>>,
}

fn groups<'m, 's>(
    pack: &Pack<'_>,
    platform: &Platform,
    made: &'m [Made<'s>],
    findings: &mut Vec<Finding>,
) -> Vec<Group<'m, 's>> {
    let project = &pack.surveyed.project;
    let path = project.folder.join(PROJECT_FILE);
    let of_kind = |animated: bool| made.iter().filter(|it| it.is_animated() == animated).collect::<Vec<_>>();
    // Those that could not be made count as what their headers say.
    let missing = |animated: bool| {
        let all = project.file.stickers.iter().zip(&pack.surveyed.artworks);
        let is_missing = |name: &str| made.iter().all(|it| it.sticker.name != name);
        all.filter(|(it, artwork)| is_missing(&it.name) && (artwork.frames() > 1) == animated).count()
    };
    let kinds = [(false, &platform.still), (true, &platform.animated)]
        .map(|(animated, kind)| (animated, kind, of_kind(animated), missing(animated)));
    let is_mixed = kinds.iter().all(|(_, _, stickers, missing)| stickers.len() + missing > 0);
    let mut groups = Vec::new();
    for (animated, kind, stickers, missing) in kinds {
        let count = stickers.len() + missing;
        let Range { min, max } = kind.stickers.is.range();
        if (1..min as usize).contains(&count) {
            let what = if animated { "animated" } else { "still" };
            let message =
                format!("{} takes {min} to {max} {what} stickers in a pack; here are {count}", platform.name);
            let hint = format!("add stickers of this kind, or take them out ({})", kind.stickers.stated());
            findings.push(Finding::error(code(platform.id, Rule::StickerCount), &path, message, hint));
        }
        let base = if animated && is_mixed {
            format!("{}-animated", project.slug)
        } else {
            project.slug.to_string()
        };
        for (number, stickers) in (1..).zip(evenly(&stickers, max as usize)) {
            let identifier = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            groups.push(Group { identifier, animated, stickers });
        }
    }
    // Of packs that lack stickers there is nothing to say yet.
    if groups.len() > 1 && made.len() == project.file.stickers.len() {
        let shown = groups.iter().map(|group| {
            let what = if group.animated { "animated" } else { "still" };
            format!("`{}` of {} {what}", group.identifier, group.stickers.len())
        });
        let message = format!("it becomes {} packs: {}", groups.len(), shown.collect::<Vec<_>>().join(", "));
        let hint = format!("nothing has to be done ({})", platform.mixed.stated());
        findings.push(Finding::note(code(platform.id, Rule::Split), &path, message, hint));
    }
    groups
}

/// In order, in as few parts of at most `max` as there can be, whose lengths differ by one at most.
fn evenly<T: Copy>(all: &[T], max: usize) -> Vec<Vec<T>> {
    let parts = all.len().div_ceil(max.max(1));
    let ends = (0..=parts).map(|part| all.len() * part / parts.max(1));
    let ends: Vec<_> = ends.collect();
    ends.windows(2)
        .filter_map(|pair| if let [from, to] = pair { all.get(*from..*to) } else { None })
        .map(<[T]>::to_vec)
        .collect()
}

/// The pack's title, with the number of all packs but the first where there is room.
fn numbered(title: &str, number: usize, platform: &Platform) -> String {
    let numbered = format!("{title} {number}");
    let most = platform.title_chars.as_ref().map_or(usize::MAX, |limit| limit.is as usize);
    if number == 1 || numbered.encode_utf16().count() > most { title.to_owned() } else { numbered }
}

/// The picture that stands for the packs, a PNG.
fn tray(pack: &Pack<'_>, platform: &Platform, findings: &mut Vec<Finding>) -> Result<Option<Vec<u8>>, Error> {
    let Some(icon) = &platform.icon else { return Ok(None) };
    let Some(picture) = pack.cover(icon.is.width, icon.is.height, findings)? else { return Ok(None) };
    let file = encode::png(&picture, Effort::Default)?.file;
    let Icon { width, height, max_bytes } = icon.is;
    pack.check_cover(platform, icon, (width, height), (file.len(), max_bytes), findings);
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::platforms::{PlatformId, platform};

    #[test]
    fn no_pack_is_too_small_however_many_stickers_there_are() {
        let Range { min, max } = platform(PlatformId::WhatsApp).still.stickers.is.range();
        for count in min..200 {
            let all: Vec<_> = (0..count).collect();
            let parts = evenly(&all, max as usize);
            assert_eq!(parts.concat(), all);
            assert!(parts.iter().all(|it| (min..=max).contains(&it.len().try_into().unwrap())), "{count}");
        }
        assert_eq!(evenly(&[0; 31], 30).iter().map(Vec::len).collect::<Vec<_>>(), [15, 16]);
        assert!(evenly::<u8>(&[], 30).is_empty());
    }

    #[test]
    fn a_second_pack_has_its_number_in_its_name_where_there_is_room() {
        let whatsapp = platform(PlatformId::WhatsApp);
        assert_eq!(numbered("Mochi", 1, whatsapp), "Mochi");
        assert_eq!(numbered("Mochi", 2, whatsapp), "Mochi 2");
        let long = "모".repeat(127);
        assert_eq!(numbered(&long, 2, whatsapp), long);
    }
}
