//! One sticker: decoded and linearised once, resized to every density, coded as small as its quality allows.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use sticker_protocol::limits::MAX_FRAME_MS;
use sticker_protocol::release::{CodedImage, Coding};
use sticker_protocol::sticker::{Blend, Dispose, Rgb};
use sticker_protocol::{Density, ImageFormat};

use super::plan::{self, Plan, PlannedImage};
use crate::artwork::{Artwork, Drawing};
use crate::encode::{self, Choice, Coded, Effort, Quality, Subject, choose};
use crate::error::Error;
use crate::finding::Finding;
use crate::picture::Picture;
use crate::poster::poster;
use crate::resize::Linear;
use sticker_protocol::release::Canvas;

/// A sticker as files; how long each frame lasts is not in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rendered {
    /// In the order of the densities.
    pub(super) variants: Vec<Variant>,
    /// Lossless, at the native size.
    pub(super) master: Variant,
    /// A whole still WebP for pages.
    pub(super) poster: Variant,
    /// Which variant pages play, and one made for them where that is not of WebP pictures.
    pub(super) preview: (usize, Option<Variant>),
    /// Which of the frames each frame of the artwork is: frames that follow each other and look the same are one.
    pub(super) frame_of: Vec<u32>,
    /// The mean of each frame's visible pixels; none where nothing is visible.
    pub(super) colours: Vec<Option<Rgb>>,
}

/// A sticker at one size in one format.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variant {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) format: ImageFormat,
    /// Whole image files, each once.
    pub(super) images: Vec<Image>,
    pub(super) frames: Vec<Placed>,
    /// The lowest score of its images; none where it was not measured.
    pub(super) score: Option<f64>,
    /// How each of its images was coded; empty where it was not made of the master's pixels.
    pub(super) recipe: Vec<CodedImage>,
}

/// One image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) file: Vec<u8>,
    /// Width and height in px.
    pub(super) size: (u32, u32),
}

/// One frame, but for its duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) image: u32,
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) blend: Blend,
    pub(super) dispose: Dispose,
}

impl Rendered {
    /// What pages play.
    pub(super) fn preview(&self) -> &Variant {
        let (place, own) = &self.preview;
        own.as_ref().or_else(|| self.variants.get(*place)).unwrap_or(&self.master)
    }
}

impl Variant {
    /// Bytes of all images.
    pub(super) fn bytes(&self) -> usize {
        self.images.iter().map(|image| image.file.len()).sum()
    }

    /// The image of a frame that shows the whole canvas by itself.
    fn whole(&self, frame: usize) -> Option<&Image> {
        let placed = self.frames.get(frame)?;
        let image = self.images.get(placed.image as usize)?;
        (image.size == (self.width, self.height) && placed.blend == Blend::Replace).then_some(image)
    }
}

/// Posters are at most this dense: 384 px for the usual canvas, which a phone shows at 110 to 160 CSS px.
const POSTER_DENSITY: Density = Density::clamped(480);
/// Previews move, so that fewer pixels do: 256 px.
const PREVIEW_DENSITY: Density = Density::clamped(320);

/// What to make of a sticker.
pub(super) struct Order<'a> {
    pub(super) artwork: &'a Artwork,
    pub(super) canvas: Canvas,
    pub(super) densities: &'a [Density],
    /// The frame of the artwork that stands for it; the first that shows something where none is named.
    pub(super) poster: Option<u32>,
    /// Of each frame of the artwork.
    pub(super) durations_ms: Vec<u32>,
    pub(super) quality: Quality,
    pub(super) effort: Effort,
}

impl Order<'_> {
    /// `None` where a finding is an error.
    pub(super) fn render(&self, findings: &mut Vec<Finding>) -> Result<Option<Rendered>, Error> {
        let Some(drawing) = self.artwork.decode(findings) else { return Ok(None) };
        let sizes = self
            .densities
            .iter()
            .map(|density| (density.px(self.canvas.width_dp), density.px(self.canvas.height_dp)));
        let sizes: Vec<_> = sizes.collect();
        let is_drawn = matches!(drawing, Drawing::Vector(_));
        // Each frame at every size, the artwork's own last.
        let (resized, frame_of): (Vec<Vec<Picture>>, _) = match drawing {
            Drawing::Vector(vector) => {
                let native = (self.artwork.width, self.artwork.height);
                let sizes = sizes.par_iter().chain([&native]);
                (vec![sizes.map(|&(w, h)| vector.render(w, h)).collect::<Result<_, Error>>()?], vec![0])
            }
            Drawing::Pictures(pictures) => {
                let (native, frame_of) = without_repetition(pictures, &self.durations_ms);
                let resize = |picture| {
                    let linear = Linear::new(picture)?;
                    let mut pictures = linear.pyramid(&sizes)?;
                    pictures.push(linear.into_source());
                    Ok(pictures)
                };
                (native.into_par_iter().map(resize).collect::<Result<_, Error>>()?, frame_of)
            }
        };
        let colours: Vec<_> = resized.par_iter().map(|frame| frame.last().and_then(mean_colour)).collect();
        let named = self.poster.and_then(|poster| frame_of.get(poster as usize));
        let poster = poster(named.map(|&frame| frame as usize), colours.iter().map(Option::is_some));
        let mut places = by_size(resized, sizes.len() + 1);
        let shown_on_pages =
            places.get(self.place_of(POSTER_DENSITY)).and_then(|frames| frames.get(poster)).cloned();
        let Some(shown_on_pages) = shown_on_pages else { return Ok(None) };
        let native = places.pop().unwrap_or_default();
        // What no variant shows in WebP is coded for pages alone.
        let previewed = self.place_of(PREVIEW_DENSITY);
        let own_preview = if native.len() > 1 && self.format(previewed) != ImageFormat::WebP {
            let frames = places.get(previewed).cloned().unwrap_or_default();
            Some(self.webp(frames, None)?.0)
        } else {
            None
        };
        let (mut variants, master) = if native.len() > 1 {
            // Its frames keep all cores busy; one size at a time keeps the memory bounded.
            let master = self.master(native)?;
            (self.variants_in_turn(places)?, master)
        } else {
            let (variants, master) = rayon::join(|| self.variants(places), || self.master(native));
            (variants?, master?)
        };
        if is_drawn {
            for variant in &mut variants {
                variant.recipe.clear();
            }
        }
        let poster = self.poster_picture(&variants, &shown_on_pages, poster)?;
        Ok(Some(Rendered { variants, master, poster, preview: (previewed, own_preview), frame_of, colours }))
    }

    /// Every size at once. The density in the middle is searched first; the others begin where it ended.
    fn variants(&self, mut places: Vec<Vec<Picture>>) -> Result<Vec<Variant>, Error> {
        let teacher = self.teacher();
        let frames = places.get_mut(teacher).map(std::mem::take).unwrap_or_default();
        let (taught, hint) = self.variant(teacher, frames, None)?;
        let all = places.into_par_iter().enumerate().map(|(place, frames)| {
            if place == teacher {
                return Ok(taught.clone());
            }
            self.variant(place, frames, hint).map(|(variant, _)| variant)
        });
        all.collect()
    }

    /// As [`Self::variants`], one size after the other; the pictures of a size are gone once it is coded.
    fn variants_in_turn(&self, mut places: Vec<Vec<Picture>>) -> Result<Vec<Variant>, Error> {
        let teacher = self.teacher();
        let mut order: Vec<_> = (0..places.len()).collect();
        order.sort_by_key(|&place| place != teacher);
        let mut variants = BTreeMap::new();
        let mut hint = None;
        for place in order {
            let frames = places.get_mut(place).map(std::mem::take).unwrap_or_default();
            let (variant, choice) = self.variant(place, frames, hint)?;
            hint = hint.or(choice);
            variants.insert(place, variant);
        }
        Ok(variants.into_values().collect())
    }

    /// The density in the middle of those that are WebP; else any.
    fn teacher(&self) -> usize {
        let webp: Vec<usize> =
            (0..self.densities.len()).filter(|&place| self.format(place) == ImageFormat::WebP).collect();
        webp.get(webp.len().saturating_sub(1) / 2).copied().unwrap_or_default()
    }

    fn variant(
        &self,
        place: usize,
        frames: Vec<Picture>,
        hint: Option<Choice>,
    ) -> Result<(Variant, Option<Choice>), Error> {
        Ok(match self.format(place) {
            ImageFormat::Png => (self.png(frames)?, None),
            ImageFormat::WebP => {
                let (variant, choice) = self.webp(frames, hint)?;
                (variant, Some(choice))
            }
        })
    }

    fn format(&self, place: usize) -> ImageFormat {
        self.densities.get(place).map_or(ImageFormat::WebP, |&density| encode::format_for(density))
    }

    fn png(&self, pictures: Vec<Picture>) -> Result<Variant, Error> {
        let size = size_of(&pictures);
        let plan = plan::plan(pictures);
        let code = |image: &PlannedImage| smaller(image, |picture| encode::png(picture, self.effort));
        let coded = plan.images.par_iter().map(code).collect::<Result<Vec<_>, Error>>()?;
        Ok(variant(size, ImageFormat::Png, &plan, coded))
    }

    fn webp(&self, pictures: Vec<Picture>, hint: Option<Choice>) -> Result<(Variant, Choice), Error> {
        let size = size_of(&pictures);
        let plan = plan::plan(pictures);
        let target = self.quality.target().filter(|_| self.effort != Effort::Fast);
        let sampled = if target.is_some() { sampled(&plan) } else { Vec::new() };
        let images = sampled.iter().filter_map(|&at| plan.images.get(at));
        let mut samples: Vec<_> = images.map(|it| Subject::new(&it.picture, self.effort)).collect();
        let (choice, usual) = match target {
            None => {
                (encode::fixed(self.quality, plan.images.first().map(|image| &image.picture)), f64::INFINITY)
            }
            Some(target) => {
                let choice = choose(&mut samples, self.quality, hint)?;
                (choice, usual_error(&mut samples, choice, target)?)
            }
        };
        // What was scored is not coded again; what scoring needed goes before the other frames come.
        let mut found: HashMap<usize, Coded> = HashMap::new();
        for (at, mut sample) in sampled.into_iter().zip(samples) {
            found.insert(at, sample.scored(choice, target.unwrap_or_default())?);
        }
        let code = |(at, image): (usize, &PlannedImage)| {
            let whole = match (found.get(&at), target) {
                (Some(coded), _) => coded.clone(),
                (None, Some(target)) => {
                    Subject::new(&image.picture, self.effort).enough(choice, target, usual)?
                }
                (None, None) => Subject::new(&image.picture, self.effort).code(choice)?,
            };
            let Some(picture) = &image.sparse else { return Ok((whole, false)) };
            let mut subject = Subject::new(picture, self.effort);
            let sparse = subject.code(choice)?;
            let fits =
                sparse.score.is_some() || usual.is_infinite() || subject.error_of(&sparse.file)? <= usual;
            Ok(if fits && sparse.file.len() < whole.file.len() { (sparse, true) } else { (whole, false) })
        };
        let coded = plan.images.par_iter().enumerate().map(code).collect::<Result<Vec<_>, Error>>()?;
        Ok((variant(size, ImageFormat::WebP, &plan, coded), choice))
    }

    fn master(&self, pictures: Vec<Picture>) -> Result<Variant, Error> {
        let size = size_of(&pictures);
        let plan = plan::plan(pictures);
        let code = |image: &PlannedImage| {
            smaller(image, |picture| {
                let coding = Coding::Lossless { near: 100 };
                Ok(Coded { file: encode::archive(picture, self.effort)?, score: Some(100.0), coding })
            })
        };
        let coded = plan.images.par_iter().map(code).collect::<Result<Vec<_>, Error>>()?;
        Ok(variant(size, encode::archive_format(self.effort), &plan, coded))
    }

    /// The largest density up to this one, else the smallest.
    fn place_of(&self, density: Density) -> usize {
        self.densities.iter().rposition(|&it| it <= density).unwrap_or_default()
    }

    /// The variant that pages show large enough, where it has the frame whole; else the frame coded for itself.
    fn poster_picture(
        &self,
        variants: &[Variant],
        picture: &Picture,
        poster: usize,
    ) -> Result<Variant, Error> {
        let shown = variants.get(self.place_of(POSTER_DENSITY)).filter(|it| it.format == ImageFormat::WebP);
        let file = match shown.and_then(|variant| variant.whole(poster)) {
            Some(image) => image.file.clone(),
            None => encode::plain(picture, self.quality, Effort::Fast)?,
        };
        let size = (picture.width, picture.height);
        let placed = Placed { image: 0, x: 0, y: 0, blend: Blend::Replace, dispose: Dispose::None };
        Ok(Variant {
            width: size.0,
            height: size.1,
            format: ImageFormat::WebP,
            images: vec![Image { file, size }],
            frames: vec![placed],
            score: None,
            recipe: Vec::new(),
        })
    }
}

/// An image as the smaller of its two forms; true where that is the sparse one.
fn smaller(
    image: &PlannedImage,
    code: impl Fn(&Picture) -> Result<Coded, Error>,
) -> Result<(Coded, bool), Error> {
    let whole = code(&image.picture)?;
    let sparse = image.sparse.as_ref().map(&code).transpose()?;
    Ok(match sparse {
        Some(sparse) if sparse.file.len() < whole.file.len() => (sparse, true),
        _ => (whole, false),
    })
}

/// Width and height of each of them, in px.
fn size_of(pictures: &[Picture]) -> (u32, u32) {
    pictures.first().map_or((0, 0), |picture| (picture.width, picture.height))
}

fn variant(
    (width, height): (u32, u32),
    format: ImageFormat,
    plan: &Plan,
    coded: Vec<(Coded, bool)>,
) -> Variant {
    let frames = plan.frames.iter().map(|frame| Placed {
        image: u32::try_from(frame.image).unwrap_or(u32::MAX),
        x: frame.x,
        y: frame.y,
        blend: plan::blend(coded.get(frame.image).is_some_and(|(_, sparse)| *sparse)),
        dispose: frame.dispose,
    });
    let frames = frames.collect();
    let scores: Vec<f64> = coded.iter().filter_map(|(coded, _)| coded.score).collect();
    let lowest = scores.iter().copied().fold(100.0, f64::min);
    // Of an animation, samples are scored; frames that lost nothing say nothing of the others.
    let score = (scores.len() == coded.len() || lowest < 100.0).then_some(lowest);
    let recipe = coded.iter().map(|(coded, sparse)| CodedImage { sparse: *sparse, coding: coded.coding });
    let recipe = recipe.collect();
    let images = coded.into_iter().zip(&plan.images).map(|((coded, _), image)| Image {
        file: coded.file,
        size: (image.picture.width, image.picture.height),
    });
    Variant { width, height, format, images: images.collect(), frames, score, recipe }
}

/// The images that stand for all in a search: a few, spread over those that show a good part of the sticker.
pub(crate) fn sampled(plan: &Plan) -> Vec<usize> {
    let pixels = |image: &PlannedImage| image.picture.rgba.len();
    let whole = plan.images.iter().map(pixels).max().unwrap_or_default();
    let images = plan.images.iter().enumerate();
    let large: Vec<_> = images.filter(|(_, image)| pixels(image) * 4 >= whole).map(|(at, _)| at).collect();
    let step = large.len().div_ceil(SAMPLES).max(1);
    large.into_iter().step_by(step).collect()
}

/// Scoring costs as much as a dozen codings, and the frames of an animation resemble each other.
const SAMPLES: usize = 3;

/// The largest error among the samples, with room for frames that are a little harder.
fn usual_error(samples: &mut [Subject<'_>], choice: Choice, target: f64) -> Result<f64, Error> {
    let errors = samples.par_iter_mut().map(|sample| {
        let coded = sample.scored(choice, target)?;
        sample.error_of(&coded.file)
    });
    let worst = errors.collect::<Result<Vec<_>, Error>>()?.into_iter().fold(0.0, f64::max);
    Ok(worst * 1.25)
}

/// The artwork's frames without repetition, and which of them each of its frames is. Where what looks the same is shown for longer
/// than one frame can be, it is several.
pub(crate) fn without_repetition(pictures: Vec<Picture>, durations_ms: &[u32]) -> (Vec<Picture>, Vec<u32>) {
    let mut native: Vec<Picture> = Vec::with_capacity(pictures.len());
    let mut frame_of = Vec::with_capacity(pictures.len());
    let mut shown_ms = 0_u32;
    for (picture, &duration_ms) in pictures.into_iter().zip(durations_ms) {
        shown_ms = shown_ms.saturating_add(duration_ms);
        if shown_ms > MAX_FRAME_MS || native.last() != Some(&picture) {
            native.push(picture);
            shown_ms = duration_ms;
        }
        frame_of.push(u32::try_from(native.len() - 1).unwrap_or(u32::MAX));
    }
    (native, frame_of)
}

/// From sizes by frame to frames by size.
fn by_size(frames: Vec<Vec<Picture>>, sizes: usize) -> Vec<Vec<Picture>> {
    let mut places: Vec<Vec<Picture>> = (0..sizes).map(|_| Vec::with_capacity(frames.len())).collect();
    for frame in frames {
        for (place, picture) in places.iter_mut().zip(frame) {
            place.push(picture);
        }
    }
    places
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
