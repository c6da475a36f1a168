//! Where the edge reaches the store.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ureq::http::Uri;

/// A store's address as the edge reaches it: scheme, host and port, checked to be nothing else, since it is written into configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    encrypted: bool,
    host: String,
    port: Option<u16>,
}

/// Why there is no configuration for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// No address, or more than one.
    #[error("the origin is no address of a store")]
    NotAnOrigin,
    /// Varnish reaches no server by TLS.
    #[error("Varnish does not speak TLS to an origin")]
    NoTls,
    /// `CloudFront` knows its origins by public names alone.
    #[error("CloudFront reaches an origin by its public name alone")]
    NoName,
}

impl OriginError {
    /// What people and scripts know it by.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAnOrigin => "bad_origin",
            Self::NoTls => "origin_tls",
            Self::NoName => "origin_name",
        }
    }

    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NotAnOrigin => {
                "--origin is scheme, host and port alone, such as https://origin.example.com or http://10.0.0.5:8080"
            }
            Self::NoTls => {
                "name a program beside Varnish that does, such as http://127.0.0.1:8443, or use nginx"
            }
            Self::NoName => "give the origin a name in the DNS, such as https://origin.example.com",
        }
    }
}

impl Origin {
    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    pub(super) const fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }

    /// A name, or an address; one of IPv6 in brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        match (self.port, self.encrypted) {
            (Some(port), _) => port,
            (None, true) => 443,
            (None, false) => 80,
        }
    }

    /// Host and port.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }

    /// A name with a dot in it, and no address.
    pub(super) fn is_public_name(&self) -> bool {
        self.host.contains('.') && self.host.parse::<Ipv4Addr>().is_err()
    }
}

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let uri: Uri = text.parse().ok().ok_or(OriginError::NotAnOrigin)?;
        let authority = uri.authority().ok_or(OriginError::NotAnOrigin)?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(OriginError::NotAnOrigin),
        };
        let port = authority.port_u16().filter(|&port| port > 0);
        let origin = Self { encrypted, host: authority.host().to_owned(), port };
        // Whatever else was written, a user, a path, a query, a port that is none, does not come back.
        let same = text.strip_suffix('/').unwrap_or(text) == origin.to_string();
        if same && is_host(&origin.host) { Ok(origin) } else { Err(OriginError::NotAnOrigin) }
    }
}

/// As it is written in a URL.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn is_host(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = bracketed {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        let ends = !label.starts_with('-') && !label.ends_with('-');
        ends && !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let read = |text: &str| text.parse::<Origin>().map(|it| format!("{it} {}", it.authority()));
        let well = |text: &str| Ok(text.to_owned());
        assert_eq!(read("https://a.example"), well("https://a.example a.example:443"));
        assert_eq!(read("http://a.example/"), well("http://a.example a.example:80"));
        assert_eq!(read("http://127.0.0.1:8080"), well("http://127.0.0.1:8080 127.0.0.1:8080"));
        assert_eq!(read("http://[::1]:8080"), well("http://[::1]:8080 [::1]:8080"));
    }

    #[test]
    fn what_is_more_or_less_than_that_is_refused() {
        for wrong in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https://a.example/path",
            "https://a.example//",
            "https://a.example?x",
            "https://a.example#x",
            "https://me@a.example",
            "https://a.example:0",
            "https://a.example:",
            "https://a.example:99999",
            "https://a.example;evil",
            "https://a$b.example",
            "https://a_b.example",
            "https://-a.example",
            "https://a..example",
            "https://[::g]",
            "https://a.example\n",
            "https://a b",
        ] {
            assert_eq!(wrong.parse::<Origin>(), Err(OriginError::NotAnOrigin), "{wrong:?}");
        }
    }
}
