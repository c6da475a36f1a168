//! How close a picture comes to what it was made from, as people see it: SSIMULACRA2 on black, white and mid-grey.

use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Reference};

use crate::error::Error;
use crate::picture::Picture;

/// A picture to compare others with. Above 100 there is nothing, 90 looks the same to almost everybody, 70 is fine in a chat, 50 shows.
/// Transparency is what the metric does not know, so pictures are compared on several grounds and the lowest score counts.
#[derive(Debug)]
pub struct Reference {
    width: u32,
    height: u32,
    on: Vec<(u8, Ssimulacra2Reference)>,
}

/// The greys that stickers are looked at on; the metric's worst case differs from picture to picture.
const GROUNDS: [u8; 3] = [0, 255, 128];

impl Reference {
    /// Prepares black, white and mid-grey; one ground alone where nothing shines through.
    ///
    /// # Errors
    /// [`Error::Internal`] for a picture without its pixels.
    pub fn new(picture: &Picture) -> Result<Self, Error> {
        let opaque = picture.rgba.as_chunks::<4>().0.iter().all(|&[.., alpha]| alpha == 255);
        let grounds = GROUNDS.iter().take(if opaque { 1 } else { GROUNDS.len() });
        let prepare = |&ground: &u8| {
            let pixels = composite(picture, ground);
            let reference = Ssimulacra2Reference::new(&slice(&pixels, picture.width, picture.height)?)
                .map_err(Error::internal)?;
            Ok((ground, reference))
        };
        let on = grounds.map(prepare).collect::<Result<_, Error>>()?;
        Ok(Self { width: picture.width, height: picture.height, on })
    }

    /// The lowest score of `picture`, which has the reference's size; 100 for the same pixels.
    ///
    /// # Errors
    /// [`Error::Internal`] for a picture of another size.
    pub fn score(&self, picture: &Picture) -> Result<f64, Error> {
        let mut scores = (0..self.on.len()).map(|at| self.score_on(at, picture));
        scores.try_fold(100.0_f64, |lowest, score| Ok(lowest.min(score?)))
    }

    /// The score on one of the grounds alone, for a search that checks all of them in the end.
    pub(crate) fn score_on(&self, ground: usize, picture: &Picture) -> Result<f64, Error> {
        if (picture.width, picture.height) != (self.width, self.height) {
            return Err(Error::internal(std::io::Error::other("pictures of different sizes were compared")));
        }
        let Some((ground, reference)) = self.on.get(ground) else { return Ok(100.0) };
        let pixels = composite(picture, *ground);
        reference.compare(&slice(&pixels, self.width, self.height)?).map_err(Error::internal)
    }

    /// How many grounds there are.
    pub(crate) fn grounds(&self) -> usize {
        self.on.len()
    }
}

fn slice(pixels: &[u8], width: u32, height: u32) -> Result<PixelSlice<'_>, Error> {
    PixelSlice::new(pixels, width, height, width as usize * 3, PixelDescriptor::RGB8_SRGB)
        .map_err(|error| Error::internal(std::io::Error::other(error.to_string())))
}

/// The picture on a grey as a browser paints it: blended in sRGB. Three bytes a pixel.
fn composite(picture: &Picture, ground: u8) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(picture.rgba.len() / 4 * 3);
    for &[red, green, blue, alpha] in picture.rgba.as_chunks::<4>().0 {
        let (over, under) = (u32::from(alpha), u32::from(255 - alpha) * u32::from(ground));
        let blend =
            |channel: u8| u8::try_from((u32::from(channel) * over + under + 127) / 255).unwrap_or(255);
        pixels.extend([blend(red), blend(green), blend(blue)]);
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(red: u8, alpha: u8) -> Picture {
        let inside = |x: i32, y: i32| (x - 32) * (x - 32) + (y - 32) * (y - 32) < 600;
        let pixel = |x, y| if inside(x, y) { [red, 90, 40, alpha] } else { [0; 4] };
        Picture {
            width: 64,
            height: 64,
            rgba: (0..64).flat_map(|y| (0..64).flat_map(move |x| pixel(x, y))).collect(),
        }
    }

    #[test]
    fn the_same_picture_scores_a_hundred_and_a_changed_one_less() {
        let reference = Reference::new(&disc(200, 255)).unwrap();
        assert!(reference.score(&disc(200, 255)).unwrap() > 99.9);
        assert!(reference.score(&disc(120, 255)).unwrap() < 90.0);
    }

    #[test]
    fn transparency_that_shows_on_one_ground_alone_counts() {
        // A grey of 128 in the place of nothing cannot be seen on mid-grey.
        let nothing = Picture { width: 64, height: 64, rgba: vec![0; 64 * 64 * 4] };
        let mut grey = nothing.clone();
        for pixel in grey.rgba.as_chunks_mut::<4>().0.iter_mut().skip(1_000).take(800) {
            *pixel = [128, 128, 128, 255];
        }
        let reference = Reference::new(&nothing).unwrap();
        assert!(reference.score_on(2, &grey).unwrap() > 99.0);
        assert!(reference.score(&grey).unwrap() < 50.0);
    }

    #[test]
    fn pictures_of_different_sizes_are_not_compared() {
        let other = Picture { width: 32, height: 128, rgba: disc(1, 1).rgba };
        assert!(Reference::new(&disc(1, 1)).unwrap().score(&other).is_err());
    }
}
