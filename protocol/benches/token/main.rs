//! What checking tokens costs, each beside its lower bound or beside what people would use otherwise. All in one run, interleaved,
//! medians of the rounds; shared machines are noisy, so what counts is the ratios. Counts allocations too, and fails where
//! verification allocates.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

use std::hint::black_box;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sticker_protocol::token::{
    Claims, DenyList, Expected, KeyFile, KeyId, KeyMaterial, KeyRecord, KeyState, Keyring, LiveVerifier,
    Secret, UserId, Version,
};
use sticker_protocol::{Expiry, StickerId, UnixSeconds};

mod allocator;
mod deny;
mod measure;

use measure::{Line, in_turns};

const EXPIRY: u32 = 4_000_000_000;
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const SECRET: [u8; 32] = [0x1f; 32];
/// 16 bytes of domain, 15 of fixed fields, 16 of user.
const MESSAGE: [u8; 16 + 15 + 16] = [7; 47];

fn main() {
    let user = UserId::from_hex("018f3c9a1122733384445566778899aa").expect("a user id");
    let sticker = StickerId::new(8_675_309).expect("a sticker id");
    let claims = Claims { sticker, user, expires: Expiry(EXPIRY) };
    version_1(&claims);
    version_2(&claims);
    deny::lookups();
}

fn key_file() -> KeyFile {
    let seed = KeyMaterial::ed25519_from_seed(Secret::new(SECRET)).expect("a key pair");
    let keys = [(3, KeyMaterial::Hmac(Secret::new(SECRET))), (4, seed)].map(|(id, key)| KeyRecord {
        id: KeyId(id),
        key,
        state: KeyState::Signing,
    });
    KeyFile::new(keys.into()).expect("two keys")
}

fn version_1(claims: &Claims) {
    let (file, denied) = (key_file(), DenyList::new());
    let keyring = Keyring::new(&file);
    let expected = Expected { sticker: claims.sticker, user: claims.user };
    let token = keyring.issue(claims).expect("a signing key");
    let verify = || {
        let verified = keyring.verify(black_box(token.as_str()), NOW, black_box(&expected), &denied);
        assert!(verified.is_ok());
    };
    let live = LiveVerifier::new();
    live.take_keyring(&file, NOW);
    let live = || assert!(live.verify(black_box(token.as_str()), NOW, black_box(&expected)).is_ok());

    let bare = bare_hmac();

    let jwt = jsonwebtoken::encode(
        &Header { kid: Some("3".to_owned()), ..Header::new(Algorithm::HS256) },
        &JwtClaims { sub: claims.user.to_hex(), sticker: claims.sticker.get(), exp: EXPIRY },
        &EncodingKey::from_secret(&SECRET),
    )
    .expect("a JWT");
    let jwt_key = DecodingKey::from_secret(&SECRET);
    let validation = Validation::new(Algorithm::HS256);
    let hex = claims.user.to_hex();
    let jsonwebtoken = || {
        let decoded =
            jsonwebtoken::decode::<JwtClaims>(black_box(&jwt), &jwt_key, &validation).expect("a valid JWT");
        assert!(decoded.claims.sub == hex && decoded.claims.sticker == claims.sticker.get());
    };

    let lines = in_turns(2_000, [&verify, &live, &bare, &jsonwebtoken]);
    let [verify, live, bare, jsonwebtoken] = lines;
    verify.print("version 1 verify, complete");
    live.print("the same through a LiveVerifier");
    bare.print("ring HMAC-SHA256 verify of the same bytes");
    jsonwebtoken.print("jsonwebtoken HS256 with the same claims");
    println!("version 1 verify / ring HMAC       {:.2} x", ratio(verify, bare));
    println!("LiveVerifier - version 1 verify    {:.1} ns", live.nanoseconds - verify.nanoseconds);
    println!("jsonwebtoken / version 1 verify    {:.1} x", ratio(jsonwebtoken, verify));
    assert_eq!((verify.allocations, live.allocations), (0, 0), "verification must not allocate");
}

/// The lower bound: `ring`'s HMAC of as many bytes with a prepared key.
fn bare_hmac() -> impl Fn() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let mac = hmac::sign(&key, &MESSAGE);
    move || assert!(hmac::verify(&key, black_box(&MESSAGE), black_box(mac.as_ref())).is_ok())
}

fn version_2(claims: &Claims) {
    let (keyring, denied) = (Keyring::new(&key_file()), DenyList::new());
    let expected = Expected { sticker: claims.sticker, user: claims.user };
    let token = keyring.issue_as(Version::V2, claims).expect("a signing key");
    let verify = || {
        let verified = keyring.verify(black_box(token.as_str()), NOW, black_box(&expected), &denied);
        assert!(verified.is_ok());
    };
    let pair = Ed25519KeyPair::from_seed_unchecked(&SECRET).expect("a key pair");
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
    let signature = pair.sign(&MESSAGE);
    let bare = || assert!(public.verify(black_box(&MESSAGE), black_box(signature.as_ref())).is_ok());

    let [verify, bare] = in_turns(50, [&verify, &bare]);
    verify.print("version 2 verify, complete");
    bare.print("ring Ed25519 verify of the same bytes");
    println!("version 2 verify / ring Ed25519    {:.2} x", ratio(verify, bare));
    assert_eq!(verify.allocations, 0, "verification must not allocate");
}

fn ratio(a: Line, b: Line) -> f64 {
    a.nanoseconds / b.nanoseconds
}

#[derive(Serialize, Deserialize)]
struct JwtClaims {
    sub: String,
    sticker: u64,
    exp: u32,
}
