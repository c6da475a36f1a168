//! Flashes that can bring on seizures, as WCAG 2.2 counts them in success criterion 2.3.1: more than three in one second over a quarter of
//! the picture, on a black ground or on a white one.

use std::path::Path;

use super::grid::{Cell, grid, luminance};
use crate::finding::Finding;
use crate::picture::Picture;

/// A change of relative luminance that counts, and what the darker side must be below.
const CHANGE: f32 = 0.10;
const DARK: f32 = 0.80;
/// Part of the light that is red in a saturated red, and the change of (R - G - B) x 320 that counts.
const SATURATED: f32 = 0.80;
const RED_CHANGE: f32 = 20.0;
/// More than three pairs of opposing changes.
const CHANGES: usize = 7;
const SECOND_MS: u32 = 1_000;

/// Tells of flashes, general or red, and the frame where the first second of them begins. An animation that `loops` is looked at over its seam.
pub(super) fn check(
    path: &Path,
    pictures: &[Picture],
    durations_ms: &[u32],
    loops: bool,
    findings: &mut Vec<Finding>,
) {
    let grids: Vec<_> = pictures.iter().map(grid).collect();
    let shown = timeline(durations_ms, loops);
    for ground in [0.0, 1.0] {
        let light = |cell: &Cell| luminance(cell.over(ground));
        let counts = |low: f32, high: f32| high - low >= CHANGE && low < DARK;
        if let Some(frame) = first_flashing(&grids, &shown, light, counts) {
            let hint = "let it change more slowly, by less, or in a smaller part; three flashes a second are the most";
            let ground = if ground > 0.5 { "white" } else { "black" };
            let message = format!("it flashes more than three times a second on a {ground} ground");
            findings.push(Finding::warning("flicker", path, message, hint).at_frame(frame));
            break;
        }
    }
    let red = |cell: &Cell| redness(cell.over(0.0));
    if let Some(frame) = first_flashing(&grids, &shown, red, |low, high| high - low > RED_CHANGE) {
        let hint = "let the red change more slowly or use a softer one; three flashes a second are the most";
        let message = "it flashes in saturated red more than three times a second";
        findings.push(Finding::warning("flicker_red", path, message, hint).at_frame(frame));
    }
}

fn redness([red, green, blue]: [f32; 3]) -> f32 {
    let all = red + green + blue;
    if all > 0.0 && red / all >= SATURATED { (red - green - blue).max(0.0) * 320.0 } else { 0.0 }
}

/// Which frame is shown from when on, in ms: the whole animation, and what follows in a second and a half when it loops.
fn timeline(durations_ms: &[u32], loops: bool) -> Vec<(usize, u32)> {
    let total: u32 = durations_ms.iter().sum();
    let until = if loops { total + SECOND_MS + SECOND_MS / 2 } else { total };
    let mut shown = Vec::new();
    let mut now = 0;
    for (frame, &duration) in durations_ms.iter().enumerate().cycle() {
        if now >= until || total == 0 || shown.len() > 5_000 {
            break;
        }
        shown.push((frame, now));
        now += duration;
    }
    shown
}

/// The frame that begins the first second in which a quarter of the cells changes to and fro too often.
fn first_flashing(
    grids: &[Vec<Cell>],
    shown: &[(usize, u32)],
    value: impl Fn(&Cell) -> f32,
    counts: impl Fn(f32, f32) -> bool,
) -> Option<u32> {
    let cells = grids.first()?.len();
    let mut begins: Vec<Vec<u32>> = Vec::new();
    for cell in 0..cells {
        let values = shown.iter().filter_map(|&(frame, at)| Some((value(grids.get(frame)?.get(cell)?), at)));
        let changes = changes(values, &counts);
        let seconds = changes.windows(CHANGES).filter_map(|window| {
            let (&first, &last) = (window.first()?, window.last()?);
            (last - first < SECOND_MS).then_some(first)
        });
        begins.push(seconds.collect());
    }
    let mut moments: Vec<u32> = begins.iter().flatten().copied().collect();
    moments.sort_unstable();
    moments.dedup();
    let flashing = |moment: u32| {
        let near = |begins: &&Vec<u32>| begins.iter().any(|&begin| begin.abs_diff(moment) < SECOND_MS / 4);
        begins.iter().filter(near).count() * 4 >= cells
    };
    let moment = moments.into_iter().find(|&moment| flashing(moment))?;
    let frame = shown.iter().rev().find(|(_, at)| *at <= moment)?.0;
    u32::try_from(frame).ok()
}

/// When the value had turned by as much as counts: each is one half of a flash.
fn changes(values: impl Iterator<Item = (f32, u32)>, counts: impl Fn(f32, f32) -> bool) -> Vec<u32> {
    let mut changes = Vec::new();
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    let mut rising: Option<bool> = None;
    for (value, at) in values {
        if rising != Some(true) && counts(low, value) {
            (rising, high) = (Some(true), value);
            changes.push(at);
        } else if rising != Some(false) && counts(value, high) {
            (rising, low) = (Some(false), value);
            changes.push(at);
        }
        low = low.min(value);
        high = high.max(value);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::drawn::{block, codes, picture, told};

    /// Two pictures in turn, each shown for so long, for one second.
    fn look([one, other]: [Picture; 2], ms: u32, loops: bool) -> Vec<Finding> {
        let frames: Vec<_> = [one, other].into_iter().cycle().take((1_000 / ms) as usize).collect();
        let durations = vec![ms; frames.len()];
        told(|path, findings| check(path, &frames, &durations, loops, findings))
    }

    fn grey(value: u8) -> Picture {
        picture(64, |_, _| [value, value, value, 255])
    }

    #[test]
    fn five_flashes_a_second_are_told_with_their_first_frame_and_three_are_fine() {
        let flashing = look([grey(0), grey(255)], 100, false);
        assert_eq!(codes(&flashing), ["flicker"]);
        assert_eq!(flashing[0].place.unwrap().frame, Some(1));
        assert_eq!(look([grey(0), grey(255)], 167, true), []);
    }

    #[test]
    fn two_frames_that_loop_are_looked_at_over_the_seam() {
        let frames = [grey(0), grey(255)];
        let looped = told(|path, findings| check(path, &frames, &[50, 50], true, findings));
        assert_eq!(codes(&looped), ["flicker"]);
        let once = told(|path, findings| check(path, &frames, &[50, 50], false, findings));
        assert_eq!(once, []);
    }

    #[test]
    fn a_small_change_or_one_between_bright_greys_is_no_flash() {
        // Relative luminance 0.051 and 0.14; then 0.82 and 1.
        assert_eq!(look([grey(64), grey(104)], 50, true), []);
        assert_eq!(codes(&look([grey(64), grey(112)], 50, true)), ["flicker"]);
        assert_eq!(look([grey(233), grey(255)], 50, true), []);
    }

    #[test]
    fn less_than_a_quarter_of_the_picture_may_flash() {
        let empty = || picture(64, |_, _| [0; 4]);
        let small = block(64, [0, 0, 32, 30], [255; 4]);
        assert_eq!(look([empty(), small], 50, true), []);
        let quarter = block(64, [0, 0, 32, 32], [255; 4]);
        assert_eq!(codes(&look([empty(), quarter], 50, true)), ["flicker"]);
    }

    #[test]
    fn black_that_comes_and_goes_flashes_on_a_white_ground() {
        let black = block(64, [0, 0, 64, 64], [0, 0, 0, 255]);
        let findings = look([picture(64, |_, _| [0; 4]), black], 50, true);
        assert_eq!(codes(&findings), ["flicker"]);
        assert!(findings[0].message.contains("white"), "{}", findings[0].message);
    }

    #[test]
    fn saturated_red_is_told_where_its_light_changes_too_little() {
        // Relative luminance 0.09 at most.
        let dark_red = picture(64, |_, _| [170, 0, 0, 255]);
        assert_eq!(codes(&look([grey(0), dark_red], 50, true)), ["flicker_red"]);
        let brown = picture(64, |_, _| [120, 80, 60, 255]);
        assert_eq!(look([grey(64), brown], 50, true), []);
    }
}
