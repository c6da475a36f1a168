//! Publishing over a real connection, against a store that answers what each test wants.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use sticker_protocol::Sha256;
use sticker_protocol::release::Manifest;

const SECRET: &str = "sk_a_secret_that_is_never_shown";

/// A built release of one sticker.
struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("pack");
        fs::create_dir(&project).unwrap();
        let mut encoder = png::Encoder::new(fs::File::create(project.join("1f600.png")).unwrap(), 256, 256);
        encoder.set_color(png::ColorType::Rgba);
        let rgba: Vec<u8> = (0..=255).flat_map(|y| (0..=255).flat_map(move |x| [x, y, 99, 255])).collect();
        encoder.write_header().unwrap().write_image_data(&rgba).unwrap();
        let release = Self { folder };
        assert!(release.packer(&["init", "pack"]).status.success());
        assert!(release.packer(&["build", "pack", "--out", "out"]).status.success());
        release
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn packer(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sticker-packer"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("STICKER_STORE_SECRET", SECRET)
            .output()
            .unwrap()
    }

    /// Exit code and everything that was printed, which never holds the secret.
    fn publish_to(&self, store: &str) -> (i32, String) {
        let done = self.packer(&["publish", "out", "--store", store]);
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(!said.contains(SECRET), "{said}");
        (done.status.code().unwrap(), said)
    }

    fn manifest(&self) -> Vec<u8> {
        fs::read(self.out().join("release.thrift")).unwrap()
    }

    /// The files by hash, as a store names them.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let manifest = Manifest::read(&self.manifest()).unwrap();
        let object = |path: &str| fs::read(self.out().join(path)).unwrap();
        manifest.files.iter().map(|file| (file.sha256.to_string(), object(file.path.as_str()))).collect()
    }
}

/// What a store was asked: `METHOD path`, and the body.
type Asked = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Answers each connection's requests with what `answer` says, until the test ends.
fn store(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (asked, answer) = (Asked::default(), Arc::new(answer));
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
            std::thread::spawn(move || converse(connection.unwrap(), &heard, &*answer));
        }
    });
    (address, asked)
}

fn converse(mut connection: TcpStream, asked: &Asked, answer: &dyn Fn(&str, usize) -> (u16, String)) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let field = |name: &str| {
            let fields = head.iter().filter_map(|line| line.split_once(": "));
            fields
                .filter(|(field, _)| field.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
                .next()
        };
        let line = head.first().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        let secret = format!("Bearer {SECRET}");
        // Whoever is sent files past the store never hears it.
        assert_eq!(field("authorization"), (!line.starts_with("PUT /bucket/")).then_some(secret));
        if line.starts_with("PUT /bucket/") {
            assert_eq!(field("x-amz-checksum-sha256").unwrap(), "signed");
        }
        let mut body = vec![0; field("content-length").map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        let before = {
            let mut asked = asked.lock().unwrap();
            asked.push((line.clone(), body));
            asked.iter().filter(|(earlier, _)| *earlier == line).count() - 1
        };
        let (status, content) = answer(&line, before);
        let length = content.len();
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n\r\n{content}");
        connection.write_all(answer.as_bytes()).unwrap();
    }
}

fn state(id: Sha256, missing: &[&String]) -> String {
    let missing: Vec<_> = missing.iter().map(|hash| format!("\"{hash}\"")).collect();
    format!(
        r#"{{"release":{{"id":"{id}","pack_id":1,"slug":"pack","state":"uploading"}},"missing":[{}]}}"#,
        missing.join(",")
    )
}

/// The same with an address for each missing file.
fn state_with_addresses(id: Sha256, missing: &[String], address: impl Fn(&str) -> String) -> String {
    let upload = |hash: &String| {
        let (url, headers) = (address(hash), r#"{"content-length":"1","x-amz-checksum-sha256":"signed"}"#);
        format!(r#""{hash}":{{"url":"{url}","headers":{headers},"expires_at":1}}"#)
    };
    let uploads: Vec<String> = missing.iter().map(upload).collect();
    let state = state(id, &missing.iter().collect::<Vec<_>>());
    format!(r#"{},"uploads":{{{}}}}}"#, state.strip_suffix('}').unwrap(), uploads.join(","))
}

const PUBLISHED: &str = r#"{"release":{"state":"published"},"pack_url":"https://store/packs/pack"}"#;

#[test]
fn only_what_the_store_does_not_have_is_sent_and_then_published() {
    let release = Release::new();
    let (id, objects) = (Sha256::of(&release.manifest()), release.objects());
    let missing: Vec<String> = objects.keys().step_by(2).cloned().collect();
    let known = missing.clone();
    let (address, asked) = store(move |line, _| match line {
        "POST /v1/releases" => (201, state(id, &known.iter().collect::<Vec<_>>())),
        line if line.starts_with("PUT ") => (204, String::new()),
        _ => (200, PUBLISHED.to_owned()),
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("https://store/packs/pack"), "{said}");

    let asked = asked.lock().unwrap();
    assert_eq!(asked.first().unwrap(), &("POST /v1/releases".to_owned(), release.manifest()));
    assert_eq!(asked.last().unwrap(), &(format!("POST /v1/releases/{id}/publish"), Vec::new()));
    let mut sent: Vec<_> = asked.iter().filter(|(line, _)| line.starts_with("PUT ")).cloned().collect();
    sent.sort();
    let wanted: Vec<_> = missing
        .iter()
        .map(|hash| (format!("PUT /v1/releases/{id}/objects/{hash}"), objects[hash].clone()))
        .collect();
    assert_eq!(sent, wanted);
}

#[test]
fn files_go_past_the_store_where_it_says_so_and_addresses_that_have_expired_are_asked_for_again() {
    let release = Release::new();
    let (id, objects) = (Sha256::of(&release.manifest()), release.objects());
    let missing: Vec<String> = objects.keys().cloned().collect();
    let (expired, taken) = (missing[1].clone(), Arc::new(Mutex::new(Vec::<String>::new())));
    let takes = Arc::clone(&taken);
    let (bucket, sent) = store(move |line, _| {
        let (hash, round) = line.strip_prefix("PUT /bucket/").unwrap().split_once("?round=").unwrap();
        if round == "1" && hash == expired {
            return (403, "<Error><Code>AccessDenied</Code></Error>".to_owned());
        }
        takes.lock().unwrap().push(hash.to_owned());
        (200, String::new())
    });
    let (address, asked) = store(move |line, before| {
        let round = before + if line.starts_with("GET ") { 2 } else { 1 };
        let taken = taken.lock().unwrap();
        let missing: Vec<String> = missing.iter().filter(|hash| !taken.contains(hash)).cloned().collect();
        match line {
            line if line.ends_with("/publish") => (200, PUBLISHED.to_owned()),
            _ => (
                200,
                state_with_addresses(id, &missing, |hash| format!("{bucket}/bucket/{hash}?round={round}")),
            ),
        }
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("{} files uploaded", objects.len())), "{said}");
    assert!(asked.lock().unwrap().iter().all(|(line, _)| !line.starts_with("PUT ")));
    for (line, body) in sent.lock().unwrap().iter() {
        let hash = line.strip_prefix("PUT /bucket/").unwrap().split_once('?').unwrap().0;
        assert_eq!(body, &objects[hash], "{line}");
    }
}

#[test]
fn an_address_that_is_never_good_and_one_that_may_not_be_used_end_it() {
    let release = Release::new();
    let (id, one) = (Sha256::of(&release.manifest()), release.objects().into_keys().next().unwrap());
    let (bucket, _) = store(|_, _| (403, String::new()));
    let missing = vec![one.clone()];
    let (address, asked) = store(move |_, _| {
        (200, state_with_addresses(id, &missing, |hash| format!("{bucket}/bucket/{hash}")))
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 3, "{said}");
    assert!(said.starts_with("error[upload_not_taken]"), "{said}");
    assert!(asked.lock().unwrap().iter().all(|(line, _)| !line.ends_with("/publish")));

    let missing = vec![one];
    let (address, asked) = store(move |_, _| {
        (200, state_with_addresses(id, &missing, |hash| format!("http://s3.example.com/bucket/{hash}")))
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!((code, asked.lock().unwrap().len()), (1, 1), "{said}");
    insta::assert_snapshot!(said, @r"
    error[bad_upload_address]: the store gave an address for a file to which it may not be sent
      hint: tell the store's operator: objects.endpoint has to be an https address
    ");
}

#[test]
fn a_store_that_finds_a_file_missing_only_when_it_checks_is_sent_it_then() {
    let release = Release::new();
    let (id, objects) = (Sha256::of(&release.manifest()), release.objects());
    let one = objects.keys().next().unwrap().clone();
    let (address, asked) = store(move |line, before| match line {
        "POST /v1/releases" => (200, state(id, &[])),
        line if line.starts_with("GET ") => (200, state(id, &[&one])),
        line if line.starts_with("PUT ") => (204, String::new()),
        _ if before == 0 => {
            (409, r#"{"error":{"code":"files_missing","message":"files are missing"}}"#.to_owned())
        }
        _ => (200, PUBLISHED.to_owned()),
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 files uploaded"), "{said}");
    assert_eq!(asked.lock().unwrap().len(), 5);
}

#[test]
fn a_store_that_is_busy_for_a_moment_is_asked_again() {
    let release = Release::new();
    let id = Sha256::of(&release.manifest());
    let one = release.objects().into_keys().next().unwrap();
    let (address, asked) = store(move |line, before| match line {
        _ if before == 0 => (503, String::new()),
        "POST /v1/releases" => (200, state(id, &[&one])),
        line if line.starts_with("PUT ") => (204, String::new()),
        _ => (200, PUBLISHED.to_owned()),
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 0, "{said}");
    assert_eq!(asked.lock().unwrap().len(), 6);
}

#[test]
fn a_check_that_takes_long_is_waited_for() {
    let release = Release::new();
    let id = Sha256::of(&release.manifest());
    let checking = r#"{"release":{"state":"checking"},"missing":[]}"#;
    let (address, asked) = store(move |line, before| match line {
        "POST /v1/releases" => (200, state(id, &[])),
        _ if before < 2 => (202, checking.to_owned()),
        _ => (200, PUBLISHED.to_owned()),
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!((code, asked.lock().unwrap().len()), (0, 4), "{said}");
}

#[test]
fn a_store_that_cannot_now_is_quoted() {
    let release = Release::new();
    let busy = r#"{"error":{"code":"too_many_checks","message":"too many releases are being checked","request_id":"r-1","hint":"publish again in a moment"}}"#;
    let (address, asked) = store(move |_, _| (503, busy.to_owned()));
    let (code, said) = release.publish_to(&address);
    assert_eq!((code, asked.lock().unwrap().len()), (3, 3));
    insta::assert_snapshot!(said, @r"
    error[store_busy]: the store answers 503: too many releases are being checked (too_many_checks, request r-1)
      hint: publish again in a moment
    ");
}

#[test]
fn what_the_store_finds_is_told_and_exits_1() {
    let release = Release::new();
    let id = Sha256::of(&release.manifest());
    let (address, _) = store(move |line, _| {
        match line {
        "POST /v1/releases" => (200, state(id, &[])),
        _ => (
            422,
            r#"{"error":{"code":"release_rejected","message":"the release was checked and refused","request_id":"r-1","findings":[
                {"path":"web/cover.webp","code":"cover_blank","message":"nothing is visible","hint":"draw something"}]}}"#
                .to_owned(),
        ),
    }
    });
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 1);
    insta::assert_snapshot!(said, @r"
    error[cover_blank]: nothing is visible
      --> web/cover.webp
      hint: draw something

    error[release_rejected]: the store refused: the release was checked and refused (release_rejected, request r-1)
      hint: mend what the store found and publish again
    ");
    let told = release.packer(&["publish", "out", "--store", &address, "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["error"]["findings"][0]["path"], "web/cover.webp");
}

#[test]
fn a_file_that_changed_since_it_was_built_is_not_sent() {
    let release = Release::new();
    let icon = release.out().join("web/icon.webp");
    let mut content = fs::read(&icon).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(&icon, content).unwrap();
    let (address, asked) = store(|_, _| (500, String::new()));
    let (code, said) = release.publish_to(&address);
    assert_eq!((code, asked.lock().unwrap().len()), (1, 0), "{said}");
    assert!(said.starts_with("error[file_changed]: web/icon.webp"), "{said}");
}

#[test]
fn a_store_that_is_not_there_exits_3_and_another_server_1() {
    let release = Release::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, said) = release.publish_to(&format!("http://{free}"));
    assert_eq!(code, 3, "{said}");
    assert!(said.starts_with("error[unreachable]"), "{said}");

    let (address, _) = store(|_, _| (200, "<html>".to_owned()));
    let (code, said) = release.publish_to(&address);
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("error[not_a_store]"), "{said}");
    assert!(Path::new(&release.out()).is_dir());
}

#[test]
fn an_address_that_looks_local_but_is_not_gets_no_secret() {
    let release = Release::new();
    let (address, asked) = store(|_, _| (500, String::new()));
    let port = address.rsplit(':').next().unwrap();
    let (code, said) = release.publish_to(&format!("http://localhost:1@127.0.0.1:{port}"));
    assert_eq!((code, asked.lock().unwrap().len()), (1, 0), "{said}");
    insta::assert_snapshot!(said, @r"
    error[bad_address]: this is not the address of a store
      hint: write it as https://stickers.example.com, without name and password
    ");
    let (code, said) = release.publish_to("http://stickers.example.com");
    assert_eq!(code, 1);
    insta::assert_snapshot!(said, @r"
    error[not_encrypted]: http://stickers.example.com is not encrypted
      hint: use https; plain http is for a store on this machine (127.0.0.1 or localhost)
    ");
}

#[test]
fn a_secret_on_the_command_line_is_wrong_usage() {
    let release = Release::new();
    let done = release.packer(&["publish", "out", "--store", "https://a", "--secret", "sk_other"]);
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("STICKER_STORE_SECRET") && !said.contains("sk_other"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}
