//! The texts in `templates/locales` and the keys that templates ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_bundle::FluentResource;
use sticker_store::i18n::{self, Locale};

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");

/// The key that code asks for, not a template: see `i18n::day`.
const ASKED_BY_CODE: [&str; 1] = ["day"];

#[test]
fn every_language_has_the_same_messages_with_the_same_arguments() {
    let english = messages(Locale::En);
    for locale in Locale::ALL {
        let other = messages(locale);
        let missing: Vec<_> = english.keys().filter(|key| !other.contains_key(*key)).collect();
        let surplus: Vec<_> = other.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{locale}: missing {missing:?}, surplus {surplus:?}"
        );
        for (key, arguments) in &other {
            assert_eq!(arguments, &english[key], "{locale}: arguments of {key}");
        }
    }
}

#[test]
fn every_key_that_a_template_asks_for_exists_with_its_argument() {
    let english = messages(Locale::En);
    for (key, argument, path) in asked() {
        let Some(arguments) = english.get(&key) else { panic!("{}: no text {key:?}", path.display()) };
        let expected: BTreeSet<String> = argument.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(arguments, &expected, "{}: arguments of {key:?}", path.display());
    }
}

#[test]
fn every_message_is_asked_for() {
    let mut asked: BTreeSet<String> = asked().into_iter().map(|(key, ..)| key).collect();
    asked.extend(ASKED_BY_CODE.map(str::to_owned));
    let unused: Vec<_> = messages(Locale::En).into_keys().filter(|key| !asked.contains(key)).collect();
    assert!(unused.is_empty(), "nobody asks for {unused:?}");
}

#[test]
fn every_file_of_the_folder_is_compiled_in_and_without_mistakes() {
    for locale in Locale::ALL {
        let folder = Path::new(TEMPLATES).join("locales").join(locale.tag());
        let mut files: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let compiled: Vec<&str> = i18n::sources(locale).iter().map(|(name, _)| *name).collect();
        assert_eq!(files, compiled, "{locale}");
        for (name, source) in i18n::sources(locale) {
            let parsed = FluentResource::try_new((*source).to_owned());
            assert!(parsed.is_ok(), "{locale}/{name}: {:?}", parsed.err().map(|(_, errors)| errors));
        }
    }
}

#[test]
fn korean_puts_no_particle_after_a_name() {
    // The particle would depend on the last sound of a name that is not known here; 의 is the same after every sound.
    let particles = ["은", "는", "이", "가", "을", "를", "과", "와", "으로", "로", "아", "야"];
    for (name, source) in i18n::sources(Locale::Ko) {
        for line in source.lines() {
            let Some((_, after)) = line.split_once("{ $name }") else { continue };
            let after = after.trim_start_matches(['”', '’', '"', '\'']);
            let found = particles.iter().find(|particle| after.starts_with(**particle));
            assert!(found.is_none(), "{name}: {line}");
        }
    }
}

/// The messages of a language, each with the arguments it uses.
fn messages(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages = BTreeMap::new();
    for (name, source) in i18n::sources(locale) {
        let mut current = None;
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with([' ', '}'])) {
                assert!(
                    messages.insert(key.to_owned(), BTreeSet::new()).is_none(),
                    "{locale}/{name}: two {key}"
                );
                current = Some(key.to_owned());
            }
            let arguments = line.split("{ $").skip(1).filter_map(|rest| rest.split([' ', '}']).next());
            if let Some(key) = &current {
                messages.get_mut(key).unwrap().extend(arguments.map(str::to_owned));
            }
        }
    }
    messages
}

/// The keys that templates ask for, with the argument that the call gives.
fn asked() -> Vec<(String, Option<&'static str>, PathBuf)> {
    let calls = [
        ("layout.text(\"", None),
        ("layout.count(\"", Some("count")),
        ("layout.named(\"", Some("name")),
        ("layout.priced(\"", Some("price")),
    ];
    let mut asked = Vec::new();
    for path in templates(Path::new(TEMPLATES)) {
        let source = fs::read_to_string(&path).unwrap();
        for (call, argument) in calls {
            let keys = source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            asked.extend(keys.map(|key| (key.to_owned(), argument, path.clone())));
        }
    }
    assert!(asked.len() > 50, "the scanner finds too little: {}", asked.len());
    asked
}

fn templates(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(templates(&path));
        } else if path.extension().is_some_and(|extension| extension == "html") {
            found.push(path);
        }
    }
    found
}
