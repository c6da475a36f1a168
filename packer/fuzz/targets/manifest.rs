#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_protocol::release::Manifest;

fuzz_target!(|file: &[u8]| {
    let _ = Manifest::read(file);
});
