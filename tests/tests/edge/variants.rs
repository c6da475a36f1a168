//! One copy of each variant, and the right one.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;

use sticker_protocol::release::FileKind;
use sticker_protocol::{LADDER, Sha256};
use sticker_tests::{Between, Database, Edge, Fault, Phone, Town, until};

use super::table::{TABLE, row, rungs};
use super::{asked, chosen, on_each_edge, tag, through};

#[test]
fn each_query_is_written_in_the_one_way_of_the_table() {
    on_each_edge(|_, origin, edge| {
        let phone = through(edge);
        for (sent, wanted) in (0..TABLE.len()).map(row) {
            let status = phone.gets(&sent).status;
            assert_eq!(asked(origin), [wanted], "{}: {sent}", edge.name);
            assert!(matches!(status.as_u16(), 400 | 404), "{}: {sent}: {status}", edge.name);
        }
        // A query of thousands of fields is read to its end, too.
        let long = format!("/dl/5.sticker?{}density=100", "a&".repeat(2_000));
        phone.gets(&long);
        assert_eq!(asked(origin), ["/dl/5.sticker?density=120"], "{}", edge.name);
    });
}

#[test]
fn all_4096_densities_get_the_bytes_of_the_release_and_cost_the_store_one_request_a_variant() {
    on_each_edge(|town, origin, edge| {
        let (phone, sticker) = (through(edge), town.sticker(0));
        for (wanted, rung) in rungs() {
            // Half of them as an app with fields of its own would ask.
            let more = if wanted % 2 == 0 { "&v=7" } else { "" };
            let answer = phone.heads(&format!("/dl/{sticker}.sticker?density={wanted}{more}")).expect(200);
            let file = chosen(town, Some(sticker), wanted);
            assert_eq!(answer.header("etag"), tag(file), "{}: density {wanted}", edge.name);
            assert_eq!(tag(chosen(town, Some(sticker), rung)), tag(file), "the rung of {wanted}");
        }
        let mut asked = asked(origin);
        asked.sort_unstable();
        let mut once = LADDER.map(|rung| format!("/dl/{sticker}.sticker?density={rung}"));
        once.sort_unstable();
        assert_eq!(asked, once, "{}", edge.name);
    });
}

#[test]
fn the_whole_catalogue_comes_through_as_the_manifest_lists_it_and_from_the_cache_the_second_time() {
    on_each_edge(|town, origin, edge| {
        let phone = through(edge);
        let stickers = || town.release.stickers.iter().map(|sticker| Some(sticker.id.get()));
        let everything = || {
            for wanted in [1, 100, 120, 130, 160, 200, 240, 300, 320, 420, 480, 560, 640, 2000, 4096] {
                for sticker in stickers().chain([None]) {
                    let name = match sticker {
                        Some(id) => format!("{id}.sticker"),
                        None => format!("{}.zip", town.pack()),
                    };
                    let answer = phone.gets(&format!("/dl/{name}?density={wanted}")).expect(200);
                    let file = chosen(town, sticker, wanted);
                    assert_eq!(Sha256::of(&answer.body), file.sha256, "{}: {name} at {wanted}", edge.name);
                    assert_eq!(answer.header("content-encoding"), "");
                    let day = "public, max-age=86400";
                    assert_eq!((answer.header("etag"), answer.header("cache-control")), (&*tag(file), day));
                    let (density, hash) = (file.density.unwrap(), file.sha256);
                    let (id, ending) = name.split_once('.').unwrap();
                    let answer = phone.gets(&format!("/dl/{density}/{id}.{hash}.{ending}")).expect(200);
                    assert_eq!(Sha256::of(&answer.body), hash, "{}: {}", edge.name, file.path);
                }
            }
            for kind in [FileKind::Cover, FileKind::Icon, FileKind::Poster, FileKind::Preview] {
                for file in town.release.files_of(kind) {
                    let answer = phone.gets(&format!("/media/{}.webp", file.sha256)).expect(200);
                    assert_eq!(Sha256::of(&answer.body), file.sha256, "{}: {}", edge.name, file.path);
                }
            }
        };
        everything();
        let asked_first = asked(origin);
        let distinct: BTreeSet<&String> = asked_first.iter().collect();
        assert_eq!(asked_first.len(), distinct.len(), "{} asked twice for one object", edge.name);
        // Three stickers and a bundle at six densities, negotiated and canonical, and the pictures.
        assert!(distinct.len() >= 4 * 6 * 2, "{}: {distinct:?}", edge.name);
        everything();
        assert_eq!(asked(origin), [""; 0], "{}", edge.name);
    });
}

#[test]
fn a_store_that_redirects_is_asked_once_a_variant_too_and_the_object_comes_by_its_hash() {
    let settings = [("STICKER_STORE__DELIVERY__MODE", "redirect")];
    let town = Town::with_settings(Database::Sqlite, "free", &settings);
    let origin = Between::before(&town.store.url());
    for edge in Edge::each_before(&origin.url()) {
        let (phone, file) = (through(&edge), chosen(&town, None, 480));
        origin.was_asked("");
        for wanted in 321..=480 {
            let path = format!("/dl/{}.zip?density={wanted}", town.pack());
            let to = phone.gets(&path).expect(302).header("location").to_owned();
            let answer = phone.gets(&to).expect(200);
            assert_eq!(Sha256::of(&answer.body), file.sha256, "{}: {path}", edge.name);
        }
        let canonical = format!("/dl/480/{}.{}.zip", town.pack(), file.sha256);
        let negotiated = format!("/dl/{}.zip?density=480", town.pack());
        assert_eq!(asked(&origin), [negotiated, canonical], "{}", edge.name);
    }
}

#[test]
fn a_herd_that_wants_one_cold_object_costs_the_store_one_request() {
    const HERD: usize = 64;
    on_each_edge(|town, origin, edge| {
        let path = format!("/dl/{}.zip", town.pack());
        origin.does(Fault::Held, &path);
        let (all_there, file) = (Barrier::new(HERD + 1), chosen(town, None, 320));
        std::thread::scope(|threads| {
            for at in 0..HERD {
                let (all_there, path) = (&all_there, &path);
                threads.spawn(move || {
                    // 256 to 319: one variant.
                    let path = format!("{path}?density={}", 256 + at);
                    let phone = through(edge);
                    all_there.wait();
                    let answer = phone.gets(&path).expect(200);
                    assert_eq!(Sha256::of(&answer.body), file.sha256, "{}: {path}", edge.name);
                });
            }
            all_there.wait();
            until("the store is asked", || origin.count(&path) > 0);
            origin.is_honest();
        });
        assert_eq!(asked(origin), [format!("{path}?density=320")], "{}", edge.name);
    });
}

#[test]
fn a_cookie_a_secret_a_host_or_a_language_makes_no_copy_and_does_not_reach_the_store() {
    on_each_edge(|town, origin, edge| {
        let (phone, sticker) = (through(edge), town.sticker(1));
        let path = format!("/dl/{sticker}.sticker?density=640");
        for (name, value) in [
            ("cookie", "session=alice"),
            ("cookie", "session=bob"),
            ("authorization", "Bearer sk_secret"),
            ("host", "elsewhere.example"),
            ("accept-encoding", "gzip, br"),
            ("accept-language", "ko"),
            ("user-agent", "a phone"),
            ("range", "bytes=0-9"),
            ("if-none-match", "\"another\""),
            ("cache-control", "no-cache"),
        ] {
            let status = phone.gets_with(&path, &[(name, value)]).status.as_u16();
            assert_eq!(status, if name == "range" { 206 } else { 200 }, "{}: {name}", edge.name);
        }
        let asked = origin.was_asked("/dl/");
        let [asked] = &asked[..] else { panic!("{} asked {} times", edge.name, asked.len()) };
        for absent in ["cookie", "authorization", "range", "if-none-match"] {
            assert_eq!(asked.header(absent), None, "{}", edge.name);
        }
        assert_eq!(asked.header("accept-encoding").unwrap_or_default(), "", "{}", edge.name);
        assert_eq!(asked.header("host"), origin.url().strip_prefix("http://"), "{}", edge.name);
        assert_eq!(asked.header("x-forwarded-for"), Some("127.0.0.1"), "{}", edge.name);
    });
}

#[test]
fn parts_heads_and_conditions_are_answered_from_the_whole_object_which_is_fetched_once() {
    on_each_edge(|town, origin, edge| {
        let (phone, sticker) = (through(edge), town.sticker(0));
        let whole = Phone::of(&town.store).gets(&format!("/dl/{sticker}.sticker?density=480")).expect(200);
        let (bytes, etag) = (&whole.body, whole.header("etag"));
        let at = |density: u32| format!("/dl/{sticker}.sticker?density={density}");
        // A part of what is not there yet, by spellings of one variant; then all the others.
        let part = phone.gets_with(&at(400), &[("range", "bytes=10-19")]).expect(206);
        assert_eq!(part.body, bytes[10..20], "{}", edge.name);
        assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", bytes.len()));
        let part = phone.gets_with(&at(480), &[("range", "bytes=-7")]).expect(206);
        assert_eq!(part.body, bytes[bytes.len() - 7..], "{}", edge.name);
        let impossible = format!("bytes={}-", bytes.len());
        let impossible = phone.gets_with(&at(480), &[("range", &impossible)]).expect(416);
        assert_eq!(impossible.header("content-range"), format!("bytes */{}", bytes.len()));
        assert_eq!(phone.gets(&at(410)).expect(200).body, *bytes, "{}", edge.name);
        let head = phone.heads(&at(420)).expect(200);
        assert_eq!((head.header("etag"), head.body.len()), (etag, 0), "{}", edge.name);
        assert_eq!(head.header("content-length"), bytes.len().to_string());
        assert_eq!(head.header("accept-ranges"), "bytes");
        let unchanged = phone.gets_with(&at(430), &[("if-none-match", etag)]).expect(304);
        assert_eq!((unchanged.header("etag"), unchanged.body.len()), (etag, 0), "{}", edge.name);
        let same = phone.gets_with(&at(440), &[("range", "bytes=0-0"), ("if-range", etag)]).expect(206);
        assert_eq!(same.body, bytes[..1], "{}", edge.name);
        let another = [("range", "bytes=0-0"), ("if-range", "\"another\"")];
        assert_eq!(phone.gets_with(&at(450), &another).expect(200).body, *bytes, "{}", edge.name);
        let packed = phone.gets_with(&at(460), &[("accept-encoding", "gzip")]).expect(200);
        assert_eq!((packed.header("content-encoding"), packed.header("etag")), ("", etag), "{}", edge.name);
        assert_eq!(packed.body, *bytes);
        assert_eq!(asked(origin), [at(480)], "{}", edge.name);

        // And what is not there yet is whole after its head was asked for.
        assert_eq!(phone.heads(&at(100)).status, 200, "{}", edge.name);
        let answer = phone.gets(&at(110)).expect(200);
        assert_eq!(Sha256::of(&answer.body), chosen(town, Some(sticker), 110).sha256, "{}", edge.name);
        assert_eq!(asked(origin), [at(120)], "{}", edge.name);
    });
}

#[test]
fn what_is_behind_a_hash_makes_no_copy() {
    on_each_edge(|town, origin, edge| {
        let path = format!("/dl/{}.sticker", town.sticker(0));
        for behind in ["a", "b", "a"] {
            let answer = raw(edge, &format!("{path}#{behind}"));
            assert!(
                answer.starts_with(b"HTTP/1.1 200"),
                "{}: {}",
                edge.name,
                String::from_utf8_lossy(&answer)
            );
        }
        assert_eq!(asked(origin), [format!("{path}?density=320")], "{}", edge.name);
    });
}

/// Asks for what no client would send as it stands here.
fn raw(edge: &Edge, target: &str) -> Vec<u8> {
    let mut connection = TcpStream::connect(edge.url().trim_start_matches("http://")).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: stickers.example\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    answer
}
