//! libwebp's encoder, and the only unsafe code of the packer.

#![expect(unsafe_code, reason = "libwebp is C; each call is wrapped here and nowhere else")]

use std::collections::HashSet;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use libwebp_sys as sys;

use crate::error::Error;
use crate::picture::Picture;

/// For phones and pages: lossy at quality 85 with sharp YUV, method 4, and alpha that is not degraded; or lossless, where that
/// is smaller. Lossless is tried only where it has a chance, since it costs more time than everything else together.
pub(crate) fn smaller_of_lossy_and_lossless(picture: &Picture) -> Result<Vec<u8>, Error> {
    let lossy = encode(picture, |config| {
        config.quality = 85.0;
        config.method = 4;
        config.use_sharp_yuv = 1;
        config.alpha_quality = 100;
    })?;
    if !is_flat(picture) {
        return Ok(lossy);
    }
    let lossless = encode(picture, |config| {
        config.lossless = 1;
        config.quality = 40.0;
        config.method = 4;
    })?;
    Ok(if lossless.len() <= lossy.len() { lossless } else { lossy })
}

/// For the archive: every pixel as it is, but for colour that nobody can see. Method 1 takes a third less time than method 4 on
/// gradients and four fifths less on flat art, for 9 to 49 % more bytes that no phone downloads.
pub(crate) fn lossless(picture: &Picture) -> Result<Vec<u8>, Error> {
    encode(picture, |config| {
        config.lossless = 1;
        config.quality = 20.0;
        config.method = 1;
    })
}

/// Whether a file that this module made has lost nothing: its only chunk is `VP8L`.
pub(crate) fn is_lossless(file: &[u8]) -> bool {
    file.get(12..16) == Some(b"VP8L")
}

/// At most one colour for 64 pixels. Of 350 pictures that were measured (gradients, flat art, photos, at four densities), lossless
/// was smaller for those with up to one in 300; above one in 64 it took at least half as much again as lossy.
fn is_flat(picture: &Picture) -> bool {
    let most = picture.rgba.len() / 4 / 64;
    let mut colours: HashSet<[u8; 4]> = HashSet::with_capacity(most.min(1 << 12));
    picture.rgba.as_chunks::<4>().0.chunk_by(|one, next| one == next).all(|run| {
        colours.extend(run.first());
        colours.len() <= most
    })
}

fn encode(picture: &Picture, configure: impl FnOnce(&mut sys::WebPConfig)) -> Result<Vec<u8>, Error> {
    let (Ok(width), Ok(height)) = (i32::try_from(picture.width), i32::try_from(picture.height)) else {
        return Err(refused("libwebp takes no picture of this size"));
    };
    let whole = picture.width as usize * picture.height as usize * 4 == picture.rgba.len();
    if !whole || width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(refused("libwebp takes no picture of this size"));
    }
    let mut config =
        sys::WebPConfig::new().map_err(|()| refused("libwebp has another version than its bindings"))?;
    configure(&mut config);
    let mut target = Target::new()?;
    // SAFETY: `target.picture` is initialised; the pixels are width * height * 4 bytes, as was checked, and are only read.
    let imported = unsafe {
        target.picture.width = width;
        target.picture.height = height;
        target.picture.use_argb = 1;
        sys::WebPPictureImportRGBA(&raw mut *target.picture, picture.rgba.as_ptr(), width * 4)
    };
    if imported == 0 {
        return Err(refused("libwebp is out of memory"));
    }
    // SAFETY: configuration and picture are initialised; the writer that the picture points to lives in `target`, which
    // is on the heap and does not move.
    let encoded = unsafe { sys::WebPEncode(&raw const config, &raw mut *target.picture) };
    if encoded == 0 {
        return Err(refused("libwebp refuses the picture"));
    }
    Ok(target.written().to_vec())
}

/// A picture of libwebp's and the memory that it writes to; both are freed when dropped.
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
        assert_eq!(decode(&lossless(&gradient()).unwrap(), ImageFormat::WebP).unwrap(), gradient());
    }

    #[test]
    fn lossy_gives_the_alpha_back_exactly() {
        let file = encode(&gradient(), |config| config.use_sharp_yuv = 1).unwrap();
        let decoded = decode(&file, ImageFormat::WebP).unwrap();
        let alpha = |picture: &Picture| picture.rgba.iter().skip(3).step_by(4).copied().collect::<Vec<_>>();
        assert_eq!(alpha(&decoded), alpha(&gradient()));
    }

    #[test]
    fn flat_art_is_stored_without_loss_and_gradients_are_not() {
        let flat =
            Picture { width: 64, height: 64, rgba: [[200, 30, 30, 255], [0; 4]].concat().repeat(2048) };
        assert!(is_lossless(&smaller_of_lossy_and_lossless(&flat).unwrap()));
        assert!(!is_lossless(&smaller_of_lossy_and_lossless(&gradient()).unwrap()));
    }

    #[test]
    fn a_picture_without_its_pixels_is_refused() {
        for (width, height) in [(0, 0), (64, 65), (u32::MAX, 1), (16_384, 1)] {
            assert!(lossless(&Picture { width, height, rgba: vec![0; 64 * 64 * 4] }).is_err());
        }
    }
}
