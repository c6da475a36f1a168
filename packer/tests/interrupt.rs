//! What an interrupt, a killed process or a full disk leaves behind: nothing, and the earlier output as it was.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/desk.rs"]
mod desk;

use std::fs;
use std::io::Write as _;
use std::process::Command;

use desk::{Desk, waits_until};

/// With a pack that takes seconds to build, and one that takes none.
fn desk_with_much_work() -> Desk {
    let desk = Desk::new();
    desk.draws("quick/dot.png", 64, 9);
    for frame in 0..24 {
        desk.scribbles(&format!("slow/noise/{frame:02}.png"), 512, frame);
    }
    desk.runs(["init", "quick"]).and_exits(0);
    desk.runs(["init", "slow"]).and_exits(0);
    desk
}

#[test]
fn an_interrupted_build_leaves_nothing_and_the_earlier_build_as_it_was() {
    let desk = desk_with_much_work();
    desk.runs(["build", "quick", "--out", "out"]).and_exits(0);
    let before = desk.reads("out/release.thrift");
    let build = desk.starts(["build", "slow", "--out", "out", "--no-cache"]);
    waits_until("it has begun to write", || !desk.hidden_in(".").is_empty());
    build.interrupt();
    assert_eq!(build.ends().code(), Some(130));
    assert_eq!(desk.files_in("."), ["out", "quick", "slow"]);
    assert_eq!(desk.files_in("slow"), ["noise", "pack.toml"]);
    assert_eq!(desk.reads("out/release.thrift"), before);
    desk.runs(["preview", "out", "--no-scores"]).and_exits(0);
}

#[test]
fn what_a_killed_build_left_is_gone_after_the_next() {
    let desk = desk_with_much_work();
    let build = desk.starts(["build", "slow", "--out", "out", "--no-cache"]);
    waits_until("it has begun to write", || !desk.hidden_in(".").is_empty());
    drop(build);
    assert_eq!(desk.hidden_in(".").len(), 1);
    desk.runs(["build", "quick", "--out", "out"]).and_exits(0);
    assert_eq!(desk.files_in("."), ["out", "quick", "slow"]);
}

#[test]
fn an_output_without_a_name_is_told_how_to_name_it() {
    let desk = desk_with_much_work();
    fs::create_dir(desk.place("here")).unwrap();
    for out in [".", "..", "here/.."] {
        let said = desk.packer(["build", "../quick", "--out", out]).current_dir(desk.place("here")).output();
        let said = desk::Said(said.unwrap()).and_exits(1);
        assert!(
            said.err().starts_with(&format!("error[output_without_name]: {out} is no name of")),
            "{}",
            said.err()
        );
    }
    assert_eq!(desk.files_in("."), ["here", "quick", "slow"]);
}

#[test]
fn a_full_disk_leaves_nothing_and_the_earlier_build_as_it_was() {
    let desk = desk_with_much_work();
    fs::create_dir(desk.place("disk")).unwrap();
    let script = r#"
        mount -t tmpfs -o size=300k none disk || exit 99
        "$0" build quick --out disk/out --no-cache --quiet || exit 98
        cp disk/out/release.thrift before
        "$0" build slow --out disk/out --no-cache --quiet --effort fast
        code=$?
        ls -A disk > left
        cmp before disk/out/release.thrift || exit 97
        exit $code
    "#;
    // In a namespace of its own, so that the disk is gone with the last process.
    let said = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            env!("CARGO_BIN_EXE_sticker-packer"),
        ])
        .current_dir(desk.place("."))
        .output();
    let said = said.map(desk::Said);
    let is_refused =
        |said: &desk::Said| said.0.status.code() == Some(99) || said.err().starts_with("unshare:");
    if said.as_ref().map_or(true, is_refused) {
        // Written past the test runner, which shows the output of failed tests alone.
        let line = b"left out: the full disk: this system lets nobody mount one\n";
        let _ = std::io::stderr().write_all(line);
        return;
    }
    let said = said.unwrap().and_exits(3);
    assert!(said.err().starts_with("error[io]: cannot "), "{}", said.err());
    assert_eq!(desk.reads("left"), b"out\n");
}
