//! Other people's packs and folders of artwork become projects, or nothing.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/desk.rs"]
mod desk;

use std::fs;

use desk::Desk;
use serde_json::{Value, json};

/// With the folder `app`, which is laid out as `WhatsApp`'s sample app: one pack of two stickers.
fn desk_with_an_app() -> Desk {
    let desk = Desk::new();
    for file in ["tray.png", "smile.png", "cry.png"] {
        desk.draws(&format!("app/1/{file}"), 96, 50);
    }
    desk.describes(&json!([cuppy()]));
    desk
}

fn cuppy() -> Value {
    json!({
        "identifier": "1", "name": "Cuppy \"the\" Cup", "publisher": "Jane Doe", "tray_image_file": "tray.png",
        "image_data_version": "1", "avoid_cache": false,
        "stickers": [
            { "image_file": "smile.png", "emojis": ["☕", "🙂"], "accessibility_text": "A cup smiles" },
            { "image_file": "cry.png", "emojis": ["😢"] },
        ],
    })
}

impl Desk {
    fn describes(&self, packs: &Value) {
        let contents =
            json!({ "android_play_store_link": "", "ios_app_store_link": "", "sticker_packs": packs });
        self.writes("app/contents.json", contents.to_string());
    }

    /// The codes of what keeps the import from being done; nothing was written.
    fn is_refused(&self) -> Vec<String> {
        let said = self.runs(["import", "app", "mine", "--json"]).and_exits(1).json();
        assert!(!self.place("mine").exists() && self.hidden_in(".").is_empty());
        let findings = said.get("findings").unwrap().as_array().unwrap();
        assert!(findings.iter().all(|it| !it["why"].as_str().unwrap().is_empty()), "{said:#}");
        findings.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_sticker_app_becomes_a_project_that_builds() {
    let desk = desk_with_an_app();
    let said = desk.runs(["import", "app", "mine"]).and_exits(0);
    assert!(said.out().starts_with("imported 2 stickers into mine\n"), "{}", said.out());
    assert_eq!(desk.files_in("mine"), ["cover.png", "pack.toml", "stickers"]);
    assert_eq!(desk.files_in("mine/stickers"), ["cry.png", "smile.png"]);
    insta::assert_snapshot!(String::from_utf8(desk.reads("mine/pack.toml")).unwrap(), @r#"
    # What `sticker-packer build` makes a pack from. packer/README.md explains every field.
    slug = "cuppy-the-cup"                # stands in addresses; a-z, 0-9 and hyphens
    price_tier = "free"           # or a tier of the store, such as "tier1"
    tags = []
    copyright = ""
    cover = "cover.png"

    [titles]                      # by locale: en, ko, ja, ...
    en = 'Cuppy "the" Cup'

    [descriptions]

    [artist]
    slug = "jane-doe"
    name = "Jane Doe"

    [[stickers]]
    name = "smile"
    file = "stickers/smile.png"
    emoji = ["☕", "🙂"]
    alt = { en = "A cup smiles" }

    [[stickers]]
    name = "cry"
    file = "stickers/cry.png"
    emoji = ["😢"]
    alt = {}                      # what it shows, in words: { en = "waves" }
    "#);
    desk.runs(["build", "mine", "--out", "out", "--effort", "fast"]).and_exits(0);
    // Nothing that is there is overwritten.
    desk.runs(["import", "app", "mine"]).and_exits(1);
}

#[test]
fn one_of_several_packs_is_chosen_by_its_identifier() {
    let desk = desk_with_an_app();
    let mut other = cuppy();
    other["identifier"] = "bean\u{1b}[31m".into();
    desk.describes(&json!([cuppy(), other]));
    insta::assert_snapshot!(desk.runs(["import", "app", "mine"]).and_exits(1).err(), @r#"
    error[pack_not_chosen]: it holds 2 packs: "1", "bean\u{1b}[31m"
      --> app/contents.json
      = why: a project is one pack
      = hint: choose one with --pack IDENTIFIER
    "#);
    let unknown = desk.runs(["import", "app", "mine", "--pack", "2", "--json"]).and_exits(1).json();
    assert_eq!(unknown["findings"][0]["code"], "pack_unknown");
    desk.runs(["import", "app", "mine", "--pack", "1"]).and_exits(0);
}

#[test]
fn what_leads_out_of_the_folder_is_not_read() {
    let desk = desk_with_an_app();
    desk.draws("secret.png", 64, 0);
    let secret = desk.place("secret.png").to_str().unwrap().to_owned();
    for file in ["../secret.png", "../../secret.png", "a/../../../secret.png", &secret] {
        let mut pack = cuppy();
        pack["stickers"][0]["image_file"] = file.into();
        desk.describes(&json!([pack]));
        assert_eq!(desk.is_refused(), ["path_outside"], "{file}");
    }
    let mut pack = cuppy();
    pack["identifier"] = "..".into();
    desk.describes(&json!([pack]));
    assert_eq!(desk.is_refused(), ["path_outside"; 3]);

    desk.describes(&json!([cuppy()]));
    fs::remove_file(desk.place("app/1/cry.png")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, desk.place("app/1/cry.png")).unwrap();
        assert_eq!(desk.is_refused(), ["path_outside"]);
        fs::remove_file(desk.place("app/1/cry.png")).unwrap();
    }
    assert_eq!(desk.is_refused(), ["file_missing"]);
}

#[test]
fn a_description_that_makes_no_sense_is_refused_with_its_place() {
    let desk = desk_with_an_app();
    let nested = "[".repeat(100_000);
    for contents in ["", "GIF89a", "{}", "{\"sticker_packs\": 7}", "\u{feff}{}", &nested] {
        desk.writes("app/contents.json", contents);
        assert_eq!(desk.is_refused(), ["contents_invalid"], "{contents:.20}");
    }
    desk.writes("app/contents.json", [0xff; 40]);
    assert_eq!(desk.is_refused(), ["contents_invalid"]);
    desk.writes("app/contents.json", vec![b' '; (4 << 20) + 1]);
    assert_eq!(desk.is_refused(), ["contents_too_large"]);
    desk.describes(&json!([]));
    assert_eq!(desk.is_refused(), ["pack_unknown"]);
}

#[test]
fn what_no_release_could_hold_is_told_before_anything_is_written() {
    let desk = desk_with_an_app();
    let mut pack = cuppy();
    pack["name"] = "x".repeat(1_001).into();
    pack["stickers"][1]["emojis"] = json!(["\u{7}"]);
    desk.describes(&json!([pack]));
    assert_eq!(desk.is_refused(), ["text_too_long", "text_control_character"]);
    let mut pack = cuppy();
    pack["stickers"] = json!([]);
    desk.describes(&json!([pack]));
    assert_eq!(desk.is_refused(), ["sticker_count"]);
    desk.describes(&json!([cuppy()]));
    desk.writes("app/1/cry.png", "no picture");
    assert_eq!(desk.is_refused(), ["not_artwork"]);
}

#[test]
fn a_folder_of_artwork_is_copied_into_a_project_and_stays_as_it_is() {
    let desk = Desk::new();
    desk.draws("art/hi.png", 64, 1);
    desk.draws("art/stickers/hi.png", 64, 2);
    desk.draws("art/wave/0.png", 64, 3);
    desk.draws("art/wave/1.png", 64, 4);
    desk.draws("art/cover.png", 64, 5);
    desk.writes("art/notes.txt", "nobody's business");
    desk.runs(["import", "art", "mine"]).and_exits(0);
    assert_eq!(desk.files_in("mine"), ["cover.png", "pack.toml", "stickers"]);
    assert_eq!(desk.files_in("mine/stickers"), ["hi-2.png", "hi.png", "wave"]);
    assert_eq!(desk.files_in("mine/stickers/wave"), ["0.png", "1.png"]);
    assert_eq!(desk.reads("mine/stickers/hi-2.png"), desk.reads("art/stickers/hi.png"));
    assert_eq!(desk.files_in("art"), ["cover.png", "hi.png", "notes.txt", "stickers", "wave"]);
    desk.runs(["build", "mine", "--out", "out", "--effort", "fast"]).and_exits(0);

    desk.runs(["init", "art"]).and_exits(0);
    let twice = desk.runs(["import", "art", "other", "--json"]).and_exits(1).json();
    assert_eq!(twice["findings"][0]["code"], "already_a_project");
    fs::create_dir(desk.place("empty")).unwrap();
    let empty = desk.runs(["import", "empty", "other", "--json"]).and_exits(1).json();
    assert_eq!(empty["findings"][0]["code"], "no_artwork");
    desk.runs(["import", "nowhere", "other"]).and_exits(3);
    assert!(!desk.place("other").exists());
}

#[test]
fn files_that_are_no_pictures_are_told_of_in_one_note() {
    let desk = Desk::new();
    desk.draws("art/hi.png", 64, 1);
    for quiet in [".notes", "README.md", "LICENSE", "license-art.txt", "frames.json"] {
        desk.writes(&format!("art/{quiet}"), "");
    }
    let told = |report: &Value| -> Vec<(String, String)> {
        let text = |it: &Value, field: &str| it[field].as_str().unwrap().to_owned();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|it| (text(it, "level") + " " + &text(it, "code"), text(it, "message"))).collect()
    };
    assert_eq!(told(&desk.runs(["import", "art", "quiet", "--json"]).and_exits(0).json()), []);

    for name in ["art/wave.webm", "art/photo.JPG", "art/stickers/notes.txt"] {
        desk.writes(name, "");
    }
    let message =
        "left out, being no pictures that stickers are made of: photo.JPG, wave.webm, stickers/notes.txt";
    let note = |message: &str| [("note files_left_out".to_owned(), message.to_owned())];
    assert_eq!(told(&desk.runs(["import", "art", "mine", "--json"]).and_exits(0).json()), note(message));
    for number in 0..9 {
        desk.writes(&format!("art/a{number}.mp4"), "");
    }
    let message = "left out, being no pictures that stickers are made of: a0.mp4, a1.mp4, a2.mp4, a3.mp4, a4.mp4, a5.mp4, \
                   a6.mp4, a7.mp4, a8.mp4, photo.JPG and 2 more";
    assert_eq!(told(&desk.runs(["init", "art", "--json"]).and_exits(0).json()), note(message));
    let said = desk.runs(["import", "mine", "again"]).and_exits(1).err();
    assert!(!said.contains("files_left_out"), "{said}");
}

#[test]
fn init_and_import_ask_git_for_the_artist_and_the_system_for_the_language() {
    let desk = Desk::new();
    desk.draws("art/hi.png", 64, 1);
    desk.writes(".home/.gitconfig", "[user]\n\tname = Kim Lee\n");
    let mut import = desk.packer(["import", "art", "mine"]);
    assert!(import.env("LANG", "ko_KR.UTF-8").output().unwrap().status.success());
    desk.runs(["init", "art"]).and_exits(0);
    let text = |path: &str| String::from_utf8(desk.reads(path)).unwrap();
    assert!(text("mine/pack.toml").contains("\nko = \"art\"\n"), "{}", text("mine/pack.toml"));
    for project in ["mine", "art"] {
        let text = text(&format!("{project}/pack.toml"));
        let is_there = std::process::Command::new("git").arg("--version").output().is_ok();
        assert!(text.contains(if is_there { "name = \"Kim Lee\"" } else { "name = \"Artist\"" }), "{text}");
    }
    assert!(text("art/pack.toml").contains("\nen = \"art\"\n"));
}
