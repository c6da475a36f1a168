//! How long frames are shown and how often they play, exactly.

use std::collections::BTreeMap;
use std::fmt;

use sticker_protocol::limits::MAX_LOOPS;

/// What a frame lasts whose file says 0, or so little that browsers take it for 0: browsers do the same, and a phone cannot show a frame for no time.
pub(super) const ZERO_LASTS_MS: u32 = 100;

/// A delay in seconds, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delay {
    pub(super) numerator: u32,
    /// At least 1.
    pub(super) denominator: u16,
}

impl Delay {
    pub(super) fn milliseconds(numerator: u32) -> Self {
        Self { numerator, denominator: 1000 }
    }

    fn is_below(self, other: Self) -> bool {
        u64::from(self.numerator) * u64::from(other.denominator)
            < u64::from(other.numerator) * u64::from(self.denominator)
    }
}

/// In whole ms, as far as there is one.
impl fmt::Display for Delay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::from(self.numerator) * 1000 / u64::from(self.denominator.max(1)) {
            0 if self.numerator > 0 => formatter.write_str("less than 1 ms"),
            ms => write!(formatter, "{ms} ms"),
        }
    }
}

/// The shortest time that can be said in ms.
pub(super) const A_MILLISECOND: Delay = Delay { numerator: 1, denominator: 1000 };

/// Milliseconds whose ends are the exact ends rounded, so that their sum is the whole length rounded once; and the first
/// delay below `shortest`, in place of which the frame was given [`ZERO_LASTS_MS`].
pub(super) fn durations(delays: &[Delay], shortest: Delay) -> (Vec<Option<u32>>, Option<Delay>) {
    let (mut elapsed, mut start) = (Elapsed::default(), 0);
    let durations = delays.iter().map(|&delay| {
        elapsed.add(if delay.is_below(shortest) { Delay::milliseconds(ZERO_LASTS_MS) } else { delay });
        let end = elapsed.milliseconds();
        let duration = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
        start = end;
        Some(duration)
    });
    (durations.collect(), delays.iter().copied().find(|delay| delay.is_below(shortest)))
}

/// A number of plays that a sticker file can say; 0 is for ever.
pub(super) fn plays(number: u32) -> u32 {
    number.min(MAX_LOOPS)
}

/// A sum of fractions, kept by denominator so that nothing is lost.
#[derive(Default)]
struct Elapsed(BTreeMap<u16, u64>);

impl Elapsed {
    fn add(&mut self, delay: Delay) {
        *self.0.entry(delay.denominator.max(1)).or_default() += u64::from(delay.numerator);
    }

    /// To the nearest ms, halves up. Each denominator's part is taken to the next 2^-64 ms, so that a half stays one.
    fn milliseconds(&self) -> u64 {
        let part = |(&denominator, &numerator): (&u16, &u64)| {
            ((u128::from(numerator) * 1000) << 64).div_ceil(u128::from(denominator))
        };
        let sum: u128 = self.0.iter().map(part).sum();
        u64::try_from((sum + (1 << 63)) >> 64).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(delays: &[(u32, u16)]) -> (Vec<u32>, Option<String>) {
        let delay = |&(numerator, denominator): &(u32, u16)| Delay { numerator, denominator };
        let (durations, too_short) = durations(&delays.iter().map(delay).collect::<Vec<_>>(), A_MILLISECOND);
        (durations.into_iter().flatten().collect(), too_short.map(|delay| delay.to_string()))
    }

    #[test]
    fn twenty_four_frames_of_83_ms_last_1992_ms() {
        assert_eq!(of(&[(83, 1000); 24]), (vec![83; 24], None));
    }

    #[test]
    fn thirty_frames_at_thirty_a_second_last_a_second() {
        let (durations, _) = of(&[(1, 30); 30]);
        assert_eq!(durations.iter().sum::<u32>(), 1000);
        assert!(durations.iter().all(|ms| (33..=34).contains(ms)));
        // A third and a sixth of a second are exactly half of one.
        assert_eq!(of(&[(1, 3), (1, 6)]).0, [333, 167]);
    }

    #[test]
    fn a_frame_of_no_time_lasts_a_tenth_of_a_second() {
        assert_eq!(of(&[(0, 100), (1, 20)]), (vec![100, 50], Some("0 ms".to_owned())));
        // So little time is none.
        assert_eq!(of(&[(1, u16::MAX); 3]), (vec![100; 3], Some("less than 1 ms".to_owned())));
    }

    #[test]
    fn more_plays_than_a_file_can_say_are_as_many_as_it_can() {
        assert_eq!([0, 3, 65_536].map(plays), [0, 3, 65_535]);
    }
}
