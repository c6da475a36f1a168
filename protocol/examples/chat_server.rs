//! What a chat server does with tokens: it keeps ring and deny list fresh in the background and checks every message by itself.
//!
//!     STORE_SECRET=... cargo run -p sticker-protocol --example chat_server -- https://stickers.example
//!
//! Messages come on the standard input, one a line: sender, sticker, token. In a real chat server the sender is whoever the
//! connection has authenticated, never what the message says. Users are told accepted or refused; why is for the log.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a terminal")]

use std::io::BufRead as _;
use std::thread;
use std::time::{Duration, SystemTime};

use sticker_protocol::token::{Expected, KeyFile, LiveVerifier, Refusal, RevocationPage, UserId};
use sticker_protocol::{StickerId, UnixSeconds};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often to ask for the ring. A key is published for longer than this before it signs.
const KEYRING_EVERY: Duration = Duration::from_secs(30);
/// Beside the long poll itself.
const BETWEEN_POLLS: Duration = Duration::from_secs(1);
/// How long to leave a store alone that does not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// When to wake somebody: a refund reaches this server no sooner than what it knows is fresh.
const TOO_OLD: u64 = 120;
/// More than a page of 10,000 entries for packs of the usual size.
const LARGEST_ANSWER: u64 = 64 << 20;

fn main() -> Result<(), Failure> {
    let base = std::env::args().nth(1).ok_or("name the store's address")?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a secret is no argument: every process on the machine sees those"
    )]
    let secret =
        std::env::var("STORE_SECRET").ok().ok_or("put this server's API secret into STORE_SECRET")?;

    let (verifier, store) = (LiveVerifier::new(), Store::new(base, &secret));
    thread::scope(|scope| {
        scope.spawn(|| follow_keyring(&verifier, &store));
        scope.spawn(|| follow_revocations(&verifier, &store));
        for message in std::io::stdin().lock().lines() {
            match message.map_err(Failure::from).and_then(|message| check(&verifier, &message)) {
                Ok(()) => println!("accepted"),
                Err(why) => {
                    println!("refused");
                    eprintln!("refused: {why}");
                }
            }
        }
        // The background threads have nothing to finish.
        std::process::exit(0)
    })
}

fn check(verifier: &LiveVerifier, message: &str) -> Result<(), Failure> {
    let [sender, sticker, token] = message.split(' ').collect::<Vec<_>>()[..] else {
        return Err("a message is: sender sticker token".into());
    };
    let expected = Expected { sticker: sticker.parse::<StickerId>()?, user: UserId::from_text(sender)? };
    let fresh = verifier.freshness(now());
    if fresh.keyring_age.is_none_or(|age| age > TOO_OLD)
        || fresh.revocations_age.is_none_or(|age| age > TOO_OLD)
    {
        eprintln!("the store has been silent for long: {fresh:?}");
    }
    verifier.verify(token, now(), &expected).map_err(Refusal::code)?;
    Ok(())
}

fn follow_keyring(verifier: &LiveVerifier, store: &Store) {
    let mut tag = None;
    loop {
        let taken = store.ask("/v1/keyring", tag.as_deref()).and_then(|answer| {
            match answer.status {
                200 => {
                    // What is refused here leaves the last good ring where it is.
                    verifier.take_keyring(&KeyFile::parse(std::str::from_utf8(&answer.body)?)?, now());
                    tag = answer.tag;
                }
                304 => verifier.keyring_is_current(now()),
                status => return Err(format!("the store answered {status} for the keyring").into()),
            }
            Ok(KEYRING_EVERY)
        });
        thread::sleep(pause(taken));
    }
}

fn follow_revocations(verifier: &LiveVerifier, store: &Store) {
    loop {
        let path = format!("/v1/revocations?after={}&wait=25", verifier.cursor());
        let taken = store.ask(&path, None).and_then(|answer| match answer.status {
            200 => {
                let page = RevocationPage::parse(&answer.body)?;
                verifier.take_revocations(&page, now());
                Ok(page.more)
            }
            // The store was restored from a backup that ends before the cursor.
            409 => {
                verifier.restart_feed();
                Ok(true)
            }
            status => Err(format!("the store answered {status} for the deny feed").into()),
        });
        // The long poll is the pause; a second is for a store, or something before it, that does not hold the answer back.
        thread::sleep(pause(taken.map(|more| if more { Duration::ZERO } else { BETWEEN_POLLS })));
    }
}

fn pause(taken: Result<Duration, Failure>) -> Duration {
    taken.unwrap_or_else(|error| {
        eprintln!("{error}");
        AFTER_FAILURE
    })
}

struct Store {
    base: String,
    authorization: String,
    agent: ureq::Agent,
}

struct Answer {
    status: u16,
    tag: Option<String>,
    body: Vec<u8>,
}

impl Store {
    fn new(base: String, secret: &str) -> Self {
        // Longer than the longest poll, so that a connection that died is noticed.
        let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(40)));
        let agent = agent.http_status_as_error(false).max_redirects(0).build().into();
        Self { base, authorization: format!("Bearer {secret}"), agent }
    }

    fn ask(&self, path: &str, tag: Option<&str>) -> Result<Answer, Failure> {
        let mut request =
            self.agent.get(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let mut response = request.call()?;
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), tag, body })
    }
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()))
}
