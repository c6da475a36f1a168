//! What a drawing may not hold: anything that runs, moves, is read from elsewhere or needs fonts.

use resvg::usvg::roxmltree::{self, Attribute, Document, Node, ParsingOptions};

use super::SIMPLIFY;
use crate::artwork::refused::Refused;

/// Elements, texts and comments of a file.
const MAX_NODES: u32 = 200_000;

/// Reads the XML. A document type is refused: it is where entities come from.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Refused> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => Refused::new(
            "svg_unsafe",
            "it has a document type, which may bring entities along",
            "delete the line that begins with <!DOCTYPE",
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
            node.attributes().try_for_each(|it| attribute(&it))?;
        }
        if node.is_element() && node.tag_name().name() == "style" {
            node.children().filter_map(|it| it.text()).try_for_each(style)?;
        }
    }
    Ok(())
}

const SVG: &str = "http://www.w3.org/2000/svg";

fn element(node: Node<'_, '_>) -> Result<(), Refused> {
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

fn attribute(attribute: &Attribute<'_, '_>) -> Result<(), Refused> {
    let (name, value) = (attribute.name(), attribute.value());
    let is_own = attribute.namespace().is_none();
    if is_own && name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("on")) {
        let message = format!("it has a script (`{name}`)");
        return Err(Refused::new("svg_unsafe", message, "export it without scripts"));
    }
    let is_link = (is_own && matches!(name, "href" | "src" | "xml:base")) || name == "href" || name == "base";
    if is_link && !value.trim_start().starts_with('#') {
        return Err(external(value));
    }
    if is_own { style(value) } else { Ok(()) }
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
