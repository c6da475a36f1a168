//! A project that is watched: what is built again and what is not, who hears of it, and how it ends.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what went wrong by failing")]

#[path = "desk/desk.rs"]
mod desk;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use desk::{Desk, Running, waits_until};
use serde_json::{Value, json};

/// With a pack of two stickers that takes no time to build.
fn desk_with_a_pack() -> Desk {
    let desk = Desk::new();
    desk.draws("pack/stickers/dot.png", 64, 9);
    desk.draws("pack/stickers/spot.png", 64, 90);
    desk.runs(["init", "pack"]).and_exits(0);
    desk
}

/// A packer that watches, and what it says, line by line.
struct Watch {
    running: Running,
    lines: Receiver<String>,
}

impl Watch {
    /// One JSON document for each build.
    fn begins(desk: &Desk, out: &str) -> Self {
        Self::of(desk.starts(["build", "pack", "--out", out, "--watch", "--json", "--effort", "fast"]))
    }

    fn of(mut running: Running) -> Self {
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(running.out());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { running, lines }
    }

    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_mins(2)).unwrap()
    }

    /// What it says of the next build.
    #[track_caller]
    fn says(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    #[track_caller]
    fn says_built(&self) -> Value {
        let said = self.says();
        assert!(said["build"]["release"].is_string(), "{said}");
        said
    }

    fn ends(self) {
        self.running.interrupt();
        assert_eq!(self.running.ends().code(), Some(0));
        assert_eq!(
            self.lines.into_iter().collect::<Vec<_>>(),
            [""; 0],
            "nothing was built that nobody asked for"
        );
    }
}

/// The server that a watch told of.
#[derive(Clone)]
struct Server(String);

impl Server {
    fn of(said: &Value) -> Self {
        let address = said["address"].as_str().unwrap();
        Self(address.strip_prefix("http://").unwrap().strip_suffix('/').unwrap().to_owned())
    }

    /// Status, head and body.
    fn answers(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.0).unwrap();
        stream.write_all(format!("{request}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    #[track_caller]
    fn gets(&self, path: &str) -> String {
        let (status, head, body) = self.answers(&format!("GET {path} HTTP/1.1\r\nHost: {}", self.0));
        assert_eq!(status, 200, "{head}");
        body
    }

    fn news(&self, seen: &Value) -> Value {
        let seen = seen.as_str().unwrap();
        serde_json::from_str(&self.gets(&format!("/news?seen={seen}"))).unwrap()
    }

    /// The news that come after these, however long the build takes: a question that was held for long is asked again.
    fn next_news(&self, seen: &Value) -> Value {
        loop {
            let news = self.news(seen);
            if news["seen"] != *seen {
                return news;
            }
        }
    }
}

#[test]
fn a_changed_sticker_is_built_again_and_the_open_page_hears_of_it() {
    let desk = desk_with_a_pack();
    let watch = Watch::begins(&desk, "out");
    let first = watch.says_built();
    assert_eq!((&first["changed"], &first["renewed"]), (&json!([]), &json!(["dot", "spot"])));
    let server = Server::of(&first);
    let before = server.next_news(&json!(""));
    assert!(server.gets("/").contains(first["build"]["release"].as_str().unwrap()));

    let waiting = std::thread::spawn({
        let (server, seen) = (server.clone(), before["seen"].clone());
        move || server.next_news(&seen)
    });
    desk.draws("pack/stickers/dot.png", 64, 200);
    let second = watch.says_built();
    assert_eq!((&second["changed"], &second["renewed"]), (&json!(["stickers/dot.png"]), &json!(["dot"])));
    assert_ne!(second["build"]["release"], first["build"]["release"]);
    let after = waiting.join().unwrap();
    assert_ne!(after["page"], before["page"]);
    assert_eq!(after["wrong"], json!([]));
    let release = second["build"]["release"].as_str().unwrap();
    assert!(server.gets("/").contains(release));

    let sent = String::from_utf8(desk.reads("out-preview.html")).unwrap();
    assert!(sent.contains(release) && !sent.contains("fetch(") && !sent.contains("connect-src"));
    watch.ends();
    assert_eq!(sticker_protocol::Sha256::of(&desk.reads("out/release.thrift")).to_string(), release);
}

#[test]
fn a_project_that_breaks_keeps_its_release_and_page_until_it_is_mended() {
    let desk = desk_with_a_pack();
    let watch = Watch::begins(&desk, "out");
    let first = watch.says_built();
    let server = Server::of(&first);
    let built = server.next_news(&json!(""));
    let (release, page) = (desk.reads("out/release.thrift"), server.gets("/"));

    let project = desk.reads("pack/pack.toml");
    desk.writes("pack/pack.toml", "slug = ");
    let broken = watch.says();
    assert_eq!(broken["findings"][0]["code"], "project_invalid", "{broken}");
    let told = server.next_news(&built["seen"]);
    assert_eq!(told["page"], built["page"]);
    assert!(told["wrong"][0].as_str().unwrap().starts_with("error[project_invalid]"), "{told}");

    fs::remove_file(desk.place("pack/pack.toml")).unwrap();
    let gone = watch.says();
    assert_eq!(gone["findings"][0]["code"], "project_missing", "{gone}");
    assert_eq!(desk.reads("out/release.thrift"), release);
    assert_eq!(server.gets("/"), page);

    desk.writes("pack/pack.toml", project);
    let mended = watch.says_built();
    assert_eq!(mended["build"]["release"], first["build"]["release"]);
    assert_eq!((&mended["changed"], &mended["renewed"]), (&json!(["pack.toml"]), &json!([])));
    assert_eq!(server.next_news(&json!("")), built, "as it was before");
    watch.ends();
}

#[test]
fn a_project_that_was_never_whole_is_built_once_it_is() {
    let desk = desk_with_a_pack();
    fs::rename(desk.place("pack/pack.toml"), desk.place("pack.toml")).unwrap();
    let watch = Watch::begins(&desk, "out");
    let said = watch.says();
    assert_eq!(said["findings"][0]["code"], "project_missing", "{said}");
    let server = Server::of(&said);
    assert!(server.gets("/").contains("Not built yet"));
    assert_eq!(desk.files_in("."), ["pack", "pack.toml"]);
    fs::rename(desk.place("pack.toml"), desk.place("pack/pack.toml")).unwrap();
    let built = watch.says_built();
    assert!(server.gets("/").contains(built["build"]["release"].as_str().unwrap()));
    watch.ends();
}

#[test]
fn what_the_build_and_editors_write_into_the_project_is_no_change() {
    let desk = desk_with_a_pack();
    let watch = Watch::begins(&desk, "pack/made/out");
    watch.says_built();
    assert_eq!(desk.files_in("pack/made"), ["out", "out-preview.html"]);
    for name in [".dot.png.swp", "dot.png~", "4913", ".git/index", "#dot.png#", "dot.tmp"] {
        desk.writes(&format!("pack/stickers/{name}"), "not artwork");
    }
    // As programs do that write whole files.
    desk.draws("pack/stickers/.dot.png.new", 64, 111);
    fs::rename(desk.place("pack/stickers/.dot.png.new"), desk.place("pack/stickers/dot.png")).unwrap();
    assert_eq!(watch.says_built()["changed"], json!(["stickers/dot.png"]));
    // The ids that somebody restores, in other words: a change, and none after it.
    let lock = desk.reads("pack/pack.lock");
    desk.writes("pack/pack.lock", [b"# ours\n".as_slice(), &lock].concat());
    assert_eq!(watch.says_built()["changed"], json!(["pack.lock"]));
    desk.draws("pack/stickers/spot.png", 64, 112);
    assert_eq!(watch.says_built()["changed"], json!(["stickers/spot.png"]));
    watch.ends();
}

#[test]
fn what_changes_during_a_build_is_built_after_it() {
    let desk = desk_with_a_pack();
    for frame in 0..12 {
        desk.scribbles(&format!("pack/slow/{frame:02}.png"), 512, frame);
    }
    let project = String::from_utf8(desk.reads("pack/pack.toml")).unwrap();
    desk.writes("pack/pack.toml", format!("{project}\n[[stickers]]\nname = \"slow\"\nfile = \"slow\"\n"));
    let watch = Watch::begins(&desk, "out");
    waits_until("it has begun to write", || !desk.hidden_in(".").is_empty());
    desk.writes("pack/pack.toml", &project);
    assert_eq!(watch.says_built()["build"]["stickers"].as_array().unwrap().len(), 3);
    let second = watch.says_built();
    assert_eq!(second["changed"], json!(["pack.toml"]));
    assert_eq!(second["build"]["stickers"].as_array().unwrap().len(), 2);
    watch.ends();
}

#[test]
fn a_folder_that_is_moved_away_and_back_is_watched_again() {
    let desk = desk_with_a_pack();
    let watch = Watch::begins(&desk, "out");
    watch.says_built();
    fs::rename(desk.place("pack"), desk.place("elsewhere")).unwrap();
    let gone = watch.says();
    assert_eq!(gone["error"]["code"], "io", "{gone}");
    fs::rename(desk.place("elsewhere"), desk.place("pack")).unwrap();
    assert_eq!(watch.says_built()["changed"], json!(["."]));
    desk.draws("pack/stickers/dot.png", 64, 200);
    assert_eq!(watch.says_built()["changed"], json!(["stickers/dot.png"]));
    watch.ends();
}

#[test]
fn an_interrupt_in_the_middle_of_a_build_leaves_nothing_half_written() {
    let desk = desk_with_a_pack();
    let watch = Watch::begins(&desk, "out");
    watch.says_built();
    let before = desk.reads("out/release.thrift");
    let project = String::from_utf8(desk.reads("pack/pack.toml")).unwrap();
    desk.writes("pack/pack.toml", project.replace("stickers/dot.png", "stickers/slow"));
    assert_eq!(watch.says()["findings"][0]["code"], "file_missing");
    for frame in 0..24 {
        desk.scribbles(&format!("slow/{frame:02}.png"), 512, frame);
    }
    fs::rename(desk.place("slow"), desk.place("pack/stickers/slow")).unwrap();
    waits_until("it has begun to write", || !desk.hidden_in(".").is_empty());
    watch.ends();
    assert_eq!(desk.files_in("."), ["out", "out-preview.html", "pack"]);
    assert_eq!(desk.hidden_in("pack"), [""; 0]);
    assert_eq!(desk.reads("out/release.thrift"), before);
}

#[test]
fn people_read_where_to_look_what_changed_and_what_is_new() {
    let desk = desk_with_a_pack();
    let watch = Watch::of(desk.starts(["build", "pack", "--out", "out", "--watch", "--effort", "fast"]));
    let begins = watch.line();
    assert!(begins.starts_with("watching pack; http://127.0.0.1:"), "{begins}");
    while watch.line() != "  out-preview.html" {}
    desk.draws("pack/stickers/dot.png", 64, 200);
    let lines = [(); 4].map(|()| watch.line());
    assert_eq!(
        lines[..3],
        ["", "changed: stickers/dot.png", "built pack: other bytes in 1 of 2 stickers: dot"]
    );
    assert!(lines[3].ends_with("findings as before"), "{lines:?}");
    desk.writes("pack/pack.toml", "slug = ");
    let lines = [(); 3].map(|()| watch.line());
    assert_eq!(
        lines,
        ["", "changed: pack.toml", "nothing is built until that is mended; an earlier build stays as it was"]
    );
    watch.ends();
}

#[test]
fn only_this_machine_sees_the_page_and_nothing_but_it() {
    let desk = desk_with_a_pack();
    let watch = Watch::begins(&desk, "out");
    let server = Server::of(&watch.says_built());
    let port = server.0.rsplit(':').next().unwrap();
    let status = |request: &str| server.answers(request).0;
    assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: localhost:{port}")), 200);
    assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: rebound.example:{port}")), 403);
    assert_eq!(status(&format!("GET /news HTTP/1.1\r\nHost: rebound.example:{port}")), 403);
    assert_eq!(status("GET / HTTP/1.1"), 403);
    assert_eq!(status("GET / HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example"), 403);
    for other in ["/release.thrift", "/../pack/pack.toml", "//", "http://rebound.example/", "/index.html"] {
        assert_eq!(status(&format!("GET {other} HTTP/1.1\r\nHost: localhost")), 404, "{other}");
    }
    assert_eq!(status("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"), 405);

    let (_, head, page) = server.answers("GET / HTTP/1.1\r\nHost: localhost");
    let policy = head.split("\r\n").find_map(|it| it.strip_prefix("Content-Security-Policy: ")).unwrap();
    let own = policy.strip_suffix("; frame-ancestors 'none'").unwrap();
    assert!(
        own.starts_with("default-src 'none'; script-src 'sha256-") && own.ends_with("; connect-src 'self'")
    );
    assert!(!own.contains("unsafe") && page.contains(&format!("content=\"{own}\"")), "{own}");
    assert!(head.contains("X-Frame-Options: DENY") && head.contains("Cache-Control: no-store"), "{head}");
    watch.ends();
}

#[test]
fn what_cannot_be_watched_or_served_ends_with_its_reason() {
    let desk = desk_with_a_pack();
    desk.runs(["build", "pack", "--out", "out", "--port", "4000"]).and_exits(2);
    desk.runs(["build", "pack", "--out", "out", "--watch", "--port", "0"]).and_exits(2);
    let said = desk.runs(["build", "nowhere", "--out", "out", "--watch"]).and_exits(3).err();
    assert!(said.starts_with("error[watch]: cannot watch nowhere: "), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = desk.runs(["build", "pack", "--out", "out", "--watch", "--port", &port]).and_exits(3).err();
    assert!(said.starts_with(&format!("error[port]: cannot serve the page on port {port}")), "{said}");
    desk.writes("mine/notes.txt", "mine");
    let said = desk.runs(["build", "pack", "--out", "mine", "--watch"]).and_exits(1).err();
    assert!(said.starts_with("error[output_in_the_way]: mine is not empty"), "{said}");
}
