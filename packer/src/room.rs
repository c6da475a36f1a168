//! A bound for the memory of pictures that are in work at once.

use std::sync::{Condvar, Mutex, PoisonError};

use rayon::ThreadPool;

use crate::artwork::Artwork;

/// Pixels of four bytes that all stickers in work may take together. One that needs more than all of it is worked on alone.
pub(crate) const ROOM: u64 = 17 << 20;

/// So many places, which are waited for and given back.
#[derive(Debug)]
pub(crate) struct Room {
    all: u64,
    left: Mutex<u64>,
    freed: Condvar,
}

/// Places in a room, given back when it is dropped: a panic gives them back too.
#[derive(Debug)]
pub(crate) struct Place<'r> {
    room: &'r Room,
    taken: u64,
}

impl Room {
    pub(crate) fn new(all: u64) -> Self {
        Self { all, left: Mutex::new(all), freed: Condvar::new() }
    }

    /// Waits until there are so many places, or all of them where there are fewer. Not on a thread of a pool: what it waits for may
    /// stand below it on the same stack.
    pub(crate) fn enter(&self, needed: u64) -> Place<'_> {
        let taken = needed.min(self.all);
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.freed.wait_while(left, |left| *left < taken);
        *left.unwrap_or_else(PoisonError::into_inner) -= taken;
        Place { room: self, taken }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.room.left.lock().unwrap_or_else(PoisonError::into_inner) += self.taken;
        self.room.freed.notify_all();
    }
}

/// Does the work for each on the threads of the pool, once there is room for it. The answers come in order. Call it from outside the
/// pool, whose threads must not wait.
pub(crate) fn for_each<T: Sync, R: Send>(
    pool: &ThreadPool,
    room: &Room,
    all: &[T],
    needed: impl Fn(&T) -> u64,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let done: Vec<_> = all.iter().map(|_| Mutex::new(None)).collect();
    pool.in_place_scope(|scope| {
        for (one, done) in all.iter().zip(&done) {
            let place = room.enter(needed(one));
            let work = &work;
            scope.spawn(move |_| {
                let answer = work(one);
                *done.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
                drop(place);
            });
        }
    });
    done.into_iter().filter_map(|done| done.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Pixels that artwork has in memory while it is decoded: every frame, the canvas that they are drawn on and the one before.
pub(crate) fn decoded(artwork: &Artwork) -> u64 {
    let picture = u64::from(artwork.width) * u64::from(artwork.height);
    picture * (artwork.frames() as u64 + 2)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn pool() -> ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap()
    }

    #[test]
    fn no_more_is_in_work_at_once_than_there_is_room_for() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let sizes = [3, 4, 10, 1, 99, 5, 5, 5, 2, 7].repeat(20);
        let answers = for_each(
            &pool(),
            &Room::new(10),
            &sizes,
            |&size| size,
            |&size| {
                let taken = size.min(10);
                most.fetch_max(now.fetch_add(taken, Ordering::SeqCst) + taken, Ordering::SeqCst);
                // As decoders do, it waits for other threads, and may do other work meanwhile.
                rayon::join(std::thread::yield_now, std::thread::yield_now);
                now.fetch_sub(taken, Ordering::SeqCst);
                size
            },
        );
        assert_eq!(answers, sizes);
        assert!((1..=10).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    }

    #[test]
    fn a_panic_gives_its_room_back_so_that_nobody_waits_for_ever() {
        let room = Room::new(10);
        let worked = AtomicU64::new(0);
        let panics = catch_unwind(AssertUnwindSafe(|| {
            for_each(
                &pool(),
                &room,
                &[0_u64, 1, 2],
                |_| 10,
                |&one| {
                    worked.fetch_add(1, Ordering::SeqCst);
                    assert!(one > 0, "a decoder's bug");
                },
            )
        }));
        assert!(panics.is_err());
        assert_eq!((worked.into_inner(), room.left.into_inner().unwrap()), (3, 10));
    }
}
