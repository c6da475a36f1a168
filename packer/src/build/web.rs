//! Pictures for store pages.

use sticker_protocol::Density;

use crate::artwork;
use crate::check::Surveyed;
use crate::encode;
use crate::error::Error;
use crate::finding::Finding;
use crate::picture::Picture;
use crate::resize::Linear;

/// Posters and previews are this dense: 320 px for the usual canvas, which a page shows at 110 to 160 CSS px.
pub(super) const WEB_DENSITY: Density = Density::clamped(400);
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
pub(super) fn cover(surveyed: &Surveyed) -> Result<(Option<CoverAndIcon>, Vec<Finding>), Error> {
    let mut findings = Vec::new();
    let sticker = surveyed.artworks.first().zip(surveyed.project.file.stickers.first());
    // The sticker's own findings are told where its frames are rendered.
    let sticker = sticker.and_then(|(artwork, sticker)| {
        let poster = artwork.frames.get(sticker.poster.unwrap_or_default() as usize)?;
        artwork::decode(poster, &mut Vec::new())
    });
    let Some(sticker) = sticker.map(Linear::new).transpose()? else { return Ok((None, findings)) };
    let side = ICON_SIDE.min(sticker.source().width.max(sticker.source().height));
    let icon = web_picture(&sticker.fit(side, side)?)?;
    let cover = match &surveyed.cover {
        Some(path) => artwork::decode(path, &mut findings).map(Linear::new).transpose()?,
        None => Some(sticker),
    };
    let Some(cover) = cover else { return Ok((None, findings)) };
    let (width, height) = (cover.source().width, cover.source().height);
    let narrower = width.min(COVER_WIDTH);
    let (narrower, lower) = crate::resize::fitted(width, height, narrower, height);
    let cover = web_picture(&cover.fit(narrower, lower)?)?;
    Ok((Some(CoverAndIcon { cover, icon }), findings))
}

fn web_picture(picture: &Picture) -> Result<WebPicture, Error> {
    let file = encode::smaller_of_lossy_and_lossless(picture)?;
    Ok(WebPicture { width: picture.width, height: picture.height, file })
}
