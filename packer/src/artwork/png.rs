//! PNG, still and animated (the third edition of the PNG specification), of every depth and colour type.

use std::io::Cursor;

use png::{BlendOp, ColorType, Decoder, DisposeOp, Reader, Transformations};
use sticker_protocol::sticker::{Blend, Dispose, Frame};

use super::colour::{Colours, Samples};
use super::orientation::Orientation;
use super::refused::{Refused, check_size};
use super::stage::Stage;
use super::timing::{self, Delay};
use super::{Decoded, Header};
use crate::picture::Picture;

/// What the chunks before and between the pictures say.
pub(super) fn survey(file: &[u8]) -> Result<Header, Refused> {
    // Before a decoder allocates anything.
    if let Some([width, height]) = file.get(16..24).map(|it| it.as_chunks::<4>().0) {
        check_size(u32::from_be_bytes(*width), u32::from_be_bytes(*height), 1)?;
    }
    let reader = open(file)?;
    let info = reader.info();
    let stored = (info.width, info.height);
    let Between { frames, orientation } = between(file)?;
    let animation = info.animation_control.filter(|it| it.num_frames > 0);
    check_size(stored.0, stored.1, if animation.is_some() { frames.len().max(1) } else { 1 })?;
    let (width, height) = orientation.upright(stored);
    let Some(animation) = animation else { return Ok(Header::still(width, height)) };
    if animation.num_frames as usize != frames.len() {
        let message = format!("it announces {} frames and has {}", animation.num_frames, frames.len());
        return Err(Refused::damage(message));
    }
    if let Some(at) = frames.iter().position(|frame| !frame.is_inside(stored)) {
        return Err(Refused::damage(format!("frame {at} reaches beyond the canvas")));
    }
    if frames.len() == 1 {
        return Ok(Header::still(width, height));
    }
    let delays: Vec<_> = frames.iter().map(|frame| frame.delay).collect();
    let (durations_ms, too_short) = timing::durations(&delays, timing::A_MILLISECOND);
    Ok(Header {
        width,
        height,
        durations_ms,
        loop_count: Some(timing::plays(animation.num_plays)),
        too_short,
    })
}

/// Every frame as a whole picture.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, Refused> {
    let mut reader = open(file)?;
    let (width, height) = (reader.info().width, reader.info().height);
    let frames = reader.info().animation_control.map_or(0, |it| it.num_frames);
    let orientation = between(file)?.orientation;
    let mut warnings = Vec::new();
    let is_grey = matches!(reader.info().color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
    let colours = Colours::new(reader.info().icc_profile.as_deref(), is_grey, &mut warnings);

    let first = next(&mut reader, &colours)?;
    if frames == 0 {
        reader.finish().map_err(|error| Refused::damaged(&error))?;
        return Ok(Decoded { pictures: vec![orientation.apply(first)], warnings });
    }
    let mut stage = Stage::new(width, height);
    let mut pictures = Vec::with_capacity(frames as usize);
    // A first picture without a frame's data is for programs that know no animation.
    let mut picture =
        if reader.info().frame_control.is_some() { first } else { next(&mut reader, &colours)? };
    loop {
        let Some(control) = reader.info().frame_control else {
            return Err(Refused::damage("a frame says nothing of its place"));
        };
        let blend = if control.blend_op == BlendOp::Over { Blend::Over } else { Blend::Replace };
        let clears = control.dispose_op == DisposeOp::Background;
        let dispose = if clears { Dispose::Background } else { Dispose::None };
        let (x, y) = (control.x_offset, control.y_offset);
        let frame = Frame { image: 0, x, y, duration_ms: 0, blend, dispose };
        // Before the first frame there is nothing to go back to but an empty canvas.
        let returns = control.dispose_op == DisposeOp::Previous;
        pictures.push(orientation.apply(stage.shows(&picture, frame, returns)));
        if pictures.len() == frames as usize {
            break;
        }
        picture = next(&mut reader, &colours)?;
    }
    reader.finish().map_err(|error| Refused::damaged(&error))?;
    Ok(Decoded { pictures, warnings })
}

fn open(file: &[u8]) -> Result<Reader<Cursor<&[u8]>>, Refused> {
    let mut decoder = Decoder::new(Cursor::new(file));
    decoder.set_transformations(Transformations::ALPHA | Transformations::EXPAND);
    decoder.read_info().map_err(|error| Refused::damaged(&error))
}

/// The next picture as it is stored, in 8-bit sRGB with alpha: a part of the canvas in an animation.
fn next(reader: &mut Reader<Cursor<&[u8]>>, colours: &Colours) -> Result<Picture, Refused> {
    let size = reader.output_buffer_size().ok_or_else(|| Refused::damage("it is too large"))?;
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).map_err(|error| Refused::damaged(&error))?;
    // The decoder lays out the rows of an interlaced part as if the part were as wide as the canvas.
    let interlaced = reader.info().interlaced;
    let stride = if interlaced { size / (reader.info().height as usize).max(1) } else { frame.line_size };
    let rows = buffer.chunks_exact(stride.max(1)).take(frame.height as usize);
    let bytes = rows.flat_map(|row| row.get(..frame.line_size).unwrap_or_default()).copied();
    let is_grey = frame.color_type == ColorType::GrayscaleAlpha;
    let samples = if frame.bit_depth == png::BitDepth::Sixteen {
        let bytes: Vec<u8> = bytes.collect();
        let numbers: Vec<_> =
            bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_be_bytes(*bytes)).collect();
        Samples::Sixteen(if is_grey { four_channels(&numbers) } else { numbers })
    } else {
        let bytes: Vec<u8> = bytes.collect();
        Samples::Eight(if is_grey { four_channels(&bytes) } else { bytes })
    };
    Ok(Picture { width: frame.width, height: frame.height, rgba: colours.to_srgb(samples) })
}

/// Grey and alpha as red, green, blue and alpha.
fn four_channels<T: Copy>(samples: &[T]) -> Vec<T> {
    let pixels = samples.as_chunks::<2>().0.iter();
    pixels.flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]).collect()
}

/// Of a frame: its place and how long it is shown.
struct FrameControl {
    width: u32,
    height: u32,
    x: u32,
    y: u32,
    delay: Delay,
}

impl FrameControl {
    /// The sequence number, four numbers of four bytes, two of two bytes, two bytes.
    fn read(fields: &[u8; 26]) -> Self {
        let number = |at: usize| fields.as_chunks::<4>().0.get(at).copied().map_or(0, u32::from_be_bytes);
        let short = |at: usize| fields.as_chunks::<2>().0.get(at).copied().map_or(0, u16::from_be_bytes);
        Self {
            width: number(1),
            height: number(2),
            x: number(3),
            y: number(4),
            // The specification's meaning of 0.
            delay: Delay {
                numerator: short(10).into(),
                denominator: if short(11) == 0 { 100 } else { short(11) },
            },
        }
    }

    fn is_inside(&self, (width, height): (u32, u32)) -> bool {
        let fits = |start: u32, length: u32, whole: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
        };
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }
}

/// What is said between the pictures and after them.
struct Between {
    frames: Vec<FrameControl>,
    orientation: Orientation,
}

/// Every `fcTL` chunk, and `eXIf` wherever it stands, without decoding what lies between.
fn between(file: &[u8]) -> Result<Between, Refused> {
    let cut = || Refused::damage("it ends in the middle of a chunk");
    let mut between = Between { frames: Vec::new(), orientation: Orientation::of(None) };
    let mut rest = file.get(8..).ok_or_else(cut)?;
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [length, name] = header.as_chunks::<4>().0 else { return Err(cut()) };
        let length = u32::from_be_bytes(*length) as usize;
        let content = after.get(..length).ok_or_else(cut)?;
        if name == b"IEND" {
            return Ok(between);
        }
        if name == b"fcTL"
            && let Some((fields, _)) = content.split_first_chunk::<26>()
        {
            between.frames.push(FrameControl::read(fields));
        }
        if name == b"eXIf" {
            between.orientation = Orientation::of(Some(content));
        }
        // After the content come four bytes of checksum.
        rest = after.get(length + 4..).ok_or_else(cut)?;
    }
    Err(cut())
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, Encoder};

    use super::*;

    /// Encodes with whatever the closure sets; 8-bit RGBA frames.
    fn file(size: (u32, u32), set: impl Fn(&mut Encoder<'_, &mut Vec<u8>>), frames: &[&[u8]]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, size.0, size.1);
        encoder.set_color(ColorType::Rgba);
        set(&mut encoder);
        let mut writer = encoder.write_header().unwrap();
        for frame in frames {
            writer.write_image_data(frame).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    fn chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
        let named = [name, data].concat();
        let checksum = crc(&named);
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), named.as_slice(), &checksum.to_be_bytes()]
            .concat()
    }

    /// Annex D of the specification, a bit at a time.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
    }

    /// Before the last chunk.
    fn with_last(file: &[u8], chunk: &[u8]) -> Vec<u8> {
        let (start, end) = file.split_at(file.len() - 12);
        [start, chunk, end].concat()
    }

    const EXIF: &[u8] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";

    #[test]
    fn an_orientation_counts_wherever_it_stands() {
        let plain = file((2, 1), |_| {}, &[&[1, 1, 1, 255, 2, 2, 2, 255]]);
        let early = [&plain[..33], &chunk(b"eXIf", EXIF), &plain[33..]].concat();
        for file in [early, with_last(&plain, &chunk(b"eXIf", EXIF))] {
            let header = survey(&file).unwrap();
            assert_eq!((header.width, header.height), (1, 2));
            let pictures = decode(&file).unwrap().pictures;
            assert_eq!((pictures[0].width, pictures[0].height), (1, 2));
        }
    }

    #[test]
    fn sixteen_bits_become_the_nearest_of_eight() {
        let mut stored = Vec::new();
        let mut encoder = Encoder::new(&mut stored, 1, 1);
        encoder.set_color(ColorType::Rgba);
        encoder.set_depth(BitDepth::Sixteen);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0x80, 0x7f, 0x00, 0xff, 0xff, 0x00, 0x7f, 0xff]).unwrap();
        writer.finish().unwrap();
        // 0x807f / 257 is 127.99..., 0x00ff is 0.99..., 0xff00 is 254.0..., 0x7fff is 127.5 less a little.
        assert_eq!(decode(&stored).unwrap().pictures[0].rgba, [128, 1, 254, 127]);
    }

    #[test]
    fn an_animation_keeps_its_delays_and_as_many_plays_as_a_file_can_say() {
        let pixel: &[u8] = &[9, 9, 9, 255];
        let animated = |plays, delay: (u16, u16)| {
            let set = move |encoder: &mut Encoder<'_, &mut Vec<u8>>| {
                encoder.set_animated(3, plays).unwrap();
                encoder.set_frame_delay(delay.0, delay.1).unwrap();
            };
            survey(&file((1, 1), set, &[pixel; 3])).unwrap()
        };
        let header = animated(5, (1, 30));
        assert_eq!((header.durations_ms, header.loop_count), ([33, 34, 33].map(Some).to_vec(), Some(5)));
        let header = animated(1_000_000, (1, u16::MAX));
        assert_eq!((header.durations_ms, header.loop_count), (vec![Some(100); 3], Some(65_535)));
        assert!(header.too_short.is_some());
        // Hundredths where the denominator is 0.
        assert_eq!(animated(0, (7, 0)).durations_ms, [Some(70); 3]);
    }

    #[test]
    fn an_interlaced_part_of_the_canvas_lies_where_it_belongs() {
        // By hand, as the encoder writes no interlaced files: the second frame is 2 x 2 px at 1, 0.
        let mut stored = b"\x89PNG\r\n\x1a\n".to_vec();
        let header = [&4_u32.to_be_bytes()[..], &2_u32.to_be_bytes(), &[8, 6, 0, 0, 1]].concat();
        stored.extend(chunk(b"IHDR", &header));
        stored.extend(chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]));
        let control = |number: u8, (width, x): (u8, u8)| {
            [&[0, 0, 0, number, 0, 0, 0, width, 0, 0, 0, 2, 0, 0, 0, x, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0][..]]
                .concat()
        };
        let pass = |pixels: &[u8]| {
            let rows = pixels.iter().map(|&grey| [grey, grey, grey, 255]).collect::<Vec<_>>().concat();
            [&[0][..], &rows].concat()
        };
        // Adam7 of 4 x 2: pass 1 has x 0; pass 4 x 2 (y 0); pass 6 x 1 and 3 (y 0); pass 7 all of y 1.
        let whole = [pass(&[1]), pass(&[3]), pass(&[2, 4]), pass(&[5, 6, 7, 8])].concat();
        // Of 2 x 2: pass 1 has x 0; pass 6 x 1 (y 0); pass 7 all of y 1.
        let part = [pass(&[11]), pass(&[12]), pass(&[13, 14])].concat();
        stored.extend(chunk(b"fcTL", &control(0, (4, 0))));
        stored.extend(chunk(b"IDAT", &zlib(&whole)));
        stored.extend(chunk(b"fcTL", &control(1, (2, 1))));
        stored.extend(chunk(b"fdAT", &[&[0, 0, 0, 2][..], &zlib(&part)].concat()));
        stored.extend(chunk(b"IEND", &[]));
        let pictures = decode(&stored).unwrap().pictures;
        let greys =
            |at: usize| pictures[at].rgba.as_chunks::<4>().0.iter().map(|it| it[0]).collect::<Vec<_>>();
        assert_eq!(greys(0), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(greys(1), [1, 11, 12, 4, 5, 13, 14, 8]);
    }

    /// Stored, not compressed (RFC 1950 and 1951).
    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len()).unwrap();
        let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
            let a = (a + u32::from(byte)) % 65_521;
            (a, (b + a) % 65_521)
        });
        let start = [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        [start.as_slice(), bytes, &((b << 16) | a).to_be_bytes()].concat()
    }
}
