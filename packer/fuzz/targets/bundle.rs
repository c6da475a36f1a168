#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_protocol::bundle::Bundle;

fuzz_target!(|file: &[u8]| {
    let _ = Bundle::read(file);
});
