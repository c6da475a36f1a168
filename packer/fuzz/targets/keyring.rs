#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_protocol::token::{KeyFile, KeyMaterial, Keyring};

/// Every message, its numbers taken out: nothing else of a file may come through.
const MESSAGES: [&str; 11] = [
    "line : this is not JSON, from column  on",
    "line : a key file is an object with an array \"keys\"",
    "line : a key is an object, with each field once",
    "line : the \"id\" of a key is missing or no whole number from  to ",
    "line : the \"state\" of a key is missing or none of published, signing and verify",
    "line : the \"secret\" of a key is missing or not  hexadecimal digits",
    "line : the \"public\" of a key is missing or not  hexadecimal digits",
    "line : the seed of key  is not the one of its public key",
    "line : the key id  stands twice in the file, first on line ",
    "line : key  is marked as signing, and so is key  on line ; one hmac-sha key signs",
    "line : key  is marked as signing, and so is key  on line ; one ed key signs",
];

fuzz_target!(|text: &str| {
    match KeyFile::parse(text) {
        Ok(file) => {
            let written = file.to_json();
            assert_eq!(KeyFile::parse(&written).unwrap().to_json(), written);
            let seed = |key: &KeyMaterial| matches!(key, KeyMaterial::Ed25519 { seed: Some(_), .. });
            assert!(!file.for_verifiers().keys().iter().any(|record| seed(&record.key)));
            assert!(!file.public_only().keys().iter().any(|record| matches!(record.key, KeyMaterial::Hmac(_))));
            Keyring::new(&file);
        }
        Err(error) => {
            let message = error.to_string().replace(|letter: char| letter.is_ascii_digit(), "");
            assert!(MESSAGES.contains(&message.as_str()), "{message}");
            assert!(error.line().is_some_and(|line| line <= text.split('\n').count()), "{error}");
        }
    }
});
