//! Writes every page in every state and language to `target/gallery` and serves the folder under the store's content
//! security policy, so that pages can be looked at without a database: `cargo run -p sticker-store --example gallery`.
//!
//! The pictures are those of the sample packs, built on the first run. `-- --write-only` leaves the serving out.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for the desk: it stops at the first surprise"
)]
#![expect(clippy::disallowed_methods, reason = "there is no store whose random source it could take")]
#![expect(clippy::print_stdout, reason = "it says where to look")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use sticker_packer::BuildOptions;
use sticker_protocol::release::{FileKind, Manifest};
use sticker_store::i18n::Locale;
use sticker_store::web::assets;
use sticker_store::web::page::Picture;

#[path = "../tests/pages/samples.rs"]
mod samples;

use samples::{Art, ArtSticker};

#[tokio::main]
async fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let gallery = root.join("target/gallery");
    let (first, second) = (art(root, &gallery, "mochi"), art(root, &gallery, "bean"));
    let mut index = String::from("<!doctype html><html lang=\"en\"><title>Gallery</title><ul>");
    for locale in Locale::ALL {
        for sample in samples::all(locale, &first, &second) {
            let file = format!("{}.{locale}.html", sample.name);
            fs::write(gallery.join(&file), sample.html).unwrap();
            write!(index, "<li><a href=\"/{file}\">{file}</a></li>").unwrap();
        }
    }
    fs::write(gallery.join("index.html"), index).unwrap();
    fs::create_dir_all(gallery.join("assets")).unwrap();
    for asset in assets::all() {
        fs::write(gallery.join(asset.url.trim_start_matches('/')), asset.bytes).unwrap();
    }
    println!("{}", gallery.display());
    if std::env::args().any(|argument| argument == "--write-only") {
        return;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}/index.html", listener.local_addr().unwrap());
    axum::serve(listener, Router::new().fallback(file).with_state(gallery)).await.unwrap();
}

/// Builds a sample pack once; its pictures lie in the gallery's `pictures/{name}`.
fn art(root: &Path, gallery: &Path, name: &str) -> Art {
    let out = gallery.join("pictures").join(name);
    if !out.join("release.thrift").is_file() {
        fs::create_dir_all(out.parent().unwrap()).unwrap();
        let random = ring::rand::SystemRandom::new();
        let options = BuildOptions::new(&random);
        let project = root.join("packer/sample").join(name);
        sticker_packer::build(&project, &out, &options, &()).unwrap();
    }
    let release = Manifest::read(&fs::read(out.join("release.thrift")).unwrap()).unwrap();
    let pictures: BTreeMap<_, _> = release
        .files
        .iter()
        .filter_map(|file| {
            let (width, height) = (file.width?, file.height?);
            Some((
                (file.kind, file.sticker),
                Picture { src: format!("/pictures/{name}/{}", file.path), width, height },
            ))
        })
        .collect();
    Art {
        slug: release.slug.to_string(),
        cover: pictures[&(FileKind::Cover, None)].clone(),
        stickers: release
            .stickers
            .iter()
            .map(|sticker| ArtSticker {
                id: sticker.id,
                alt: sticker.alt_texts.clone(),
                poster: pictures[&(FileKind::Poster, Some(sticker.id))].clone(),
                preview: pictures.get(&(FileKind::Preview, Some(sticker.id))).cloned(),
                colour: sticker.placeholder_colour,
            })
            .collect(),
        titles: release.titles,
        descriptions: release.descriptions,
    }
}

async fn file(State(gallery): State<PathBuf>, uri: Uri) -> Response {
    let path = gallery.join(uri.path().trim_start_matches('/'));
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        _ => "image/webp",
    };
    let inside = path.canonicalize().is_ok_and(|path| path.starts_with(&gallery));
    match fs::read(&path) {
        Ok(bytes) if inside => {
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)];
            (headers, bytes).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// As the store sends it.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";
