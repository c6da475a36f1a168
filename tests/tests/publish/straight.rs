//! Straight to S3.

use serde_json::Value;
use sticker_tests::{Bucket, Database, Designer, Phone, Store};
use ureq::http::Request;

use crate::release::{Release, keys, objects, uploads};

/// A store on S3, its bucket and a designer.
fn on_s3() -> Option<(Store, Bucket, Designer)> {
    let bucket = Bucket::fresh()?;
    let store = Store::start_with(Database::Sqlite, &bucket.settings());
    let designer = store.operator().admits_designer("studio");
    Some((store, bucket, designer))
}

/// Puts bytes where an address of the state leads, with the headers that it says or others.
fn puts(upload: &Value, content: &[u8], header: impl Fn(&str, &str) -> String) -> u16 {
    let mut request = Request::builder().method("PUT").uri(upload["url"].as_str().unwrap());
    for (name, value) in upload["headers"].as_object().unwrap() {
        if name != "content-length" {
            request = request.header(name, header(name, value.as_str().unwrap()));
        }
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.run(request.body(content).unwrap()).unwrap().status().as_u16()
}

fn as_it_is(_: &str, value: &str) -> String {
    value.to_owned()
}

#[test]
fn files_go_to_s3_past_the_store_and_under_their_names_only_once_they_are_checked() {
    let Some((store, bucket, designer)) = on_s3() else { return };
    let release = Release::of("straight");
    let state = release.is_begun(&designer);
    let addresses = state["uploads"].as_object().unwrap();
    assert_eq!(addresses.len(), state["missing"].as_array().unwrap().len());
    for (hash, upload) in addresses {
        assert!(upload["url"].as_str().unwrap().starts_with(bucket.server()), "{upload}");
        assert_eq!(puts(upload, &release.file(hash), as_it_is), 200, "{upload}");
    }
    // All of it arrived, none of it through the store, and nothing is relied on yet.
    assert_eq!(uploads(&store, Some(&bucket)).len(), addresses.len());
    assert_eq!(objects(&store, Some(&bucket)), Vec::<String>::new());
    let state =
        designer.sends("GET", &format!("/v1/releases/{}", release.id()), Vec::new()).expect(200).json();
    assert_eq!(state["missing"].as_array().unwrap().len(), 0, "{state}");
    let _ = designer.sends("POST", &release.publish(), Vec::new()).expect(200);
    assert_eq!(objects(&store, Some(&bucket)), keys(&release.manifest()));
    assert_eq!(uploads(&store, Some(&bucket)), Vec::<String>::new());
}

#[test]
fn an_address_takes_nothing_but_the_file_that_it_is_for() {
    let Some((store, bucket, designer)) = on_s3() else { return };
    let release = Release::of("signed");
    let state = release.is_begun(&designer);
    let (hash, upload) = state["uploads"].as_object().unwrap().iter().next().unwrap();
    let content = release.file(hash);
    let other = |name: &str, value: &str| match name {
        "x-amz-checksum-sha256" => "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
        _ => value.to_owned(),
    };
    assert_eq!(puts(upload, &content[1..], as_it_is), 403);
    assert_eq!(puts(upload, &[&content[..], b"x"].concat(), as_it_is), 403);
    assert_eq!(puts(upload, &content, other), 403);
    let mut elsewhere = upload.clone();
    let url = upload["url"].as_str().unwrap().replace("/incoming/", "/objects/");
    elsewhere["url"] = Value::String(url);
    assert_eq!(puts(&elsewhere, &content, as_it_is), 403);
    assert_eq!(bucket.keys(), Vec::<String>::new());
    assert_eq!(store.operator().runs(&["admin", "objects", "verify"]).code, 0);
}

#[test]
fn other_bytes_in_the_incoming_area_are_never_taken_and_are_asked_for_again() {
    let Some((store, bucket, designer)) = on_s3() else { return };
    let release = Release::of("swapped");
    let state = release.is_begun(&designer);
    for (hash, upload) in state["uploads"].as_object().unwrap() {
        assert_eq!(puts(upload, &release.file(hash), as_it_is), 200);
    }
    let swapped = release.manifest().files[0].clone();
    let mut content = release.bytes(swapped.path.as_str());
    *content.last_mut().unwrap() ^= 1;
    bucket.has_altered(&format!("incoming/{}/{}", release.id(), swapped.sha256), content);
    let refused = designer.sends("POST", &release.publish(), Vec::new()).expect(409);
    assert_eq!(refused.error_code(), "files_missing");
    assert_eq!(refused.json()["error"]["findings"][0]["path"], swapped.path.as_str());
    assert_eq!(objects(&store, Some(&bucket)), Vec::<String>::new());
    let (code, told) = designer.publishes_telling(&release.path());
    assert_eq!((code, told["uploaded"].as_u64()), (0, Some(1)), "{told}");
    assert_eq!(objects(&store, Some(&bucket)), keys(&release.manifest()));
}

#[test]
fn an_upload_that_was_cut_goes_on_where_it_ended() {
    let Some((store, bucket, designer)) = on_s3() else { return };
    let release = Release::of("resumed");
    let state = release.is_begun(&designer);
    let addresses = state["uploads"].as_object().unwrap();
    for (hash, upload) in addresses.iter().step_by(2) {
        assert_eq!(puts(upload, &release.file(hash), as_it_is), 200);
    }
    let (code, told) = designer.publishes_telling(&release.path());
    assert_eq!(code, 0, "{told}");
    assert_eq!(told["uploaded"].as_u64(), Some(addresses.len() as u64 / 2), "{told}");
    assert_eq!(objects(&store, Some(&bucket)), keys(&release.manifest()));
    let sticker = release.manifest().stickers[0].id;
    let _ = Phone::of(&store).gets(&format!("/dl/{sticker}.sticker")).expect(200);
}
