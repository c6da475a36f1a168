#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use sticker_protocol::UnixSeconds;
use sticker_protocol::token::{
    DenyList, Expected, KeyFile, KeyId, KeyMaterial, KeyRecord, KeyState, Keyring, Refusal, Secret, UntrustedToken,
};

/// The keys of the vectors, with which the seeds are signed.
static RING: LazyLock<Keyring> = LazyLock::new(|| {
    let counted = |first: u8| Secret::new(std::array::from_fn(|at| first + at as u8));
    let signing = |id, key| KeyRecord { id: KeyId(id), key, state: KeyState::Signing };
    let keys = vec![
        signing(3, KeyMaterial::Hmac(counted(0))),
        signing(4, KeyMaterial::ed25519_from_seed(counted(0x20)).unwrap()),
    ];
    Keyring::new(&KeyFile::new(keys).unwrap())
});

fuzz_target!(|text: &str| {
    let parsed = UntrustedToken::parse(text);
    // Somebody else's decoder, as strict: what one takes as a text of bytes the other takes too.
    let bytes = URL_SAFE_NO_PAD.decode(text);
    let token = match (parsed, &bytes) {
        (Ok(token), Ok(bytes)) => {
            assert_eq!(URL_SAFE_NO_PAD.encode(bytes), text);
            assert_eq!(bytes[0], token.version().number());
            token
        }
        (Ok(_), Err(error)) => panic!("{error}"),
        (Err(refusal), Ok(bytes)) => {
            assert!(refusal != Refusal::UnsupportedVersion || !matches!(bytes[0], 1 | 2));
            return;
        }
        (Err(refusal), Err(_)) => return assert_eq!(refusal, Refusal::Malformed),
    };
    let Ok(claims) = token.untrusted_claims() else { return };
    let expected = Expected { sticker: claims.sticker, user: claims.user };
    if RING.verify(text, UnixSeconds(0), &expected, &DenyList::new()).is_ok() {
        assert_eq!(RING.issue_with(token.key_id(), &claims).unwrap().as_str(), text);
        assert_eq!(RING.authenticate(&token, UnixSeconds(0)), Ok(claims));
    }
});
