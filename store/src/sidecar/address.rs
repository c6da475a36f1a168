//! Where the store is, and the secret that goes there.

use std::fmt;

use ureq::http::Uri;

/// A store's address, and the secret of an API client with the scope `verify` or `verify_public`.
#[derive(Clone)]
pub struct Address {
    url: String,
    secret: String,
    is_this_machine: bool,
}

/// Why a secret is not sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No address, or one that could be read in two ways.
    #[error("this is no address of a store; hint: it looks like https://stickers.example.com")]
    NotAnAddress,
    /// Keys would be readable on their way.
    #[error("keys go over a network by https alone; hint: http is for 127.0.0.1 and localhost")]
    NotEncrypted,
    /// No header can hold the secret.
    #[error("the secret is empty or has characters that no secret has")]
    BadSecret,
}

impl Address {
    /// Refuses before anything is sent.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn new(url: &str, secret: &str) -> Result<Self, AddressError> {
        let uri: Uri = url.parse().ok().ok_or(AddressError::NotAnAddress)?;
        let authority = uri.authority().ok_or(AddressError::NotAnAddress)?;
        // `http://localhost:1@elsewhere` is elsewhere.
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some() {
            return Err(AddressError::NotAnAddress);
        }
        let is_this_machine = LOOPBACK.contains(&authority.host());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine => {}
            Some("http") => return Err(AddressError::NotEncrypted),
            _ => return Err(AddressError::NotAnAddress),
        }
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AddressError::BadSecret);
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), secret: secret.to_owned(), is_this_machine })
    }

    /// The address without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.secret)
    }

    /// No proxy lies between two programs of one machine.
    pub(super) const fn is_this_machine(&self) -> bool {
        self.is_this_machine
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("url", &self.url).finish_non_exhaustive()
    }
}

const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_leaves_this_machine_encrypted_or_not_at_all() {
        let made = |url: &str| Address::new(url, "sk_x").map(|address| address.is_this_machine());
        assert_eq!(made("https://stickers.example.com/"), Ok(false));
        assert_eq!(made("http://127.0.0.1:8080"), Ok(true));
        assert_eq!(made("http://[::1]:8080"), Ok(true));
        for url in ["http://stickers.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"] {
            assert_eq!(made(url), Err(AddressError::NotEncrypted), "{url}");
        }
        for url in [
            "http://localhost:1@evil.example",
            "localhost:8080",
            "ftp://localhost",
            "https://",
            "",
            "https://a?b",
        ] {
            assert_eq!(made(url), Err(AddressError::NotAnAddress), "{url}");
        }
        for secret in ["", "two\nlines", "with space"] {
            assert_eq!(Address::new("https://a", secret).err(), Some(AddressError::BadSecret), "{secret:?}");
        }
    }

    #[test]
    fn an_address_does_not_show_its_secret() {
        assert!(!format!("{:?}", Address::new("https://a", "sk_secret").unwrap()).contains("sk_secret"));
    }
}
