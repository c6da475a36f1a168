#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_packer::fuzzing;

fuzz_target!(|text: &str| {
    // Small, so that most of the time goes into reading.
    let _ = fuzzing::artwork(
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{text}</svg>").as_bytes(),
        32,
    );
    let _ = fuzzing::artwork(text.as_bytes(), 32);
});
