//! WebP, still and animated (RFC 9649). The container is read here, and each bitstream is decoded alone, once its own header says
//! the size that the container says.

use std::io::Cursor;

use image_webp::WebPDecoder;
use sticker_protocol::ImageHeader;
use sticker_protocol::sticker::{self, Blend, Dispose};

use super::colour::{Colours, Samples};
use super::orientation::Orientation;
use super::refused::{Refused, check_size};
use super::stage::Stage;
use super::timing::{self, Delay};
use super::{Decoded, Header};
use crate::picture::Picture;

/// What the chunks around the pictures say.
pub(super) fn survey(file: &[u8]) -> Result<Header, Refused> {
    let container = Container::read(file)?;
    let (width, height) = container.orientation.upright((container.width, container.height));
    let Some(loops) = container.loops.filter(|_| container.frames.len() > 1) else {
        return Ok(Header::still(width, height));
    };
    let delays: Vec<_> =
        container.frames.iter().map(|frame| Delay::milliseconds(frame.duration_ms)).collect();
    let (durations_ms, too_short) = timing::durations(&delays, timing::A_MILLISECOND);
    Ok(Header { width, height, durations_ms, loop_count: Some(timing::plays(u32::from(loops))), too_short })
}

/// Every frame as a whole picture.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, Refused> {
    let container = Container::read(file)?;
    let mut warnings = Vec::new();
    let colours = Colours::new(container.profile, false, &mut warnings);
    let mut stage = Stage::new(container.width, container.height);
    let mut pictures = Vec::with_capacity(container.frames.len());
    for frame in &container.frames {
        let Region { x, y, width, height } = frame.region;
        let rgba = colours.to_srgb(Samples::Eight(frame.decode()?));
        let (blend, dispose) = (frame.blend, frame.dispose);
        let shown = sticker::Frame { image: 0, x, y, duration_ms: 0, blend, dispose };
        pictures.push(container.orientation.apply(stage.shows(
            &Picture { width, height, rgba },
            shown,
            false,
        )));
    }
    Ok(Decoded { pictures, warnings })
}

/// Where a frame lies on its canvas, in px.
#[derive(Clone, Copy)]
struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// What the chunks say.
struct Container<'a> {
    width: u32,
    height: u32,
    profile: Option<&'a [u8]>,
    orientation: Orientation,
    /// How often an animation plays, 0 for ever; `None` for a still.
    loops: Option<u16>,
    frames: Vec<Frame<'a>>,
}

/// One bitstream and how it is shown.
struct Frame<'a> {
    region: Region,
    duration_ms: u32,
    blend: Blend,
    dispose: Dispose,
    alpha: Option<&'a [u8]>,
    /// `VP8 ` or `VP8L`.
    name: &'a [u8; 4],
    data: &'a [u8],
}

impl<'a> Container<'a> {
    fn read(file: &'a [u8]) -> Result<Self, Refused> {
        let riff = file.get(4..8).and_then(|size| size.first_chunk()).map(|size| u32::from_le_bytes(*size));
        // Data after the end is left out, as decoders do.
        let whole = riff.and_then(|size| file.get(12..(size as usize).checked_add(8)?)).ok_or_else(broken)?;
        let Some((b"VP8X", header)) = chunks(whole).next() else {
            let frame = Frame::still(whole)?;
            let Region { width, height, .. } = frame.region;
            let orientation = Orientation::of(None);
            return Ok(Self { width, height, profile: None, orientation, loops: None, frames: vec![frame] });
        };
        let (width, height) =
            le_u24(header, 4).zip(le_u24(header, 7)).map(|(w, h)| (w + 1, h + 1)).ok_or_else(broken)?;
        check_size(width, height, 1)?;
        let chunk = |wanted: &[u8; 4]| chunks(whole).find(|(name, _)| *name == wanted).map(|(_, data)| data);
        let (loops, frames) = if header.first().is_some_and(|flags| flags & 0b10 != 0) {
            let loops =
                chunk(b"ANIM").and_then(|data| Some(*data.get(4..)?.first_chunk()?)).ok_or_else(broken)?;
            let frames = || chunks(whole).filter(|(name, _)| *name == b"ANMF");
            check_size(width, height, frames().count().max(1))?;
            let frames = frames().map(|(_, data)| Frame::animated(data));
            (Some(u16::from_le_bytes(loops)), frames.collect::<Result<Vec<_>, _>>()?)
        } else {
            (None, vec![Frame::still(whole)?])
        };
        let is_inside = |it: &Region| it.x + it.width <= width && it.y + it.height <= height;
        if frames.is_empty() || !frames.iter().all(|frame| is_inside(&frame.region)) {
            return Err(Refused::damage("a frame reaches beyond the canvas, or there is none"));
        }
        if loops.is_none() && frames.iter().any(|it| (it.region.width, it.region.height) != (width, height)) {
            return Err(broken());
        }
        let orientation = Orientation::of(chunk(b"EXIF"));
        Ok(Self { width, height, profile: chunk(b"ICCP"), orientation, loops, frames })
    }
}

impl<'a> Frame<'a> {
    /// From the first bitstream among the chunks, with the transparency before it.
    fn still(whole: &'a [u8]) -> Result<Self, Refused> {
        let mut alpha = None;
        for (name, data) in chunks(whole) {
            match name {
                b"ALPH" => alpha = Some(data),
                b"VP8 " | b"VP8L" => {
                    let start = riff(&[(name, data.get(..16).unwrap_or(data))]);
                    let header = ImageHeader::read(&start).map_err(|_unreadable| broken())?;
                    check_size(header.width, header.height, 1)?;
                    let region = Region { x: 0, y: 0, width: header.width, height: header.height };
                    let alpha = alpha.filter(|_| name == b"VP8 ");
                    let (blend, dispose) = (Blend::Replace, Dispose::None);
                    return Ok(Self { region, duration_ms: 0, blend, dispose, alpha, name, data });
                }
                _ => {}
            }
        }
        Err(broken())
    }

    /// Section 2.7.1.1: place, size, duration and flags before the chunks of a still.
    fn animated(data: &'a [u8]) -> Result<Self, Refused> {
        let still = Self::still(data.get(16..).ok_or_else(broken)?)?;
        let number = |at| le_u24(data, at).ok_or_else(broken);
        let region =
            Region { x: number(0)? * 2, y: number(3)? * 2, width: number(6)? + 1, height: number(9)? + 1 };
        if (region.width, region.height) != (still.region.width, still.region.height) {
            return Err(broken());
        }
        let flags = data.get(15).copied().unwrap_or_default();
        let blend = if flags & 0b10 == 0 { Blend::Over } else { Blend::Replace };
        let dispose = if flags & 0b01 == 0 { Dispose::None } else { Dispose::Background };
        Ok(Self { region, duration_ms: number(12)?, blend, dispose, ..still })
    }

    /// Four bytes a pixel.
    fn decode(&self) -> Result<Vec<u8>, Refused> {
        let damaged = |error: image_webp::DecodingError| Refused::damaged(&error);
        let file = match self.alpha {
            None => riff(&[(self.name, self.data)]),
            Some(alpha) => {
                let [width, height] = [self.region.width - 1, self.region.height - 1].map(u32::to_le_bytes);
                // Flags: alpha.
                let mut header = vec![0b1_0000, 0, 0, 0];
                header.extend(width.iter().take(3).chain(height.iter().take(3)));
                riff(&[(b"VP8X", &header), (b"ALPH", alpha), (self.name, self.data)])
            }
        };
        let mut decoder = WebPDecoder::new(Cursor::new(file.as_slice())).map_err(damaged)?;
        let mut pixels = vec![0; decoder.output_buffer_size().ok_or_else(broken)?];
        decoder.read_image(&mut pixels).map_err(damaged)?;
        Ok(if decoder.has_alpha() {
            pixels
        } else {
            pixels.as_chunks::<3>().0.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect()
        })
    }
}

/// Name and content of each chunk; the last one is whole, or there is none.
fn chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let data = after.get(..length)?;
        rest = after.get(length + length % 2..).unwrap_or_default();
        Some((name, data))
    })
}

/// A file of these chunks.
fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    for (name, data) in chunks {
        file.extend(*name);
        file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend_from_slice(data);
        if data.len() % 2 == 1 {
            file.push(0);
        }
    }
    let size = u32::try_from(file.len() - 8).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(place) = file.get_mut(4..8) {
        place.copy_from_slice(&size);
    }
    file
}

fn le_u24(bytes: &[u8], at: usize) -> Option<u32> {
    let [low, middle, high] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([low, middle, high, 0]))
}

fn broken() -> Refused {
    Refused::damage("it is cut or contradicts itself")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{self, Effort, Shown};

    /// Orientation 6: the first row is the right edge.
    const EXIF: &[u8] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";

    fn picture(grey: u8) -> Picture {
        let rgba = (0..6 * 4).flat_map(|at| [grey, at, 255 - at, if at < 6 { 128 } else { 255 }]).collect();
        Picture { width: 6, height: 4, rgba }
    }

    fn lossless(picture: &Picture) -> Vec<u8> {
        encode::archive(picture, Effort::Default).unwrap()
    }

    /// A still in a container with more chunks.
    fn extended(still: &[u8], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let header = [0b0011_1100, 0, 0, 0, 5, 0, 0, 3, 0, 0];
        let (name, data) = super::chunks(&still[12..]).next().unwrap();
        riff(&[&[(b"VP8X", header.as_slice()), (name, data)], chunks].concat())
    }

    fn whole(still: &[u8], duration_ms: u32, dispose: Dispose) -> Shown<'_> {
        let frame = sticker::Frame { image: 0, x: 0, y: 0, duration_ms, blend: Blend::Replace, dispose };
        Shown { still, size: (6, 4), frame }
    }

    #[test]
    fn what_is_disposed_of_does_not_shine_through_what_comes_next() {
        let below = lossless(&picture(9));
        let clear = lossless(&Picture { width: 2, height: 4, rgba: vec![0; 2 * 4 * 4] });
        let mut above = whole(&clear, 10, Dispose::None);
        (above.size, above.frame.blend) = ((2, 4), Blend::Over);
        let frames = [whole(&below, 10, Dispose::Background), above];
        let file = encode::animated_webp(6, 4, 0, &frames).unwrap();
        let pictures = decode(&file).unwrap().pictures;
        assert_eq!(pictures[0], picture(9));
        assert!(pictures[1].rgba.iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_still_is_read_as_it_was_written() {
        let file = lossless(&picture(7));
        assert_eq!(decode(&file).unwrap().pictures, [picture(7)]);
        let survey = survey(&file).unwrap();
        assert_eq!((survey.width, survey.height, survey.durations_ms), (6, 4, vec![None]));
    }

    #[test]
    fn an_animation_keeps_its_frames_durations_and_plays() {
        let stills: Vec<_> = [1, 2, 3].map(|grey| lossless(&picture(grey))).into();
        let frames = [(&stills[0], 83), (&stills[1], 0), (&stills[2], 250)];
        let frames = frames.map(|(still, duration_ms)| whole(still, duration_ms, Dispose::None));
        let file = encode::animated_webp(6, 4, 3, &frames).unwrap();
        let survey = survey(&file).unwrap();
        assert_eq!(survey.durations_ms, [83, 100, 250].map(Some));
        assert_eq!(survey.loop_count, Some(3));
        assert!(survey.too_short.is_some());
        assert_eq!(decode(&file).unwrap().pictures, [1, 2, 3].map(picture));
    }

    #[test]
    fn orientation_and_profile_are_applied() {
        let still = lossless(&picture(200));
        let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
        let file = extended(&still, &[(b"ICCP", &p3), (b"EXIF", EXIF)]);
        let survey = survey(&file).unwrap();
        assert_eq!((survey.width, survey.height), (4, 6));
        let turned = decode(&file).unwrap().pictures.remove(0);
        assert_eq!((turned.width, turned.height), (4, 6));
        // The first stored row is the last column.
        assert_eq!([turned.rgba[3 * 4 + 3], turned.rgba[3]], [128, 255]);
        assert!(turned.rgba[0] > 205, "red of Display P3 is more in sRGB: {}", turned.rgba[0]);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let still = lossless(&picture(1));
        let frames = [whole(&still, 10, Dispose::None), whole(&still, 10, Dispose::None)];
        let animation = encode::animated_webp(6, 4, 0, &frames).unwrap();
        for whole in [still, animation] {
            for length in 0..whole.len() {
                assert!(survey(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
            }
        }
    }

    #[test]
    fn a_bitstream_larger_than_its_canvas_is_refused_before_it_is_decoded() {
        let large = lossless(&Picture { width: 7, height: 4, rgba: vec![9; 7 * 4 * 4] });
        assert!(survey(&extended(&large, &[])).is_err());
    }
}
