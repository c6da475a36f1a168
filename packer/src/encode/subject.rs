//! A picture that is coded in several ways, and scored, without doing anything twice.

use std::collections::HashSet;

use sticker_protocol::ImageFormat;
use sticker_protocol::release::Coding;

use super::webp::{self, Lossy};
use super::{Coded, Effort, Quality};
use crate::error::Error;
use crate::picture::{self, Picture};
use crate::score::Reference;

/// How WebP pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// The lossy coder at this quality of colours and of alpha; lossless where the picture has so few colours that this is smaller.
    Lossy(f32, u8),
    /// The lossless coder on colours of which low bits may change: libwebp's level, 100 for none.
    Near(u8),
}

/// Without a search, for a picture that stands for all that are coded so.
pub(crate) fn fixed(quality: Quality, picture: Option<&Picture>) -> Choice {
    let alpha = if picture.is_none_or(is_soft) { LESS_ALPHA } else { FEW_ALPHA };
    // Whole, as every quality that is searched for: a recipe says it in a byte.
    if quality == Quality::Lossless {
        Choice::Near(100)
    } else {
        Choice::Lossy(quality.usual().round(), alpha)
    }
}

/// 48 levels of alpha: for shadows and glows.
pub(super) const LESS_ALPHA: u8 = 74;
/// 16 levels: enough for edges, which are one or two pixels wide.
pub(super) const FEW_ALPHA: u8 = 70;

/// A picture that may be coded several times.
pub(crate) struct Subject<'a> {
    pub(super) picture: &'a Picture,
    pub(super) effort: Effort,
    lossy: Option<Lossy>,
    reference: Option<Reference>,
    /// Coded without loss, where the picture has few colours.
    flat: Flat,
    /// What was scored already.
    scored: Vec<(Choice, Coded)>,
}

/// Whether a picture has few colours, and what it comes to without loss then.
enum Flat {
    Unknown,
    No,
    Yes(Vec<u8>),
}

impl<'a> Subject<'a> {
    pub(crate) fn new(picture: &'a Picture, effort: Effort) -> Self {
        Self { picture, effort, lossy: None, reference: None, flat: Flat::Unknown, scored: Vec::new() }
    }

    /// Codes without looking at the result.
    pub(crate) fn code(&mut self, choice: Choice) -> Result<Coded, Error> {
        let (file, coding) = match choice {
            Choice::Near(near) => (
                webp::lossless(self.picture, near, self.effort.lossless_method())?,
                Coding::Lossless { near },
            ),
            Choice::Lossy(quality, alpha) => {
                let file = self.lossy(quality, alpha)?;
                match self.flat()? {
                    Some(flat) if flat.len() <= file.len() => (flat.clone(), Coding::Lossless { near: 100 }),
                    _ => (file, Coding::Lossy { quality: whole(quality), alpha }),
                }
            }
        };
        Ok(Coded { file, score: (coding == Coding::Lossless { near: 100 }).then_some(100.0), coding })
    }

    /// Codes and scores; stops scoring at the first ground on which it is below `target`.
    pub(crate) fn scored(&mut self, choice: Choice, target: f64) -> Result<Coded, Error> {
        if let Some((_, coded)) = self.scored.iter().find(|(tried, _)| *tried == choice) {
            return Ok(coded.clone());
        }
        let coded = self.code(choice)?;
        let score = if coded.score.is_some() { coded.score } else { Some(self.score(&coded.file, target)?) };
        let coded = Coded { score, ..coded };
        self.scored.push((choice, coded.clone()));
        Ok(coded)
    }

    /// Codes as was right for the samples, and looks closer where the error is beyond `usual`: then the quality rises until it is
    /// enough. Errors as [`Self::error_of`] gives them.
    pub(crate) fn enough(&mut self, choice: Choice, target: f64, usual: f64) -> Result<Coded, Error> {
        if let Some((_, coded)) = self.scored.iter().find(|(tried, _)| *tried == choice) {
            return Ok(coded.clone());
        }
        let coded = self.code(choice)?;
        if coded.score.is_some() || self.error_of(&coded.file)? <= usual {
            return Ok(coded);
        }
        let mut next = choice;
        for _ in 0..MORE_TRIES {
            let coded = self.scored(next, target)?;
            if coded.score.is_some_and(|score| score >= target) {
                return Ok(coded);
            }
            next = match next {
                Choice::Lossy(quality, _) if quality < 95.0 => Choice::Lossy(quality + 5.0, 100),
                _ => Choice::Near(100),
            };
        }
        self.code(Choice::Near(100))
    }

    /// The mean square error of visible colour and of alpha: cheap, and comparable among the frames of one sticker.
    pub(crate) fn error_of(&self, file: &[u8]) -> Result<f64, Error> {
        let decoded = picture::decode(file, ImageFormat::WebP).map_err(Error::internal)?;
        let pairs = self.picture.rgba.as_chunks::<4>().0.iter().zip(decoded.rgba.as_chunks::<4>().0);
        let (mut sum, mut weight) = (0_u64, 1_u64);
        for (&[red, green, blue, alpha], &[r, g, b, a]) in pairs {
            let square = |one: u8, other: u8| u64::from(one.abs_diff(other)).pow(2);
            sum += (square(red, r) + square(green, g) + square(blue, b)) * u64::from(alpha);
            sum += square(alpha, a) * 255;
            weight += u64::from(alpha);
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio of sums far below 2^52")]
        Ok(sum as f64 / weight as f64)
    }

    fn score(&mut self, file: &[u8], target: f64) -> Result<f64, Error> {
        let decoded = picture::decode(file, ImageFormat::WebP).map_err(Error::internal)?;
        if self.reference.is_none() {
            self.reference = Some(Reference::new(self.picture)?);
        }
        let mut lowest = 100.0_f64;
        for ground in 0..self.reference.as_ref().map_or(0, Reference::grounds) {
            let Some(reference) = &self.reference else { break };
            lowest = lowest.min(reference.score_on(ground, &decoded)?);
            if lowest < target {
                break;
            }
        }
        Ok(lowest)
    }

    fn lossy(&mut self, quality: f32, alpha: u8) -> Result<Vec<u8>, Error> {
        if self.lossy.is_none() {
            self.lossy = Some(coder(self.picture, self.effort)?);
        }
        self.lossy.as_mut().map_or_else(|| Ok(Vec::new()), |lossy| lossy.encode(quality, alpha))
    }

    fn flat(&mut self) -> Result<Option<&Vec<u8>>, Error> {
        if matches!(self.flat, Flat::Unknown) {
            self.flat = if is_flat(self.picture) {
                Flat::Yes(webp::lossless(self.picture, 100, self.effort.lossless_method())?)
            } else {
                Flat::No
            };
        }
        Ok(if let Flat::Yes(file) = &self.flat { Some(file) } else { None })
    }
}

/// Codes with loss, once.
pub(super) fn lossy(picture: &Picture, quality: f32, alpha: u8, effort: Effort) -> Result<Vec<u8>, Error> {
    coder(picture, effort)?.encode(quality, alpha)
}

fn coder(picture: &Picture, effort: Effort) -> Result<Lossy, Error> {
    Lossy::new(picture, effort != Effort::Fast, effort.lossy_method())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 100")]
fn whole(quality: f32) -> u8 {
    quality.round().clamp(0.0, 100.0) as u8
}

/// At most one colour for 64 pixels. Of 350 pictures that were measured (gradients, flat art, photos, at four densities), lossless
/// was smaller for those with up to one in 300; above one in 64 it took at least half as much again as lossy.
fn is_flat(picture: &Picture) -> bool {
    let most = picture.rgba.len() / 4 / 64;
    let mut colours: HashSet<[u8; 4]> = HashSet::with_capacity(most.min(1 << 12));
    picture.rgba.as_chunks::<4>().0.chunk_by(|one, next| one == next).all(|run| {
        colours.extend(run.first());
        colours.len() <= most
    })
}

/// Whether a part of the picture fades, in a shadow or a glow: of what is half transparent, more than a twentieth has nothing else
/// around it. Few levels of alpha show there as bands.
pub(super) fn is_soft(picture: &Picture) -> bool {
    let pixels = picture.rgba.as_chunks::<4>().0;
    let half = |pixel: Option<&[u8; 4]>| pixel.is_some_and(|it| (4..252).contains(&it[3]));
    let width = picture.width as usize;
    let (mut partly, mut inside) = (0_usize, 0_usize);
    for at in (0..pixels.len()).filter(|&at| half(pixels.get(at))) {
        partly += 1;
        let around = [at.checked_sub(width), at.checked_sub(1), Some(at + 1), Some(at + width)];
        inside += usize::from(around.iter().all(|near| half(near.and_then(|near| pixels.get(near)))));
    }
    inside * 20 > partly
}

/// How often a frame that came out worse than the samples is tried at a higher quality.
const MORE_TRIES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(edge: f64) -> Picture {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
        let alpha = |x: i32, y: i32| {
            let from_rim = f64::from((x - 32).pow(2) + (y - 32).pow(2)).sqrt() - 20.0;
            ((0.5 - from_rim / edge).clamp(0.0, 1.0) * 255.0) as u8
        };
        let rgba = (0..64).flat_map(|y| (0..64).flat_map(move |x| [200, 30, 90, alpha(x, y)])).collect();
        Picture { width: 64, height: 64, rgba }
    }

    #[test]
    fn a_glow_is_soft_and_an_edge_is_not() {
        assert!(!is_soft(&disc(1.0)));
        assert!(is_soft(&disc(12.0)));
    }
}
