//! SVG: drawn at each density rather than resized. Shapes, gradients and filters; no scripts, nothing from outside, no text.

mod cost;
mod paint;
mod vet;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::Header;
use super::refused::{Refused, check_size};
use crate::error::Error;
use crate::picture::Picture;

/// A drawing without a size of its own in px.
#[derive(Debug)]
pub(crate) struct Vector {
    tree: Tree,
}

/// The longer side of the master in px: enough for every density.
const LONGER_SIDE: f32 = 1024.0;
/// More than artwork has, and less than a bomb: 4 MiB.
const MAX_BYTES: usize = 4 << 20;

/// The size of the master.
pub(super) fn survey(file: &[u8]) -> Result<Header, Refused> {
    let (width, height) = decode(file)?.size();
    check_size(width, height, 1)?;
    Ok(Header::still(width, height))
}

/// Parses and checks; draws nothing yet.
pub(super) fn decode(file: &[u8]) -> Result<Vector, Refused> {
    if file.len() > MAX_BYTES {
        let message = format!("it has {} bytes", file.len());
        return Err(Refused::new("svg_too_complex", message, SIMPLIFY));
    }
    let text = std::str::from_utf8(file).map_err(|error| Refused::damaged(&error))?;
    let text = vet::without_document_type(text);
    let document = vet::parse(&text)?;
    vet::check(&document)?;
    cost::check(&document)?;
    let options = Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    let tree = Tree::from_xmltree(&document, &options).map_err(|error| Refused::damaged(&error))?;
    paint::check(&tree, LONGER_SIDE)?;
    Ok(Vector { tree })
}

impl Vector {
    /// Of the master in px.
    fn size(&self) -> (u32, u32) {
        let size = self.tree.size();
        let scale = LONGER_SIDE / size.width().max(size.height());
        (whole(size.width() * scale), whole(size.height() * scale))
    }

    /// As large as it fits into `width` x `height` px, in the middle, transparent around it.
    pub(crate) fn render(&self, width: u32, height: u32) -> Result<Picture, Error> {
        let refused = || Error::internal(std::io::Error::other("a drawing of no size"));
        let mut pixmap = Pixmap::new(width, height).ok_or_else(refused)?;
        let size = self.tree.size();
        #[expect(clippy::cast_precision_loss, reason = "sides of pictures, far below 2^23")]
        let (across, down) = (width as f32, height as f32);
        let scale = (across / size.width()).min(down / size.height());
        let left = (across - size.width() * scale) / 2.0;
        let top = (down - size.height() * scale) / 2.0;
        let place = Transform::from_row(scale, 0.0, 0.0, scale, left, top);
        resvg::render(&self.tree, place, &mut pixmap.as_mut());
        let straight = pixmap.pixels().iter().flat_map(|pixel| {
            let pixel = pixel.demultiply();
            [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]
        });
        Ok(Picture { width, height, rgba: straight.collect() })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1024, at least 1")]
fn whole(side: f32) -> u32 {
    side.round().max(1.0) as u32
}

/// What helps where a drawing is too much work.
const SIMPLIFY: &str = "simplify the drawing, or export it as PNG of 1024 x 1024 px";

#[cfg(test)]
mod tests;
