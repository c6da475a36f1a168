//! One frame of one sticker, for every density.

use std::path::Path;

use rayon::prelude::*;
use sticker_protocol::Density;
use sticker_protocol::sticker::Rgb;

use super::web::WEB_DENSITY;
use crate::artwork;
use crate::check::Surveyed;
use crate::encode;
use crate::error::Error;
use crate::finding::Finding;
use crate::picture::Picture;
use crate::resize::Linear;

/// One frame to be rendered.
pub(super) struct Work<'a> {
    pub(super) sticker: usize,
    path: &'a Path,
}

/// A frame as files.
pub(super) struct FrameFiles {
    /// In the order of the densities.
    pub(super) variants: Vec<Vec<u8>>,
    /// Lossless, at the native size.
    pub(super) master: Vec<u8>,
    /// For store pages.
    pub(super) web: Vec<u8>,
    /// The mean of the visible pixels; none where nothing is visible.
    pub(super) colour: Option<Rgb>,
}

impl<'a> Work<'a> {
    pub(super) fn all(surveyed: &'a Surveyed) -> Vec<Self> {
        let stickers = surveyed.artworks.iter().enumerate();
        stickers
            .flat_map(|(sticker, artwork)| artwork.frames.iter().map(move |path| Self { sticker, path }))
            .collect()
    }

    pub(super) fn render(&self, surveyed: &Surveyed) -> Result<(Option<FrameFiles>, Vec<Finding>), Error> {
        let mut findings = Vec::new();
        let Some(picture) = artwork::decode(self.path, &mut findings) else { return Ok((None, findings)) };
        let linear = Linear::new(picture)?;
        let canvas = surveyed.project.canvas;
        let fit = |density: Density| linear.fit(density.px(canvas.width_dp), density.px(canvas.height_dp));
        let densities = &surveyed.densities;
        let web = densities.last().map_or(WEB_DENSITY, |&largest| largest.min(WEB_DENSITY));
        let (variants, web) = rayon::join(
            || {
                let encode = |&density: &Density| encode::still(&fit(density)?, encode::format_for(density));
                densities.par_iter().map(encode).collect::<Result<Vec<_>, Error>>()
            },
            || fit(web).and_then(|picture| encode::smaller_of_lossy_and_lossless(&picture)),
        );
        let variants = variants?;
        let source = linear.source();
        // Artwork of exactly a density's size that was stored without loss there is its own master.
        let as_it_is = densities.iter().zip(&variants).find(|&(density, file)| {
            let size = (density.px(canvas.width_dp), density.px(canvas.height_dp));
            size == (source.width, source.height) && encode::is_lossless(file)
        });
        let master = match as_it_is {
            Some((_, file)) => file.clone(),
            None => encode::lossless(source)?,
        };
        let colour = mean_colour(source);
        Ok((Some(FrameFiles { variants, master, web: web?, colour }), findings))
    }
}

/// Weighted by alpha; `None` for a picture that shows nothing.
fn mean_colour(picture: &Picture) -> Option<Rgb> {
    let (mut sums, mut weight) = ([0_u64; 3], 0_u64);
    for &[red, green, blue, alpha] in picture.rgba.as_chunks::<4>().0 {
        weight += u64::from(alpha);
        for (sum, channel) in sums.iter_mut().zip([red, green, blue]) {
            *sum += u64::from(channel) * u64::from(alpha);
        }
    }
    (weight > 0).then(|| Rgb(sums.map(|sum| u8::try_from(sum / weight).unwrap_or(255))))
}
