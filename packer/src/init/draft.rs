//! A project that nobody has edited yet, as the text of `pack.toml`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sticker_protocol::sticker::is_language_tag;

/// Who makes a pack and in which language, as far as that can be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maker {
    /// The artist's name.
    pub artist: Option<String>,
    /// The locale of titles and alt texts; English where it is not known.
    pub locale: Option<String>,
}

impl Maker {
    /// The locale of a system's name for it: `ko` of `ko_KR.UTF-8`, `zh-Hant` of `zh_TW`; none of `C` and `POSIX`.
    pub fn locale_of(system: &str) -> Option<String> {
        let name = system.split(['.', '@']).next().unwrap_or_default();
        let locale = match name.split_once('_') {
            Some(("zh", "TW" | "HK" | "MO")) => "zh-Hant",
            Some(("zh", _)) => "zh-Hans",
            Some(("pt", "BR")) => "pt-BR",
            Some((language, _)) => language,
            None => name,
        };
        (locale.len() > 1 && locale != "POSIX" && is_language_tag(locale)).then(|| locale.to_owned())
    }

    fn locale(&self) -> &str {
        self.locale.as_deref().unwrap_or("en")
    }
}

/// What is known of a project.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) slug: String,
    /// In the maker's language.
    pub(crate) title: String,
    pub(crate) cover: Option<String>,
    pub(crate) stickers: Vec<DraftSticker>,
}

/// What is known of a sticker.
#[derive(Debug, Default)]
pub(crate) struct DraftSticker {
    pub(crate) name: String,
    /// Relative to the project, with forward slashes.
    pub(crate) file: String,
    pub(crate) emoji: Vec<String>,
    pub(crate) alt: Option<String>,
    /// Whether it is a folder of frames, whose time nobody knows.
    pub(crate) is_folder: bool,
}

impl Draft {
    /// The text of `pack.toml`.
    pub(crate) fn text(&self, maker: &Maker) -> String {
        let locale = maker.locale();
        let artist = maker.artist.as_deref().unwrap_or("Artist");
        let mut text = format!(
            "# What `sticker-packer build` makes a pack from. packer/README.md explains every field.\n\
             slug = {slug}                # stands in addresses; a-z, 0-9 and hyphens\n\
             price_tier = \"free\"           # or a tier of the store, such as \"tier1\"\n\
             tags = []\n\
             copyright = \"\"\n",
            slug = quoted(&self.slug)
        );
        if self.stickers.is_empty() {
            text.push_str("stickers = []\n");
        }
        if let Some(cover) = &self.cover {
            let _ = writeln!(text, "cover = {}", quoted(cover));
        }
        let _ = write!(
            text,
            "\n[titles]                      # by locale: en, ko, ja, ...\n\
             {locale} = {title}\n\n\
             [descriptions]\n\n\
             [artist]\n\
             slug = {artist_slug}\n\
             name = {artist}\n",
            title = quoted(&self.title),
            artist_slug = quoted(&slug_of(artist).unwrap_or_else(|| "artist".to_owned())),
            artist = quoted(artist),
        );
        let mut names = BTreeSet::new();
        for sticker in &self.stickers {
            let name = quoted(&unique(&sticker.name, &mut names));
            let emoji: Vec<_> = sticker.emoji.iter().map(|emoji| quoted(emoji)).collect();
            let file = quoted(&sticker.file);
            let _ = write!(
                text,
                "\n[[stickers]]\nname = {name}\nfile = {file}\nemoji = [{}]\n",
                emoji.join(", ")
            );
            if sticker.is_folder {
                text.push_str(
                    "fps = 20                      # or frame_ms = 50 for each frame; loop = 0 plays for ever\n",
                );
            }
            let _ = match &sticker.alt {
                Some(alt) => writeln!(text, "alt = {{ {locale} = {} }}", quoted(alt)),
                None => writeln!(
                    text,
                    "alt = {{}}                      # what it shows, in words: {{ {locale} = \"waves\" }}"
                ),
            };
        }
        text
    }
}

/// `name`, or with a number where it is taken; from now on taken.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// A name with everything else than letters and digits as single hyphens; none where nothing is left.
pub(crate) fn slug_of(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let words: Vec<_> =
        lower.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(64).collect();
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_name_of_a_locale_becomes_a_language_tag() {
        let known = [
            ("ko_KR.UTF-8", "ko"),
            ("de_DE@euro", "de"),
            ("zh_TW.UTF-8", "zh-Hant"),
            ("zh_CN", "zh-Hans"),
            ("pt_BR.UTF-8", "pt-BR"),
            ("ja", "ja"),
        ];
        for (system, locale) in known {
            assert_eq!(Maker::locale_of(system).as_deref(), Some(locale));
        }
        for nothing in ["C.UTF-8", "POSIX", "", "en US", "../x"] {
            assert_eq!(Maker::locale_of(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut taken = BTreeSet::new();
        let names = ["a", "a", "a-2", "a"].map(|name| unique(name, &mut taken));
        assert_eq!(names, ["a", "a-2", "a-2-2", "a-3"]);
    }
}
