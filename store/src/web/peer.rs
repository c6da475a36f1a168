//! Who asks, by their address: the other end of the connection, or whom a proxy that is trusted names.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::config;

/// The other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Addresses that share their first bits, written `192.0.2.0/24`, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or an address and the number of its first bits, such as 192.0.2.0/24")]
pub struct NetworkError;

impl Network {
    /// Whether the address is in it. An IPv4 address that is written as IPv6 is the same address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (first.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                (first.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (first, bits) = text.split_once('/').map_or((text, None), |(first, bits)| (first, Some(bits)));
        let first: IpAddr = first.parse().map_err(|_no_address| NetworkError)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let plain = |bits: &&str| bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits =
            bits.map_or(Some(most), |bits| Some(bits).filter(plain)?.parse().ok()).ok_or(NetworkError)?;
        if bits > most { Err(NetworkError) } else { Ok(Self { first, bits }) }
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;
    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.first, network.bits)
    }
}

/// Which header the trusted proxies write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarding {
    /// `X-Forwarded-For`, as most do.
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
}

/// The address that a request comes from: read from the end of the header, which the nearest proxy wrote, as far as the proxies are
/// trusted. Whoever is not may write what they like.
pub(crate) fn address(server: &config::Server, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |address: IpAddr| server.trusted_proxies.iter().any(|network| network.contains(address));
    if server.trusted_proxies.is_empty() || !trusted(peer) {
        return peer;
    }
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match server.forwarding {
        Forwarding::XForwardedFor => ("x-forwarded-for", plain),
        Forwarding::Forwarded => ("forwarded", of_forwarded),
    };
    let mut nearest = peer;
    for value in headers.get_all(name).iter().rev() {
        for hop in value.to_str().unwrap_or_default().rsplit(',') {
            // What a trusted proxy did not write as an address hides who it is from.
            let Some(address) = read(hop.trim()) else { return nearest };
            nearest = address;
            if !trusted(address) {
                return nearest;
            }
        }
    }
    nearest
}

/// An address, in brackets or not, with a port or without.
fn plain(hop: &str) -> Option<IpAddr> {
    let bracketed = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(address, _)| address);
    let without_port = || hop.rsplit_once(':').and_then(|(address, _)| address.parse().ok());
    bracketed.unwrap_or(hop).parse().ok().or_else(without_port)
}

/// The `for` of one element: `for=192.0.2.1;proto=https`, `For="[2001:db8::1]:4711"`.
fn of_forwarded(hop: &str) -> Option<IpAddr> {
    let mut pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    plain(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::Config;

    fn found(
        trusted: &[&str],
        forwarding: Forwarding,
        peer: &str,
        lines: &[(&'static str, &'static str)],
    ) -> String {
        let mut server = Config::load(None, std::iter::empty()).unwrap().server;
        server.trusted_proxies = trusted.iter().map(|network| network.parse().unwrap()).collect();
        server.forwarding = forwarding;
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        address(&server, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_who_asks() {
        let says = [("x-forwarded-for", "198.51.100.7")];
        let of = |trusted: &[&str], peer| found(trusted, Forwarding::XForwardedFor, peer, &says);
        assert_eq!(of(&[], "10.0.0.1"), "10.0.0.1");
        assert_eq!(of(&["10.0.0.0/8"], "192.0.2.9"), "192.0.2.9");
        assert_eq!(of(&["10.0.0.0/8"], "10.0.0.1"), "198.51.100.7");
        assert_eq!(of(&["10.0.0.0/8"], "::ffff:10.0.0.1"), "198.51.100.7");
    }

    #[test]
    fn a_header_is_read_from_its_end_up_to_the_first_who_is_not_trusted() {
        let of = |lines: &[(&'static str, &'static str)]| {
            found(&["10.0.0.0/8", "::1"], Forwarding::XForwardedFor, "10.0.0.1", lines)
        };
        let name = "x-forwarded-for";
        assert_eq!(of(&[(name, "203.0.113.5, 198.51.100.7, 10.2.3.4")]), "198.51.100.7");
        assert_eq!(of(&[(name, "203.0.113.5"), (name, "198.51.100.7,::1")]), "198.51.100.7");
        assert_eq!(of(&[(name, "[2001:db8::1]:4711")]), "2001:db8::1");
        assert_eq!(of(&[(name, "198.51.100.7:4711")]), "198.51.100.7");
        assert_eq!(of(&[(name, "198.51.100.7, nonsense")]), "10.0.0.1");
        assert_eq!(of(&[("forwarded", "for=198.51.100.7")]), "10.0.0.1", "the other header is anybody's");
        assert_eq!(of(&[]), "10.0.0.1");
    }

    #[test]
    fn the_header_of_rfc_7239_is_read_where_the_proxies_write_it() {
        let of = |value| found(&["10.0.0.1"], Forwarding::Forwarded, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(of("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60");
        assert_eq!(of("for=1.2.3.4, For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(of("for=unknown"), "10.0.0.1");
    }

    #[test]
    fn a_network_is_an_address_with_bits_that_it_has() {
        for network in ["192.0.2.0/24", "::/0", "2001:db8::/32", "192.0.2.1"] {
            assert!(network.parse::<Network>().is_ok(), "{network}");
        }
        for wrong in
            ["192.0.2.0/33", "::/129", "192.0.2/24", "", "a/8", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+8"]
        {
            assert_eq!(wrong.parse::<Network>(), Err(NetworkError), "{wrong}");
        }
    }
}
