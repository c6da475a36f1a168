//! Files on their way past the store, to the addresses that it gives for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use sticker_protocol::release::ReleaseFile;

use super::PublishError;
use super::store::{agent, busy};
use super::target::{Reach, reach_of_upload};

/// Where a file goes. Whoever has the address may write there, so nobody is shown it.
#[derive(Deserialize)]
pub(super) struct Upload {
    url: String,
    headers: BTreeMap<String, String>,
}

/// What uploads are sent with. Nothing of the store's secret goes there.
pub(super) struct Uploads {
    of_store: Reach,
    network: ureq::Agent,
    this_machine: ureq::Agent,
}

impl Uploads {
    pub(super) fn new(of_store: Reach) -> Self {
        Self { of_store, network: agent(Reach::Network), this_machine: agent(Reach::ThisMachine) }
    }

    pub(super) fn put(&self, to: &Upload, file: &ReleaseFile, content: &[u8]) -> Result<(), PublishError> {
        let agent = match reach_of_upload(&to.url, self.of_store)? {
            Reach::Network => &self.network,
            Reach::ThisMachine => &self.this_machine,
        };
        let mut request = ureq::http::Request::builder().method("PUT").uri(&to.url);
        // The client writes these by itself, the same.
        let ours =
            |name: &&String| !["content-length", "host"].iter().any(|it| name.eq_ignore_ascii_case(it));
        for name in to.headers.keys().filter(ours) {
            request = request.header(name, to.headers.get(name).map_or("", String::as_str));
        }
        let request = request.body(content).map_err(|_shows_the_address| PublishError::BadUploadAddress)?;
        let mut answer = agent.run(request).map_err(|error| PublishError::Unreachable(Box::new(error)))?;
        let status = answer.status().as_u16();
        // So that the connection can be used again; what it says is for the store's operator.
        let _ = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        match status {
            200..=299 => Ok(()),
            429 | 500..=599 => Err(busy(status, answer.headers(), &[])),
            _ => Err(PublishError::NotTaken { path: file.path.to_string(), status }),
        }
    }
}

const MAX_ANSWER: u64 = 64 << 10;
