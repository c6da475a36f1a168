//! A built release in a folder, as its designer has it, and as somebody who means harm alters it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sticker_protocol::Sha256;
use sticker_protocol::release::{MANIFEST_FILE, Manifest};
use sticker_tests::{Artwork, Bucket, Database, Designer, Store};
use tempfile::TempDir;

/// A release, and the project that it was built of.
pub(crate) struct Release {
    artwork: Artwork,
    out: TempDir,
}

impl Release {
    /// Of two stills and a short animation.
    pub(crate) fn of(slug: &str) -> Self {
        let release =
            Self { artwork: Artwork::project(slug, "free", 2, 3), out: tempfile::tempdir().unwrap() };
        release.build();
        release
    }

    /// Builds it again, with what the project says in another way.
    pub(crate) fn rebuilt(&self, alter: impl FnOnce(String) -> String) {
        let path = self.artwork.path().join("pack.toml");
        let toml = fs::read_to_string(&path).unwrap();
        let altered = alter(toml.clone());
        assert_ne!(toml, altered);
        fs::write(path, altered).unwrap();
        fs::remove_dir_all(self.path()).unwrap();
        self.build();
    }

    fn build(&self) {
        let built = Designer::builds(self.artwork.path(), &self.path());
        assert_eq!(built.code, 0, "{}", built.stderr);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.out.path().join("release")
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::read(&self.bytes(MANIFEST_FILE)).unwrap()
    }

    pub(crate) fn id(&self) -> String {
        Sha256::of(&self.bytes(MANIFEST_FILE)).to_string()
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }

    /// The bytes of the file with this hash.
    pub(crate) fn file(&self, hash: &str) -> Vec<u8> {
        let manifest = self.manifest();
        let file = manifest.files.iter().find(|file| file.sha256.to_string() == hash).unwrap();
        self.bytes(file.path.as_str())
    }

    /// Puts other bytes in the place of a file, and has the manifest say so.
    pub(crate) fn has_altered(&self, path: &str, content: &[u8]) {
        let mut manifest = self.manifest();
        let file = manifest.files.iter_mut().find(|file| file.path.as_str() == path).unwrap();
        (file.size, file.sha256) = (content.len() as u64, Sha256::of(content));
        fs::write(self.path().join(path), content).unwrap();
        fs::write(self.path().join(MANIFEST_FILE), manifest.write().unwrap()).unwrap();
    }

    /// Has the store know of it, and gives its state.
    pub(crate) fn is_begun(&self, designer: &Designer) -> Value {
        let begun = designer.sends("POST", "/v1/releases", self.bytes(MANIFEST_FILE));
        assert!(begun.status.is_success(), "{}", begun.text());
        begun.json()
    }

    /// Sends every file through the store.
    pub(crate) fn is_sent(&self, designer: &Designer) {
        for file in &self.manifest().files {
            let path = format!("/v1/releases/{}/objects/{}", self.id(), file.sha256);
            let _ = designer.sends("PUT", &path, self.bytes(file.path.as_str())).expect(204);
        }
    }

    pub(crate) fn publish(&self) -> String {
        format!("/v1/releases/{}/publish", self.id())
    }
}

/// The file of an object.
pub(crate) fn object(data: &Path, hash: Sha256) -> PathBuf {
    data.join("objects").join(key(hash))
}

/// An object's place, in a folder and in a bucket.
pub(crate) fn key(hash: Sha256) -> String {
    let mut key = hash.to_string();
    key.insert(2, '/');
    key
}

/// Writes an object as if it stood there since 2001.
pub(crate) fn stands_for_long(data: &Path, hash: Sha256, content: &[u8]) {
    let path = object(data, hash);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
}

/// Puts a pipe in the place of an object: whoever reads it waits for what a test writes.
pub(crate) fn is_a_pipe(data: &Path, hash: Sha256) -> PathBuf {
    let path = object(data, hash);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// A store with these settings on a folder, and one on S3 where there is an S3.
pub(crate) fn on_each_place(settings: &[(&str, &str)], test: impl Fn(&Store, Option<&Bucket>)) {
    test(&Store::start_with(Database::Sqlite, settings), None);
    if let Some(bucket) = Bucket::fresh() {
        let settings = [settings, &bucket.settings()].concat();
        test(&Store::start_with(Database::Sqlite, &settings), Some(&bucket));
    }
}

/// The objects that stand under the name of their content.
pub(crate) fn objects(store: &Store, bucket: Option<&Bucket>) -> Vec<String> {
    let mut names: Vec<String> = match bucket {
        Some(bucket) => bucket.keys(),
        None => files_in(&store.data().join("objects")),
    };
    names.retain(|name| !name.starts_with("incoming/"));
    names.sort_unstable();
    names
}

/// What was uploaded and not taken.
pub(crate) fn uploads(store: &Store, bucket: Option<&Bucket>) -> Vec<String> {
    match bucket {
        Some(bucket) => bucket.keys().into_iter().filter(|name| name.starts_with("incoming/")).collect(),
        None => files_in(&store.data().join("incoming")),
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let list =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().map(Result::unwrap).collect::<Vec<_>>();
    let of_shelf = |shelf: &fs::DirEntry| {
        let name = shelf.file_name().into_string().unwrap();
        let files = list(&shelf.path()).into_iter();
        files
            .map(move |file| format!("{name}/{}", file.file_name().into_string().unwrap()))
            .collect::<Vec<_>>()
    };
    list(folder).iter().flat_map(of_shelf).collect()
}

/// Every file of a release, under the name of its content.
pub(crate) fn keys(manifest: &Manifest) -> Vec<String> {
    let mut keys: Vec<String> = manifest.files.iter().map(|file| key(file.sha256)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
