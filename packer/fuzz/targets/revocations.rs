#![no_main]

use libfuzzer_sys::fuzz_target;
use sticker_protocol::token::{DenyList, RevocationPage};

fuzz_target!(|body: &[u8]| {
    let page = match RevocationPage::parse(body) {
        Ok(page) => page,
        Err(error) => return assert_eq!(error.to_string(), "this is no page of the deny feed"),
    };
    assert_eq!(RevocationPage::parse(page.to_json().as_bytes()).as_ref(), Ok(&page));
    let mut denied = DenyList::new();
    page.revocations.iter().for_each(|entry| denied.apply(entry));
    assert!(denied.len() <= page.revocations.iter().map(|entry| entry.stickers.len()).sum());
    for entry in &page.revocations {
        let user = entry.user.as_ref().map_or(&b"anybody"[..], |user| user.as_bytes());
        assert!(entry.stickers.iter().all(|sticker| denied.refuses(user, *sticker, entry.refuse_until)));
    }
});
