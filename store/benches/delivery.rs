//! Downloads beside nginx with sendfile, which serves the same files on the same cores: the real `sticker-store serve` with its usual
//! settings (the limit of requests per address out of reach) against nginx with as many workers as there are cores. `wrk` asks both, in
//! interleaved rounds; the medians count, and ratios. Debian's `nginx` and `wrk` have to be there; what is not is said on a line.
//!
//!     cargo bench -p sticker-store --bench delivery [-- CONNECTIONS ROUNDS SECONDS SLOW_READERS]

#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that prints its figures and stops where it is broken"
)]

#[path = "delivery/depot.rs"]
mod depot;
#[path = "delivery/peers.rs"]
mod peers;
#[path = "../tests/shared/published.rs"]
mod published;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use depot::Depot;
use peers::{Load, Peer, is_there, wrk};

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    let setting = |at: usize, usual| numbers.get(at).copied().unwrap_or(usual);
    let (connections, rounds, seconds, slow) =
        (setting(0, 64), setting(1, 7), setting(2, 3), setting(3, 1_000));
    if !is_there("wrk") {
        println!("left out: everything: there is no wrk to ask with (Debian's package wrk)");
        return;
    }
    let depot = Depot::new();
    let store = Peer::store(depot.data(), 67_108_864);
    let nginx = Peer::nginx(depot.data());
    if nginx.is_none() {
        println!("left out: the comparison: there is no nginx (Debian's package nginx)");
    }
    println!(
        "{connections} connections, {rounds} rounds of {seconds} s each, medians; server CPU in us a request"
    );
    for (size, stickers) in &depot.sizes {
        let [sticker, ..] = stickers.as_slice() else { continue };
        let script = depot.script("hot", &[(sticker.negotiated.clone(), sticker.file.clone())]);
        compare(
            &format!("{size} KB by density"),
            &store,
            nginx.as_ref(),
            &script,
            (connections, rounds, seconds),
        );
    }
    let cold = Peer::store(depot.data(), 0);
    for (size, stickers) in &depot.sizes {
        let paths: Vec<_> = stickers.iter().map(|it| (it.canonical.clone(), it.file.clone())).collect();
        let script = depot.script("cold", &paths);
        let title = format!("{size} KB from the folder, {} objects, no memory", paths.len());
        compare(&title, &cold, nginx.as_ref(), &script, (connections, rounds, seconds));
    }
    slow_readers(&store, &depot, slow);
}

/// Both in turn, so that whatever else the machine does falls on both.
fn compare(title: &str, store: &Peer, nginx: Option<&Peer>, scripts: &[String; 2], times: (u32, u32, u32)) {
    let (connections, rounds, seconds) = times;
    let [mut ours, mut theirs] = [Vec::new(), Vec::new()];
    // The first round fills what each keeps, and does not count.
    for round in 0..=rounds {
        let load = store.under(|| wrk(store, &scripts[0], connections, seconds));
        let other = nginx.map(|nginx| nginx.under(|| wrk(nginx, &scripts[1], connections, seconds)));
        if round > 0 {
            ours.push(load);
            theirs.extend(other);
        }
    }
    let ours = Load::median(&ours);
    println!("{title}: {ours}");
    if !theirs.is_empty() {
        let theirs = Load::median(&theirs);
        println!("    nginx: {theirs}");
        println!(
            "    ratios: requests/s {:.2}, p99 {:.2}, CPU {:.2}",
            ours.requests / theirs.requests,
            ours.p99 / theirs.p99,
            ours.cpu / theirs.cpu
        );
    }
}

/// Connections that ask for the larger object and take nothing of it but its first bytes.
fn slow_readers(store: &Peer, depot: &Depot, readers: u32) {
    let (size, stickers) = depot.sizes.last().expect("a size");
    let path = &stickers.first().expect("a sticker").negotiated;
    let ask = format!("GET {path} HTTP/1.1\r\nhost: store\r\n\r\n");
    let before = store.memory();
    let mut lines: Vec<TcpStream> = Vec::new();
    for _ in 0..readers {
        let mut line = TcpStream::connect(("127.0.0.1", store.port)).expect("a connection");
        // Several answers, so that they fill whatever the system keeps between.
        line.write_all(ask.repeat(20).as_bytes()).expect("the requests are taken");
        line.read_exact(&mut [0; 1_024]).expect("the first bytes");
        lines.push(line);
    }
    let with = store.memory();
    // They go on, a little at a time; somebody else is answered meanwhile.
    for _ in 0..5 {
        std::thread::sleep(Duration::from_secs(1));
        for line in &mut lines {
            line.read_exact(&mut [0; 4_096]).expect("more bytes");
        }
    }
    let later = store.memory();
    let script = depot.script("others", &[(path.clone(), String::new())]);
    let others = store.under(|| wrk(store, &script[0], 64, 3));
    println!(
        "{readers} slow readers of {size} KB: memory {:.1} MiB before, {:.1} with them, {:.1} after 5 s, {:.1} KiB each; others meanwhile: {others}",
        before / 1_024.0,
        with / 1_024.0,
        later / 1_024.0,
        (later - before) / f64::from(readers)
    );
}
