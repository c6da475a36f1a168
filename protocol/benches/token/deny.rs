//! A deny list of a million entries: what a lookup that finds and one that does not add to a verification, and the memory.

use std::cell::Cell;
use std::hint::black_box;

use sticker_protocol::token::{Claims, DenyList, Expected, Keyring, UserId};
use sticker_protocol::{Expiry, StickerId};

use crate::allocator::{begin_peak, bytes};
use crate::measure::{Line, in_turns};
use crate::{NOW, bare_hmac, key_file, ratio};

const ENTRIES: u64 = 1_000_000;

pub(crate) fn lookups(claims: &Claims) {
    let (before, _) = bytes();
    begin_peak();
    let mut denied = DenyList::new();
    for number in 0..ENTRIES {
        let (user, sticker) = pair(number);
        denied.deny(&UserId::new(&user).expect("16 bytes"), sticker, Expiry(u32::MAX));
    }
    let (after, peak) = bytes();
    let mib = |bytes: u64| {
        u32::try_from((bytes - before) >> 10).map_or(f64::INFINITY, |kib| f64::from(kib) / 1024.0)
    };

    // Steps of a prime far apart, so that no lookup meets what the one before fetched.
    let next = Cell::new(0);
    let lookup = |list: &DenyList, from: u64| {
        next.set((next.get() + 618_033) % ENTRIES);
        let (user, sticker) = pair(from + next.get());
        list.refuses(black_box(&user), black_box(sticker), Expiry(5))
    };
    let empty = DenyList::new();
    let nothing = || assert!(!lookup(&empty, 0), "an empty list denies nothing");
    let hit = || assert!(lookup(&denied, 0), "each entry is found");
    let miss = || assert!(!lookup(&denied, ENTRIES), "nobody else is");
    let keyring = Keyring::new(&key_file());
    let expected = Expected { sticker: claims.sticker, user: claims.user };
    let token = keyring.issue(claims).expect("a signing key");
    let verify =
        || assert!(keyring.verify(black_box(token.as_str()), NOW, black_box(&expected), &empty).is_ok());
    let bare = bare_hmac();

    let lines = in_turns(20_000, [&nothing, &hit, &miss, &verify, &bare]);
    let [nothing, hit, miss, verify, bare] = lines;
    hit.print("deny list of 1,000,000, found");
    miss.print("deny list of 1,000,000, not found");
    nothing.print("empty deny list (making the pairs)");
    verify.print("version 1 verify with an empty deny list");
    bare.print("ring HMAC-SHA256 verify of the same bytes");
    for (name, line) in [("finds", hit), ("does not find", miss)] {
        let added = Line { nanoseconds: line.nanoseconds - nothing.nanoseconds, ..line };
        let (to_verify, to_bare) = (ratio(added, verify), ratio(added, bare));
        let nanoseconds = added.nanoseconds;
        println!(
            "a lookup that {name:<13} adds {nanoseconds:>6.1} ns, {to_verify:.2} x a verify, {to_bare:.2} x ring HMAC"
        );
    }
    println!("memory of 1,000,000 entries        {:.1} MiB, {:.1} MiB while it grew", mib(after), mib(peak));
    assert_eq!((denied.len(), hit.allocations, miss.allocations), (1_000_000, 0, 0));
}

/// A user of 16 bytes like a UUID's, and a sticker, from a number.
fn pair(number: u64) -> ([u8; 16], StickerId) {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let user = u128::from(mixed) << 64 | u128::from(mixed.rotate_left(29) ^ number);
    (user.to_be_bytes(), StickerId::new(1 + number % 5_000).expect("a sticker id"))
}
