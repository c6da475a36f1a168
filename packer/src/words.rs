//! The texts of `pack.toml`: each within the length that the release format allows, under a key that is a language tag.

use std::collections::BTreeMap;

use sticker_protocol::Slug;
use sticker_protocol::limits::{MAX_EMOJI, MAX_LOCALES, MAX_LONG_TEXT, MAX_SHORT_TEXT};
use sticker_protocol::sticker::is_language_tag;

use crate::project::ProjectFile;

/// Tells `wrong` a code, a message and a hint for each text that a release could not hold.
pub(crate) fn check(file: &ProjectFile, wrong: &mut impl FnMut(&'static str, String, &str)) {
    if file.titles.is_empty() {
        wrong("title_missing", "`titles` is empty".to_owned(), "give at least one, such as en = \"Mochi\"");
    }
    let mut words = Words { wrong };
    words.by_locale("titles", &file.titles, MAX_SHORT_TEXT);
    words.by_locale("descriptions", &file.descriptions, MAX_LONG_TEXT);
    words.text("artist.name", &file.artist.name, 1, MAX_SHORT_TEXT);
    words.text("copyright", &file.copyright, 0, MAX_LONG_TEXT);
    words.text("price_tier", &file.price_tier, 1, Slug::MAX_LENGTH);
    words.list("tags", &file.tags, MAX_LOCALES);
    for sticker in &file.stickers {
        let field = |name| format!("{name} of the sticker `{}`", shortened(&sticker.name));
        words.text("stickers.name", &sticker.name, 1, MAX_SHORT_TEXT);
        words.list(&field("emoji"), &sticker.emoji, MAX_EMOJI);
        words.by_locale(&field("alt"), &sticker.alt, MAX_SHORT_TEXT);
    }
}

struct Words<'a, Wrong> {
    wrong: &'a mut Wrong,
}

impl<Wrong: FnMut(&'static str, String, &str)> Words<'_, Wrong> {
    fn by_locale(&mut self, field: &str, texts: &BTreeMap<String, String>, max: usize) {
        self.count(field, texts.len(), MAX_LOCALES);
        for (locale, text) in texts {
            if !is_language_tag(locale) {
                let message = format!("`{}` in {field} is no language tag", shortened(locale));
                (self.wrong)("locale_invalid", message, "write en, ko, ja, pt-BR or zh-Hant");
            }
            self.text(&format!("{field}.{}", shortened(locale)), text, 1, max);
        }
    }

    fn list(&mut self, field: &str, texts: &[String], most: usize) {
        self.count(field, texts.len(), most);
        for text in texts {
            self.text(field, text, 1, MAX_SHORT_TEXT);
        }
    }

    fn count(&mut self, field: &str, count: usize, most: usize) {
        if count > most {
            (self.wrong)(
                "too_many_texts",
                format!("{field}: {count} are given"),
                &format!("give at most {most}"),
            );
        }
    }

    fn text(&mut self, field: &str, text: &str, min: usize, max: usize) {
        if text.len() < min {
            (self.wrong)(
                "text_empty",
                format!("{field} has an empty text"),
                "write something, or take it out",
            );
        } else if text.len() > max {
            let message = format!("{field} has a text of {} bytes", text.len());
            (self.wrong)("text_too_long", message, &format!("at most {max} bytes fit, in UTF-8"));
        } else if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t')) {
            let message = format!("{field} has a text with control characters");
            (self.wrong)("text_control_character", message, "type the text again instead of pasting it");
        }
    }
}

/// Enough of a text to find it again.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(toml: &str) -> Vec<&'static str> {
        let head = "slug = \"a\"\nartist = { slug = \"a\", name = \"A\" }\n";
        let file: ProjectFile = toml::from_str(&format!("{head}{toml}")).unwrap();
        let mut codes = Vec::new();
        check(&file, &mut |code, _, _| codes.push(code));
        codes
    }

    #[test]
    fn texts_that_a_release_can_hold_are_fine() {
        assert_eq!(codes("titles = { en = \"A\", zh-Hant = \"甲\" }\nstickers = []"), [""; 0]);
    }

    #[test]
    fn every_text_that_a_release_cannot_hold_is_told() {
        let long = "x".repeat(1_001);
        let stickers = format!(
            "[[stickers]]\nname = \"\"\nfile = \"a.png\"\nemoji = [\"{long}\"]\nalt = {{ en = \"\\u0007\" }}"
        );
        let toml = format!("tags = [\"\"]\ntitles = {{ English = \"{long}\" }}\n{stickers}");
        assert_eq!(
            codes(&toml),
            [
                "locale_invalid",
                "text_too_long",
                "text_empty",
                "text_empty",
                "text_too_long",
                "text_control_character"
            ]
        );
    }
}
