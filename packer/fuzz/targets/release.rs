#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sticker_protocol::release::signed::{KnownReleases, ReleaseKeyId, ReleaseKeys, ReleaseSigner, SignedRelease, UntrustedRelease};
use sticker_protocol::token::Secret;

/// The keys of the vectors, with which the seeds are signed.
static KEYS: LazyLock<ReleaseKeys> = LazyLock::new(|| {
    let mut keys = ReleaseKeys::default();
    for id in [1, 2] {
        let signer = ReleaseSigner::new(ReleaseKeyId(id), &Secret::new([0x40 + id as u8; 32])).unwrap();
        keys.add(signer.id(), signer.public().unwrap()).unwrap();
    }
    keys
});

/// The envelopes that are signed: what a mutation must not be taken for.
const SIGNED: [&[u8]; 2] = [include_bytes!("../seeds/release/golden"), include_bytes!("../seeds/release/second-key")];

fuzz_target!(|envelope: &[u8]| {
    let Ok(read) = UntrustedRelease::read(envelope) else { return };
    let statement = *read.untrusted_statement();
    let (manifest, signature) = (&envelope[72..envelope.len() - 64], envelope.last_chunk().unwrap());
    // One envelope has one spelling; where the hash in it is right, this crate writes the same.
    let again = SignedRelease::of_parts(statement, manifest, *signature).unwrap();
    assert!(again.as_bytes()[..36] == envelope[..36] && again.as_bytes()[68..] == envelope[68..]);
    if let Ok(release) = read.verify(&KEYS, &KnownReleases::new(), statement.pack) {
        assert!(SIGNED.contains(&envelope), "forged");
        for file in &release.manifest().files {
            let _ = release.check(file, envelope).unwrap_err();
        }
    }
});
