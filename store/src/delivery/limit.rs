//! How often each address may ask for a choice. Each instance of the store counts for itself, in a table of a fixed size.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

use crate::web::error::Error;

/// What each address may still ask for (the generic cell rate algorithm). An address has a place in one of [`SETS`] sets of [`PLACES`]; where all
/// are taken, it takes that of the address which is owed the most: forgetting that one costs the least.
#[derive(Debug)]
pub(super) struct AddressRates {
    /// Microseconds between two requests at the full rate; 0 for no limit.
    interval: u64,
    hasher: RandomState,
    sets: Box<[Mutex<[Place; PLACES]>]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// An IPv4 address mapped into IPv6, or the first 64 bits of an IPv6 address; 0 for nobody.
    who: u128,
    /// When this address has used up nothing, in microseconds since 1970.
    even_at: u64,
}

impl AddressRates {
    /// So many requests a second, and at once as many as [`BURST_SECONDS`] give; 0 for no limit.
    pub(super) fn new(per_second: u32) -> Self {
        let sets = if per_second == 0 { 0 } else { SETS };
        Self {
            interval: 1_000_000_u64.checked_div(per_second.into()).map_or(0, |interval| interval.max(1)),
            hasher: RandomState::new(),
            sets: (0..sets).map(|_| Mutex::default()).collect(),
        }
    }

    /// Counts a request of this address.
    ///
    /// # Errors
    /// 429 `rate_limited`, with the seconds after which another is admitted.
    pub(super) fn admit(&self, address: IpAddr, now_ms: i64) -> Result<(), Error> {
        let who = network(address);
        let now = u64::try_from(now_ms).unwrap_or_default().saturating_mul(1_000);
        let at = self.hasher.hash_one(who) % (self.sets.len() as u64).max(1);
        let Some(set) = usize::try_from(at).ok().and_then(|at| self.sets.get(at)) else { return Ok(()) };
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        let found = set.iter_mut().max_by_key(|place| (place.who == who, u64::MAX - place.even_at));
        let Some(place) = found else { return Ok(()) };
        if place.who != who {
            *place = Place { who, even_at: 0 };
        }
        // A clock that was set back makes nobody wait longer than the burst takes.
        let burst = BURST_SECONDS * 1_000_000;
        place.even_at = place.even_at.clamp(now, now.saturating_add(burst));
        let even_at = place.even_at.saturating_add(self.interval);
        let over = even_at.saturating_sub(now).saturating_sub(burst);
        if over > 0 {
            return Err(limited(over.div_ceil(1_000_000)));
        }
        place.even_at = even_at;
        Ok(())
    }
}

/// Whoever has an IPv6 address mostly has 2^64 of them.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address) & u128::from(Ipv6Addr::new(!0, !0, !0, !0, 0, 0, 0, 0)),
    }
}

fn limited(seconds: u64) -> Error {
    let message = "this address asks more often than delivery.negotiated_per_second allows";
    Error::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
        .hint("keep what you download: an object never changes under its hash")
        .retry_after(u32::try_from(seconds).unwrap_or(u32::MAX).max(1))
}

/// A keyboard that opens asks for all its stickers at once.
const BURST_SECONDS: u64 = 5;
/// With 8 places of 32 bytes each, 2 MiB.
const SETS: usize = 8_192;
const PLACES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn admitted(rates: &AddressRates, address: &str, now: i64) -> bool {
        rates.admit(address.parse().unwrap(), now).is_ok()
    }

    #[test]
    fn an_address_gets_its_burst_and_then_its_rate_and_is_told_when_to_come_back() {
        let rates = AddressRates::new(2);
        for _ in 0..10 {
            assert!(admitted(&rates, "192.0.2.1", NOW));
        }
        let refused = rates.admit("192.0.2.1".parse().unwrap(), NOW).unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (429, "rate_limited"));
        assert_eq!(refused.try_again_after(), Some(1));
        assert!(!admitted(&rates, "192.0.2.1", NOW + 499));
        assert!(admitted(&rates, "192.0.2.1", NOW + 500));
        assert!(!admitted(&rates, "192.0.2.1", NOW + 500));
        assert!(admitted(&rates, "192.0.2.2", NOW), "another address");
        let set_back = NOW - 1_000_000_000;
        assert!(!admitted(&rates, "192.0.2.1", set_back));
        assert!(admitted(&rates, "192.0.2.1", set_back + 500));
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_address_and_a_mapped_one_the_same_as_ipv4() {
        let rates = AddressRates::new(1);
        let admits = |address: &str| admitted(&rates, address, NOW);
        for last in 0..5 {
            assert!(admits(&format!("2001:db8:0:1::{last}")));
        }
        assert!(!admits("2001:db8:0:1:ffff::9"));
        assert!(admits("2001:db8:0:2::1"));
        for _ in 0..5 {
            assert!(admits("::ffff:192.0.2.1"));
        }
        assert!(!admits("192.0.2.1"));
    }

    #[test]
    fn a_flood_of_addresses_neither_grows_the_table_nor_frees_who_is_over_the_limit() {
        let rates = AddressRates::new(1);
        while admitted(&rates, "192.0.2.1", NOW) {}
        for number in 0..200_000_u32 {
            let [_, b, c, d] = number.to_be_bytes();
            rates.admit(IpAddr::from([10, b, c, d]), NOW).unwrap();
        }
        assert_eq!(rates.sets.len() * PLACES, 65_536);
        assert!(!admitted(&rates, "192.0.2.1", NOW), "who owes the most is forgotten last");
    }

    #[test]
    fn nothing_is_counted_where_there_is_no_limit() {
        let rates = AddressRates::new(0);
        assert!((0..10_000).all(|_| admitted(&rates, "192.0.2.1", NOW)));
    }
}
