//! Objects in the local folder. A file is hashed when this process first reads it, and again when it is no longer the same file: device,
//! inode, size, and the times of its last change to the nanosecond are remembered. Writing into a file changes them; what
//! a disk alters beneath the file system `sticker-store admin objects verify` finds. A file that was changed a moment ago is not
//! remembered: another change in the same tick of the system's clock could not be told from it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use moka::sync::Cache;
use sticker_protocol::Sha256;
use tokio::task::JoinHandle;

use super::Bytes;
use super::content::{Content, Is, Label, Object};
use crate::objects::ObjectError;
use crate::web::sendfile::{self, Outlet};

/// A file that was checked, open to be sent.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: Arc<File>,
    identity: Identity,
    label: Label,
}

/// Which files are sent as they are, in bytes; smaller ones are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Larger ones are never kept in memory.
    pub(super) memory: u64,
    /// Larger ones are not either where the system has them in its own.
    pub(super) file: u64,
}

impl Limits {
    fn send_as_it_is(self, file: &File, length: u64) -> bool {
        length > self.memory || (length > self.file && cached::is_there(file, 0, length))
    }
}

/// What tells a file from another, and from itself after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity([i64; 4], [u64; 3]);

impl Identity {
    fn of(file: &Metadata) -> Self {
        let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()];
        Self(times, [file.dev(), file.ino(), file.size()])
    }

    const fn length(&self) -> u64 {
        let Self(_, [.., length]) = self;
        *length
    }

    /// When the file or what is known of it was last changed, in milliseconds since 1970.
    const fn changed_ms(&self) -> i64 {
        let Self([_, _, seconds, nanoseconds], _) = self;
        seconds.saturating_mul(1_000).saturating_add(*nanoseconds / 1_000_000)
    }
}

/// The files that were hashed, and what is in them.
#[derive(Debug)]
pub(super) struct Checked {
    files: Cache<Sha256, (Identity, Is)>,
    /// Those that were sent a moment ago, still open.
    open: Cache<Sha256, Arc<OpenFile>>,
}

impl Checked {
    pub(super) fn new() -> Self {
        Self {
            files: Cache::new(FILES),
            open: Cache::builder().max_capacity(OPEN).time_to_idle(OPEN_FOR).build(),
        }
    }
}

/// The file of an object: its content, or the open file where it is to be sent as it is. `None` where there is none.
pub(super) async fn read(
    checked: &Checked,
    path: PathBuf,
    hash: Sha256,
    limits: Limits,
    now_ms: i64,
) -> Result<Option<Content>, ObjectError> {
    let before = checked.files.get(&hash);
    let read = move || read_now(&path, hash, before, limits);
    let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?;
    let Some((content, identity)) = read? else { return Ok(None) };
    let settled = now_ms.saturating_sub(identity.changed_ms()) > TICK_MS;
    if settled && before.is_none_or(|(before, _)| before != identity) {
        checked.files.insert(hash, (identity, content.label().is));
    }
    Ok(Some(content))
}

/// The file of an object that was checked before, and that the system has in its memory: read on the caller's thread, which waits for no disk.
/// `None` where it may have to, or where anything else is to be looked at.
pub(super) fn at_hand(checked: &Checked, path: &Path, hash: Sha256, limits: Limits) -> Option<Content> {
    let (identity, is) = checked.files.get(&hash)?;
    if let Some(open) = checked.open.get(&hash) {
        if open.identity == identity && open.is_unaltered() {
            return Some(Content::File(open));
        }
        // Another is in its place, or none.
        checked.open.invalidate(&hash);
    }
    let file = File::open(path).ok()?;
    let is_it = |metadata: &Metadata| Identity::of(metadata) == identity;
    file.metadata().ok().filter(is_it)?;
    let length = identity.length();
    if limits.send_as_it_is(&file, length) {
        let open = Arc::new(OpenFile { file: Arc::new(file), identity, label: Label::new(hash, is) });
        checked.open.insert(hash, Arc::clone(&open));
        return Some(Content::File(open));
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    if !cached::read_exact_at(&file, &mut bytes, 0) {
        return None;
    }
    file.metadata().ok().filter(is_it)?;
    Some(Content::Memory(Arc::new(Object::new(hash, Bytes::from(bytes), is))))
}

/// Reading from the system's own memory alone.
mod cached {
    use std::fs::File;

    /// Whether the first and the last byte of a part are there: what the system has of a file it read in one go.
    pub(super) fn is_there(file: &File, at: u64, length: u64) -> bool {
        let last = at.saturating_add(length).saturating_sub(1);
        read_exact_at(file, &mut [0], at) && read_exact_at(file, &mut [0], last)
    }

    /// Whether all of it was there (`RWF_NOWAIT`, Linux 4.14); what is in the buffer otherwise is nothing.
    #[cfg(target_os = "linux")]
    pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> bool {
        use rustix::io::{ReadWriteFlags, preadv2};
        let length = buffer.len();
        let read = preadv2(file, &mut [std::io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT);
        read.is_ok_and(|read| read == length)
    }

    /// Not to be had here.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn read_exact_at(_: &File, _: &mut [u8], _: u64) -> bool {
        false
    }
}

fn read_now(
    path: &PathBuf,
    hash: Sha256,
    before: Option<(Identity, Is)>,
    limits: Limits,
) -> Result<Option<(Content, Identity)>, ObjectError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let identity = Identity::of(&file.metadata()?);
    let length = identity.length();
    let known = before.filter(|(before, _)| *before == identity).map(|(_, is)| is);
    let as_it_is = known.filter(|_| limits.send_as_it_is(&file, length));
    let (bytes, is) = if let Some(is) = as_it_is {
        (Vec::new(), is)
    } else {
        let bytes = whole(&file, length)?;
        let is = match known {
            Some(is) => is,
            None if Sha256::of(&bytes) != hash => return Err(ObjectError::Altered(hash)),
            None => Is::of(&bytes),
        };
        (bytes, is)
    };
    // Changed while it was read: what was read is right, but nobody knows what is there now.
    if Identity::of(&file.metadata()?) != identity {
        return Err(ObjectError::Altered(hash));
    }
    // What was just read the system has in memory, wherever it says so at all.
    let content = if as_it_is.is_some() || limits.send_as_it_is(&file, length) {
        Content::File(Arc::new(OpenFile { file: Arc::new(file), identity, label: Label::new(hash, is) }))
    } else {
        Content::Memory(Arc::new(Object::new(hash, Bytes::from(bytes), is)))
    };
    Ok(Some((content, identity)))
}

fn whole(file: &File, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

impl OpenFile {
    pub(super) const fn label(&self) -> &Label {
        &self.label
    }

    pub(super) const fn length(&self) -> u64 {
        self.identity.length()
    }

    /// Whether it is still the file that was checked.
    fn is_unaltered(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| Identity::of(&metadata) == self.identity)
    }

    /// The whole content, for who needs it in one piece.
    pub(super) fn read_whole(&self) -> io::Result<Bytes> {
        whole(&self.file, self.length()).map(Bytes::from)
    }
}

/// A part of a file as the body of an answer. What the system has in memory it is left to send by itself where the connection can; else a
/// piece is read when the one before it is on its way.
#[derive(Debug)]
pub(super) struct FileBody {
    file: Arc<OpenFile>,
    at: u64,
    end: u64,
    outlet: Outlet,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FileBody {
    /// From `first` up to `end`, which is not in it, to where the outlet leads.
    pub(super) const fn new(file: Arc<OpenFile>, first: u64, end: u64, outlet: Outlet) -> Self {
        Self { file, at: first, end, outlet, reading: None }
    }

    /// The next bytes, or what stands for them, where they can be had without a wait.
    fn at_once(&mut self) -> Option<Bytes> {
        let (file, at) = (&self.file.file, self.at);
        let left = usize::try_from(self.end - at).unwrap_or(usize::MAX);
        let bytes = if let Some(line) = self.outlet.line() {
            let length = left.min(sendfile::MOST);
            cached::is_there(file, at, length as u64).then(|| line.promise(file, at, length))?
        } else {
            let mut piece = vec![0; left.min(PIECE)];
            cached::read_exact_at(file, &mut piece, at).then(|| Bytes::from(piece))?
        };
        self.at += bytes.len() as u64;
        Some(bytes)
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if this.at >= this.end {
            return Poll::Ready(None);
        }
        if this.reading.is_none() {
            // Whoever writes into objects spoils the answers that are under way; they break off.
            if !this.file.is_unaltered() {
                this.at = this.end;
                return Poll::Ready(Some(Err(io::Error::other("the object was altered while it was sent"))));
            }
            if let Some(bytes) = this.at_once() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
        let (file, at) = (&this.file, this.at);
        let length = usize::try_from(this.end - at).unwrap_or(PIECE).min(PIECE);
        let reading = this.reading.get_or_insert_with(|| {
            let file = Arc::clone(file);
            tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; length];
                file.file.read_exact_at(&mut piece, at)?;
                Ok(Bytes::from(piece))
            })
        });
        let read = ready!(Pin::new(reading).poll(context)).map_err(io::Error::other).flatten();
        this.reading = None;
        match &read {
            Ok(piece) => this.at += piece.len() as u64,
            Err(_) => this.at = this.end,
        }
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}

/// A piece is in memory once for each answer that is being sent.
const PIECE: usize = 128 << 10;
/// Far above a tick of any system's clock.
const TICK_MS: i64 = 1_000;
/// About 20 MB of memory where there are as many.
const FILES: u64 = 100_000;
/// Half of the files that a process may usually have open.
const OPEN: u64 = 512;
const OPEN_FOR: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn file_of(content: &[u8]) -> (tempfile::TempDir, PathBuf, Sha256) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("object");
        std::fs::write(&path, content).unwrap();
        (folder, path, Sha256::of(content))
    }

    const fn limits(both: u64) -> Limits {
        Limits { memory: both, file: both }
    }

    /// Puts other content in its place, as a new file.
    fn replaced(path: &PathBuf, content: &[u8]) {
        let beside = path.with_extension("new");
        std::fs::write(&beside, content).unwrap();
        std::fs::rename(&beside, path).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_was_altered_is_never_sent_whether_before_or_after_it_was_checked() {
        for limit in [10, 10_000] {
            let (_folder, path, hash) = file_of(&[1; 1_000]);
            let checked = Checked::new();
            let find = || read(&checked, path.clone(), hash, limits(limit), i64::MAX);
            assert!(at_hand(&checked, &path, hash, limits(limit)).is_none(), "it was not checked yet");
            for _ in 0..2 {
                assert!(find().await.unwrap().is_some());
            }
            assert_eq!(at_hand(&checked, &path, hash, limits(limit)).is_some(), cfg!(target_os = "linux"));
            replaced(&path, &[2; 1_000]);
            assert!(at_hand(&checked, &path, hash, limits(limit)).is_none());
            for _ in 0..2 {
                assert!(matches!(find().await.unwrap_err(), ObjectError::Altered(_)));
            }
            replaced(&path, &[1; 1_000]);
            assert!(find().await.unwrap().is_some());
            std::fs::remove_file(&path).unwrap();
            assert!(find().await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn a_file_that_was_changed_a_moment_ago_is_hashed_again() {
        let (_folder, path, hash) = file_of(&[1; 1_000]);
        let checked = Checked::new();
        let changed = Identity::of(&std::fs::metadata(&path).unwrap()).changed_ms();
        let find = |now| read(&checked, path.clone(), hash, limits(10_000), now);
        assert!(find(changed + TICK_MS).await.unwrap().is_some());
        assert!(checked.files.get(&hash).is_none());
        std::fs::write(&path, [2; 1_000]).unwrap();
        assert!(matches!(find(changed + TICK_MS).await.unwrap_err(), ObjectError::Altered(_)));
        std::fs::write(&path, [1; 1_000]).unwrap();
        assert!(find(i64::MAX).await.unwrap().is_some());
        assert!(checked.files.get(&hash).is_some());
    }

    #[tokio::test]
    async fn a_large_file_comes_in_pieces_that_make_up_the_part() {
        let content: Vec<u8> =
            (0..u32::try_from(3 * PIECE + 7).unwrap()).map(|it| it.to_le_bytes()[0]).collect();
        let (_folder, path, hash) = file_of(&content);
        let found = read(&Checked::new(), path, hash, limits(10), 0).await.unwrap().unwrap();
        let Content::File(file) = found else { panic!("it is too large for memory") };
        assert_eq!(file.read_whole().unwrap(), content);
        for (first, end) in [(0, content.len()), (5, PIECE + 9), (content.len() - 1, content.len())] {
            let body = FileBody::new(Arc::clone(&file), first as u64, end as u64, Outlet::default());
            assert_eq!(body.size_hint().exact(), Some((end - first) as u64));
            let sent = axum::body::to_bytes(axum::body::Body::new(body), usize::MAX).await.unwrap();
            assert!(sent == content[first..end], "{first} to {end}");
        }
    }

    #[tokio::test]
    async fn an_answer_under_way_breaks_off_once_its_file_is_written_into() {
        let (_folder, path, hash) = file_of(&vec![1; 3 * PIECE]);
        let found = read(&Checked::new(), path.clone(), hash, limits(10), 0).await.unwrap().unwrap();
        let Content::File(file) = found else { panic!("it is too large for memory") };
        let mut body = FileBody::new(file, 0, 3 * PIECE as u64, Outlet::default());
        let mut next = async || poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        assert!(next().await.unwrap().is_ok());
        std::fs::write(&path, vec![2; 3 * PIECE + 1]).unwrap();
        assert!(next().await.unwrap().is_err());
        assert!(next().await.is_none());
    }

    #[tokio::test]
    async fn a_file_between_the_limits_is_sent_as_it_is_where_the_system_has_it() {
        let (folder, path, hash) = file_of(&[1; 1_000]);
        let between = Limits { memory: 10_000, file: 10 };
        let found = read(&Checked::new(), path, hash, between, 0).await.unwrap().unwrap();
        let there = cached::is_there(&File::open(folder.path().join("object")).unwrap(), 0, 1_000);
        assert_eq!(matches!(found, Content::File(_)), there);
    }
}
