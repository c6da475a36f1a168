//! What a drawing may not hold: anything that runs, moves, is read from elsewhere or needs fonts.

use std::borrow::Cow;

use resvg::usvg::roxmltree::{self, Attribute, Document, Node, ParsingOptions};

use super::SIMPLIFY;
use crate::artwork::refused::Refused;

/// Elements, texts and comments of a file.
const MAX_NODES: u32 = 200_000;

/// The text with blanks in place of a document type that only names one, as drawing programs write it: nothing of it is read. One
/// that holds declarations stays, and is refused by [`parse`].
pub(super) fn without_document_type(text: &str) -> Cow<'_, str> {
    let Some((start, end)) = document_type(text) else { return Cow::Borrowed(text) };
    let (Some(before), Some(within), Some(after)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return Cow::Borrowed(text);
    };
    // As many lines as before, since the parser tells where something is wrong.
    let blank: String = within.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }).collect();
    Cow::Owned([before, &blank, after].concat())
}

/// Where a document type without declarations stands, which only comments and instructions precede.
fn document_type(text: &str) -> Option<(usize, usize)> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while !rest.starts_with("<!DOCTYPE") {
        let (_, after) = match rest.strip_prefix("<!--") {
            Some(comment) => comment.split_once("-->")?,
            None => rest.strip_prefix("<?")?.split_once("?>")?,
        };
        rest = after.trim_start();
    }
    let start = text.len() - rest.len();
    let mut quote = None;
    for (at, letter) in rest.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[') => return None,
            (None, '>') => return Some((start, start + at + 1)),
            (Some(open), letter) if letter == open => quote = None,
            _ => {}
        }
    }
    None
}

/// Reads the XML. A document type is refused: it is where entities come from.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Refused> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => Refused::new(
            "svg_unsafe",
            "it has a document type with declarations, which may bring entities along",
            "delete all from <!DOCTYPE to ]>, or export it without the program's own data",
        ),
        roxmltree::Error::NodesLimitReached => {
            Refused::new("svg_too_complex", format!("it has more than {MAX_NODES} nodes"), SIMPLIFY)
        }
        error => Refused::damaged(&error),
    })
}

/// Looks at every element and attribute; the first that is not allowed is told.
pub(super) fn check(document: &Document<'_>) -> Result<(), Refused> {
    let root = document.root_element();
    if !root.has_tag_name((SVG, "svg")) {
        let message = format!("it is an XML file of another kind: `{}`", root.tag_name().name());
        return Err(Refused::new("not_artwork", message, "export it as SVG with its namespace, or as PNG"));
    }
    for node in document.descendants() {
        if let Some(instruction) = node.pi()
            && instruction.target == "xml-stylesheet"
        {
            return Err(external("a style sheet"));
        }
        if node.is_element() {
            element(node)?;
            node.attributes().try_for_each(|it| attribute(node, &it))?;
        }
        if node.is_element() && node.tag_name().name() == "style" {
            node.children().filter_map(|it| it.text()).try_for_each(style)?;
        }
    }
    Ok(())
}

const SVG: &str = "http://www.w3.org/2000/svg";

fn element(node: Node<'_, '_>) -> Result<(), Refused> {
    if is_skipped(node) {
        return Ok(());
    }
    let name = node.tag_name().name();
    let refuse =
        |code, what: &str, hint: &str| Err(Refused::new(code, format!("it has {what} (`<{name}>`)"), hint));
    match name {
        "script" | "handler" | "listener" => refuse("svg_unsafe", "a script", "export it without scripts"),
        "image" | "feImage" => refuse(
            "svg_unsupported",
            "a picture inside",
            "trace or remove the picture, or export the whole drawing as PNG",
        ),
        "foreignObject" | "iframe" | "object" | "embed" | "audio" | "video" | "canvas" => refuse(
            "svg_unsafe",
            "something that is not SVG",
            "export it for the web, without the program's own data",
        ),
        "text" | "tspan" | "textPath" | "tref" | "font" | "font-face" | "flowRoot" => refuse(
            "svg_unsupported",
            "text, which looks different where the font is missing",
            "convert text to outlines",
        ),
        "animate" | "animateTransform" | "animateMotion" | "animateColor" | "set" | "discard" => refuse(
            "svg_unsupported",
            "an animation",
            "export the frames as a folder of numbered PNGs, or as APNG or animated WebP",
        ),
        "marker" => refuse("svg_unsupported", "markers", "convert arrowheads and other markers to outlines"),
        "feTurbulence" | "feConvolveMatrix" | "feMorphology" | "feDiffuseLighting" | "feSpecularLighting"
        | "feDisplacementMap" => refuse(
            "svg_unsupported",
            "a filter that takes long to draw",
            "flatten the effect, or export the drawing as PNG",
        ),
        _ => Ok(()),
    }
}

/// Whether it is an alternative of a `switch` for another program, in place of which the next one is drawn. Its content is looked at
/// like any other.
fn is_skipped(node: Node<'_, '_>) -> bool {
    let is_alternative = node.parent_element().is_some_and(|it| it.has_tag_name((SVG, "switch")));
    is_alternative && node.has_tag_name((SVG, "foreignObject")) && node.has_attribute("requiredExtensions")
}

/// The presentation attributes whose value may be an address.
const MAY_REFER: [&str; 13] = [
    "clip-path",
    "color-profile",
    "cursor",
    "fill",
    "filter",
    "marker",
    "marker-end",
    "marker-mid",
    "marker-start",
    "mask",
    "mask-image",
    "stroke",
    "style",
];

fn attribute(node: Node<'_, '_>, attribute: &Attribute<'_, '_>) -> Result<(), Refused> {
    let (name, value) = (attribute.name(), attribute.value());
    let is_own = attribute.namespace().is_none();
    if is_own && name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("on")) {
        let message = format!("it has a script (`{name}`)");
        return Err(Refused::new("svg_unsafe", message, "export it without scripts"));
    }
    let is_link = (is_own && matches!(name, "href" | "src" | "xml:base")) || name == "href" || name == "base";
    // Nothing is fetched for the sake of a link that one may click on.
    let is_clicked = name == "href" && node.has_tag_name((SVG, "a"));
    if is_link && !is_clicked && !value.trim_start().starts_with('#') {
        return Err(external(value));
    }
    if is_own && MAY_REFER.contains(&name) { style(value) } else { Ok(()) }
}

/// What CSS, or an attribute whose value is some, may not hold.
fn style(css: &str) -> Result<(), Refused> {
    let lower = css.to_ascii_lowercase();
    if lower.contains("@import") {
        return Err(external("@import"));
    }
    if lower.contains("@keyframes") {
        let hint = "export the frames as a folder of numbered PNGs, or as APNG or animated WebP";
        return Err(Refused::new("svg_unsupported", "it has an animation (`@keyframes`)", hint));
    }
    // A backslash could spell the same in another way.
    for address in lower.split("url(").skip(1).chain(lower.split('\\').skip(1)) {
        let address =
            address.trim_start_matches(|letter: char| letter.is_whitespace() || "'\"".contains(letter));
        if !address.starts_with('#') {
            return Err(external(address));
        }
    }
    Ok(())
}

fn external(what: &str) -> Refused {
    let what: String = what.chars().take(40).collect();
    let hint = "embed or remove it: only the file itself is read";
    Refused::new("svg_unsafe", format!("it refers to something outside the file ({what})"), hint)
}
