//! A stream that gives up on a client that lets it wait.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Whether something moves on a connection: a request came whole, one is being answered, or bytes of an answer were taken. Bytes of a
/// request that is not whole are no movement: whoever sends a header a minute never comes to an end.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    moved: AtomicBool,
    under_way: AtomicUsize,
}

impl Pulse {
    /// Something moved.
    pub(super) fn beat(&self) {
        self.0.moved.store(true, Ordering::Relaxed);
    }

    /// A request is being answered until this is dropped; the store has time limits of its own for that.
    pub(super) fn under_way(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    /// Whether something moved since this was asked.
    fn moved(&self) -> bool {
        self.0.moved.swap(false, Ordering::Relaxed) || self.0.under_way.load(Ordering::Relaxed) > 0
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct UnderWay(Pulse);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.beat();
        self.0.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends with an error once nothing has moved for the patience, or up to half as long again. It looks twice in that time, whatever is written
/// between: a clock for each write would cost more than the write.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    pulse: Pulse,
    look: Pin<Box<Sleep>>,
    half: Duration,
    still: Stillness,
}

/// Looks in a row at which nothing had moved.
#[derive(Debug, Default)]
struct Stillness(u8);

impl Stillness {
    /// Looks once more: whether it has been still for as long as the patience.
    fn look(&mut self, moved: bool) -> bool {
        self.0 = if moved { 0 } else { self.0.saturating_add(1) };
        self.0 >= LOOKS
    }
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, pulse: Pulse, patience: Duration) -> Self {
        let half = patience / 2;
        Self { stream, pulse, look: Box::pin(tokio::time::sleep(half)), half, still: Stillness::default() }
    }

    /// While a client lets us wait: whether that has been for too long. Wakes the task for the next look.
    fn lost(&mut self, context: &mut Context<'_>) -> bool {
        while self.look.as_mut().poll(context).is_ready() {
            if self.still.look(self.pulse.moved()) {
                return true;
            }
            let next = Instant::now() + self.half;
            self.look.as_mut().reset(next);
        }
        false
    }

    fn patiently<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match done {
            Poll::Pending if self.lost(context) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            done => done,
        }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if done.is_ready() {
            self.pulse.beat();
        }
        self.patiently(context, done)
    }
}

/// Two halves without movement are the patience.
const LOOKS: u8 = 2;

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.patiently(context, done)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Short, since nothing is to move.
    const PATIENCE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_client_that_sends_nothing_whole_is_given_up_on() {
        let (mut client, ours) = duplex(64);
        let mut ours = Patient::new(ours, Pulse::default(), PATIENCE);
        client.write_all(b"GET /dl/1.sticker HTT").await.unwrap();
        let mut read = Vec::new();
        assert_eq!(ours.read_to_end(&mut read).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(read, b"GET /dl/1.sticker HTT");
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up_on() {
        let (client, ours) = duplex(64);
        let mut ours = Patient::new(ours, Pulse::default(), PATIENCE);
        assert_eq!(ours.write_all(&[7; 4_096]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[test]
    fn whoever_moves_now_and_then_is_waited_for_and_two_looks_without_are_too_many() {
        let mut still = Stillness::default();
        for moved in [false, true, false, true, true, false] {
            assert!(!still.look(moved));
        }
        assert!(still.look(false));
    }

    #[test]
    fn a_whole_request_its_answer_and_bytes_that_are_taken_are_movement() {
        let pulse = Pulse::default();
        assert!(!pulse.moved());
        pulse.beat();
        assert!(pulse.moved() && !pulse.moved());
        let answering = pulse.under_way();
        assert!(pulse.moved() && pulse.moved(), "as long as the store takes");
        drop(answering);
        assert!(pulse.moved() && !pulse.moved(), "the client has its patience after that");
    }
}
