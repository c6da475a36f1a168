//! Complete verification of a token beside its lower bound (`ring` HMAC-SHA256 of the same bytes, key prepared) and beside what
//! people would use otherwise (`jsonwebtoken` HS256 with the same claims). All in one run, interleaved, medians of the rounds;
//! shared machines are noisy, so what counts is the ratios. Counts allocations too, and fails where verification allocates.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use serde::{Deserialize, Serialize};
use sticker_protocol::token::{
    Claims, DenyList, Expected, KeyFile, KeyId, KeyMaterial, KeyRecord, KeyState, Keyring, Secret, UserId,
};
use sticker_protocol::{Expiry, StickerId, UnixSeconds};

const EXPIRY: u32 = 4_000_000_000;
const ROUNDS: usize = 200;
const REPEATS: u32 = 2_000;

fn main() {
    let user = UserId::from_hex("018f3c9a1122733384445566778899aa").expect("a user id");
    let sticker = StickerId::new(8_675_309).expect("a sticker id");
    let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap_or_default());

    let record =
        KeyRecord { id: KeyId(3), key: KeyMaterial::Hmac(Secret::new(secret)), state: KeyState::Signing };
    let keyring = Keyring::new(&KeyFile::new(vec![record]).expect("one key"));
    let token = keyring.issue(&Claims { sticker, user, expires: Expiry(EXPIRY) }).expect("a signing key");
    let (expected, denied) = (Expected { sticker, user }, DenyList::new());
    let verify = || {
        let now = UnixSeconds(1_800_000_000);
        let verified = keyring.verify(black_box(token.as_str()), now, black_box(&expected), &denied);
        assert!(verified.is_ok());
    };

    // 16 bytes of domain, 15 of fixed fields, 16 of user.
    let message = [7; 16 + 15 + 16];
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let mac = hmac::sign(&key, &message);
    let bare_hmac = || assert!(hmac::verify(&key, black_box(&message), black_box(mac.as_ref())).is_ok());

    let jwt = jsonwebtoken::encode(
        &Header { kid: Some("3".to_owned()), ..Header::new(Algorithm::HS256) },
        &JwtClaims { sub: user.to_hex(), sticker: sticker.get(), exp: EXPIRY },
        &EncodingKey::from_secret(&secret),
    )
    .expect("a JWT");
    let jwt_key = DecodingKey::from_secret(&secret);
    let validation = Validation::new(Algorithm::HS256);
    let hex = user.to_hex();
    let jsonwebtoken = || {
        let decoded =
            jsonwebtoken::decode::<JwtClaims>(black_box(&jwt), &jwt_key, &validation).expect("a valid JWT");
        assert!(decoded.claims.sub == hex && decoded.claims.sticker == sticker.get());
    };

    let allocations = (count(&verify), count(&bare_hmac), count(&jsonwebtoken));
    let [verify, bare_hmac, jsonwebtoken] = measure([&verify, &bare_hmac, &jsonwebtoken]);
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    let line = |name: &str, time: Duration, allocations: u64| {
        println!("{name:<44} {:>8.1} ns {allocations:>4} allocations", time.as_secs_f64() * 1e9);
    };
    line("token verify, complete", verify, allocations.0);
    line("ring HMAC-SHA256 verify of the same bytes", bare_hmac, allocations.1);
    line("jsonwebtoken HS256 with the same claims", jsonwebtoken, allocations.2);
    println!("token verify / ring HMAC     {:.2} x", ratio(verify, bare_hmac));
    println!("jsonwebtoken / token verify  {:.1} x", ratio(jsonwebtoken, verify));
    assert_eq!(allocations.0, 0, "verification must not allocate");
}

#[derive(Serialize, Deserialize)]
struct JwtClaims {
    sub: String,
    sticker: u64,
    exp: u32,
}

/// The median time of one call of each, taken in turns so that a disturbance meets all of them.
fn measure<const N: usize>(calls: [&dyn Fn(); N]) -> [Duration; N] {
    let mut rounds = calls.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (call, times) in calls.iter().zip(&mut rounds) {
            let start = Instant::now();
            (0..REPEATS).for_each(|_| call());
            times.push(start.elapsed() / REPEATS);
        }
    }
    rounds.map(|mut times| {
        times.sort_unstable();
        times.get(ROUNDS / 2).copied().unwrap_or_default()
    })
}

fn count(call: &dyn Fn()) -> u64 {
    call();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    call();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[expect(unsafe_code, reason = "counting allocations needs an allocator of our own")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
