//! Animations as APNG: of each frame what changed, without loss where that fits, else in fewer colours.

use oxipng::{Deflater, Options};
use sticker_protocol::sticker::Dispose;

use super::fit::first_that_fits;
use super::frames::Frames;
use super::palette::{self, Palette};
use crate::build::plan;
use crate::error::Error;
use crate::picture::Picture;

/// Every pixel as it is where that fits into `max_bytes`, else with the largest palette that does. It plays for ever.
pub(super) fn code(frames: &Frames, max_bytes: u64) -> Result<Vec<u8>, Error> {
    let (pictures, durations_ms) = (&frames.pictures, &frames.durations_ms);
    let all = palette::colours(pictures);
    first_that_fits(COLOURS.len() + 1, max_bytes, |level| {
        let Some(&colours) = level.checked_sub(1).and_then(|at| COLOURS.get(at)) else {
            let few = all.len() < Palette::MAX;
            let exact = few.then(|| Palette::exactly(all.iter().copied()));
            return smaller(&write(pictures, durations_ms, exact.as_ref())?, max_bytes);
        };
        let palette = Palette::of(pictures, colours);
        let reduced = palette.reduced(pictures, &all);
        smaller(&write(&reduced, durations_ms, Some(&palette))?, max_bytes)
    })
}

/// Compressed well, and harder where that may be what is missing.
fn smaller(file: &[u8], max_bytes: u64) -> Result<Vec<u8>, Error> {
    let at = |compression| {
        let options = Options { deflater: Deflater::Libdeflater { compression }, ..Options::from_preset(2) };
        oxipng::optimize_from_memory(file, &options).map_err(Error::internal)
    };
    let well = at(WELL)?;
    let is_close = (max_bytes..max_bytes + max_bytes / 10).contains(&(well.len() as u64));
    if is_close { at(HARDER) } else { Ok(well) }
}

/// Colours of the palettes that are tried, transparency included.
const COLOURS: [usize; 11] = [256, 224, 192, 160, 128, 112, 96, 80, 64, 48, 32];

fn write(pictures: &[Picture], durations_ms: &[u32], palette: Option<&Palette>) -> Result<Vec<u8>, Error> {
    let plan = plan::plan(pictures.to_vec());
    let (width, height) = pictures.first().map_or((0, 0), |picture| (picture.width, picture.height));
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    match palette {
        None => encoder.set_color(png::ColorType::Rgba),
        Some(palette) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette.rgb());
            encoder.set_trns(palette.alpha());
        }
    }
    // What is written in a hurry is compressed well in the end.
    encoder.set_compression(png::Compression::Fastest);
    let frames = u32::try_from(plan.frames.len()).map_err(Error::internal)?;
    encoder.set_animated(frames, FOR_EVER).map_err(Error::internal)?;
    let mut writer = encoder.write_header().map_err(Error::internal)?;
    for (frame, &duration_ms) in plan.frames.iter().zip(durations_ms) {
        let Some(image) = plan.images.get(frame.image) else { continue };
        let part = image.sparse.as_ref().unwrap_or(&image.picture);
        let duration = u16::try_from(duration_ms).map_err(Error::internal)?;
        let blend = if image.sparse.is_some() { png::BlendOp::Over } else { png::BlendOp::Source };
        let dispose = match frame.dispose {
            Dispose::None => png::DisposeOp::None,
            Dispose::Background => png::DisposeOp::Background,
        };
        // Sizes are checked against the place and places against the size, both as they are: the place of the frame before goes first.
        let written = writer
            .set_frame_position(0, 0)
            .and_then(|()| writer.set_frame_dimension(part.width, part.height))
            .and_then(|()| writer.set_frame_position(frame.x, frame.y))
            .and_then(|()| writer.set_frame_delay(duration, 1000))
            .and_then(|()| writer.set_blend_op(blend))
            .and_then(|()| writer.set_dispose_op(dispose))
            .and_then(|()| match palette {
                None => writer.write_image_data(&part.rgba),
                Some(palette) => writer.write_image_data(&palette.indices(part)),
            });
        written.map_err(Error::internal)?;
    }
    writer.finish().map_err(Error::internal)?;
    Ok(file)
}

/// In the `acTL` chunk.
const FOR_EVER: u32 = 0;
/// libdeflate's levels: the second takes four times as long for 5 to 8 % fewer bytes.
const WELL: u8 = 9;
const HARDER: u8 = 11;
