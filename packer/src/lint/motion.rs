//! How long an animation lasts and how fast it runs.

use std::path::Path;

use crate::finding::Finding;
use crate::picture::Picture;

/// What the most patient messenger takes.
const LONG_MS: u32 = 10_000;
/// What most messengers take.
const QUITE_LONG_MS: u32 = 3_000;
/// Five seconds at 30 frames a second.
const MANY_FRAMES: usize = 150;
/// 60 frames a second, rounded to the ms in which durations are counted.
const SHORT_FRAME_MS: u32 = 16;

pub(super) fn check(path: &Path, pictures: &[Picture], durations_ms: &[u32], findings: &mut Vec<Finding>) {
    let total: u32 = durations_ms.iter().sum();
    let message = format!("it lasts {total} ms");
    if total > LONG_MS {
        let hint = "tell it in fewer frames, or show each for a shorter time; 1 to 3 seconds are usual";
        findings.push(Finding::warning("too_long", path, message, hint));
    } else if total > QUITE_LONG_MS {
        let hint = "1 to 3 seconds are usual; leave it if the story needs the time";
        findings.push(Finding::note("quite_long", path, message, hint));
    }
    if pictures.len() > MANY_FRAMES {
        let message = format!("it has {} frames", pictures.len());
        let hint = "12 to 25 frames a second look smooth: leave out every other frame and show the rest for twice as long";
        findings.push(Finding::warning("many_frames", path, message, hint));
    }
    if let Some((frame, ms)) = (0_u32..).zip(durations_ms).find(|(_, ms)| **ms < SHORT_FRAME_MS) {
        let message = format!("it shows a frame for {ms} ms, which is more than 60 frames a second");
        let hint = "set fps to 30 or less in pack.toml, and leave out frames so that it keeps its speed";
        findings.push(Finding::warning("frame_rate_high", path, message, hint).at_frame(frame));
    }
    let pairs = (1_u32..).zip(pictures.windows(2));
    let mut same = pairs.filter(|(_, pair)| matches!(pair, [one, next] if looks_like(one, next)));
    if let Some((frame, _)) = same.next() {
        let count = 1 + same.count();
        let message = match count {
            1 => "a frame is the same as the one before it".to_owned(),
            _ => format!("{count} frames are the same as the one before them"),
        };
        let hint = "nothing has to be done: the build shows one of them for longer; draw fewer if that was not meant";
        findings.push(Finding::note("identical_frames", path, message, hint).at_frame(frame));
    }
}

/// Whether nobody could see a difference: colour under full transparency does not count.
fn looks_like(one: &Picture, other: &Picture) -> bool {
    let pixels = one.rgba.as_chunks::<4>().0.iter().zip(other.rgba.as_chunks::<4>().0);
    one.rgba.len() == other.rgba.len()
        && (one.rgba == other.rgba
            || pixels.into_iter().all(|(one, other)| one == other || (one[3] == 0 && other[3] == 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::drawn::{codes, picture, told};

    /// Frames that all differ, each shown for so long.
    fn look(count: u8, ms: u32) -> Vec<Finding> {
        let frames: Vec<_> = (0..count).map(|frame| picture(2, |_, _| [frame, 0, 0, 255])).collect();
        told(|path, findings| check(path, &frames, &vec![ms; frames.len()], findings))
    }

    #[test]
    fn three_seconds_are_fine_more_are_a_note_and_more_than_ten_a_warning() {
        assert_eq!(look(30, 100), []);
        assert_eq!(codes(&look(31, 100)), ["quite_long"]);
        assert_eq!(codes(&look(100, 100)), ["quite_long"]);
        assert_eq!(codes(&look(101, 100)), ["too_long"]);
    }

    #[test]
    fn a_hundred_and_fifty_frames_are_enough() {
        assert_eq!(look(150, 20), []);
        assert_eq!(codes(&look(151, 19)), ["many_frames"]);
    }

    #[test]
    fn sixty_frames_a_second_are_enough() {
        assert_eq!(look(3, 16), []);
        let fast = look(3, 15);
        assert_eq!(codes(&fast), ["frame_rate_high"]);
        assert_eq!(fast[0].place.unwrap().frame, Some(0));
    }

    #[test]
    fn a_frame_that_changes_nothing_is_a_note_even_where_hidden_colour_differs() {
        let clear = |red: u8| picture(2, |x, _| if x == 0 { [red, 0, 0, 0] } else { [9, 9, 9, 255] });
        let other = picture(2, |_, _| [1, 2, 3, 255]);
        let frames = [other.clone(), clear(1), clear(2), other];
        let findings = told(|path, findings| check(path, &frames, &[50; 4], findings));
        assert_eq!(codes(&findings), ["identical_frames"]);
        assert_eq!(findings[0].place.unwrap().frame, Some(2));
    }
}
