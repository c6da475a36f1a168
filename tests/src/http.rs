//! Requests to the store, and whole answers.

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request, StatusCode};

/// An answer with its body read to the end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}) in an answer {}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The stable code of an error.
    pub fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Wants this status, and shows the body where there is another.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert!(self.status == status, "status {} instead of {status}: {}", self.status, self.text());
        self
    }
}

/// A client as it stands between a person and the store: base address and the headers that say who asks.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        Self { agent: Self::agent(), base: base.to_owned(), headers: Vec::new() }
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(std::time::Duration::from_mins(1)))
            .allow_non_standard_methods(true)
            // A server that answers before a body has come ends the connection with its answer, which the next request on it may learn
            // too late: an app asks again then, and here each request has a connection of its own.
            .max_idle_connections(0)
            .build()
            .into()
    }

    /// The same client with another base address.
    pub(crate) fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same base address, asking as the other does.
    pub(crate) fn with_headers_of(&self, other: &Self) -> Self {
        Self { headers: other.headers.clone(), ..self.clone() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, Vec::new())
    }

    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string().into_bytes())
    }

    pub(crate) fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.tries(method, path, headers, body).expect("the store answers")
    }

    /// The same for a store that may be away, or go away meanwhile.
    pub(crate) fn tries(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).chain(headers.iter().copied())
        {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let mut response = self.agent.run(request)?;
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body })
    }
}
