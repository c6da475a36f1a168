//! What a chat server does with tokens: it keeps ring and deny list fresh in the background and checks every message by itself.
//!
//!     STICKER_STORE_SECRET=sk_... cargo run -p sticker-protocol --example chat_server -- --store https://stickers.example.com
//!     {"user":"alice","sticker_id":8675309,"token":"AQAD..."}
//!     {"accepted":true}
//!
//! Messages come on the standard input, one a line. In a real chat server the user is whoever the connection has authenticated, never
//! what the message says; and users are told accepted or refused, while the code is for the log.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a terminal")]

use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, Read as _};
use std::thread;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};
use sticker_protocol::token::{Expected, KeyFile, LiveVerifier, RevocationPage, UserId};
use sticker_protocol::{StickerId, UnixSeconds};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often to ask for the ring. A key is published for longer than this before it signs.
const KEYRING_EVERY: Duration = Duration::from_secs(30);
/// Beside the long poll itself.
const BETWEEN_POLLS: Duration = Duration::from_secs(1);
/// When to wake somebody: a refund reaches this server no sooner than what it knows is fresh.
const TOO_OLD: u64 = 120;
/// Section 1.6 of the specification.
const LARGEST_ANSWER: u64 = 8 << 20;

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [option, base] = arguments.as_slice() else { return Err(USAGE.into()) };
    let private = base.starts_with("https://")
        || LOOPBACK.iter().any(|host| {
            base.strip_prefix(host).is_some_and(|rest| rest.starts_with([':', '/']) || rest.is_empty())
        });
    if !private {
        return Err("the store's answers hold keys: say https://, or http:// to this machine itself".into());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a secret is no argument: every process on the machine sees those"
    )]
    let secret = std::env::var("STICKER_STORE_SECRET").ok().filter(|_| option == "--store").ok_or(USAGE)?;

    let (verifier, store) = (LiveVerifier::new(), Store::new(base.clone(), &secret));
    thread::scope(|scope| {
        scope.spawn(|| follow_keyring(&verifier, &store));
        scope.spawn(|| follow_revocations(&verifier, &store));
        // A chat server lets nobody in before it knows who may send what.
        while verifier.freshness(now()).keyring_age.zip(verifier.freshness(now()).revocations_age).is_none() {
            thread::sleep(Duration::from_millis(50));
        }
        eprintln!("ready");
        // What one user writes must not stop the others: neither nonsense nor a line without an end.
        let (mut messages, mut line) = (std::io::stdin().lock(), Vec::new());
        while messages.by_ref().take(LONGEST_MESSAGE).read_until(b'\n', &mut line).is_ok_and(|read| read > 0)
        {
            println!("{}", answer(&verifier, &line));
            if !line.ends_with(b"\n") {
                messages.skip_until(b'\n')?;
            }
            line.clear();
        }
        // The background threads have nothing to finish.
        std::process::exit(0)
    })
}

const LOOPBACK: [&str; 3] = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
const LONGEST_MESSAGE: u64 = 64 << 10;
const USAGE: &str = "say --store URL, and put this server's API secret into STICKER_STORE_SECRET";

#[derive(Deserialize)]
struct Message {
    user: String,
    sticker_id: StickerId,
    token: String,
}

fn answer(verifier: &LiveVerifier, message: &[u8]) -> Value {
    let Ok(Message { user, sticker_id, token }) = serde_json::from_slice(message) else {
        return json!({ "accepted": false, "code": "bad_message" });
    };
    let Ok(user) = UserId::from_text(&user) else {
        return json!({ "accepted": false, "code": "bad_message" });
    };
    match verifier.verify(&token, now(), &Expected { sticker: sticker_id, user }) {
        Ok(_) => json!({ "accepted": true }),
        Err(refusal) => json!({ "accepted": false, "code": refusal.code() }),
    }
}

fn follow_keyring(verifier: &LiveVerifier, store: &Store) {
    let (mut tag, mut failures) = (None, 0);
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
        pause(verifier, taken, &mut failures);
    }
}

fn follow_revocations(verifier: &LiveVerifier, store: &Store) {
    // The first answer is wanted at once, whatever is in it, and so is the first after a failure.
    let (mut wait, mut failures) = (0, 0);
    loop {
        let path = format!("/v1/revocations?after={}&wait={wait}", verifier.cursor());
        let taken = store.ask(&path, None).and_then(|answer| match answer.status {
            200 => {
                let page = RevocationPage::parse(&answer.body)?;
                verifier.take_revocations(&page, now())?;
                // The long poll is the pause; a second is for a store, or something before it, that does not hold the answer back.
                Ok(if page.more { Duration::ZERO } else { BETWEEN_POLLS })
            }
            // The store was restored from a backup that ends before the cursor.
            409 => {
                verifier.restart_feed();
                Ok(Duration::ZERO)
            }
            status => Err(format!("the store answered {status} for the deny feed").into()),
        });
        wait = if taken.is_ok() { 25 } else { 0 };
        pause(verifier, taken, &mut failures);
    }
}

/// Longer after each failure, up to half a minute, and never as long as somebody else: they all come back at once otherwise.
fn pause(verifier: &LiveVerifier, taken: Result<Duration, Failure>, failures: &mut u32) {
    let pause = match taken {
        Ok(pause) => {
            *failures = 0;
            pause
        }
        Err(error) => {
            *failures += 1;
            let fresh = verifier.freshness(now());
            let silent = fresh.keyring_age.max(fresh.revocations_age).is_none_or(|age| age > TOO_OLD);
            eprintln!("{error}{}", if silent { ": the store has been silent for long" } else { "" });
            let longest = 1_000 << (*failures).min(5);
            Duration::from_millis(longest / 2 + RandomState::new().hash_one(0) % (longest / 2))
        }
    };
    thread::sleep(pause);
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
