//! What each address answers, through memory and from where objects are.

use sticker_protocol::release::FileKind;
use sticker_protocol::{Density, Sha256};
use sticker_store::app::Role;

use crate::depot::{Answer, Depot, Listening};

/// Each as a process that has just started answers, and as one that has it in memory.
async fn both(depot: &Depot, path: &str, headers: &[(&str, &str)]) -> [Answer; 2] {
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let routed = depot.gets_with(path, headers).await;
    let at_once = listening.connects().asks("GET", path, headers);
    [routed, at_once]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_density_gets_the_smallest_variant_that_is_dense_enough_else_the_densest() {
    let depot = Depot::new(&[]).await;
    let variants = depot.variants();
    let densities: Vec<_> = variants.iter().filter_map(|file| file.density).collect();
    for asked in [1, 119, 120, 121, 160, 200, 320, 321, 480, 640, 641, 4_096] {
        let best = Density::choose(densities.iter().copied(), Density::new(asked).unwrap());
        let best = variants.iter().find(|file| file.density == best).unwrap();
        for answer in both(&depot, &format!("{}?density={asked}", depot.sticker_path()), &[]).await {
            assert_eq!((answer.status, Sha256::of(&answer.body)), (200, best.sha256), "{asked}");
            assert_eq!(answer.header("etag"), format!("\"{}\"", best.sha256));
            assert_eq!(answer.header("content-type"), "application/vnd.sticker");
            assert_eq!(answer.header("cache-control"), "public, max-age=86400");
            assert_eq!(answer.header("accept-ranges"), "bytes");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_is_at_its_canonical_address_for_ever_and_at_no_other() {
    let depot = Depot::new(&[]).await;
    for file in depot.release.files_of(FileKind::Sticker).chain(depot.release.files_of(FileKind::Bundle)) {
        let path = depot.canonical_path(file);
        for answer in both(&depot, &path, &[]).await {
            assert_eq!((answer.status, Sha256::of(&answer.body)), (200, file.sha256), "{path}");
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        }
        let density = file.density.unwrap().to_string();
        let other = if density == "120" { "160" } else { "120" };
        for wrong in [
            path.replacen(&density, other, 1),
            path.replace(".sticker", ".zip")
                .replace(".zip", if path.ends_with("zip") { ".sticker" } else { ".zip" }),
            path.replacen(&format!("/{density}/"), &format!("/{density}/1"), 1),
        ] {
            for answer in both(&depot, &wrong, &[]).await {
                assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{wrong}");
            }
        }
    }
    let manifest = depot.release.write().unwrap();
    let stolen = format!("/media/{}.webp", Sha256::of(&manifest));
    assert_eq!(depot.gets(&stolen).await.status, 404, "a manifest is no picture");
    let cover = depot.release.files_of(FileKind::Cover).next().unwrap().sha256;
    for answer in both(&depot, &format!("/media/{cover}.webp"), &[]).await {
        assert_eq!((answer.status, answer.header("content-type")), (200, "image/webp"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_at_an_address_is_told_and_caches_forget_it_in_a_moment() {
    let depot = Depot::new(&[]).await;
    let sticker = depot.release.stickers[0].id;
    let canonical = depot.canonical_path(depot.variants()[0]);
    let long = "9".repeat(8_000);
    for density in [
        "0",
        "-1",
        "+1",
        "4097",
        "1000000000",
        "99999999999999999999",
        "abc",
        "",
        "%31",
        "1e3",
        "3 2",
        "320.0",
    ] {
        let path = format!("/dl/{sticker}.sticker?density={}", density.replace(' ', "%20"));
        for answer in both(&depot, &path, &[]).await {
            assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_density"), "{density}");
            assert_eq!(answer.header("cache-control"), "public, max-age=5");
        }
    }
    for (query, code) in [
        ("density=320&density=320", "invalid_query"),
        ("format=png&format=png", "invalid_query"),
        ("format=gif", "invalid_format"),
        ("format=PNG", "invalid_format"),
        ("format=", "invalid_format"),
    ] {
        for answer in both(&depot, &format!("/dl/{sticker}.sticker?{query}"), &[]).await {
            assert_eq!((answer.status, answer.code().as_str()), (400, code), "{query}");
        }
    }
    for path in [
        "/dl/1.sticker".to_owned(),
        "/dl/0.sticker".to_owned(),
        format!("/dl/0{sticker}.sticker"),
        format!("/dl/+{sticker}.sticker"),
        format!("/dl/-{sticker}.sticker"),
        format!("/dl/{sticker}.STICKER"),
        format!("/dl/{sticker}.exe"),
        format!("/dl/{sticker}"),
        format!("/dl/{sticker}.sticker/"),
        format!("/dl//{sticker}.sticker"),
        format!("/dl/%2e%2e%2f{sticker}.sticker"),
        format!("/dl/..%2f{sticker}.sticker"),
        format!("/dl/../dl/{sticker}.sticker"),
        format!("/dl/{sticker}%2esticker"),
        format!("/dl/320%2f{sticker}.sticker"),
        format!("/DL/{sticker}.sticker"),
        format!("/dl/{}.sticker", depot.release.pack),
        "/dl/9007199254740991.zip".to_owned(),
        "/dl/9007199254740992.zip".to_owned(),
        format!("/dl/{long}.sticker"),
        format!("/dl/{long}"),
        canonical.replacen("/dl/", "/dl/0", 1),
        canonical.to_uppercase().replacen("/DL/", "/dl/", 1),
        canonical.replace(".sticker", "x.sticker"),
        canonical.replace(".sticker", ".sticker.sticker"),
        "/media/../objects.webp".to_owned(),
        format!("/media/{}.png", depot.variants()[0].sha256),
        format!("/media/{}.webp", depot.variants()[0].sha256),
    ] {
        for answer in both(&depot, &path, &[]).await {
            assert_eq!(answer.status, 404, "{path}");
        }
    }
    for answer in both(&depot, &format!("/dl/{sticker}.sticker%00"), &[]).await {
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_address"));
    }
    let listening = Listening::serves(&depot.app, &Role::ALL).await;
    let posted = listening.connects().asks("POST", &depot.sticker_path(), &[("content-length", "0")]);
    assert_eq!(
        (posted.status, posted.code().as_str(), posted.header("allow")),
        (405, "wrong_method", "GET,HEAD")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_narrows_the_choice_and_one_that_was_not_built_is_told() {
    let depot = Depot::new(&[]).await;
    let path = depot.sticker_path();
    let formats: Vec<_> = depot.variants().iter().filter_map(|file| file.format).collect();
    for (name, format) in
        [("png", sticker_protocol::ImageFormat::Png), ("webp", sticker_protocol::ImageFormat::WebP)]
    {
        for answer in both(&depot, &format!("{path}?density=640&format={name}"), &[]).await {
            if formats.contains(&format) {
                let file = depot
                    .variants()
                    .into_iter()
                    .find(|file| file.sha256 == Sha256::of(&answer.body))
                    .unwrap();
                assert_eq!(file.format, Some(format));
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_every_kind_give_a_part_the_whole_or_416() {
    // Once from memory, once from the file.
    for limit in ["1048576", "16"] {
        let depot = Depot::new(&[("DELIVERY__MEMORY_OBJECT_BYTES", limit)]).await;
        let (file, path) = (depot.variants()[0], depot.sticker_path() + "?density=1");
        let whole = depot.gets(&path).await.body;
        let length = whole.len();
        let part = |first: usize, end: usize| {
            (206, whole[first..end].to_vec(), format!("bytes {first}-{}/{length}", end - 1))
        };
        let all = || (200, whole.clone(), String::new());
        let none = || (416, Vec::new(), format!("bytes */{length}"));
        for (range, expected) in [
            ("bytes=0-0".to_owned(), part(0, 1)),
            ("bytes=8-15".to_owned(), part(8, 16)),
            (format!("bytes={}-", length - 1), part(length - 1, length)),
            ("bytes=0-".to_owned(), part(0, length)),
            ("bytes=-5".to_owned(), part(length - 5, length)),
            (format!("bytes=-{}", length * 2), part(0, length)),
            ("bytes=8-99999999999999999999999999".to_owned(), part(8, length)),
            (format!("bytes={length}-"), none()),
            ("bytes=99999999999999999999999999-".to_owned(), none()),
            ("bytes=-0".to_owned(), none()),
            ("bytes=9-8".to_owned(), all()),
            ("bytes=0-1,4-5".to_owned(), all()),
            ("bytes=0-1,".to_owned(), all()),
            ("bytes=-".to_owned(), all()),
            ("bytes=".to_owned(), all()),
            ("bytes".to_owned(), all()),
            ("bytes=a-b".to_owned(), all()),
            ("bytes=0x0-0x1".to_owned(), all()),
            ("bytes=+0-1".to_owned(), all()),
            ("bytes=0--1".to_owned(), all()),
            ("items=0-1".to_owned(), all()),
            (String::new(), all()),
        ] {
            for answer in both(&depot, &path, &[("range", &range)]).await {
                let body = if answer.status == 416 { Vec::new() } else { answer.body.clone() };
                let told = (answer.status, body, answer.header("content-range").to_owned());
                assert!(told == expected, "{range}: {} {}", told.0, told.2);
                if told.0 == 416 {
                    let told = (answer.code(), answer.header("cache-control").to_owned());
                    assert_eq!(told, ("range_not_satisfiable".to_owned(), "no-store".to_owned()));
                }
            }
        }
        let etag = format!("\"{}\"", file.sha256);
        for (condition, status) in [
            (etag.clone(), 206),
            (format!("W/{etag}"), 200),
            ("\"other\"".to_owned(), 200),
            ("Sat, 28 Nov 2026 10:00:00 GMT".to_owned(), 200),
        ] {
            for answer in both(&depot, &path, &[("range", "bytes=0-3"), ("if-range", &condition)]).await {
                assert_eq!(answer.status, status, "{condition}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_bytes_is_told_so_and_who_wants_others_is_refused() {
    let depot = Depot::new(&[]).await;
    let (file, path) = (depot.variants()[0], depot.sticker_path() + "?density=1");
    let etag = format!("\"{}\"", file.sha256);
    for name in [etag.clone(), format!("W/{etag}"), "*".to_owned(), format!("\"x\", {etag}")] {
        for answer in both(&depot, &path, &[("if-none-match", &name), ("range", "bytes=0-1")]).await {
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{name}");
            assert_eq!(
                (answer.header("etag"), answer.header("cache-control")),
                (etag.as_str(), "public, max-age=86400")
            );
        }
    }
    for answer in both(&depot, &path, &[("if-match", "\"other\"")]).await {
        let told = (answer.status, answer.code(), answer.header("cache-control").to_owned());
        assert_eq!(told, (412, "precondition_failed".to_owned(), "no-store".to_owned()));
    }
    for (name, value) in [("if-match", etag.as_str()), ("if-modified-since", "Sat, 28 Nov 2037 10:00:00 GMT")]
    {
        for answer in both(&depot, &path, &[(name, value)]).await {
            assert_eq!(answer.status, 200, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_says_what_get_says_without_the_body() {
    let depot = Depot::new(&[("DELIVERY__MEMORY_OBJECT_BYTES", "4000")]).await;
    let listening = Listening::serves(&depot.app, &Role::ALL).await;
    let bundle = depot.release.files_of(FileKind::Bundle).next().unwrap();
    let pack = format!("/dl/{}.zip", depot.release.pack);
    for path in [depot.sticker_path(), pack, depot.canonical_path(bundle), "/dl/1.sticker".to_owned()] {
        for round in 0..2 {
            let mut line = listening.connects();
            let got = line.asks("GET", &path, &[]);
            let head = line.asks("HEAD", &path, &[("range", "bytes=0-1")]);
            let names = |answer: &Answer| {
                let mut headers: Vec<_> =
                    answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                headers.retain(|header| !header.starts_with("date") && !header.starts_with("x-request-id"));
                headers.sort();
                headers
            };
            assert_eq!((head.status, names(&head)), (got.status, names(&got)), "{path}, round {round}");
            assert_eq!(line.asks("GET", &path, &[]).body.len(), got.body.len(), "the connection goes on");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_names_the_canonical_address_and_lasts_a_day() {
    for (base, expected) in [("", ""), ("https://cdn.example.com/", "https://cdn.example.com")] {
        let depot = Depot::new(&[("DELIVERY__MODE", "redirect"), ("DELIVERY__CANONICAL_BASE", base)]).await;
        let file = depot.variants()[0];
        for answer in both(&depot, &(depot.sticker_path() + "?density=1"), &[]).await {
            let location = format!("{expected}{}", depot.canonical_path(file));
            assert_eq!((answer.status, answer.header("location")), (302, location.as_str()));
            assert_eq!((answer.header("cache-control"), answer.body.len()), ("public, max-age=86400", 0));
        }
        let canonical = depot.gets(&depot.canonical_path(file)).await;
        assert_eq!((canonical.status, Sha256::of(&canonical.body)), (200, file.sha256));
        assert_eq!(depot.gets("/dl/1.sticker").await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_and_missing_objects_are_never_sent_and_no_cache_keeps_that() {
    let depot = Depot::new(&[("DELIVERY__CACHE_BYTES", "0")]).await;
    let (file, path) = (depot.variants()[0], depot.sticker_path() + "?density=1");
    let whole = depot.gets(&path).await.body;
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    let faults: [(&str, Option<&[u8]>); 4] =
        [("altered", Some(&altered)), ("cut", Some(&whole[1..])), ("empty", Some(b"")), ("missing", None)];
    for (fault, content) in faults {
        match content {
            Some(content) => std::fs::write(depot.object(file), content).unwrap(),
            None => std::fs::remove_file(depot.object(file)).unwrap(),
        }
        for answer in both(&depot, &path, &[]).await {
            let told = (answer.status, answer.code(), answer.header("cache-control").to_owned());
            assert_eq!(told, (503, "unavailable".to_owned(), "no-store".to_owned()), "{fault}");
            assert!(!answer.header("retry-after").is_empty());
        }
    }
    std::fs::write(depot.object(file), &whole).unwrap();
    for answer in both(&depot, &path, &[]).await {
        assert!(answer.status == 200 && answer.body == whole, "it was not remembered");
    }
}
