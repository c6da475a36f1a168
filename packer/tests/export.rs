//! What is exported is what the messengers take, read back by decoders that are not the packer's.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what went wrong by failing"
)]

#[path = "desk/around.rs"]
mod around;
#[path = "desk/desk.rs"]
mod desk;
#[path = "export/signal.rs"]
mod signal;
#[path = "export/studio.rs"]
mod studio;
#[path = "export/telegram.rs"]
mod telegram;

use std::fs;

use desk::Desk;
use serde_json::{Value, json};
use studio::{Studio, animation, frames_of, still};

#[test]
fn a_mixed_project_becomes_packs_of_stills_and_of_animations() {
    let studio = Studio::with_three_of_each();
    let report = studio.exports("whatsapp").and_exits(0).json();
    assert_eq!(studio.desk.files_in("out"), ["contents.json", "export.json", "mochi", "mochi-animated"]);
    assert_eq!(studio.desk.files_in("out/mochi"), ["s0.webp", "s1.webp", "s2.webp", "tray.png"]);
    assert_eq!(studio.desk.files_in("out/mochi-animated"), ["a0.webp", "a1.webp", "a2.webp", "tray.png"]);
    let split =
        report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "whatsapp_split").unwrap();
    assert_eq!(split["message"], "it becomes 2 packs: `mochi` of 3 still, `mochi-animated` of 3 animated");

    let mut contents = studio.desk.json("out/contents.json");
    for pack in contents["sticker_packs"].as_array_mut().unwrap() {
        assert_eq!(pack["image_data_version"].take().as_str().unwrap().len(), 16);
    }
    let pack = |identifier: &str, name: &str, animated: bool, stickers: Value| {
        json!({
            "identifier": identifier, "name": name, "publisher": "Kim Lee", "tray_image_file": "tray.png",
            "image_data_version": null, "avoid_cache": false, "publisher_email": "", "publisher_website": "",
            "privacy_policy_website": "", "license_agreement_website": "", "animated_sticker_pack": animated,
            "stickers": stickers,
        })
    };
    let sticker = |name: &str| json!({ "image_file": format!("{name}.webp"), "emojis": ["🙂", "👋", "🎉"], "accessibility_text": format!("{name} in English") });
    assert_eq!(
        contents,
        json!({
            "android_play_store_link": "", "ios_app_store_link": "",
            "sticker_packs": [
                pack("mochi", "Mochi", false, ["s0", "s1", "s2"].map(sticker).into()),
                pack("mochi-animated", "Mochi 2", true, ["a0", "a1", "a2"].map(sticker).into()),
            ],
        })
    );
}

#[test]
fn every_whatsapp_file_has_its_size_its_time_and_fewer_bytes_than_the_limit() {
    let studio = Studio::with_three_of_each();
    let report = studio.exports("whatsapp").and_exits(0).json();
    let stickers = report["stickers"].as_array().unwrap();
    assert_eq!(stickers.len(), 6);
    for sticker in stickers {
        let file = studio.desk.reads(&format!("out/{}", sticker["file"].as_str().unwrap()));
        let is_animated = sticker["frames"] == 3;
        assert_eq!(sticker["bytes"], file.len());
        assert_eq!(sticker["max_bytes"], if is_animated { 512_000 } else { 102_400 });
        assert!(sticker["bytes"].as_u64() <= sticker["max_bytes"].as_u64(), "{sticker:#}");
        assert!(sticker["score"].as_f64().unwrap() >= 86.0, "{sticker:#}");
        let (width, height, durations) = frames_of(&file);
        assert_eq!((width, height), (512, 512));
        assert_eq!(durations, if is_animated { vec![70, 110, 45] } else { vec![] });
        studio.webp_tools_agree(&file, &durations);
    }
    let tray = studio.desk.reads("out/mochi/tray.png");
    let tray = png::Decoder::new(std::io::Cursor::new(tray)).read_info().unwrap().info().size();
    assert_eq!(tray, (96, 96));
}

#[test]
fn what_is_exported_for_whatsapp_is_imported_as_the_same_project() {
    let studio = Studio::with_three_of_each();
    studio.desk.runs(["export", "pack", "--to", "whatsapp", "--out", "out", "--locale", "ko"]).and_exits(0);
    studio.desk.runs(["import", "out", "mine", "--pack", "mochi-animated"]).and_exits(0);
    let toml = String::from_utf8(studio.desk.reads("mine/pack.toml")).unwrap();
    for expected in [
        "slug = \"mochi-animated\"",
        "en = \"모찌 2\"",
        "name = \"Kim Lee\"",
        "name = \"a0\"",
        "file = \"stickers/a0.webp\"",
        "emoji = [\"🙂\", \"👋\", \"🎉\"]",
        "alt = { en = \"a2 한국어\" }",
        "cover = \"cover.png\"",
    ] {
        assert!(toml.contains(expected), "{expected} in {toml}");
    }
    // And once more: the same stickers for the same time.
    let again = studio
        .desk
        .runs(["export", "mine", "--to", "whatsapp", "--out", "again", "--json"])
        .and_exits(0)
        .json();
    assert_eq!(again["packs"], json!(["mochi-animated"]));
    for sticker in again["stickers"].as_array().unwrap() {
        assert_eq!((&sticker["duration_ms"], &sticker["frames"]), (&json!(225), &json!(3)));
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_numbers_all_at_once_and_nothing_is_written() {
    let studio = Studio::new(&[still("s0"), still("s1"), still("noise"), animation("long"), animation("a1")]);
    studio.desk.scribbles("pack/noise.png", 512, 7);
    studio.changes("name = \"long\"", "name = \"long\"\nframe_ms = 4000");
    let said = studio.exports("whatsapp").and_exits(1).json();
    let findings = said["findings"].as_array().unwrap();
    let errors: Vec<_> = findings.iter().filter(|it| it["level"] == "error").collect();
    let told = errors.iter().map(|it| (it["code"].as_str().unwrap(), it["message"].as_str().unwrap()));
    let told: Vec<_> = told.collect();
    assert_eq!(told[0], ("whatsapp_too_long", "it lasts 12000 ms, and WhatsApp takes 10000"));
    assert_eq!(told[1].0, "whatsapp_over_limit");
    let noise = told[1].1;
    assert!(
        noise.contains("102400") && noise.contains("a score of") && noise.contains("65 is the least"),
        "{noise}"
    );
    assert_eq!(
        told[2],
        ("whatsapp_sticker_count", "WhatsApp takes 3 to 30 animated stickers in a pack; here are 2")
    );
    assert_eq!(told.len(), 3);
    assert!(errors.iter().all(|it| !it["why"].as_str().unwrap().is_empty()));
    assert_eq!(studio.desk.files_in("."), ["pack"]);
}

#[test]
fn an_earlier_export_is_replaced_and_a_folder_of_anything_else_is_left_alone() {
    let studio = Studio::new(&[still("s0"), still("s1"), still("s2")]);
    studio.desk.writes("app/contents.json", "{}");
    let app = studio.desk.runs(["export", "pack", "--to", "whatsapp", "--out", "app"]).and_exits(1);
    assert!(app.err().starts_with("error[output_in_the_way]"), "{}", app.err());
    assert_eq!(studio.desk.files_in("app"), ["contents.json"]);

    studio.exports("whatsapp").and_exits(0);
    studio.changes("name = \"s1\"", "name = \"other\"");
    studio.exports("whatsapp").and_exits(0);
    assert_eq!(studio.desk.files_in("out/mochi"), ["other.webp", "s0.webp", "s2.webp", "tray.png"]);
    // Somebody put something beside it: now it is theirs.
    studio.desk.writes("out/mochi/notes.txt", "mine");
    studio.exports("whatsapp").and_exits(1);
    assert_eq!(studio.desk.reads("out/mochi/notes.txt"), b"mine");
    assert_eq!(studio.desk.hidden_in("."), [""; 0]);
    fs::remove_file(studio.desk.place("out/mochi/notes.txt")).unwrap();
    studio.exports("whatsapp").and_exits(0);
}

#[test]
fn thirty_one_stills_become_two_packs_of_about_the_same_size() {
    let names: Vec<_> = (0..31).map(|number| format!("s{number}")).collect();
    let studio = Studio::new(&names.iter().map(|name| still(name)).collect::<Vec<_>>());
    for name in names {
        // A drawing is what its content says, not its name, and one of a single colour takes no time.
        let svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0h9v9H0z'/></svg>";
        studio.desk.writes(&format!("pack/{name}.png"), svg);
    }
    let report = studio.exports("whatsapp").and_exits(0).json();
    assert_eq!(report["packs"], json!(["mochi", "mochi-2"]));
    assert_eq!(studio.desk.files_in("out/mochi").len() - 1, 15);
    assert_eq!(studio.desk.files_in("out/mochi-2").len() - 1, 16);
}

#[test]
fn what_is_enlarged_and_what_is_said_at_too_great_length_is_told() {
    let studio = Studio::new(&[still("s0"), still("s1"), still("s2")]);
    studio.desk.draws("pack/s1.png", 100, 3);
    let report = studio.exports("whatsapp").and_exits(0).json();
    let told =
        report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "whatsapp_too_small").unwrap();
    assert_eq!((&told["level"], &told["path"]), (&json!("warning"), &json!("pack/s1.png")));
    studio.changes("s2 in English", &"long ".repeat(26));
    let said = studio.exports("whatsapp").and_exits(1).json();
    let errors = said["findings"].as_array().unwrap().iter().filter(|it| it["level"] == "error");
    let errors: Vec<_> = errors.map(|it| (&it["code"], &it["message"])).collect();
    let message = "its alternative text has 130 characters, and WhatsApp takes 125";
    assert_eq!(errors, [(&json!("whatsapp_text_too_long"), &json!(message))]);
    // The other language is short enough.
    studio.desk.runs(["export", "pack", "--to", "whatsapp", "--out", "out", "--locale", "ko"]).and_exits(0);
}

#[test]
fn a_messenger_or_a_language_that_is_not_there_is_told() {
    let studio = Studio::new(&[still("s0")]);
    studio.desk.runs(["export", "pack", "--to", "line", "--out", "out"]).and_exits(2);
    let said = studio.desk.runs(["export", "pack", "--to", "whatsapp", "--out", "out", "--locale", "fr"]);
    assert!(said.and_exits(1).err().contains("there is no title in `fr`, only in en, ko"));
    let desk = Desk::new();
    desk.runs(["export", "nowhere", "--to", "whatsapp", "--out", "out"]).and_exits(3);
}
