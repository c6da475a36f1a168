//! Which way up a camera was held: EXIF's orientation, applied to the pixels.

use exif::{In, Reader, Tag};

use crate::picture::Picture;

/// From 1, upright, to 8, as EXIF 2.32 section 4.6.4 numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u32);

impl Orientation {
    /// As a file's EXIF data says; upright where it says nothing that can be read.
    pub(super) fn of(exif: Option<&[u8]>) -> Self {
        let stated = exif.and_then(|exif| {
            // WebP files of some cameras repeat the prefix that JPEG needs.
            let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
            let exif = Reader::new().read_raw(exif.to_vec()).ok()?;
            exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0)
        });
        Self(stated.filter(|it| (1..=8).contains(it)).unwrap_or(1))
    }

    /// The size of the upright picture.
    pub(super) fn upright(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.0 >= 5 { (height, width) } else { (width, height) }
    }

    /// Turns and mirrors the pixels.
    pub(super) fn apply(self, picture: Picture) -> Picture {
        if self.0 == 1 {
            return picture;
        }
        let (across, down) = (picture.width, picture.height);
        let (width, height) = self.upright((across, down));
        let pixels = picture.rgba.as_chunks::<4>().0;
        let from = |x: u32, y: u32| match self.0 {
            2 => (across - 1 - x, y),
            3 => (across - 1 - x, down - 1 - y),
            4 => (x, down - 1 - y),
            5 => (y, x),
            6 => (y, down - 1 - x),
            7 => (across - 1 - y, down - 1 - x),
            _ => (across - 1 - y, x),
        };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgba = places.flat_map(|(x, y)| {
            let (x, y) = from(x, y);
            pixels.get(y as usize * across as usize + x as usize).copied().unwrap_or_default()
        });
        Picture { width, height, rgba: rgba.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letter F in 3 x 5 px.
    const UPRIGHT: [&str; 5] = ["###", "#..", "##.", "#..", "#.."];

    fn drawn(rows: &[&str]) -> Picture {
        let pixel = |letter: u8| if letter == b'#' { [0, 0, 0, 255] } else { [255; 4] };
        let rgba = rows.iter().flat_map(|row| row.bytes().flat_map(pixel)).collect();
        let side = |length: usize| u32::try_from(length).unwrap();
        Picture { width: side(rows[0].len()), height: side(rows.len()), rgba }
    }

    #[test]
    fn every_orientation_of_a_letter_is_turned_upright() {
        let stored: [&[&str]; 8] = [
            &["###", "#..", "##.", "#..", "#.."],
            &["###", "..#", ".##", "..#", "..#"],
            &["..#", "..#", ".##", "..#", "###"],
            &["#..", "#..", "##.", "#..", "###"],
            &["#####", "#.#..", "#...."],
            &["#....", "#.#..", "#####"],
            &["....#", "..#.#", "#####"],
            &["#####", "..#.#", "....#"],
        ];
        for (number, rows) in (1..).zip(stored) {
            assert_eq!(Orientation(number).apply(drawn(rows)), drawn(&UPRIGHT), "orientation {number}");
        }
    }

    #[test]
    fn data_that_says_nothing_is_upright() {
        for exif in [None, Some(b"".as_slice()), Some(b"nonsense"), Some(b"II*\0\x08\0\0\0\0\0")] {
            assert_eq!(Orientation::of(exif), Orientation(1));
        }
    }

    #[test]
    fn the_tag_is_read_in_both_byte_orders() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        assert_eq!(Orientation::of(Some(little)), Orientation(6));
        assert_eq!(Orientation::of(Some(big)), Orientation(8));
    }
}
