//! Parts of files that the system sends by itself (`sendfile`), so that their bytes never come into this process.
//!
//! hyper writes bytes that it is given. For a part of a file it is given as many bytes of a stand-in, which nothing else ever sends, and
//! [`Line`] remembers in order what they stand for; the [`Sender`] beneath hyper sends the part where it meets them. A stand-in that
//! comes otherwise than promised, copied or cut, ends the connection: it is never sent itself.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::telemetry::metrics;

/// As much of a file as is handed over at once.
pub(crate) const MOST: usize = 256 << 10;

static STAND_IN: [u8; 2 * MOST] = [0; 2 * MOST];

/// A part of a file, and where its stand-in is.
#[derive(Debug)]
struct Part {
    file: Arc<File>,
    at: u64,
    stand_in: usize,
    left: usize,
}

/// The parts of files that a connection is about to send, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Mutex<Parts>>);

#[derive(Debug, Default)]
struct Parts {
    waiting: VecDeque<Part>,
    /// Where the next stand-in begins: each elsewhere than the one before, so that none is taken for another.
    begin: usize,
}

impl Line {
    /// Promises the bytes of a file from `at`, at most [`MOST`] of them, and gives what stands for them. It has to be the next that is
    /// written to the connection.
    pub(crate) fn promise(&self, file: &Arc<File>, at: u64, length: usize) -> Bytes {
        let mut parts = self.parts();
        let begin = parts.begin;
        parts.begin = (begin + 1) % MOST;
        let stand_in = STAND_IN.get(begin..begin + length.min(MOST)).unwrap_or_default();
        if !stand_in.is_empty() {
            let (address, left) = (stand_in.as_ptr().addr(), stand_in.len());
            parts.waiting.push_back(Part { file: Arc::clone(file), at, stand_in: address, left });
        }
        Bytes::from_static(stand_in)
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the body of an answer learns on which connection it goes out: an extension of the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlet(Arc<OnceLock<Line>>);

impl Outlet {
    /// The answer goes out on this connection, and on no other.
    pub(crate) fn leads_to(&self, line: &Line) {
        // An answer is given to one connection.
        let _ = self.0.set(line.clone());
    }

    /// The connection, where it sends parts of files.
    pub(crate) fn line(&self) -> Option<&Line> {
        self.0.get()
    }
}

/// Whether these are bytes of the stand-in: that is a matter of where they are, and not of what they are.
fn stands_in(bytes: &[u8]) -> bool {
    let (start, at) = (STAND_IN.as_ptr().addr(), bytes.as_ptr().addr());
    !bytes.is_empty() && (start..start + STAND_IN.len()).contains(&at)
}

/// A connection to a client that sends parts of files where their stand-in is written to it.
#[derive(Debug)]
pub(crate) struct Sender {
    stream: TcpStream,
    line: Line,
}

impl Sender {
    pub(crate) fn new(stream: TcpStream, line: Line) -> Self {
        Self { stream, line }
    }

    /// Does something that may have to wait until the client has taken more.
    fn once_writable<T>(
        &self,
        context: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.stream.poll_write_ready(context))?;
            match self.stream.try_io(Interest::WRITABLE, || write(&self.stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return Poll::Ready(written),
            }
        }
    }

    /// Sends what these bytes of the stand-in stand for.
    fn send_part(&self, context: &mut Context<'_>, stand_in: &[u8]) -> Poll<io::Result<usize>> {
        let mut parts = self.line.parts();
        let promised = (stand_in.as_ptr().addr(), stand_in.len());
        let Some(part) = parts.waiting.front_mut().filter(|part| (part.stand_in, part.left) == promised)
        else {
            return Poll::Ready(Err(not_as_promised()));
        };
        let sent = ready!(self.once_writable(context, |stream| {
            system::send_part(stream, &part.file, &mut part.at, part.left)
        }))?;
        // It is shorter than it was when it was promised.
        if sent == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        metrics::sent_by_system(sent);
        (part.stand_in, part.left) = (part.stand_in + sent, part.left.saturating_sub(sent));
        if part.left == 0 {
            parts.waiting.pop_front();
        }
        Poll::Ready(Ok(sent))
    }

    /// Whether a part waits, so that it is its stand-in that has to come.
    fn promised(&self) -> bool {
        !self.line.parts().waiting.is_empty()
    }
}

fn not_as_promised() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "what stands for a part of a file came otherwise than promised",
    )
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io::{self, IoSlice};

    use rustix::net::{SendAncillaryBuffer, SendFlags};
    use tokio::net::TcpStream;

    /// Sends some of a file from `at`, which moves on.
    pub(super) fn send_part(
        stream: &TcpStream,
        file: &File,
        at: &mut u64,
        length: usize,
    ) -> io::Result<usize> {
        Ok(rustix::fs::sendfile(stream, file, Some(at), length)?)
    }

    /// Sends bytes that are not worth a packet of their own, since more follows at once.
    pub(super) fn send_with_more(stream: &TcpStream, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
        Ok(rustix::net::sendmsg(stream, pieces, &mut SendAncillaryBuffer::default(), flags)?)
    }
}

/// Nobody promises a part of a file where it is not known to be in the system's memory, which is never known here.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io::{self, IoSlice};

    use tokio::net::TcpStream;

    pub(super) fn send_part(_: &TcpStream, _: &File, _: &mut u64, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn send_with_more(_: &TcpStream, _: &[IoSlice<'_>]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl AsyncRead for Sender {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Sender {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let before = pieces.iter().take_while(|piece| !stands_in(piece)).count();
        let (before, from_there) = pieces.split_at(before);
        match (before.iter().all(|piece| piece.is_empty()), from_there.first()) {
            (true, Some(stand_in)) => self.send_part(context, stand_in),
            // More follows at once, and goes with it.
            (false, Some(_)) => self.once_writable(context, |stream| system::send_with_more(stream, before)),
            (_, None) if self.promised() => Poll::Ready(Err(not_as_promised())),
            (_, None) => Pin::new(&mut self.stream).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn both_ends() -> (Sender, TcpStream, Line) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let line = Line::default();
        (Sender::new(listener.accept().await.unwrap().0, line.clone()), client, line)
    }

    fn file_of(content: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Arc::new(file)
    }

    #[tokio::test]
    async fn parts_of_files_are_sent_where_their_stand_ins_are_written_between_other_bytes() {
        let content: Vec<u8> = (1..=250).cycle().take(3 * MOST).collect();
        let file = file_of(&content);
        let (mut ours, mut client, line) = both_ends().await;
        let sending = tokio::spawn(async move {
            for at in [0, 2 * MOST - 5, 7] {
                let promised = line.promise(&file, at as u64, MOST);
                let (mut head, mut stood) = (&b"head"[..], &promised[..]);
                while !head.is_empty() || !stood.is_empty() {
                    let pieces = [IoSlice::new(head), IoSlice::new(stood), IoSlice::new(b"")];
                    let written = ours.write_vectored(&pieces).await.unwrap();
                    let of_head = written.min(head.len());
                    head = &head[of_head..];
                    stood = &stood[written - of_head..];
                }
            }
        });
        let mut taken = Vec::new();
        client.read_to_end(&mut taken).await.unwrap();
        sending.await.unwrap();
        let mut whole = Vec::new();
        for at in [0, 2 * MOST - 5, 7] {
            whole.extend_from_slice(b"head");
            whole.extend_from_slice(&content[at..at + MOST]);
        }
        assert!(taken == whole, "{} bytes of {}", taken.len(), whole.len());
    }

    #[tokio::test]
    async fn a_stand_in_that_comes_otherwise_than_promised_is_not_sent() {
        let file = file_of(&[7; 1_000]);
        // Copied, so that nobody can tell what it stands for.
        let (mut ours, mut client, line) = both_ends().await;
        let copied = line.promise(&file, 0, 1_000).to_vec();
        assert_eq!(ours.write(&copied).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        // In another's place, of the same length; and without a promise.
        let other = line.promise(&file, 0, 1_000);
        assert_eq!(ours.write(&other).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (mut unpromised, _other, _line) = both_ends().await;
        assert_eq!(unpromised.write(&other).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        // Of a file that has become shorter.
        let (mut ours_too, _third, line) = both_ends().await;
        let promised = line.promise(&file, 1_000, 10);
        assert_eq!(ours_too.write(&promised).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        drop(ours);
        let mut taken = Vec::new();
        client.read_to_end(&mut taken).await.unwrap();
        assert!(taken.is_empty());
    }
}
