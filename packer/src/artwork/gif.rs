//! GIF (89a), still and animated.

use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod, MemoryLimit, Repeat};
use sticker_protocol::limits::{MAX_FRAMES, MAX_IMAGE_PIXELS};
use sticker_protocol::sticker::{Blend, Dispose, Frame};

use super::colour::{Colours, Samples};
use super::refused::{Refused, check_size};
use super::stage::Stage;
use super::timing::{self, Delay};
use super::{Decoded, Header};
use crate::picture::Picture;

/// Browsers show what asks for less than two hundredths for ten.
const SHORTEST: Delay = Delay { numerator: 2, denominator: 100 };

/// What is said of every frame, without decoding it.
pub(super) fn survey(file: &[u8]) -> Result<Header, Refused> {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = open(options, file)?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    check_size(width, height, 1)?;
    let mut delays = Vec::new();
    while let Some(frame) = decoder.next_frame_info().map_err(|error| Refused::damaged(&error))? {
        if frame.width == 0 || frame.height == 0 {
            return Err(Refused::damage(format!("frame {} has no pixels", delays.len())));
        }
        delays.push(frame.delay);
        if delays.len() > MAX_FRAMES {
            break;
        }
    }
    if delays.is_empty() {
        return Err(Refused::damage("it has no picture"));
    }
    check_size(width, height, delays.len())?;
    if delays.len() == 1 {
        return Ok(Header::still(width, height));
    }
    let delays: Vec<_> =
        delays.iter().map(|&delay| Delay { numerator: u32::from(delay), denominator: 100 }).collect();
    let (durations_ms, too_short) = timing::durations(&delays, SHORTEST);
    let loop_count = match decoder.repeat() {
        Repeat::Infinite => 0,
        // The extension counts how often it is shown again.
        Repeat::Finite(again) => timing::plays(u32::from(again) + 1),
    };
    Ok(Header { width, height, durations_ms, loop_count: Some(loop_count), too_short })
}

/// Every frame as a whole picture.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, Refused> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = open(options, file)?;
    let mut stage = Stage::new(u32::from(decoder.width()), u32::from(decoder.height()));
    let mut pictures = Vec::new();
    while let Some(frame) = decoder.read_next_frame().map_err(|error| Refused::damaged(&error))? {
        let image = Picture {
            width: u32::from(frame.width),
            height: u32::from(frame.height),
            rgba: frame.buffer.to_vec(),
        };
        let clears = frame.dispose == DisposalMethod::Background;
        let dispose = if clears { Dispose::Background } else { Dispose::None };
        let (x, y) = (u32::from(frame.left), u32::from(frame.top));
        let placed = Frame { image: 0, x, y, duration_ms: 0, blend: Blend::Over, dispose };
        pictures.push(stage.shows(&image, placed, frame.dispose == DisposalMethod::Previous));
        if pictures.len() > MAX_FRAMES {
            break;
        }
    }
    let mut warnings = Vec::new();
    let colours = Colours::new(decoder.icc_profile(), false, &mut warnings);
    for picture in &mut pictures {
        picture.rgba = colours.to_srgb(Samples::Eight(std::mem::take(&mut picture.rgba)));
    }
    Ok(Decoded { pictures, warnings })
}

fn open(mut options: DecodeOptions, file: &[u8]) -> Result<Decoder<&[u8]>, Refused> {
    if let Some(limit) = std::num::NonZeroU64::new(MAX_IMAGE_PIXELS * 4) {
        options.set_memory_limit(MemoryLimit::Bytes(limit));
    }
    options.read_info(file).map_err(|error| Refused::damaged(&error))
}

#[cfg(test)]
mod tests {
    use gif::{Encoder, Frame};

    use super::*;

    const PALETTE: &[u8] = &[255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0];

    /// Frames of one px in height on a canvas of 3 x 1: left edge, palette indices (3 is transparent), disposal, hundredths.
    fn gif(repeat: Option<Repeat>, frames: &[(u16, &[u8], DisposalMethod, u16)]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 3, 1, PALETTE).unwrap();
        if let Some(repeat) = repeat {
            encoder.set_repeat(repeat).unwrap();
        }
        for &(left, indices, dispose, delay) in frames {
            let mut frame =
                Frame::from_indexed_pixels(u16::try_from(indices.len()).unwrap(), 1, indices, Some(3));
            (frame.left, frame.dispose, frame.delay) = (left, dispose, delay);
            encoder.write_frame(&frame).unwrap();
        }
        drop(encoder);
        file
    }

    const RED: [u8; 4] = [255, 0, 0, 255];
    const GREEN: [u8; 4] = [0, 255, 0, 255];
    const BLUE: [u8; 4] = [0, 0, 255, 255];

    #[test]
    fn frames_are_put_together_as_their_disposal_says() {
        let file = gif(
            None,
            &[
                (0, &[0, 0, 3], DisposalMethod::Keep, 5),
                (0, &[1], DisposalMethod::Previous, 5),
                (1, &[2], DisposalMethod::Background, 5),
                (2, &[3], DisposalMethod::Any, 5),
            ],
        );
        let pictures = decode(&file).unwrap().pictures;
        let shown: Vec<_> = pictures.iter().map(|it| it.rgba.as_chunks::<4>().0.to_vec()).collect();
        let nothing = [0; 4];
        assert_eq!(
            shown,
            [[RED, RED, nothing], [GREEN, RED, nothing], [RED, BLUE, nothing], [RED, nothing, nothing]]
        );
    }

    #[test]
    fn delays_are_kept_and_those_of_nothing_are_a_tenth_of_a_second() {
        let frame = |delay| (0, [0_u8].as_slice(), DisposalMethod::Keep, delay);
        let file = gif(Some(Repeat::Infinite), &[frame(0), frame(1), frame(2), frame(7)]);
        let survey = survey(&file).unwrap();
        assert_eq!(survey.durations_ms, [100, 100, 20, 70].map(Some));
        assert!(survey.too_short.is_some());
    }

    #[test]
    fn it_plays_once_more_than_it_repeats() {
        let frames: [(u16, &[u8], _, _); 2] =
            [(0, &[0], DisposalMethod::Keep, 5), (0, &[1], DisposalMethod::Keep, 5)];
        let plays = |repeat| survey(&gif(repeat, &frames)).unwrap().loop_count;
        assert_eq!(plays(None), Some(1));
        assert_eq!(plays(Some(Repeat::Infinite)), Some(0));
        assert_eq!(plays(Some(Repeat::Finite(2))), Some(3));
        let still = survey(&gif(None, &frames[..1])).unwrap();
        assert_eq!((still.durations_ms, still.loop_count), (vec![None], None));
    }

    #[test]
    fn a_gif_cut_anywhere_is_refused() {
        let whole =
            gif(None, &[(0, &[0, 1, 2], DisposalMethod::Keep, 5), (0, &[1], DisposalMethod::Keep, 5)]);
        for length in 0..whole.len() {
            assert!(survey(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
            assert!(decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
    }
}
