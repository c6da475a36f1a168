#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_packer::fuzzing;

fuzz_target!(|text: &str| {
    let _ = fuzzing::project(text);
});
