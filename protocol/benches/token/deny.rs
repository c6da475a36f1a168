//! A deny list of a million entries: what it adds to a verification, a lookup that finds, one that does not, and the memory.

use std::cell::Cell;
use std::hint::black_box;

use sticker_protocol::token::{Claims, DenyList, Expected, Keyring, Token, UserId};
use sticker_protocol::{Expiry, StickerId};

use crate::allocator::{begin_peak, bytes};
use crate::measure::{Line, in_turns};
use crate::{EXPIRY, NOW, bare_hmac, key_file, ratio};

const ENTRIES: u64 = 1_000_000;
/// Different messages, none of a user in the list.
const MESSAGES: u64 = 20_000;
const REPEATS: u32 = 20_000;

pub(crate) fn lookups() {
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

    let verify = in_verifications(&denied);
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
    // One that finds fetches so much that it would empty the cache for the others: not in turns with them.
    let [miss, without] = in_turns(REPEATS, [&miss, &nothing]);
    added("a lookup that does not find", miss, without, verify);
    let [hit, without] = in_turns(REPEATS, [&hit, &nothing]);
    added("a lookup that finds", hit, without, verify);
    println!("memory of 1,000,000 entries        {:.1} MiB, {:.1} MiB while it grew", mib(after), mib(peak));
    assert_eq!((denied.len(), hit.allocations, miss.allocations), (1_000_000, 0, 0));
}

/// Each verification is of another message, and each list has messages of its own, so that neither finds in the cache what the
/// other fetched. The time of one with an empty list.
fn in_verifications(denied: &DenyList) -> Line {
    let (keyring, empty) = (Keyring::new(&key_file()), DenyList::new());
    let verify = |list| {
        let keyring = &keyring;
        let messages: Vec<_> = (ENTRIES..ENTRIES + MESSAGES).map(|number| message(keyring, number)).collect();
        let next = Cell::new(0);
        move || {
            let (token, expected) = messages.get(next.get()).expect("a message");
            next.set((next.get() + 1) % messages.len());
            assert!(keyring.verify(black_box(token.as_str()), NOW, black_box(expected), list).is_ok());
        }
    };
    let [full, empty, bare] = in_turns(REPEATS, [&verify(denied), &verify(&empty), &bare_hmac()]);
    full.print("version 1 verify, deny list of 1,000,000");
    empty.print("version 1 verify, empty deny list");
    bare.print("ring HMAC-SHA256 verify of the same bytes");
    added("the list to a verify", full, empty, empty);
    println!("version 1 verify with the list / ring HMAC {:.2} x", ratio(full, bare));
    assert_eq!(full.allocations, 0, "verification must not allocate");
    empty
}

fn added(name: &str, with: Line, without: Line, verify: Line) {
    let added = Line { nanoseconds: with.nanoseconds - without.nanoseconds, ..with };
    println!("{name:<28} adds {:>6.1} ns, {:.2} x a verify", added.nanoseconds, ratio(added, verify));
}

fn message(keyring: &Keyring, number: u64) -> (Token, Expected) {
    let (user, sticker) = pair(number);
    let user = UserId::new(&user).expect("16 bytes");
    let token = keyring.issue(&Claims { sticker, user, expires: Expiry(EXPIRY) });
    (token.expect("a signing key"), Expected { sticker, user })
}

/// A user of 16 bytes like a UUID's, and a sticker, from a number.
fn pair(number: u64) -> ([u8; 16], StickerId) {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let user = u128::from(mixed) << 64 | u128::from(mixed.rotate_left(29) ^ number);
    (user.to_be_bytes(), StickerId::new(1 + number % 5_000).expect("a sticker id"))
}
