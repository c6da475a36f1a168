//! Time as the token counts it: whole Unix seconds. Nothing here reads a clock.

use serde::{Deserialize, Serialize};

/// Now, in whole seconds since 1970-01-01 UTC, as the caller's clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

/// The first second at which something is no longer valid, in Unix seconds up to 4,294,967,295 (the year 2106).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expiry(pub u32);

impl Expiry {
    /// Whether `now` is too late: valid if and only if `now < expiry`.
    pub const fn has_passed(self, now: UnixSeconds) -> bool {
        now.0 >= self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_the_expiry_is_too_late() {
        assert!(!Expiry(100).has_passed(UnixSeconds(99)));
        assert!(Expiry(100).has_passed(UnixSeconds(100)));
        assert!(!Expiry(u32::MAX).has_passed(UnixSeconds(4_294_967_294)));
        assert!(Expiry(u32::MAX).has_passed(UnixSeconds(u64::MAX)));
    }
}
