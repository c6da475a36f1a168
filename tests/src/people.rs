//! Who calls is a type: each can do what such a person can do, and nothing else.

use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use ureq::http::Method;

use crate::http::{Answer, Client};
use crate::programs::{Finished, packer, run};
use crate::store::Store;

/// Somebody with a shell on the store's machine.
#[derive(Debug)]
pub struct Operator<'a> {
    store: &'a Store,
}

impl<'a> Operator<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Runs `sticker-store` with these arguments and the store's configuration.
    pub fn runs(&self, arguments: &[&str]) -> Finished {
        run(self.store.command().args(arguments))
    }

    /// Begins a command of the store's, to be waited for or ended by whoever asked. What it says is lost.
    pub fn begins(&self, arguments: &[&str]) -> Child {
        let mut command = self.store.command();
        let quiet = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().expect("the store's command starts")
    }

    /// Lets a designer publish.
    pub fn admits_designer(&self, name: &str) -> Designer {
        Designer { store_url: self.store.url(), secret: self.admits(name, "publish") }
    }

    /// Lets a chat server ask for launch codes and check tokens.
    pub fn admits_chat_server(&self, name: &str) -> ChatServer {
        let secret = self.admits(name, "launch,verify");
        ChatServer { store: self.store.client(), client: bearer(self.store.client(), &secret) }
    }

    /// Lets a chat server in another trust domain check tokens, without the keys to mint them.
    pub fn admits_chat_server_of_others(&self, name: &str) -> ChatServer {
        let secret = self.admits(name, "verify_public");
        ChatServer { store: self.store.client(), client: bearer(self.store.client(), &secret) }
    }

    /// Lets a verifier beside a chat server ask, with the scope `verify` or `verify_public`, and gives its secret.
    pub fn admits_verifier(&self, scope: &str) -> String {
        self.admits("verifier", scope)
    }

    fn admits(&self, name: &str, scopes: &str) -> String {
        let added = self.runs(&["admin", "clients", "add", "--name", name, "--scope", scopes]);
        assert_eq!(added.code, 0, "{}", added.stderr);
        let secret = added.stdout.split_whitespace().find(|word| word.starts_with("sk_"));
        secret.unwrap_or_else(|| panic!("no secret in {:?}", added.stdout)).to_owned()
    }
}

/// Somebody who draws, builds and publishes packs.
#[derive(Clone, Debug)]
pub struct Designer {
    store_url: String,
    secret: String,
}

impl Designer {
    /// Builds a project with the packer's command line.
    pub fn builds(project: &Path, out: &Path) -> Finished {
        let mut command = packer();
        command.arg("build").arg(project).arg("--out").arg(out);
        // What is tested here is what becomes of a release, not how small it is.
        run(command.args(["--effort", "fast", "--quiet"]))
    }

    /// Publishes what was built, with the packer's command line.
    pub fn publishes(&self, out: &Path) -> Finished {
        let mut command = packer();
        command.env("STICKER_STORE_SECRET", &self.secret);
        run(command.arg("publish").arg(out).args(["--store", &self.store_url, "--quiet"]))
    }

    /// The same with what the command says as JSON.
    pub fn publishes_telling(&self, out: &Path) -> (i32, Value) {
        let mut command = packer();
        command.env("STICKER_STORE_SECRET", &self.secret);
        let finished = run(command.arg("publish").arg(out).args(["--store", &self.store_url, "--json"]));
        let told = serde_json::from_str(&finished.stdout);
        (finished.code, told.unwrap_or_else(|_| panic!("no JSON: {}{}", finished.stdout, finished.stderr)))
    }

    /// Begins to publish what was built. What the command says is lost.
    pub fn begins_to_publish(&self, out: &Path) -> Child {
        let mut command = packer();
        command.env("STICKER_STORE_SECRET", &self.secret);
        let quiet = command.arg("publish").arg(out).args(["--store", &self.store_url]);
        let quiet = quiet.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().expect("the packer starts")
    }

    /// A request of the publishing API, as a program of the designer's own would make it.
    pub fn sends(&self, method: &str, path: &str, body: Vec<u8>) -> Answer {
        let client = bearer(Client::new(&self.store_url), &self.secret);
        client.send(method.parse().expect("a method"), path, &[], body)
    }
}

/// The messenger's server: it lets users into the store and checks the tokens of what they send.
#[derive(Clone, Debug)]
pub struct ChatServer {
    store: Client,
    client: Client,
}

impl ChatServer {
    /// A launch code for a user.
    pub fn launch_code(&self, user: &str) -> String {
        let answer =
            self.client.post_json("/v1/launch-codes", &json!({ "user": user, "locale": "en" })).expect(201);
        answer.json()["code"].as_str().expect("a code").to_owned()
    }

    /// Opens the store for a user as the webview does: launch code, then session.
    pub fn opens_store_for(&self, user: &str) -> ChatUser {
        let launched = ChatUser::launches(&self.store, &self.launch_code(user)).expect(303);
        let cookie = launched.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        assert!(cookie.contains('='), "no session cookie: {launched:?}");
        ChatUser { client: self.store.clone().with("cookie", cookie) }
    }

    /// The same for a user whose gifts go to a partner, in a store that may be away: `None` where it gave no session.
    pub fn tries_to_open_store_for(&self, user: &str, partner: &str) -> Option<ChatUser> {
        let body = json!({ "user": user, "partner": partner }).to_string().into_bytes();
        let json = [("content-type", "application/json")];
        let given = self.client.tries(Method::POST, "/v1/launch-codes", &json, body).ok()?;
        let code = (given.status == 201).then(|| given.json()["code"].as_str().map(str::to_owned))??;
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let code = format!("code={code}").into_bytes();
        let launched = self.store.tries(Method::POST, "/launch", &form, code).ok()?;
        let cookie = launched.header("set-cookie").split(';').next().filter(|cookie| cookie.contains('='))?;
        Some(ChatUser { client: self.store.clone().with("cookie", cookie) })
    }

    /// Has the store check one token.
    pub fn checks(&self, token: &str, sticker: u64, user: &str) -> Value {
        let checks = json!({ "checks": [{ "token": token, "sticker_id": sticker, "user": user }] });
        self.client.post_json("/v1/tokens/verify", &checks).expect(200).json()["results"][0].clone()
    }

    /// The same chat server, talking to another process of the store.
    #[must_use]
    pub fn at(&self, store: &Store) -> Self {
        Self { store: self.store.at(&store.url()), client: self.client.at(&store.url()) }
    }

    /// The same chat server, through what is in front of the store at this address.
    #[must_use]
    pub fn through(&self, url: &str) -> Self {
        Self { store: self.store.at(url), client: self.client.at(url) }
    }

    /// Asks with the chat server's secret.
    pub fn gets(&self, path: &str) -> Answer {
        self.client.get(path, &[])
    }

    /// The same with more headers.
    pub fn gets_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.client.get(path, headers)
    }

    /// Any request with the chat server's secret.
    pub fn posts(&self, path: &str, body: &Value) -> Answer {
        self.client.post_json(path, body)
    }
}

/// Somebody who chats, in the messenger's webview with a session.
#[derive(Clone, Debug)]
pub struct ChatUser {
    client: Client,
}

impl ChatUser {
    fn launches(store: &Client, code: &str) -> Answer {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        store.send(Method::POST, "/launch", &form, format!("code={code}").into_bytes())
    }

    /// The same person with the same session, on another device or talking to another process of the store.
    #[must_use]
    pub fn at(&self, store: &Store) -> Self {
        Self { client: self.client.at(&store.url()) }
    }

    /// The same person with the same session, through what is in front of the store at this address.
    #[must_use]
    pub fn through(&self, url: &str) -> Self {
        Self { client: self.client.at(url) }
    }

    /// Somebody else with their session, on this one's device.
    #[must_use]
    pub fn hands_over_to(&self, other: &Self) -> Self {
        Self { client: self.client.with_headers_of(&other.client) }
    }

    /// Looks at a page or asks the API.
    pub fn gets(&self, path: &str) -> Answer {
        self.client.get(path, &[])
    }

    /// Asks the API for a change.
    pub fn posts(&self, path: &str, body: &Value) -> Answer {
        self.client.post_json(path, body)
    }

    /// Asks a store that may be away for a change, under an idempotency key: `None` where no answer came.
    pub fn tries(&self, path: &str, body: &Value, key: &str) -> Option<Answer> {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.client.tries(Method::POST, path, &headers, body.to_string().into_bytes()).ok()
    }

    /// Asks a store that may be away: `None` where no answer came.
    pub fn tries_to_get(&self, path: &str) -> Option<Answer> {
        self.client.tries(Method::GET, path, &[], Vec::new()).ok()
    }

    /// Sends a form, as a page without scripts does.
    pub fn submits(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.client.send(Method::POST, path, &all, form.as_bytes().to_vec())
    }

    /// Orders a pack.
    pub fn orders(&self, pack: u64, provider: &str) -> Answer {
        self.posts("/v1/orders", &json!({ "pack_id": pack, "provider": provider }))
    }

    /// Where the receipt of an order goes.
    pub fn receipts_of(order: &Value) -> String {
        format!("/v1/orders/{}/receipts", order["id"].as_str().expect("an order's id"))
    }

    /// Buys a pack with test money.
    pub fn buys(&self, pack: u64) -> Value {
        let order = self.orders(pack, "sandbox").expect(201).json();
        let receipt = json!({ "transaction": format!("t-{}", order["id"]) });
        self.posts(&Self::receipts_of(&order), &receipt).expect(200).json()
    }

    /// The token for one sticker, of a pack that the user owns.
    pub fn token_for(&self, sticker: u64) -> String {
        let answer = self.posts("/v1/tokens", &json!({ "sticker_ids": [sticker] })).expect(200);
        answer.json()["tokens"][0]["token"].as_str().expect("a token").to_owned()
    }
}

/// A phone, or a CDN, that downloads stickers; it needs no session.
#[derive(Clone, Debug)]
pub struct Phone {
    client: Client,
}

impl Phone {
    /// A phone that downloads from this store.
    pub fn of(store: &Store) -> Self {
        Self { client: store.client() }
    }

    /// A phone that downloads from this address, such as that of a cache, on connections of its own.
    pub fn at(url: &str) -> Self {
        Self { client: Client::new(url) }
    }

    /// Downloads.
    pub fn gets(&self, path: &str) -> Answer {
        self.client.get(path, &[])
    }

    /// Downloads with more headers.
    pub fn gets_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.client.get(path, headers)
    }

    /// Downloads from what may break off: `None` where no whole answer came.
    pub fn tries(&self, path: &str) -> Option<Answer> {
        self.client.tries(Method::GET, path, &[], Vec::new()).ok()
    }

    /// Asks for the headers alone.
    pub fn heads(&self, path: &str) -> Answer {
        self.client.send(Method::HEAD, path, &[], Vec::new())
    }
}

fn bearer(client: Client, secret: &str) -> Client {
    client.with("authorization", format!("Bearer {secret}"))
}
