//! WebP's container (RFC 9649, section 2.7) around pictures that were encoded already.

use std::io;

use sticker_protocol::sticker::{Blend, Dispose, Frame};

use crate::error::Error;

/// An animation of stills that may cover a part of the canvas; left and top edges are even, as the format wants them.
pub(crate) fn animated_webp(
    width: u32,
    height: u32,
    loop_count: u32,
    frames: &[Shown<'_>],
) -> Result<Vec<u8>, Error> {
    let mut chunks = Vec::new();
    // Flags: animation and alpha. Sizes are stored less one.
    let flags = [0b0001_0010, 0, 0, 0];
    chunk(&mut chunks, *b"VP8X", &[flags.as_slice(), &u24(width - 1)?, &u24(height - 1)?].concat())?;
    let loops = u16::try_from(loop_count).unwrap_or(0);
    chunk(&mut chunks, *b"ANIM", &[[0; 4].as_slice(), &loops.to_le_bytes()].concat())?;
    for &Shown { still, size, frame: shown } in frames {
        if shown.x % 2 == 1 || shown.y % 2 == 1 {
            return Err(broken("a frame of an animated WebP stands at an odd place"));
        }
        let mut frame = Vec::with_capacity(still.len() + 16);
        for number in [shown.x / 2, shown.y / 2, size.0 - 1, size.1 - 1, shown.duration_ms] {
            frame.extend(u24(number)?);
        }
        let replace = u8::from(shown.blend == Blend::Replace) << 1;
        frame.push(replace | u8::from(shown.dispose == Dispose::Background));
        frame.extend_from_slice(picture_chunks(still).ok_or_else(|| broken("a still is no WebP file"))?);
        chunk(&mut chunks, *b"ANMF", &frame)?;
    }
    let mut file = Vec::with_capacity(chunks.len() + 12);
    chunk(&mut file, *b"RIFF", &[b"WEBP", chunks.as_slice()].concat())?;
    Ok(file)
}

/// One frame of an animation: a still and where and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) still: &'a [u8],
    /// Width and height of the still in px.
    pub(crate) size: (u32, u32),
    pub(crate) frame: Frame,
}

/// The content of a still file's first chunk of this name.
pub(super) fn chunk_of(file: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (header, content) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, length @ ..] = *header;
        let length = u32::from_le_bytes(length) as usize;
        if [a, b, c, d] == name {
            return content.get(..length);
        }
        rest = content.get(length + length % 2..)?;
    }
}

/// A still file of coded alpha (`ALPH`) and coded colours (`VP8 `). Sizes in px.
pub(super) fn still_with_alpha(
    (width, height): (u32, u32),
    alpha: &[u8],
    colour: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut chunks = Vec::with_capacity(alpha.len() + colour.len() + 48);
    let flags = [0b0001_0000, 0, 0, 0];
    chunk(&mut chunks, *b"VP8X", &[flags.as_slice(), &u24(width - 1)?, &u24(height - 1)?].concat())?;
    chunk(&mut chunks, *b"ALPH", alpha)?;
    chunk(&mut chunks, *b"VP8 ", colour)?;
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
