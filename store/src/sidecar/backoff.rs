//! How long to wait before the next try, so that neither one sidecar nor a thousand at once are a burden on a store that comes back.

use std::time::Duration;

use crate::random::Random;

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed once more: twice the wait, up to [`LONGEST`], of which a random half to whole.
    pub(super) fn wait(&mut self, random: &Random) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Without random bytes every sidecar waits as long; that is no reason to fail.
        let [share] = random.bytes().unwrap_or([u8::MAX]);
        longest / 2 + longest / 2 * u32::from(share) / u32::from(u8::MAX)
    }
}

const FIRST: Duration = Duration::from_millis(500);
/// A verifier asks at least every 30 s.
const LONGEST: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_begin_anew_after_a_success() {
        let (random, mut backoff) = (Random::system(), Backoff::default());
        for failures in 0..40 {
            let longest = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
            let wait = backoff.wait(&random);
            assert!(longest / 2 <= wait && wait <= longest, "{wait:?} after {failures} failures");
        }
        backoff.reset();
        assert!(backoff.wait(&random) <= FIRST);
    }
}
