//! How large a drawing becomes once every reference is followed, counted before anything is expanded: ten `use` of ten `use` and
//! so on are 10^11 elements in a few lines.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};
use simplecss::{AttributeOperator, Declaration, DeclarationTokenizer, Element, PseudoClass, StyleSheet};

use super::SIMPLIFY;
use crate::artwork::refused::Refused;

/// Elements after expansion; a detailed sticker has a few thousand.
const MAX_ELEMENTS: u64 = 50_000;
/// Bytes of attributes after expansion.
const MAX_BYTES: u64 = 16 << 20;
/// Elements within elements, references followed.
const MAX_DEPTH: usize = 48;
/// Style rules, each selector of a list counted.
const MAX_RULES: usize = 1000;
/// Style rules times elements, each of which is matched against each.
const MAX_MATCHES: u64 = 1_000_000;

/// Refuses what would expand beyond the limits, or refers to itself.
pub(super) fn check(document: &Document<'_>) -> Result<(), Refused> {
    let styles = document.descendants().filter(|node| node.tag_name().name() == "style");
    let styles: Vec<&str> = styles.flat_map(|style| style.children()).filter_map(|it| it.text()).collect();
    // Counted before they are parsed, which takes longer than their number.
    let blocks = styles.iter().map(|text| text.matches(['{', ',']).count()).sum::<usize>();
    if blocks > MAX_RULES {
        return Err(too_complex(format!("it has {blocks} style rules")));
    }
    let mut sheet = StyleSheet::new();
    for text in styles {
        sheet.parse_more(text);
    }
    let elements = document.descendants().filter(Node::is_element).count() as u64;
    let rules = sheet.rules.len() as u64;
    if elements * rules > MAX_MATCHES {
        return Err(too_complex(format!("it has {rules} style rules for {elements} elements")));
    }
    let mut ids: HashMap<&str, Vec<Node<'_, '_>>> = HashMap::new();
    for node in document.descendants() {
        if let Some(id) = node.attribute("id") {
            ids.entry(id).or_default().push(node);
        }
    }
    let mut walk = Walk { ids, sheet, known: HashMap::new() };
    let size = walk.size(document.root_element(), 0)?;
    if size.elements > MAX_ELEMENTS || size.bytes > MAX_BYTES || size.elements * rules > MAX_MATCHES {
        return Err(too_complex(format!("it has {} elements once references are followed", size.elements)));
    }
    Ok(())
}

fn too_complex(message: impl Into<String>) -> Refused {
    Refused::new("svg_too_complex", message, SIMPLIFY)
}

/// What an element is with all that it holds and refers to.
#[derive(Clone, Copy, Default)]
struct Size {
    elements: u64,
    bytes: u64,
    depth: usize,
}

impl Size {
    fn add(&mut self, other: Self, times: u64) {
        self.elements = self.elements.saturating_add(other.elements.saturating_mul(times));
        self.bytes = self.bytes.saturating_add(other.bytes.saturating_mul(times));
        self.depth = self.depth.max(other.depth + 1);
    }
}

struct Walk<'a, 'input> {
    ids: HashMap<&'a str, Vec<Node<'a, 'input>>>,
    sheet: StyleSheet<'a>,
    /// `None` while it is being looked at.
    known: HashMap<NodeId, Option<Size>>,
}

impl<'a, 'input> Walk<'a, 'input> {
    fn size(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<Size, Refused> {
        match self.known.get(&node.id()) {
            Some(Some(size)) if size.depth + depth <= MAX_DEPTH => return Ok(*size),
            Some(None) => return Err(too_complex("it refers to itself")),
            Some(Some(_)) => return Err(too_deep()),
            None if depth > MAX_DEPTH => return Err(too_deep()),
            None => {}
        }
        self.known.insert(node.id(), None);
        let bytes = node.attributes().map(|it| it.value().len() as u64).sum();
        let mut size = Size { elements: 1, bytes, depth: 0 };
        for child in node.children().filter(Node::is_element) {
            size.add(self.size(child, depth + 1)?, 1);
        }
        let inside = size.elements;
        for (property, id) in self.references(node) {
            // Paint is handed down to every shape inside.
            let times = if matches!(property, "fill" | "stroke") { inside } else { 1 };
            for target in self.ids.get(id).cloned().unwrap_or_default() {
                size.add(self.size(target, depth + 1)?, times);
            }
        }
        self.known.insert(node.id(), Some(size));
        Ok(size)
    }

    /// Property or attribute, and the id that it names: in attributes, in `style`, and in style rules.
    fn references(&self, node: Node<'a, 'input>) -> Vec<(&'a str, &'a str)> {
        let mut found = Vec::new();
        for attribute in node.attributes() {
            let value = attribute_text(node, attribute.name());
            match attribute.name() {
                "href" => found.extend(value.trim().strip_prefix('#').map(|id| ("href", id))),
                "style" => DeclarationTokenizer::from(value).for_each(|it| found.extend(named(&it))),
                name => found.extend(ids_in(value).map(|id| (known_name(name), id))),
            }
        }
        for rule in self.sheet.rules.iter().filter(|rule| rule.selector.matches(&Matched(node))) {
            rule.declarations.iter().for_each(|it| found.extend(named(it)));
        }
        found
    }
}

fn too_deep() -> Refused {
    too_complex(format!("its elements lie more than {MAX_DEPTH} deep within each other"))
}

/// The value, borrowed from the document.
fn attribute_text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute_node(name).map(|it| it.value()).unwrap_or_default()
}

fn named<'a>(declaration: &Declaration<'a>) -> Vec<(&'a str, &'a str)> {
    ids_in(declaration.value).map(|id| (declaration.name, id)).collect()
}

/// Paint by name, and everything else as one.
fn known_name(name: &str) -> &'static str {
    match name {
        "fill" => "fill",
        "stroke" => "stroke",
        _ => "other",
    }
}

/// The ids in `url(#id)`, however quoted.
fn ids_in(value: &str) -> impl Iterator<Item = &str> {
    let is_around = |letter: char| letter.is_whitespace() || letter == '\'' || letter == '"';
    value
        .split("url(")
        .skip(1)
        .filter_map(move |rest| rest.split(')').next()?.trim_matches(is_around).strip_prefix('#'))
}

/// An element as style rules see it.
struct Matched<'a, 'input>(Node<'a, 'input>);

impl Element for Matched<'_, '_> {
    fn parent_element(&self) -> Option<Self> {
        self.0.parent_element().map(Matched)
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.0.prev_sibling_element().map(Matched)
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.0.tag_name().name() == name
    }

    fn attribute_matches(&self, name: &str, operator: AttributeOperator<'_>) -> bool {
        self.0.attribute(name).is_some_and(|value| operator.matches(value))
    }

    fn pseudo_class_matches(&self, class: PseudoClass<'_>) -> bool {
        matches!(class, PseudoClass::FirstChild) && self.0.prev_sibling_element().is_none()
    }
}
