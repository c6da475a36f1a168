//! Where a release goes, and whether the secret may go there.

use ureq::http::Uri;

use super::PublishError;

/// A store, and the right to publish there.
#[derive(Clone)]
pub struct PublishTarget {
    url: String,
    secret: String,
}

impl PublishTarget {
    /// The store's address, and the secret of an API client with the scope `publish`.
    pub fn new(url: &str, secret: String) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), secret }
    }

    /// The address of something that the store serves.
    pub(super) fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.secret)
    }

    /// Refuses before anything is sent: an address that is none, one where the secret would be in the clear, a secret that
    /// no header holds.
    pub(super) fn check(&self) -> Result<Reach, PublishError> {
        let reach = reach_of(&self.url)?;
        let is_token = |byte: u8| byte.is_ascii_graphic();
        if self.secret.is_empty() || !self.secret.bytes().all(is_token) {
            return Err(PublishError::BadSecret);
        }
        Ok(reach)
    }
}

impl std::fmt::Debug for PublishTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublishTarget").field("url", &self.url).finish_non_exhaustive()
    }
}

/// How far what is sent goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Over a network, encrypted.
    Network,
    /// Not further than this machine, so past no proxy either.
    ThisMachine,
}

fn reach_of(url: &str) -> Result<Reach, PublishError> {
    let parsed: Uri = url.parse().ok().ok_or(PublishError::BadAddress)?;
    if parsed.query().is_some() {
        return Err(PublishError::BadAddress);
    }
    reach_of_any(url, &parsed)
}

/// How far a file goes that is sent to an address that a store gave. A store on the network has no business with this machine.
pub(super) fn reach_of_upload(url: &str, of_store: Reach) -> Result<Reach, PublishError> {
    let parsed: Option<Uri> = url.parse().ok();
    match parsed.and_then(|parsed| reach_of_any(url, &parsed).ok()) {
        Some(Reach::ThisMachine) if of_store == Reach::Network => Err(PublishError::BadUploadAddress),
        Some(reach) => Ok(reach),
        None => Err(PublishError::BadUploadAddress),
    }
}

fn reach_of_any(url: &str, parsed: &Uri) -> Result<Reach, PublishError> {
    let authority = parsed.authority().ok_or(PublishError::BadAddress)?;
    // `http://localhost:1@elsewhere` is elsewhere; no store wants a name and password in its address.
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(PublishError::BadAddress);
    }
    match parsed.scheme_str() {
        Some("https") => Ok(Reach::Network),
        Some("http") if LOOPBACK.contains(&authority.host()) => Ok(Reach::ThisMachine),
        Some("http") => Err(PublishError::NotEncrypted(url.to_owned())),
        _ => Err(PublishError::BadAddress),
    }
}

const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_leaves_this_machine_encrypted_or_not_at_all() {
        for url in ["https://stickers.example.com", "https://a:8443/stickers"] {
            assert_eq!(reach_of(url).unwrap(), Reach::Network, "{url}");
        }
        for url in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/x"] {
            assert_eq!(reach_of(url).unwrap(), Reach::ThisMachine, "{url}");
        }
        for url in ["http://stickers.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"] {
            assert!(matches!(reach_of(url), Err(PublishError::NotEncrypted(_))), "{url}");
        }
    }

    #[test]
    fn an_address_that_could_be_read_in_two_ways_is_none() {
        for url in [
            "http://localhost@evil.example",
            "http://localhost:1@evil.example",
            "http://127.0.0.1:80\\@evil.example",
            "http://localhost?@evil.example",
            "https://name:word@stickers.example.com",
            "ftp://localhost",
            "localhost:8080",
            "/stickers",
            "https://",
            "not a url",
            "",
        ] {
            assert!(matches!(reach_of(url), Err(PublishError::BadAddress)), "{url}");
        }
    }

    #[test]
    fn a_file_goes_where_a_secret_may_and_to_this_machine_for_a_store_that_is_here() {
        let here = "http://127.0.0.1:9000/bucket/a?X-Amz-Signature=1";
        let there = "https://bucket.s3.example.com/a?X-Amz-Signature=1";
        assert_eq!(reach_of_upload(here, Reach::ThisMachine).unwrap(), Reach::ThisMachine);
        for of_store in [Reach::ThisMachine, Reach::Network] {
            assert_eq!(reach_of_upload(there, of_store).unwrap(), Reach::Network);
            for url in ["http://s3.example.com/a?b", "https://a:b@s3.example.com/", "ftp://a/", "/a", ""] {
                let refused = reach_of_upload(url, of_store);
                assert!(matches!(refused, Err(PublishError::BadUploadAddress)), "{url}");
            }
        }
        assert!(matches!(reach_of_upload(here, Reach::Network), Err(PublishError::BadUploadAddress)));
    }

    #[test]
    fn a_secret_that_no_header_holds_is_refused_before_anything_is_sent() {
        for secret in ["", "two\nlines", "with space", "schlüssel"] {
            let target = PublishTarget::new("https://a", secret.to_owned());
            assert!(matches!(target.check(), Err(PublishError::BadSecret)), "{secret:?}");
        }
    }

    #[test]
    fn a_target_does_not_show_its_secret() {
        let target = PublishTarget::new("https://a", "sk_secret".to_owned());
        assert!(!format!("{target:?}").contains("sk_secret"));
    }
}
