//! What the pages are made of.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};
use sticker_store::i18n::{Locale, MISSING};
use sticker_store::web::assets;

use crate::{invented, samples};

/// Renders every sample in every language and hands over the parsed page, with where it comes from.
fn each_page(look: impl Fn(&str, Locale, Node<'_, '_>)) {
    let (first, second) = invented::packs();
    for locale in Locale::ALL {
        for sample in samples::all(locale, &first, &second) {
            let place = format!("{}.{locale}", sample.name);
            let page = sample.html.trim_start().strip_prefix("<!doctype html>");
            let page = page.unwrap_or_else(|| panic!("{place} has no doctype:\n{}", sample.html));
            let page = Document::parse(page)
                .unwrap_or_else(|error| panic!("{place} is not well-formed: {error}\n{}", sample.html));
            look(&place, locale, page.root_element());
        }
    }
}

#[test]
fn every_text_is_there_and_nothing_is_left_unfilled() {
    each_page(|place, _, page| {
        let whole = page.document().input_text();
        for leftover in [MISSING.to_string().as_str(), "{ $", "{{", "{%", "Some(", "None"] {
            assert!(!whole.contains(leftover), "{place} contains {leftover:?}");
        }
        let title = page.descendants().find(|node| node.has_tag_name("title")).unwrap();
        assert!(!title.text().unwrap_or_default().trim().is_empty(), "{place} has an empty title");
    });
}

#[test]
fn every_page_says_its_language() {
    each_page(|place, locale, page| {
        assert_eq!(page.attribute("lang"), Some(locale.tag()), "{place}");
    });
}

#[test]
fn every_page_has_one_heading_of_the_first_level_that_shows() {
    each_page(|place, _, page| {
        let shown =
            page.descendants().filter(|node| node.has_tag_name("h1")).filter(|node| !inside_hidden(*node));
        assert_eq!(shown.count(), 1, "{place}");
    });
}

#[test]
fn the_content_security_policy_stops_nothing() {
    let ours = |address: &str| address.starts_with('/') && !address.starts_with("//");
    each_page(|place, _, page| {
        for node in page.descendants().filter(Node::is_element) {
            let tag = node.tag_name().name();
            assert_ne!(tag, "style", "{place} has an inline style sheet");
            if tag == "script" {
                assert_eq!(node.text().unwrap_or_default(), "", "{place} has an inline script");
            }
            for attribute in node.attributes() {
                let (name, value) = (attribute.name(), attribute.value());
                assert_ne!(name, "style", "{place}: <{tag} style>");
                assert!(!name.starts_with("on"), "{place}: <{tag} {name}>");
                if matches!(name, "src" | "srcset" | "action" | "data-preview") {
                    assert!(ours(value), "{place}: <{tag} {name}={value:?}>");
                }
                if name == "href" {
                    assert!(ours(value) || value.starts_with('#'), "{place}: <{tag} {name}={value:?}>");
                }
            }
        }
    });
}

#[test]
fn every_asset_that_a_page_names_is_served() {
    let served: BTreeSet<&str> = assets::all().iter().map(|asset| asset.url.as_str()).collect();
    each_page(|place, _, page| {
        for attribute in page.descendants().flat_map(|node| node.attributes()) {
            if attribute.value().starts_with("/assets/") {
                assert!(served.contains(attribute.value()), "{place}: {}", attribute.value());
            }
        }
    });
}

#[test]
fn every_picture_has_a_size_and_a_text() {
    each_page(|place, _, page| {
        for image in page.descendants().filter(|node| node.has_tag_name("img")) {
            let has = |name| image.attribute(name).is_some();
            assert!(has("alt") && has("width") && has("height"), "{place}: {:?}", image.attribute("src"));
        }
        for sticker in page.descendants().filter(|node| node.attribute("class") == Some("sticker")) {
            let image = sticker.children().find(|node| node.has_tag_name("img")).unwrap();
            assert_ne!(image.attribute("alt"), Some(""), "{place} has a sticker that nobody can hear");
        }
    });
}

#[test]
fn ids_are_unique_and_whatever_points_to_one_finds_it() {
    each_page(|place, _, page| {
        let mut ids = BTreeSet::new();
        for id in page.descendants().filter_map(|node| node.attribute("id")) {
            assert!(ids.insert(id), "{place} has two elements {id:?}");
        }
        for node in page.descendants() {
            let fragment = node.attribute("href").and_then(|href| href.strip_prefix('#'));
            let targets = ["for", "aria-labelledby", "popovertarget"].map(|name| node.attribute(name));
            for target in targets.into_iter().chain([fragment]).flatten() {
                assert!(ids.contains(target), "{place}: nothing is {target:?}");
            }
        }
    });
}

#[test]
fn what_people_write_is_escaped() {
    each_page(|place, _, page| {
        let strays = ["small", "friends", "quux"];
        let stray = page.descendants().find(|node| {
            node.is_element() && strays.contains(&node.tag_name().name().to_lowercase().as_str())
        });
        assert!(stray.is_none(), "{place} has an element that a designer or reader wrote");
    });
}

fn inside_hidden(node: Node<'_, '_>) -> bool {
    node.ancestors().any(|node| node.attribute("hidden").is_some())
}
