//! Languages that some texts of a pack have and others lack.

use std::collections::BTreeSet;
use std::path::Path;

use crate::finding::Finding;
use crate::project::{PROJECT_FILE, ProjectFile};

pub(super) fn check(folder: &Path, file: &ProjectFile, findings: &mut Vec<Finding>) {
    let alts = file.stickers.iter().flat_map(|sticker| sticker.alt.keys());
    let all: BTreeSet<&String> = file.titles.keys().chain(file.descriptions.keys()).chain(alts).collect();
    let lacking = |has: &dyn Fn(&str) -> bool| {
        let lacking: Vec<_> =
            all.iter().filter(|locale| !has(locale)).map(|locale| format!("`{locale}`")).collect();
        (!lacking.is_empty()).then(|| lacking.join(", "))
    };
    let pack = folder.join(PROJECT_FILE);
    if let Some(lacking) = lacking(&|locale| file.titles.contains_key(locale)) {
        let message = format!("there is no title in {lacking}, and other texts are");
        findings.push(Finding::warning("locale_missing", &pack, message, "add it to [titles]"));
    }
    if !file.descriptions.is_empty()
        && let Some(lacking) = lacking(&|locale| file.descriptions.contains_key(locale))
    {
        let message = format!("there is no description in {lacking}, and other texts are");
        findings.push(Finding::warning("locale_missing", &pack, message, "add it to [descriptions]"));
    }
    // A sticker without any alt text was told already.
    for sticker in file.stickers.iter().filter(|sticker| !sticker.alt.is_empty()) {
        if let Some(lacking) = lacking(&|locale| sticker.alt.contains_key(locale)) {
            let message = format!("it has no alt text in {lacking}, and other texts are");
            let hint = format!("add it to the alt of the sticker `{}`", sticker.name);
            let path = folder.join(&sticker.file);
            findings.push(Finding::warning("locale_missing", &path, message, hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::drawn::told;

    fn messages(toml: &str) -> Vec<String> {
        let head = "slug = \"a\"\nartist = { slug = \"a\", name = \"A\" }\n";
        let file: ProjectFile = toml::from_str(&format!("{head}{toml}")).unwrap();
        let findings = told(|path, findings| check(path, &file, findings));
        assert!(findings.iter().all(|finding| finding.code == "locale_missing"));
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn texts_in_the_same_languages_are_fine_and_so_are_none_at_all() {
        assert_eq!(
            messages(
                "titles = { en = \"A\", ko = \"B\" }\n\
                 [[stickers]]\nname = \"a\"\nfile = \"a\"\nalt = { en = \"A\", ko = \"B\" }\n\
                 [[stickers]]\nname = \"b\"\nfile = \"b\"\n"
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_language_that_other_texts_have_is_missed_in_each_text_that_lacks_it() {
        assert_eq!(
            messages(
                "titles = { en = \"A\" }\ndescriptions = { ja = \"B\" }\n\
                 [[stickers]]\nname = \"a\"\nfile = \"a\"\nalt = { en = \"A\", ko = \"B\" }\n"
            ),
            [
                "there is no title in `ja`, `ko`, and other texts are",
                "there is no description in `en`, `ko`, and other texts are",
                "it has no alt text in `ja`, and other texts are"
            ]
        );
    }
}
