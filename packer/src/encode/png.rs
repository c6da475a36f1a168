//! PNG, lossless: palette or grey where that is exact, and nothing that a picture does not need.

use oxipng::{BitDepth, ColorType, Options, RawImage};

use super::Effort;
use crate::error::Error;
use crate::picture::Picture;

/// The smallest file that the effort finds. Colour under full transparency must be clean already.
pub(super) fn encode(picture: &Picture, effort: Effort) -> Result<Vec<u8>, Error> {
    let image =
        RawImage::new(picture.width, picture.height, ColorType::RGBA, BitDepth::Eight, picture.rgba.clone());
    let options = Options::from_preset(match effort {
        Effort::Fast => 0,
        Effort::Default => 3,
        Effort::Max => 6,
    });
    image.and_then(|image| image.create_optimized_png(&options)).map_err(Error::internal)
}

/// In little time, whatever the bytes.
pub(super) fn quick(picture: &Picture) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fastest);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&picture.rgba)?;
        writer.finish()
    });
    written.map_err(Error::internal)?;
    Ok(file)
}
