#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_protocol::sticker::StickerFile;

fuzz_target!(|file: &[u8]| {
    let _ = StickerFile::read(file);
});
