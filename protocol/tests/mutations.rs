//! Random changes of valid tokens: none is accepted unless it still is the very same text.
//!
//! `STICKER_TEST_MUTATIONS` says how many, 200,000 without it. Each run begins with the same seeds, which it prints.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test outside of the functions that are marked as tests"
)]

use sticker_protocol::token::{
    Claims, DenyList, Expected, KeyFile, KeyId, KeyMaterial, KeyRecord, KeyState, Keyring, Secret,
    UntrustedToken, UserId, Version,
};
use sticker_protocol::{Expiry, StickerId, UnixSeconds};

#[path = "shared/random.rs"]
mod random;

use random::Random;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[test]
fn no_mutation_of_valid_tokens_is_accepted() {
    let count = mutations();
    let threads = 2;
    let seeds: Vec<u64> = (0..threads).map(|thread| 0x5eed_0000 + thread).collect();
    println!("{count} mutations, seeds {seeds:#x?}");
    let share = |thread: u64| count / threads + u64::from(thread < count % threads);
    let tallies = std::thread::scope(|scope| {
        let run = |(thread, &seed)| scope.spawn(move || Run::new(seed).mutate(share(thread)));
        let threads: Vec<_> = (0..).zip(&seeds).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).fold(Tally::default(), Tally::add)
    });
    println!("{tallies:?}");
    assert_eq!(tallies.refused + tallies.unchanged, count);
    // Were the mutations too tame or too wild, these would be one-sided and the count above would say little.
    assert!(tallies.unchanged < count / 20, "the text itself came out too often: {tallies:?}");
    assert!(tallies.bad_signature > count / 10, "too few reach the signature: {tallies:?}");
}

#[expect(clippy::disallowed_methods, reason = "how long to search is the caller's choice")]
fn mutations() -> u64 {
    std::env::var("STICKER_TEST_MUTATIONS").map_or(200_000, |count| count.parse().unwrap())
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    refused: u64,
    /// Of the refused.
    bad_signature: u64,
    unchanged: u64,
}

impl Tally {
    fn add(self, other: Self) -> Self {
        Self {
            refused: self.refused + other.refused,
            bad_signature: self.bad_signature + other.bad_signature,
            unchanged: self.unchanged + other.unchanged,
        }
    }
}

struct Run {
    random: Random,
    ring: Keyring,
}

/// A valid token and what it was issued for.
struct Valid {
    text: String,
    claims: Claims,
}

impl Run {
    fn new(seed: u64) -> Self {
        let key = |id, key, state| KeyRecord { id: KeyId(id), key, state };
        let hmac = |byte| KeyMaterial::Hmac(Secret::new([byte; 32]));
        let ed25519 = |byte| KeyMaterial::ed25519_from_seed(Secret::new([byte; 32])).unwrap();
        let keys = vec![
            key(3, hmac(1), KeyState::Signing),
            key(4, ed25519(2), KeyState::Signing),
            key(5, hmac(3), KeyState::Verify),
            key(6, ed25519(4), KeyState::Verify),
        ];
        Self { random: Random::of(seed), ring: Keyring::new(&KeyFile::new(keys).unwrap()) }
    }

    fn mutate(mut self, count: u64) -> Tally {
        let mut tally = Tally::default();
        let mut pair = [self.issue(), self.issue()];
        for done in 0..count {
            if done % 64 == 0 {
                pair = [self.issue(), self.issue()];
            }
            let mutant = self.mutant(&pair);
            let Some(original) = self.accepts(&mutant, &pair, &mut tally) else { continue };
            assert_eq!(mutant, original.text, "accepted for {:?}", original.claims);
            tally.unchanged += 1;
        }
        tally
    }

    /// The valid token for whose message the text is accepted.
    fn accepts<'a>(&self, text: &str, pair: &'a [Valid; 2], tally: &mut Tally) -> Option<&'a Valid> {
        let mut accepted = None;
        let mut bad_signature = false;
        // Whatever the text says, it may be sent as the message that it names; and as that of the valid tokens.
        let named = UntrustedToken::parse(text).ok().and_then(|token| token.untrusted_claims().ok());
        for claims in named.iter().chain(pair.iter().map(|valid| &valid.claims)) {
            let expected = Expected { sticker: claims.sticker, user: claims.user };
            match self.ring.verify(text, NOW, &expected, &DenyList::new()) {
                Ok(expires) => {
                    let same = |valid: &&Valid| valid.claims == Claims { expires, ..*claims };
                    accepted = Some(pair.iter().find(same).unwrap_or_else(|| panic!("forged: {text}")));
                }
                Err(refusal) => bad_signature |= refusal.code() == "bad_signature",
            }
        }
        if accepted.is_none() {
            tally.refused += 1;
            tally.bad_signature += u64::from(bad_signature);
        }
        accepted
    }

    fn issue(&mut self) -> Valid {
        let user: Vec<u8> = (0..=self.random.up_to(127)).map(|_| self.random.byte()).collect();
        let claims = Claims {
            sticker: StickerId::new(1 + self.random.next() % ((1 << 53) - 1)).unwrap(),
            user: UserId::new(&user).unwrap(),
            expires: Expiry(u32::try_from(NOW.0).unwrap() + 1 + u32::from(self.random.byte())),
        };
        let version = if self.random.up_to(1) == 0 { Version::V1 } else { Version::V2 };
        Valid { text: self.ring.issue_as(version, &claims).unwrap().to_string(), claims }
    }

    fn mutant(&mut self, [first, second]: &[Valid; 2]) -> String {
        let random = &mut self.random;
        let mut bytes = decode(&first.text);
        let other = decode(&second.text);
        match random.up_to(13) {
            0 => bytes = flipped(bytes, random),
            1 => bytes = (0..=random.up_to(7)).fold(bytes, |bytes, _| flipped(bytes, random)),
            2 => bytes.insert(random.up_to(bytes.len()), random.byte()),
            3 => drop(bytes.remove(random.up_to(bytes.len() - 1))),
            4 => {
                let (a, b) = (random.up_to(bytes.len() - 1), random.up_to(bytes.len() - 1));
                bytes.swap(a, b);
            }
            5 => {
                let (at, from) = (random.up_to(bytes.len()), random.up_to(other.len()));
                bytes.splice(at.., other[from..].iter().copied());
            }
            6 => {
                let at = random.up_to(bytes.len().min(other.len()));
                bytes.splice(at.., other[at..].iter().copied());
            }
            7 => field(&mut bytes, random),
            8 => {
                let length = random.up_to(bytes.len() - 1);
                bytes.rotate_left(length);
            }
            9 => bytes.truncate(random.up_to(bytes.len() - 1)),
            10 => bytes.extend((0..=random.up_to(40)).map(|_| random.byte())),
            _ => return respelled(&first.text, random),
        }
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }
}

fn decode(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}

fn flipped(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let at = random.up_to(bytes.len() - 1);
    bytes[at] ^= 1 << random.up_to(7);
    bytes
}

/// Another value in one field, with the signature as it was.
fn field(bytes: &mut [u8], random: &mut Random) {
    let (start, end) = [(0, 1), (1, 3), (3, 7), (7, 15), (15, 16)][random.up_to(4)];
    match random.up_to(2) {
        0 => bytes[start..end].fill_with(|| random.byte()),
        1 => bytes[end - 1] = bytes[end - 1].wrapping_add(1),
        // The numbers of the versions and the ids of the keys are small.
        _ => bytes[end - 1] = u8::try_from(random.up_to(7)).unwrap(),
    }
}

/// Changes of the characters, with foreign ones among them.
fn respelled(text: &str, random: &mut Random) -> String {
    let mut text: Vec<char> = text.chars().collect();
    let foreign = ['=', '+', '/', ' ', '\n', '\r', '\t', '\0', '.', '%', 'é', '\u{feff}', '\u{410}'];
    let letter = if random.up_to(1) == 0 {
        foreign[random.up_to(foreign.len() - 1)]
    } else {
        char::from(ALPHABET[random.up_to(63)])
    };
    let at = random.up_to(text.len() - 1);
    match random.up_to(4) {
        0 => text[at] = letter,
        1 => text.insert(at, letter),
        2 => text.push(letter),
        3 => {
            text[at] = if text[at].is_lowercase() {
                text[at].to_ascii_uppercase()
            } else {
                text[at].to_ascii_lowercase()
            }
        }
        // The last character, where stray bits would be.
        _ => *text.last_mut().unwrap() = char::from(ALPHABET[random.up_to(63)]),
    }
    text.into_iter().collect()
}
