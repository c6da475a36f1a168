//! How long a job that failed waits for its next attempt.

use std::time::Duration;

use super::Kind;
use crate::random::{NoRandom, Random};

impl Kind {
    /// After so many failures in a row a job is dead. With the pauses below these are about three days, which is how long Google waits for
    /// an acknowledgement; Apple wants its answer within twelve hours.
    pub const fn attempts(self) -> u32 {
        match self {
            Self::GoogleAcknowledge | Self::GoogleConsume => 84,
            Self::AppleConsumption => 24,
        }
    }
}

/// The pause after this many failures: 1 s, then twice as long each time up to an hour, all of it a quarter longer or shorter at random, so
/// that what failed together does not come back together. Where the other side named a longer pause, that one, up to six hours.
///
/// # Errors
/// Where the system gives no random bytes.
pub(super) fn pause(random: &Random, failures: u32, asked: Option<Duration>) -> Result<Duration, NoRandom> {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let usual = FIRST.saturating_mul(doubled).min(LONGEST);
    let [draw] = random.bytes::<1>()?;
    // Three quarters, and up to half of the usual pause more.
    let drawn = usual * 3 / 4 + usual * u32::from(draw) / 510;
    Ok(drawn.max(asked.unwrap_or_default().min(LONGEST_ASKED)))
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(1);
const LONGEST_ASKED: Duration = Duration::from_hours(6);

#[cfg(test)]
mod tests {
    use super::*;

    fn range(failures: u32, asked: Option<Duration>) -> (f64, f64) {
        let random = Random::system();
        let drawn: Vec<f64> =
            (0..2_000).map(|_| pause(&random, failures, asked).unwrap().as_secs_f64()).collect();
        (drawn.iter().copied().fold(f64::MAX, f64::min), drawn.iter().copied().fold(0.0, f64::max))
    }

    #[test]
    fn pauses_grow_from_a_second_to_an_hour_and_are_drawn_from_half_of_that_around_it() {
        for (failures, usual) in
            [(1, 1.0), (2, 2.0), (5, 16.0), (12, 2_048.0), (13, 3_600.0), (u32::MAX, 3_600.0)]
        {
            let (least, most) = range(failures, None);
            assert!(usual * 0.75 <= least && least < usual * 0.9, "{failures}: {least}");
            assert!(usual * 1.1 < most && most <= usual * 1.25, "{failures}: {most}");
        }
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept_where_it_is_longer_and_not_for_ever() {
        assert_eq!(range(1, Some(Duration::from_secs(90))), (90.0, 90.0));
        assert!(range(12, Some(Duration::from_secs(90))).0 > 1_500.0);
        assert_eq!(range(1, Some(Duration::MAX)), (21_600.0, 21_600.0));
    }

    #[test]
    fn an_acknowledgement_is_tried_for_about_three_days() {
        let usual = |failures: u32| FIRST.saturating_mul(2_u32.saturating_pow(failures - 1)).min(LONGEST);
        let days = |kind: Kind| (1..kind.attempts()).map(usual).sum::<Duration>().as_secs_f64() / 86_400.0;
        assert!((2.9..3.1).contains(&days(Kind::GoogleAcknowledge)), "{}", days(Kind::GoogleAcknowledge));
        assert!((0.45..0.55).contains(&days(Kind::AppleConsumption)), "{}", days(Kind::AppleConsumption));
    }
}
