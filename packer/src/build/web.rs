//! Pictures for store pages.

use crate::artwork::{Drawing, Vector};
use crate::check::Surveyed;
use crate::encode::{self, Effort, Quality};
use crate::error::Error;
use crate::finding::Finding;
use crate::picture::Picture;
use crate::poster::poster;
use crate::resize::{Linear, fitted};
use crate::room;

/// The icon's side in px: 32 dp of a keyboard's tab on the densest phones.
const ICON_SIDE: u32 = 96;
/// The cover's largest width in px.
const COVER_WIDTH: u32 = 960;

/// A picture as WebP.
pub(super) struct WebPicture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) file: Vec<u8>,
}

/// The pack's two pictures.
pub(super) struct CoverAndIcon {
    pub(super) cover: WebPicture,
    pub(super) icon: WebPicture,
}

/// From the designer's cover, else from the first sticker; the icon is the first sticker. `None` with a finding that says why.
pub(super) fn cover(
    surveyed: &Surveyed,
    quality: Quality,
) -> Result<(Option<CoverAndIcon>, Vec<Finding>), Error> {
    let mut findings = Vec::new();
    let sticker = surveyed.artworks.first().zip(surveyed.project.file.stickers.first());
    // The sticker's own findings are told where its frames are rendered.
    let sticker = sticker.and_then(|(artwork, sticker)| {
        let which = |pictures: &[Picture]| {
            poster(sticker.poster.map(|named| named as usize), pictures.iter().map(Picture::shows_something))
        };
        Some(Shown::new(artwork.decode(&mut Vec::new())?, (artwork.width, artwork.height), which))
    });
    let Some(sticker) = sticker.transpose()? else { return Ok((None, findings)) };
    let (width, height) = sticker.size;
    let side = ICON_SIDE.min(width.max(height));
    let icon = web_picture(&sticker.fit(side, side)?, quality)?;
    let cover = match &surveyed.cover {
        None => Some(sticker),
        Some(cover) => {
            let drawing = cover.decode(&mut findings);
            drawing.map(|drawing| Shown::new(drawing, (cover.width, cover.height), |_| 0)).transpose()?
        }
    };
    let Some(cover) = cover else { return Ok((None, findings)) };
    let (width, height) = cover.size;
    let (width, height) = fitted(width, height, width.min(COVER_WIDTH), height);
    let cover = web_picture(&cover.fit(width, height)?, quality)?;
    Ok((Some(CoverAndIcon { cover, icon }), findings))
}

/// Pixels that [`cover`] has in memory at once.
pub(super) fn weight(surveyed: &Surveyed) -> u64 {
    // Of what is decoded one picture is kept, in two forms.
    surveyed.artworks.iter().take(1).chain(&surveyed.cover).map(room::decoded).sum()
}

/// One picture of a drawing.
struct Shown {
    source: Source,
    /// Width and height in px of the whole.
    size: (u32, u32),
}

enum Source {
    Pixels(Linear),
    Shapes(Box<Vector>),
}

impl Shown {
    fn new(drawing: Drawing, size: (u32, u32), which: impl Fn(&[Picture]) -> usize) -> Result<Self, Error> {
        let source = match drawing {
            Drawing::Vector(vector) => Source::Shapes(vector),
            Drawing::Pictures(pictures) => {
                let which = which(&pictures);
                match pictures.into_iter().nth(which) {
                    Some(picture) => Source::Pixels(Linear::new(picture)?),
                    None => return Err(Error::BadInput(Vec::new())),
                }
            }
        };
        Ok(Self { source, size })
    }

    fn fit(&self, width: u32, height: u32) -> Result<Picture, Error> {
        match &self.source {
            Source::Pixels(linear) => linear.fit(width, height),
            Source::Shapes(vector) => vector.render(width, height),
        }
    }
}

fn web_picture(picture: &Picture, quality: Quality) -> Result<WebPicture, Error> {
    let file = encode::plain(picture, quality, Effort::Fast)?;
    Ok(WebPicture { width: picture.width, height: picture.height, file })
}
