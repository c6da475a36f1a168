//! Whoever can answer in the store's place, or alter what is on the way: one test for each thing that they may try on a client that holds the
//! store's public key, keeps in mind what it has seen, and downloads a pack.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test outside of the functions that are marked as tests"
)]

use sticker_protocol::bundle::{self, Bundle, BundledSticker};
use sticker_protocol::release::signed::{
    FileRefusal, KnownReleases, MAX_ENVELOPE, ReleaseCounter, ReleaseKeyId, ReleaseKeys, ReleaseRefusal,
    ReleaseSigner, TrustedRelease, UntrustedRelease,
};
use sticker_protocol::token::Secret;
use sticker_protocol::{Density, PackId, StickerId, UnixSeconds};

#[path = "shared/random.rs"]
mod random;
#[path = "../examples/vectors/releases/studio.rs"]
mod studio;

use random::Random;
use studio::{Release, release, square};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A store's key.
fn signer(id: u16) -> ReleaseSigner {
    ReleaseSigner::new(ReleaseKeyId(id), &Secret::new([u8::try_from(id).unwrap(); 32])).unwrap()
}

/// A device with the public keys that its app came with.
struct Client {
    keys: ReleaseKeys,
    known: KnownReleases,
}

impl Client {
    fn trusting(keys: &[u16]) -> Self {
        let mut trusted = ReleaseKeys::default();
        for &id in keys {
            trusted.add(ReleaseKeyId(id), signer(id).public().unwrap()).unwrap();
        }
        Self { keys: trusted, known: KnownReleases::new() }
    }

    /// Takes an answer for pack 42, and keeps in mind what it believes, as a text between two runs.
    fn takes(&mut self, envelope: &[u8]) -> Result<TrustedRelease, ReleaseRefusal> {
        self.takes_for(42, envelope)
    }

    fn takes_for(&mut self, pack: u64, envelope: &[u8]) -> Result<TrustedRelease, ReleaseRefusal> {
        let pack = PackId::new(pack).unwrap();
        let before = self.known.clone();
        let taken = UntrustedRelease::read(envelope)?.verify(&self.keys, &self.known, pack)?;
        let changed = self.known.remember(&taken);
        assert_eq!(changed, before != self.known);
        self.known = KnownReleases::parse(&self.known.to_json()).unwrap();
        Ok(taken)
    }
}

fn signed(by: u16, release: &Release, counter: u64) -> Vec<u8> {
    let counter = ReleaseCounter::new(counter).unwrap();
    signer(by).sign(&release.written(), counter, NOW).unwrap().into_bytes()
}

/// Pack 42 with the stickers 7 and 8 at two densities, in a grey of its own for each release.
fn squares(grey: u8) -> Release {
    release(42, &[7, 8], &[160, 320], grey)
}

/// What a client believes of the release in this grey.
fn believed(grey: u8) -> TrustedRelease {
    Client::trusting(&[1]).takes(&signed(1, &squares(grey), 1)).unwrap()
}

#[test]
fn a_client_believes_each_next_release_and_every_file_of_it() {
    let mut client = Client::trusting(&[1]);
    for (counter, grey) in [(1, 10), (2, 20), (7, 30)] {
        let release = squares(grey);
        let envelope = signed(1, &release, counter);
        let taken = client.takes(&envelope).unwrap();
        assert_eq!((taken.counter().get(), taken.manifest()), (counter, &release.manifest));
        for (path, bytes) in &release.files {
            assert_eq!(taken.check_path(path, bytes), Ok(()), "{path}");
        }
        // Asked again it believes it again.
        assert_eq!(client.takes(&envelope).unwrap(), taken);
    }
}

#[test]
fn an_older_envelope_is_a_rollback() {
    let mut client = Client::trusting(&[1]);
    let (first, second) = (signed(1, &squares(10), 1), signed(1, &squares(20), 2));
    client.takes(&first).unwrap();
    client.takes(&second).unwrap();
    assert_eq!(client.takes(&first), Err(ReleaseRefusal::Rollback));
    // It does not believe it later either, and goes on with what it had.
    assert_eq!(client.takes(&first), Err(ReleaseRefusal::Rollback));
    assert!(client.takes(&second).is_ok());
    // The artist may go back: that is a new number.
    assert!(client.takes(&signed(1, &squares(10), 3)).is_ok());
}

#[test]
fn another_manifest_under_a_known_number_is_altered() {
    let mut client = Client::trusting(&[1]);
    client.takes(&signed(1, &squares(10), 2)).unwrap();
    assert_eq!(client.takes(&signed(1, &squares(20), 2)), Err(ReleaseRefusal::Altered));
}

#[test]
fn the_release_of_another_pack_is_not_this_packs() {
    let others = release(43, &[17, 18], &[160, 320], 10);
    let mut client = Client::trusting(&[1]);
    assert_eq!(client.takes(&signed(1, &others, 9)), Err(ReleaseRefusal::WrongPack));
    // And it did not count: neither for this pack nor for the other.
    assert!(client.takes(&signed(1, &squares(10), 1)).is_ok());
    assert!(client.takes_for(43, &signed(1, &others, 1)).is_ok());
}

#[test]
fn a_manifest_of_one_pack_cannot_be_signed_or_relabelled_as_anothers() {
    let mut envelope = signed(1, &release(43, &[17], &[160], 10), 1);
    envelope[12..20].copy_from_slice(&42_u64.to_be_bytes());
    assert_eq!(Client::trusting(&[1]).takes(&envelope), Err(ReleaseRefusal::BadSignature));
    // What is no manifest is never signed.
    assert!(signer(1).sign(b"nothing", ReleaseCounter::FIRST, NOW).is_err());
}

#[test]
fn an_envelope_cut_at_any_byte_or_with_one_more_is_malformed() {
    let mut envelope = signed(1, &squares(10), 1);
    for length in 0..envelope.len() {
        let taken = Client::trusting(&[1]).takes(&envelope[..length]);
        assert_eq!(taken, Err(ReleaseRefusal::Malformed), "{length} bytes");
    }
    envelope.push(0);
    assert_eq!(Client::trusting(&[1]).takes(&envelope), Err(ReleaseRefusal::Malformed));
    envelope.resize(MAX_ENVELOPE + 1, 0);
    assert_eq!(Client::trusting(&[1]).takes(&envelope), Err(ReleaseRefusal::Malformed));
}

#[test]
fn an_envelope_with_any_bit_flipped_is_refused() {
    let envelope = signed(1, &release(42, &[7], &[160], 10), 1);
    // Key 0 is trusted too, so that another id alone is not what helps.
    let mut client = Client::trusting(&[1, 0]);
    for at in 0..envelope.len() {
        for bit in 0..8 {
            let mut flipped = envelope.clone();
            flipped[at] ^= 1 << bit;
            let refusal = client.takes(&flipped).unwrap_err();
            let expected: &[_] = match at {
                8..10 => &[ReleaseRefusal::UnsupportedVersion],
                10..12 => &[ReleaseRefusal::UnknownKey, ReleaseRefusal::BadSignature],
                12..28 => &[ReleaseRefusal::Malformed, ReleaseRefusal::BadSignature],
                0..8 | 68..72 => &[ReleaseRefusal::Malformed],
                _ => &[ReleaseRefusal::BadSignature],
            };
            assert!(expected.contains(&refusal), "bit {bit} of byte {at}: {refusal:?}");
        }
    }
    assert_eq!(client.known, KnownReleases::new());
}

#[test]
fn a_foreign_key_signs_nothing() {
    let release = squares(10);
    let mut client = Client::trusting(&[1]);
    assert_eq!(client.takes(&signed(2, &release, 1)), Err(ReleaseRefusal::UnknownKey));
    // Under the id of the trusted key.
    let foreign = ReleaseSigner::new(ReleaseKeyId(1), &Secret::new([99; 32])).unwrap();
    let forged = foreign.sign(&release.written(), ReleaseCounter::FIRST, NOW).unwrap();
    assert_eq!(client.takes(forged.as_bytes()), Err(ReleaseRefusal::BadSignature));
    // A client that trusts nobody believes nobody.
    assert_eq!(Client::trusting(&[]).takes(&signed(1, &release, 1)), Err(ReleaseRefusal::UnknownKey));
}

#[test]
fn a_retired_key_signs_nothing_for_clients_that_trust_it_no_longer() {
    let (old, new) = (signed(1, &squares(10), 5), signed(2, &squares(10), 6));
    let mut client = Client::trusting(&[1, 2]);
    client.takes(&old).unwrap();
    // The next version of the app comes without key 1.
    client.keys = Client::trusting(&[2]).keys;
    assert_eq!(client.takes(&old), Err(ReleaseRefusal::UnknownKey));
    assert!(client.takes(&new).is_ok());
}

#[test]
fn the_highest_number_from_a_stolen_key_locks_nobody_out_once_the_key_is_gone() {
    let stolen = signed(1, &squares(66), (1 << 53) - 1);
    let mut client = Client::trusting(&[1, 2]);
    client.takes(&stolen).unwrap();
    assert_eq!(client.takes(&signed(2, &squares(10), 6)), Err(ReleaseRefusal::Rollback));
    client.keys = Client::trusting(&[2]).keys;
    assert!(client.takes(&signed(2, &squares(10), 6)).is_ok());
    // From here on numbers count again.
    assert_eq!(client.takes(&signed(2, &squares(9), 5)), Err(ReleaseRefusal::Rollback));
}

#[test]
fn what_was_believed_late_does_not_take_back_what_was_believed_since() {
    let client = Client::trusting(&[1]);
    let pack = PackId::new(42).unwrap();
    let verified = |counter| {
        let envelope = signed(1, &squares(u8::try_from(counter).unwrap()), counter);
        UntrustedRelease::read(&envelope).unwrap().verify(&client.keys, &client.known, pack).unwrap()
    };
    let (first, second, mut known) = (verified(1), verified(2), KnownReleases::new());
    assert!(known.remember(&second));
    assert!(!known.remember(&first));
    assert!(!known.remember(&second));
    assert_eq!(known.of(pack).map(|known| known.counter.get()), Some(2));
}

#[test]
fn a_device_keeps_a_text_that_it_reads_again_and_no_other() {
    let mut client = Client::trusting(&[1]);
    client.takes(&signed(1, &squares(10), 1)).unwrap();
    let text = client.known.to_json();
    assert_eq!(KnownReleases::parse(&text).unwrap().to_json(), text);
    assert_eq!(KnownReleases::parse(r#"{"packs":[]}"#), Ok(KnownReleases::new()));
    let entry = text.trim().trim_start_matches("{\"packs\":[").trim_end_matches("]}").to_owned();
    for wrong in [
        String::new(),
        "[]".to_owned(),
        text[..text.len() - 3].to_owned(),
        format!("{{\"packs\":[{entry},{entry}]}}"),
        text.replace("\"counter\":1", "\"counter\":0"),
        text.replace("\"counter\":1", "\"counter\":9007199254740992"),
        text.replace("\"pack\":42", "\"pack\":0"),
        text.replace("\"key\":1", "\"key\":65536"),
        text.replace("\"manifest\":\"", "\"manifest\":\"0"),
    ] {
        assert!(KnownReleases::parse(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_old_answer_shows_its_age() {
    let release = believed(10);
    assert_eq!(release.age(UnixSeconds(NOW.0 + 86_400)), 86_400);
    assert_eq!(release.age(UnixSeconds(NOW.0 - 1)), 0);
}

#[test]
fn the_file_of_one_release_is_not_anothers() {
    let (now, before) = (believed(20), squares(10));
    for path in ["160/7.sticker", "320/8.sticker", "160/42.zip", "master/7.sticker"] {
        assert_eq!(now.check_path(path, &before.files[path]), Err(FileRefusal::OtherRelease), "{path}");
    }
    // Nor is its entry in the manifest, with which the bytes agree.
    let entry = before.manifest.files.iter().find(|file| file.path.as_str() == "160/7.sticker").unwrap();
    assert_eq!(now.check(entry, &before.files["160/7.sticker"]), Err(FileRefusal::NotListed));
}

#[test]
fn the_files_of_two_stickers_cannot_be_swapped() {
    let (release, files) = (believed(10), squares(10).files);
    for (path, other) in [("160/7.sticker", "160/8.sticker"), ("160/8.sticker", "160/7.sticker")] {
        assert_eq!(release.check_path(path, &files[other]), Err(FileRefusal::WrongSticker), "{path}");
    }
}

#[test]
fn the_files_of_two_densities_cannot_be_swapped() {
    let (release, files) = (believed(10), squares(10).files);
    for (path, other) in [
        ("160/7.sticker", "320/7.sticker"),
        ("320/7.sticker", "160/7.sticker"),
        ("160/42.zip", "320/42.zip"),
        ("320/42.zip", "160/42.zip"),
    ] {
        assert_eq!(release.check_path(path, &files[other]), Err(FileRefusal::WrongDensity), "{path}");
    }
}

#[test]
fn the_file_of_another_pack_with_the_same_ids_is_refused() {
    let (ours, others) = (believed(10), release(43, &[7, 8], &[160, 320], 10));
    assert_eq!(ours.check_path("160/7.sticker", &others.files["160/7.sticker"]), Err(FileRefusal::WrongPack));
    assert_eq!(ours.check_path("160/42.zip", &others.files["160/43.zip"]), Err(FileRefusal::WrongPack));
}

#[test]
fn a_file_cut_at_any_byte_or_with_one_more_is_refused() {
    let (release, files) = (believed(10), squares(10).files);
    for path in ["160/7.sticker", "160/42.zip", "web/cover.webp"] {
        let whole = &files[path];
        for length in 0..whole.len() {
            let checked = release.check_path(path, &whole[..length]);
            assert_eq!(checked, Err(FileRefusal::Truncated), "{length} bytes of {path}");
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert_eq!(release.check_path(path, &longer), Err(FileRefusal::TooLong), "{path}");
    }
}

#[test]
fn a_file_with_any_bit_flipped_is_refused() {
    let (release, files) = (believed(10), squares(10).files);
    for path in ["160/7.sticker", "160/42.zip", "web/cover.webp"] {
        for at in 0..files[path].len() {
            let mut flipped = files[path].clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(release.check_path(path, &flipped).is_err(), "byte {at} of {path}");
        }
    }
}

#[test]
fn a_bundle_whose_sticker_was_replaced_is_refused() {
    let (release, now, before) = (believed(20), squares(20).files, squares(10).files);
    let (bundle, older) = (Bundle::read(&now["160/42.zip"]).unwrap(), &before["160/7.sticker"]);
    let mut stickers = bundle.stickers().clone();
    stickers.insert(StickerId::new(7).unwrap(), older);
    let replaced = bundle::write(bundle.pack(), &stickers).unwrap();
    assert_eq!(release.check_path("160/42.zip", &replaced), Err(FileRefusal::OtherRelease));
}

#[test]
fn a_bundle_with_one_sticker_more_or_less_is_refused() {
    let (release, files) = (believed(10), squares(10).files);
    let bundle = Bundle::read(&files["160/42.zip"]).unwrap();
    let (mut pack, mut stickers) = (bundle.pack().clone(), bundle.stickers().clone());
    let extra = StickerId::new(9).unwrap();
    let drawn = square(pack.id, extra, pack.density, 10);
    pack.stickers.push(BundledSticker { id: extra, name: "extra".to_owned() });
    stickers.insert(extra, &drawn);
    let more = bundle::write(&pack, &stickers).unwrap();
    assert_eq!(release.check_path("160/42.zip", &more), Err(FileRefusal::OtherRelease));
    for id in [7, 9] {
        let id = StickerId::new(id).unwrap();
        pack.stickers.retain(|sticker| sticker.id != id);
        stickers.remove(&id);
    }
    let less = bundle::write(&pack, &stickers).unwrap();
    assert_eq!(release.check_path("160/42.zip", &less), Err(FileRefusal::OtherRelease));
}

#[test]
fn an_extra_file_belongs_to_no_release() {
    let (release, files) = (believed(10), squares(10).files);
    let sound = &files["160/7.sticker"];
    for path in ["160/9.sticker", "240/7.sticker", "run.sh", "../160/7.sticker", "160\\7.sticker", ""] {
        assert_eq!(release.check_path(path, sound), Err(FileRefusal::NotListed), "{path}");
    }
    let nine = StickerId::new(9).unwrap();
    assert_eq!(release.sticker(nine, Density::new(160).unwrap()), None);
    assert_eq!(release.bundle(Density::new(240).unwrap()), None);
}

#[test]
fn a_signed_file_that_says_it_is_another_is_refused_even_so() {
    let mut release = squares(10);
    let stranger =
        square(PackId::new(42).unwrap(), StickerId::new(9).unwrap(), Density::new(160).unwrap(), 10);
    let listed =
        release.manifest.files.iter_mut().find(|file| file.path.as_str() == "160/7.sticker").unwrap();
    (listed.size, listed.sha256) = (stranger.len() as u64, sticker_protocol::Sha256::of(&stranger));
    let taken = Client::trusting(&[1]).takes(&signed(1, &release, 1)).unwrap();
    assert_eq!(taken.check_path("160/7.sticker", &stranger), Err(FileRefusal::Contradicts));
    // And so is the bundle, whose sticker is not the manifest's any more.
    assert_eq!(taken.check_path("160/42.zip", &release.files["160/42.zip"]), Err(FileRefusal::Contradicts));
}

#[test]
fn no_change_of_envelopes_at_random_is_believed() {
    let envelopes = [(1, 10), (2, 20), (3, 30)].map(|(counter, grey)| signed(1, &squares(grey), counter));
    let (mut random, mut believed, mut signatures) = (Random::of(0x5eed), 0, 0);
    let mut client = Client::trusting(&[0, 1, 2]);
    for _ in 0..MUTATIONS {
        let mutant = mutant(&envelopes, &mut random);
        client.known = KnownReleases::new();
        match client.takes(&mutant) {
            Ok(_) => {
                assert!(envelopes.contains(&mutant), "forged: {mutant:02x?}");
                believed += 1;
            }
            Err(refusal) => signatures += u64::from(refusal == ReleaseRefusal::BadSignature),
        }
    }
    println!(
        "of {MUTATIONS} mutants {believed} were the envelope itself, {signatures} came to the signature"
    );
    // Were the mutations too tame or too wild, this would say little.
    assert!(believed < MUTATIONS / 8 && signatures > MUTATIONS / 4, "{believed} {signatures}");
}

const MUTATIONS: u64 = 10_000;

/// One envelope with bits flipped, bytes put in, taken out and exchanged, other fields, or parts of another one.
fn mutant(envelopes: &[Vec<u8>; 3], random: &mut Random) -> Vec<u8> {
    let (mut bytes, other) = (envelopes[random.up_to(2)].clone(), &envelopes[random.up_to(2)]);
    let last = bytes.len() - 1;
    match random.up_to(8) {
        0 => bytes[random.up_to(last)] ^= 1 << random.up_to(7),
        1 => (0..=random.up_to(8)).for_each(|_| bytes[random.up_to(last)] = random.byte()),
        2 => bytes.insert(random.up_to(last), random.byte()),
        3 => drop(bytes.remove(random.up_to(last))),
        4 => bytes.swap(random.up_to(last), random.up_to(last)),
        // A field, small numbers as often as others.
        5 => {
            let (start, end) = [(10, 12), (12, 20), (20, 28), (28, 36), (36, 68)][random.up_to(4)];
            if random.up_to(1) == 0 {
                bytes[end - 1] = random.byte() % 8;
            } else {
                bytes[start..end].fill_with(|| random.byte());
            }
        }
        // The head, the manifest or the signature of another.
        6 => {
            let signatures = (bytes.len() - 64, other.len() - 64);
            let (part, of) = [
                (0..72, 0..72),
                (72..signatures.0, 72..signatures.1),
                (signatures.0..bytes.len(), signatures.1..other.len()),
            ][random.up_to(2)]
            .clone();
            bytes.splice(part, other[of].iter().copied());
        }
        7 => {
            let at = random.up_to(last.min(other.len()));
            bytes.truncate(at);
            bytes.extend_from_slice(&other[at..]);
        }
        _ => {
            let at = 72 + random.up_to(last - 72 - 64);
            bytes[at..].rotate_left(1);
        }
    }
    bytes
}
