//! Why each kind of finding matters: one sentence for people who ask what it is to them.

use crate::lint::platforms::PlatformId;

/// The reason of a code; empty for a code that nobody has explained, which a test does not allow.
pub(crate) fn why(code: &str) -> &'static str {
    let of_platform = |platform: PlatformId| code.strip_prefix(platform.name())?.strip_prefix('_');
    match PlatformId::ALL.into_iter().find_map(of_platform) {
        Some(rule) => find(PLATFORM, rule),
        None => find(GENERAL, code),
    }
}

fn find(table: &[(&str, &'static str)], code: &str) -> &'static str {
    table.iter().find(|(known, _)| *known == code).map(|(_, why)| *why).unwrap_or_default()
}

/// By code, sorted.
const GENERAL: &[(&str, &str)] = &[
    (
        "almost_twice",
        "two stickers that look the same take two places in a keyboard and confuse whoever looks for one",
    ),
    ("already_a_project", "an import would give its stickers new names and ids"),
    ("alt_missing", "people who do not see the sticker hear nothing of what was said to them"),
    ("blank", "whoever sends it sends nothing"),
    (
        "blank_first_frame",
        "apps that do not play it, and slow phones while they load it, show the first frame: nothing",
    ),
    ("bundle_over_budget", "the budget is what the pack's phones and networks were promised"),
    (
        "bundle_too_large",
        "phones refuse a bundle above the format's limit, so that none can fill their memory",
    ),
    ("canvas_invalid", "the canvas decides how large every sticker is on a screen"),
    (
        "canvas_too_large",
        "phones refuse pictures above the format's limit, so that none can fill their memory",
    ),
    ("contents_invalid", "the pack's names, emoji and files stand in it"),
    ("contents_too_large", "no sticker app needs as much, so it is most likely another file"),
    ("cut_at_edge", "a straight cut where the picture goes on looks like a mistake on every background"),
    (
        "delay_zero",
        "players disagree about frames of hardly any time: some skip them, most show them for 100 ms",
    ),
    (
        "density_left_out",
        "on sharper screens a smaller picture is enlarged, and looks blurred beside other packs",
    ),
    ("emoji_missing", "keyboards suggest stickers by emoji, so this one is found by scrolling alone"),
    ("empty_margins", "the picture is shown smaller than the place it takes in a chat"),
    ("file_missing", "the sticker has no picture"),
    ("file_too_large", "no sticker needs as much, so it is most likely another file"),
    ("file_unreadable", "the sticker's picture cannot be looked at"),
    ("files_left_out", "a sticker that was left behind is missed once the pack is out"),
    ("flicker", "more than three flashes a second can bring on seizures (WCAG 2.3.1)"),
    ("flicker_red", "more than three flashes of saturated red a second can bring on seizures (WCAG 2.3.1)"),
    ("fps_invalid", "no screen shows an animation at this speed"),
    ("frame_animated", "one frame of an animation is one picture"),
    ("frame_count", "phones decode every frame, and refuse animations above the format's limit"),
    ("frame_missing", "the animation would jump where frames are missing"),
    ("frame_ms_invalid", "no screen shows a frame for this long"),
    (
        "frame_rate_high",
        "most screens show 60 frames a second: what is above costs bytes and battery and is never seen",
    ),
    ("frame_size_differs", "the animation would jump where the size changes"),
    ("frame_too_long", "the format's limit keeps an animation from standing still for ever"),
    ("frame_twice", "two files claim the same place in the animation"),
    ("frame_unnumbered", "a file beside the frames is either forgotten or a frame that is missing"),
    ("icc_profile_unusable", "colours shift where a profile is not applied"),
    (
        "identical_frames",
        "a frame that changes nothing costs work; one frame shown for longer looks the same",
    ),
    ("locale_invalid", "nobody whose phone speaks this language would find the text"),
    ("locale_missing", "people of this language hear another one, or nothing"),
    ("lock_changed", "two releases of one pack with different ids would not know each other's stickers"),
    ("lock_id_twice", "messages that were sent find their sticker by its id"),
    ("lock_invalid", "messages that were sent find their sticker by the ids of this file"),
    ("loop_invalid", "a sticker file cannot hold the number"),
    ("lottie_unsupported", "the packer builds pictures, and does not play programs"),
    ("many_frames", "each frame costs memory and battery on every phone that shows the chat"),
    ("name_twice", "the ids are kept by name, so one of the two would lose its own"),
    ("no_artwork", "there is nothing to make stickers of"),
    ("no_transparency", "it covers the chat's background with a box, which no other sticker does"),
    ("not_a_file", "the sticker has no picture"),
    ("not_artwork", "the sticker has no picture"),
    ("pack_not_chosen", "a project is one pack"),
    ("pack_unknown", "a project is one pack"),
    ("path_outside", "a project that reaches out of its folder cannot be built elsewhere"),
    ("picture_damaged", "a part of the picture would be missing or wrong"),
    (
        "picture_too_large",
        "phones refuse pictures above the format's limit, so that none can fill their memory",
    ),
    ("poster_empty", "stores and phones that play no animations show the poster: almost nothing"),
    ("poster_missing", "stores and phones that play no animations show the poster"),
    ("project_invalid", "what a misspelled field was meant to say would be left out in silence"),
    ("project_missing", "pack.toml says what the pictures cannot: titles, artist, emoji"),
    ("project_not_a_file", "what it says cannot be read"),
    ("project_not_text", "what it says cannot be read"),
    ("project_too_large", "no pack needs as much, so it is most likely another file"),
    ("quite_long", "a chat is read in seconds: few people see the end, and most messengers take no more"),
    ("slug_invalid", "it stands in addresses, which must work everywhere"),
    ("sticker_count", "a pack without stickers is none, and phones refuse bundles above the format's limit"),
    ("sticker_over_budget", "the budget is what the pack's phones and networks were promised"),
    (
        "sticker_too_large",
        "phones refuse a sticker file above the format's limit, so that none can fill their memory",
    ),
    (
        "svg_too_complex",
        "a drawing of such a size takes minutes and most memory to draw, so it is refused before",
    ),
    ("svg_unsafe", "a drawing that runs or fetches something could harm whoever opens or builds it"),
    ("svg_unsupported", "it would be missing from the picture or look different on each machine"),
    ("text_control_character", "nobody sees such a character, and it can garble what stands around it"),
    ("text_empty", "an empty text is shown as an empty place"),
    ("text_small", "letters below 6 dp are a blur on an ordinary screen"),
    ("text_too_long", "the format's limit keeps store pages and phones readable"),
    ("texts_too_long", "the format's limit keeps store pages and phones readable"),
    ("timing_twice", "one of the two would be ignored in silence"),
    ("title_missing", "a store lists packs by title"),
    (
        "too_long",
        "it loops in everybody's chat, is large to download, and no messenger takes more than 10 seconds",
    ),
    ("too_many_frames", "phones decode every frame, and refuse animations above the format's limit"),
    (
        "too_many_pixels",
        "phones refuse animations above the format's limit, so that none can fill their memory",
    ),
    ("too_many_texts", "the format's limit keeps store pages and phones readable"),
    (
        "too_small_on_canvas",
        "beside other stickers it looks lost, and what is drawn small is hard to make out",
    ),
];

/// What is wrong for one messenger, by the code without its name, sorted.
const PLATFORM: &[(&str, &str)] = &[
    ("emoji_count", "the platform finds stickers by the emoji that it was given"),
    ("file_size", "the platform refuses larger files; what is made for it may have to look worse to fit"),
    ("frame_count", "the platform refuses animations with another number of frames"),
    ("frame_rate", "the platform refuses faster animations, so frames have to be left out"),
    ("frame_too_short", "the platform refuses animations with shorter frames"),
    ("icon_too_small", "the picture that stands for the pack would be blurred"),
    ("looks_worse", "everybody sees it in the chat, and a simpler drawing would look better there"),
    ("loops", "the platform wants to know how often an animation plays"),
    ("margin", "the platform wants room around the picture, or it touches what stands beside it"),
    ("mixed", "the platform takes packs of stills or of animations, and none of both"),
    ("needs_ffmpeg", "the platform takes animations as videos, which the machine's ffmpeg makes"),
    ("not_whole_seconds", "the platform refuses animations of another length"),
    ("over_limit", "the platform refuses larger files, and at so low a score everybody sees what is missing"),
    ("shape", "the platform's canvas has another shape, so there is an empty stripe on two sides"),
    ("split", "the platform takes packs of one kind and of a certain size alone"),
    ("sticker_count", "the platform refuses packs of another size"),
    ("text_too_long", "the platform refuses a pack with longer texts"),
    ("too_long", "the platform refuses longer animations"),
    ("too_short", "the platform refuses shorter animations"),
    ("too_small", "the platform wants more pixels than were drawn, so the picture is enlarged and blurred"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::lint::codes;

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    fn of_others() -> Vec<PathBuf> {
        let mut sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        sources.retain(|path| !path.ends_with("finding/why.rs"));
        sources
    }

    /// Every text that follows one of [`TELLERS`] as the first argument, with its file.
    fn codes_in_the_sources() -> BTreeSet<(String, PathBuf)> {
        let mut found = BTreeSet::new();
        for path in of_others() {
            let source = fs::read_to_string(&path).unwrap();
            for teller in TELLERS {
                for (at, _) in source.match_indices(teller) {
                    let rest = source[at + teller.len()..].trim_start();
                    let Some(code) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                        continue;
                    };
                    found.insert((code.to_owned(), path.clone()));
                }
            }
        }
        found
    }

    /// What makes a finding, its code first. Add yours when you write another.
    const TELLERS: [&str; 8] = [
        "Finding::error(",
        "Finding::warning(",
        "Finding::note(",
        "Refused::new(",
        "refuse(",
        "unread(",
        "wrong(",
        "wrong)(",
    ];

    #[test]
    fn every_code_has_a_reason() {
        let codes = codes_in_the_sources();
        assert!(codes.len() > 40, "{codes:?}");
        let without: Vec<_> = codes.iter().filter(|(code, _)| why(code).is_empty()).collect();
        assert!(without.is_empty(), "add a reason to GENERAL in finding/why.rs for: {without:#?}");
        let without: Vec<_> = codes::all().into_iter().filter(|code| why(code).is_empty()).collect();
        assert!(without.is_empty(), "add a reason to PLATFORM in finding/why.rs for: {without:#?}");
    }

    #[test]
    fn every_reason_belongs_to_a_code() {
        let text: String = of_others().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let unused = |table: &[(&str, &str)]| -> Vec<String> {
            let unused =
                table.iter().map(|(code, _)| format!("\"{code}\"")).filter(|code| !text.contains(code));
            unused.collect()
        };
        assert_eq!(unused(GENERAL), [""; 0], "take them out of GENERAL in finding/why.rs");
        assert_eq!(unused(PLATFORM), [""; 0], "take them out of PLATFORM in finding/why.rs");
    }

    #[test]
    fn each_reason_stands_once_in_order() {
        for table in [GENERAL, PLATFORM] {
            assert!(table.is_sorted_by(|(one, _), (next, _)| one < next), "sort the codes");
        }
    }
}
