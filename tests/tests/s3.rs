//! Objects in a real S3.

use sticker_protocol::Sha256;
use sticker_tests::{Bucket, Database, Phone, Town};

#[test]
fn a_pack_is_published_to_s3_and_every_file_comes_from_there() {
    let Some(bucket) = Bucket::fresh() else { return };
    let town = Town::with_settings(Database::Sqlite, "free", &bucket.settings());
    for file in &town.release.files {
        let mut key = file.sha256.to_string();
        key.insert(2, '/');
        let content = bucket.content(&key).map(|content| Sha256::of(&content));
        assert_eq!(content, Some(file.sha256), "{}", file.path);
    }
    // In a process with nothing in memory.
    let fresh = town.store.one_more();
    let phone = Phone::of(&fresh);
    for file in &town.release.files {
        let (Some(density), Some((id, ending))) = (file.density, of_download(file.path.as_str())) else {
            continue;
        };
        let answer = phone.gets(&format!("/dl/{density}/{id}.{}.{ending}", file.sha256)).expect(200);
        assert_eq!(Sha256::of(&answer.body), file.sha256, "{}", file.path);
    }
}

/// Id and ending of `320/7.sticker` and `320/7.zip`.
fn of_download(path: &str) -> Option<(&str, &str)> {
    path.split_once('/')?.1.rsplit_once('.').filter(|(_, ending)| matches!(*ending, "sticker" | "zip"))
}
