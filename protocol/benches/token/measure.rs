//! Medians of calls that are taken in turns.

use std::time::{Duration, Instant};

use crate::allocator::allocations;

const ROUNDS: usize = 200;

/// One call, measured.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub nanoseconds: f64,
    pub allocations: u64,
}

impl Line {
    pub(crate) fn print(self, name: &str) {
        println!("{name:<52} {:>9.1} ns {:>4} allocations", self.nanoseconds, self.allocations);
    }
}

/// The median time of one call of each, so many calls at a time, in turns so that a disturbance meets all of them.
pub(crate) fn in_turns<const N: usize>(repeats: u32, calls: [&dyn Fn(); N]) -> [Line; N] {
    let counts = calls.map(|call| {
        call();
        let before = allocations();
        call();
        allocations() - before
    });
    let mut rounds = calls.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (call, times) in calls.iter().zip(&mut rounds) {
            let start = Instant::now();
            (0..repeats).for_each(|_| call());
            times.push(start.elapsed());
        }
    }
    let mut counts = counts.into_iter();
    rounds.map(|mut times| {
        times.sort_unstable();
        let median = times.get(ROUNDS / 2).map_or(0.0, Duration::as_secs_f64);
        Line {
            nanoseconds: median * 1e9 / f64::from(repeats),
            allocations: counts.next().unwrap_or_default(),
        }
    })
}
