//! Verifying a signed transaction with its chain remembered, complete with its claims, beside one bare ES256 verification by `ring` of
//! the same bytes with the same key; and the same with a chain that is seen for the first time. Rounds are interleaved on one thread, and
//! the medians count; shared machines are noisy, so what counts is the ratios.
//!
//!     cargo bench -p sticker-store --bench verify_apple [-- ROUNDS VERIFICATIONS]

#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

use std::hint::black_box;
use std::time::Instant;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sticker_protocol::UnixSeconds;
use sticker_store::purchase::apple::{Expected, Root, Verifier};
use sticker_store::purchase::word::World;
use sticker_tests::apple::{AppleAuthority, BUNDLE_ID, SIGNED_MS};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let rounds = numbers.first().copied().unwrap_or(50);
    let times = numbers.get(1).copied().unwrap_or(200);

    let authority = AppleAuthority::new();
    let payload =
        AppleAuthority::transaction("2000000001", "8f14e45f-ceea-467f-a0e6-3f2b2f6c9a11", "sticker_tier1");
    let jws = authority.signs(&payload);
    let now = UnixSeconds(SIGNED_MS.unsigned_abs() / 1000);
    let verifier = || {
        let root = Root::of_der(authority.root()).expect("a root");
        let expected = Expected { bundle_id: BUNDLE_ID.to_owned(), app_id: None, world: World::Sandbox };
        Verifier::new(vec![root], expected)
    };
    let (signed, signature) = jws.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).expect("base64url");
    let leaf = authority.x5c().first().map(|leaf| STANDARD.decode_to_vec(leaf)).expect("a leaf");
    let leaf = leaf.expect("base64");
    let (_, leaf) = X509Certificate::from_der(&leaf).expect("a certificate");
    let key = &leaf.public_key().subject_public_key.data;

    let bare = || {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, black_box(&key[..]));
        key.verify(black_box(signed.as_bytes()), black_box(&signature)).expect("it is signed");
    };
    let warm = verifier();
    let verified = warm.transaction(&jws, now).expect("it is signed");
    assert_eq!(verified.payload().expect("a payload"), payload);
    let [mut of_bare, mut of_warm, mut of_cold] = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        of_bare.push(each(times, bare));
        of_warm.push(each(times, || {
            black_box(warm.transaction(black_box(&jws), now)).expect("it is signed");
        }));
        of_cold.push(each(times / 10 + 1, || {
            black_box(verifier().transaction(black_box(&jws), now)).expect("it is signed");
        }));
    }
    let (bare, warm, cold) = (median(of_bare), median(of_warm), median(of_cold));
    println!("{rounds} rounds of {times} verifications of {} bytes, medians", jws.len());
    println!("bare ES256 verification     {bare:>7.1} us");
    println!("transaction, chain known    {warm:>7.1} us, ratio {:.2} (to reach: <= 1.5)", warm / bare);
    println!("transaction, chain unknown  {cold:>7.1} us, ratio {:.2}", cold / bare);
}

/// Microseconds that each of so many takes.
fn each(times: usize, work: impl Fn()) -> f64 {
    let started = Instant::now();
    (0..times).for_each(|_| work());
    started.elapsed().as_secs_f64() * 1e6 / times as f64
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
