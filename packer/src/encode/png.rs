//! PNG, lossless, without any chunk that a picture does not need.

use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use crate::error::Error;
use crate::picture::Picture;

pub(super) fn encode(picture: &Picture) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::Adaptive);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&picture.rgba)?;
        writer.finish()
    });
    written.map_err(Error::internal)?;
    Ok(file)
}
