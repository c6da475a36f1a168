//! Crashes, and work side by side, in one thread.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Work in this process that ends with what it gives.
pub(crate) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Does the work, or dies at its n-th await, as a process does: `None`. What it has sent to the database may still arrive there.
pub(crate) async fn dies<T>(work: impl Future<Output = T>, at: Option<usize>) -> Option<T> {
    let (mut work, mut left) = (Box::pin(work), at);
    poll_fn(move |context| {
        match &mut left {
            Some(0) => return Poll::Ready(None),
            Some(left) => *left -= 1,
            None => {}
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// Does all the work side by side, in whatever order the database lets it go on.
pub(crate) async fn together<T>(all: Vec<Work<'_, T>>) -> Vec<T> {
    let mut all: Vec<(Work<'_, T>, Option<T>)> = all.into_iter().map(|work| (work, None)).collect();
    poll_fn(|context| {
        for (work, done) in all.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(result) = work.as_mut().poll(context) {
                *done = Some(result);
            }
        }
        if all.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|(_, done)| done).collect()
}
