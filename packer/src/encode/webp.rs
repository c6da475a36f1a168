//! libwebp's encoder, and the only unsafe code of the packer.

#![expect(unsafe_code, reason = "libwebp is C; each call is wrapped here and nowhere else")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use libwebp_sys as sys;

use super::container;
use crate::error::Error;
use crate::picture::Picture;

/// Every visible pixel as it is. `near` is how many of the low bits of colours may change where that saves bytes: 100 none, 60 a
/// little, 0 most (libwebp's near-lossless level). `method` is libwebp's, 0 the fastest, 6 the slowest.
pub(crate) fn lossless(picture: &Picture, near: u8, method: u8) -> Result<Vec<u8>, Error> {
    let mut target = Target::import(picture)?;
    let mut config = config(method)?;
    config.lossless = 1;
    config.near_lossless = i32::from(near);
    // How hard the lossless coder works within its method; above 40 the gain is below half a percent.
    config.quality = f32::from(method) * 10.0;
    target.encode(&config)?;
    Ok(target.written().to_vec())
}

/// A picture that is ready for the lossy coder: colours converted once, alpha coded once for each of its qualities.
pub(crate) struct Lossy {
    target: Target,
    /// The `ALPH` chunk's content by alpha quality; empty where nothing is transparent.
    alphas: Vec<(u8, Vec<u8>)>,
    /// What the conversion made of it: with an alpha plane or without.
    colorspace: sys::WebPEncCSP,
    method: u8,
}

impl Lossy {
    /// `sharp` converts to YUV so that edges between colours stay sharp, which takes longer and is worth 1.6 to 3.2 points.
    pub(crate) fn new(picture: &Picture, sharp: bool, method: u8) -> Result<Self, Error> {
        let mut target = Target::import(picture)?;
        // SAFETY: the picture is initialised and holds ARGB pixels; both calls keep it so and add YUV planes of libwebp's own.
        let converted = unsafe {
            if sharp {
                sys::WebPPictureSharpARGBToYUVA(&raw mut *target.picture)
            } else {
                sys::WebPPictureARGBToYUVA(&raw mut *target.picture, sys::WebPEncCSP::WEBP_YUV420)
            }
        };
        if converted == 0 {
            return Err(refused("libwebp is out of memory"));
        }
        // SAFETY: the picture holds YUV planes, and an alpha plane where something is transparent.
        unsafe { sys::WebPCleanupTransparentArea(&raw mut *target.picture) };
        let colorspace = target.picture.colorspace;
        Ok(Self { target, alphas: Vec::new(), colorspace, method })
    }

    /// The whole file at a quality from 0 to 100, for colour and for alpha. An alpha of 100 loses nothing; below, it has fewer
    /// levels: 96 at 80, 16 at 70.
    pub(crate) fn encode(&mut self, quality: f32, alpha: u8) -> Result<Vec<u8>, Error> {
        let mut config = config(self.method)?;
        config.quality = quality;
        config.alpha_quality = i32::from(alpha);
        config.exact = 1;
        // Looks for the strength of the loop filter instead of guessing it: 3 % fewer bytes at the same score on drawn art.
        config.autofilter = i32::from(self.method > 2);
        let size = (self.target.picture.width.unsigned_abs(), self.target.picture.height.unsigned_abs());
        let Some((_, coded)) = self.alphas.iter().find(|(it, _)| *it == alpha) else {
            self.target.picture.colorspace = self.colorspace;
            self.target.encode(&config)?;
            let file = self.target.written().to_vec();
            self.alphas.push((alpha, container::chunk_of(&file, *b"ALPH").unwrap_or_default().to_vec()));
            return Ok(file);
        };
        // The colours alone.
        self.target.picture.colorspace = sys::WebPEncCSP::WEBP_YUV420;
        self.target.encode(&config)?;
        let file = self.target.written();
        if coded.is_empty() {
            return Ok(file.to_vec());
        }
        let colour =
            container::chunk_of(file, *b"VP8 ").ok_or_else(|| refused("libwebp wrote no picture"))?;
        container::still_with_alpha(size, coded, colour)
    }
}

fn config(method: u8) -> Result<sys::WebPConfig, Error> {
    let mut config =
        sys::WebPConfig::new().map_err(|()| refused("libwebp has another version than its bindings"))?;
    config.method = i32::from(method);
    Ok(config)
}

/// A picture of libwebp's and the memory that it writes to; both are freed when dropped.
///
/// It may go to another thread: libwebp keeps nothing beside what the two point to.
struct Target {
    picture: Box<sys::WebPPicture>,
    writer: Box<sys::WebPMemoryWriter>,
}

impl Target {
    fn new() -> Result<Self, Error> {
        let mut writer =
            Box::new(sys::WebPMemoryWriter { mem: ptr::null_mut(), size: 0, max_size: 0, pad: [0] });
        let mut picture = MaybeUninit::<sys::WebPPicture>::zeroed();
        // SAFETY: both pointers are to memory of our own of the right type; zero bytes are a valid picture (integers, null
        // pointers and an empty function pointer), which the call fills with its defaults.
        let picture = unsafe {
            sys::WebPMemoryWriterInit(&raw mut *writer);
            if !sys::WebPPictureInit(picture.as_mut_ptr()) {
                return Err(refused("libwebp has another version than its bindings"));
            }
            picture.assume_init()
        };
        let mut target = Self { picture: Box::new(picture), writer };
        target.picture.writer = Some(sys::WebPMemoryWrite);
        target.picture.custom_ptr = (&raw mut *target.writer).cast();
        Ok(target)
    }

    /// The pixels, copied into libwebp's memory.
    fn import(picture: &Picture) -> Result<Self, Error> {
        let (Ok(width), Ok(height)) = (i32::try_from(picture.width), i32::try_from(picture.height)) else {
            return Err(refused("libwebp takes no picture of this size"));
        };
        let whole = picture.width as usize * picture.height as usize * 4 == picture.rgba.len();
        if !whole || width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(refused("libwebp takes no picture of this size"));
        }
        let mut target = Self::new()?;
        // SAFETY: `target.picture` is initialised; the pixels are width * height * 4 bytes, as was checked, and are only read.
        let imported = unsafe {
            target.picture.width = width;
            target.picture.height = height;
            target.picture.use_argb = 1;
            sys::WebPPictureImportRGBA(&raw mut *target.picture, picture.rgba.as_ptr(), width * 4)
        };
        if imported == 0 { Err(refused("libwebp is out of memory")) } else { Ok(target) }
    }

    /// Encodes into the writer, in the place of what was there.
    fn encode(&mut self, config: &sys::WebPConfig) -> Result<(), Error> {
        self.writer.size = 0;
        // SAFETY: configuration and picture are initialised; the writer that the picture points to lives in `self`, which
        // is on the heap and does not move. A writer of size 0 is written from its start.
        let encoded = unsafe { sys::WebPEncode(config, &raw mut *self.picture) };
        if encoded == 0 { Err(refused("libwebp refuses the picture")) } else { Ok(()) }
    }

    fn written(&self) -> &[u8] {
        if self.writer.mem.is_null() {
            return &[];
        }
        // SAFETY: libwebp allocated at least `size` bytes at `mem`, wrote them, and frees them in `drop` alone.
        unsafe { std::slice::from_raw_parts(self.writer.mem, self.writer.size) }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // SAFETY: both were initialised by libwebp and are freed once.
        unsafe {
            sys::WebPPictureFree(&raw mut *self.picture);
            sys::WebPMemoryWriterClear(&raw mut *self.writer);
        }
    }
}

// SAFETY: the memory behind the pointers belongs to this value alone, and libwebp has no thread-local state.
unsafe impl Send for Target {}

/// VP8's limit in px.
const MAX_SIDE: i32 = 16_383;

fn refused(what: &'static str) -> Error {
    Error::internal(io::Error::other(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::decode;
    use sticker_protocol::ImageFormat;

    fn gradient() -> Picture {
        let pixel = |x: u8, y: u8| if x < 8 { [0; 4] } else { [x, y, x ^ y, 255 - y] };
        let rgba = (0..64).flat_map(|y| (0..64).flat_map(move |x| pixel(x, y))).collect();
        Picture { width: 64, height: 64, rgba }
    }

    #[test]
    fn one_libwebp_is_linked_and_it_is_1_6_0() {
        // SAFETY: takes nothing and returns a number.
        assert_eq!(unsafe { sys::WebPGetEncoderVersion() }, 0x1_06_00);
    }

    #[test]
    fn lossless_gives_every_pixel_back_in_another_decoder() {
        for method in [0, 4] {
            let file = lossless(&gradient(), 100, method).unwrap();
            assert_eq!(&file[12..16], b"VP8L");
            assert_eq!(decode(&file, ImageFormat::WebP).unwrap(), gradient());
        }
    }

    #[test]
    fn lossy_gives_the_alpha_back_exactly() {
        let file = Lossy::new(&gradient(), true, 4).unwrap().encode(75.0, 100).unwrap();
        let decoded = decode(&file, ImageFormat::WebP).unwrap();
        let alpha = |picture: &Picture| picture.rgba.iter().skip(3).step_by(4).copied().collect::<Vec<_>>();
        assert_eq!(alpha(&decoded), alpha(&gradient()));
    }

    #[test]
    fn a_later_quality_gives_the_same_file_as_if_it_had_been_the_first() {
        let opaque = Picture { rgba: gradient().rgba.iter().map(|byte| byte | 0xf0).collect(), ..gradient() };
        for picture in [gradient(), opaque] {
            let mut coder = Lossy::new(&picture, true, 4).unwrap();
            for alpha in [100, 70, 100] {
                coder.encode(30.0, alpha).unwrap();
                let first = Lossy::new(&picture, true, 4).unwrap().encode(80.0, alpha).unwrap();
                assert_eq!(coder.encode(80.0, alpha).unwrap(), first);
            }
        }
    }

    #[test]
    fn a_picture_without_its_pixels_is_refused() {
        for (width, height) in [(0, 0), (64, 65), (u32::MAX, 1), (16_384, 1)] {
            assert!(lossless(&Picture { width, height, rgba: vec![0; 64 * 64 * 4] }, 100, 1).is_err());
        }
    }
}
