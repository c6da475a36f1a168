#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_packer::fuzzing;

fuzz_target!(|file: &[u8]| {
    let _ = fuzzing::artwork(file, 32);
});
