//! Animated WebP as a container around stills that were encoded already (RFC 9649, section 2.7).

use std::io;

use crate::error::Error;

/// Puts whole-canvas stills one after the other, each in the place of the one before. Durations in ms.
pub(crate) fn animated_webp(
    width: u32,
    height: u32,
    loop_count: u32,
    frames: &[(&[u8], u32)],
) -> Result<Vec<u8>, Error> {
    let mut chunks = Vec::new();
    // Flags: animation and alpha. Sizes are stored less one.
    let flags = [0b0001_0010, 0, 0, 0];
    chunk(&mut chunks, *b"VP8X", &[flags.as_slice(), &u24(width - 1)?, &u24(height - 1)?].concat())?;
    let loops = u16::try_from(loop_count).unwrap_or(0);
    chunk(&mut chunks, *b"ANIM", &[[0; 4].as_slice(), &loops.to_le_bytes()].concat())?;
    for (still, duration_ms) in frames {
        let mut frame = Vec::with_capacity(still.len() + 16);
        frame.extend([0; 6]);
        frame.extend(u24(width - 1)?);
        frame.extend(u24(height - 1)?);
        frame.extend(u24(*duration_ms)?);
        // Do not blend, do not dispose: what is shown is this frame alone.
        frame.push(0b10);
        frame.extend_from_slice(picture_chunks(still).ok_or_else(|| broken("a still is no WebP file"))?);
        chunk(&mut chunks, *b"ANMF", &frame)?;
    }
    let mut file = Vec::with_capacity(chunks.len() + 12);
    chunk(&mut file, *b"RIFF", &[b"WEBP", chunks.as_slice()].concat())?;
    Ok(file)
}

/// The bytes of the chunks `ALPH` and `VP8 `, or `VP8L`, of a still file.
fn picture_chunks(still: &[u8]) -> Option<&[u8]> {
    let after_riff = still.get(12..)?;
    if after_riff.starts_with(b"VP8X") { after_riff.get(18..) } else { Some(after_riff) }
}

fn chunk(into: &mut Vec<u8>, name: [u8; 4], content: &[u8]) -> Result<(), Error> {
    let length = u32::try_from(content.len()).map_err(|_too_long| broken("an animation is too long"))?;
    into.extend_from_slice(&name);
    into.extend(length.to_le_bytes());
    into.extend_from_slice(content);
    if length % 2 == 1 {
        into.push(0);
    }
    Ok(())
}

fn u24(value: u32) -> Result<[u8; 3], Error> {
    match value.to_le_bytes() {
        [low, middle, high, 0] => Ok([low, middle, high]),
        _ => Err(broken("a number does not fit into 24 bits")),
    }
}

fn broken(what: &'static str) -> Error {
    Error::internal(io::Error::new(io::ErrorKind::InvalidData, what))
}
