//! A whole small world to begin a journey in.

use std::path::PathBuf;

use sticker_protocol::release::Manifest;
use tempfile::TempDir;

use crate::artwork::Artwork;
use crate::database::Database;
use crate::people::{ChatServer, Designer};
use crate::store::Store;

/// A running store with one published pack of two stills and an animation, its designer, and a chat server.
#[derive(Debug)]
pub struct Town {
    /// The store.
    pub store: Store,
    /// Who published the pack.
    pub designer: Designer,
    /// The messenger's server.
    pub chat: ChatServer,
    /// The pack's release.
    pub release: Manifest,
    out: TempDir,
}

impl Town {
    /// Builds the pack, starts a store and publishes.
    pub fn with_pack(database: Database, price_tier: &str) -> Self {
        Self::with_settings(database, price_tier, &[])
    }

    /// The same in a store with these settings, each the name of an environment variable and its value.
    pub fn with_settings(database: Database, price_tier: &str, settings: &[(&str, &str)]) -> Self {
        let artwork = Artwork::project("journey", price_tier, 2, 5);
        let out = tempfile::tempdir().expect("a temporary folder");
        let built = Designer::builds(artwork.path(), &out.path().join("release"));
        assert_eq!(built.code, 0, "{}", built.stderr);
        let manifest = std::fs::read(out.path().join("release/release.thrift")).expect("a manifest");

        let store = Store::start_with(database, settings);
        let designer = store.operator().admits_designer("studio");
        let published = designer.publishes(&out.path().join("release"));
        assert_eq!(published.code, 0, "{}", published.stderr);
        let chat = store.operator().admits_chat_server("chat");
        Self { release: Manifest::read(&manifest).expect("a manifest"), designer, store, chat, out }
    }

    /// The folder of the release.
    pub fn release_folder(&self) -> PathBuf {
        self.out.path().join("release")
    }

    /// The pack's id.
    pub fn pack(&self) -> u64 {
        self.release.pack.get()
    }

    /// A sticker's id: two stills, then the animation.
    pub fn sticker(&self, at: usize) -> u64 {
        self.release.stickers[at].id.get()
    }

    /// A key file with the store's keys as of now, as an operator writes it for a verifier.
    pub fn keys(&self) -> PathBuf {
        let out = self.out.path().join("keyring.json");
        let exported =
            self.store.operator().runs(&["keys", "export", "--out", out.to_str().expect("a path in UTF-8")]);
        assert_eq!(exported.code, 0, "{}", exported.stderr);
        out
    }
}
