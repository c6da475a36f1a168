//! What happens to a project while it is built, and names that are no text.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/desk.rs"]
mod desk;

use desk::{Desk, waits_until};

const PACK: &str = "slug = \"p\"\ntitles = { en = \"P\" }\nartist = { slug = \"a\", name = \"A\" }\n\
                    [[stickers]]\nname = \"one\"\nfile = \"one.png\"\n";

fn with_a_pack() -> Desk {
    let desk = Desk::new();
    desk.writes("pack/pack.toml", PACK);
    desk.scribbles("pack/one.png", 512, 1);
    desk
}

#[test]
fn first_builds_of_one_project_at_the_same_time_agree_on_its_ids() {
    let desk = with_a_pack();
    let outs = ["a", "b", "c", "d"];
    let builds = outs.map(|out| {
        let mut command = desk.packer(["build", "pack", "--out", out, "--effort", "fast", "--json"]);
        std::thread::spawn(move || command.output().unwrap())
    });
    let said = builds.map(|build| desk::Said(build.join().unwrap()).and_exits(0).json());
    let lock: toml::Table = String::from_utf8(desk.reads("pack/pack.lock")).unwrap().parse().unwrap();
    for said in said {
        assert_eq!(said["pack"].as_i64(), lock["pack"].as_integer());
        assert_eq!(said["stickers"][0]["id"].as_i64(), lock["stickers"]["one"].as_integer());
    }
}

#[test]
fn an_id_that_somebody_adds_during_a_build_stays() {
    let desk = with_a_pack();
    desk.runs(["build", "pack", "--out", "out", "--effort", "fast"]).and_exits(0);
    let build = desk.starts(["build", "pack", "--out", "other", "--no-cache"]);
    waits_until("the build has begun", || !desk.hidden_in(".").is_empty() || desk.place("other").exists());
    let lock = String::from_utf8(desk.reads("pack/pack.lock")).unwrap();
    desk.writes("pack/pack.lock", format!("{lock}colleague = 4242424242\n"));
    desk.writes("pack/pack.toml", format!("{PACK}[[stickers]]\nname = \"two\"\nfile = \"one.png\"\n"));
    assert!(build.ends().success());
    desk.runs(["build", "pack", "--out", "out", "--effort", "fast"]).and_exits(0);
    let lock: toml::Table = String::from_utf8(desk.reads("pack/pack.lock")).unwrap().parse().unwrap();
    assert_eq!(lock["stickers"]["colleague"].as_integer(), Some(4_242_424_242));
    assert!(lock["stickers"]["two"].as_integer().is_some());
}

#[test]
fn an_id_that_changes_during_a_build_is_an_error_and_nothing_is_built() {
    let desk = with_a_pack();
    desk.runs(["build", "pack", "--out", "out", "--effort", "fast"]).and_exits(0);
    for seed in 0..6 {
        desk.scribbles(&format!("pack/{seed}.png"), 512, seed);
    }
    let more = ["0", "1", "2", "3", "4", "5"]
        .map(|it| format!("[[stickers]]\nname = \"s{it}\"\nfile = \"{it}.png\"\n"));
    desk.writes("pack/pack.toml", [PACK, &more.concat()].concat());
    let build = desk.starts(["build", "pack", "--out", "other", "--no-cache", "--quiet"]);
    waits_until("the build has begun", || !desk.hidden_in(".").is_empty());
    let lock = String::from_utf8(desk.reads("pack/pack.lock")).unwrap();
    let is_one = |line: &str| line.starts_with("one = ");
    let lines: Vec<_> = lock.lines().map(|line| if is_one(line) { "one = 7" } else { line }).collect();
    let other = lines.join("\n");
    desk.writes("pack/pack.lock", &other);
    assert_eq!(build.ends().code(), Some(1));
    assert_eq!(String::from_utf8(desk.reads("pack/pack.lock")).unwrap(), other);
    assert!(!desk.place("other").exists());
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_told_in_json_and_a_terminal_is_sent_nothing_that_it_obeys() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let desk = with_a_pack();
    let folder = OsStr::from_bytes(b"odd\xff\x1b]0;x\x07");
    std::fs::rename(desk.place("pack"), desk.place(".").join(folder)).unwrap();
    std::fs::write(desk.place(".").join(folder).join("one.png"), "no picture").unwrap();
    let check = |json: &[&str]| {
        let mut command = desk.packer(["check"]);
        desk::Said(command.arg(folder).args(json).output().unwrap()).and_exits(1)
    };
    let findings = check(&["--json"]).json();
    assert!(findings["findings"][0]["path"].as_str().unwrap().starts_with("odd\u{fffd}"), "{findings}");
    let said = check(&[]).err();
    assert!(said.contains("\\u{1b}]0;x\\u{7}") && !said.contains('\u{1b}'), "{said}");
}
