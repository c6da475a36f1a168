//! What a cache in front of the store has to do: a configuration that works, for each product.
//!
//! A phone says how dense its screen is, and there are thousands of answers to that; a cache that kept each would ask the store for every one.
//! So the edge writes each query in the one way that names a variant, and keeps one copy of it. That gives nobody other bytes
//! because no release has a density off the ladder, which `rungs` relies on and its test proves.

mod origin;
mod rungs;

use std::net::SocketAddr;

use sticker_protocol::{Density, LADDER};

use crate::variants::picture::WIDTHS;
pub use origin::{Origin, OriginError};
use rungs::rungs;

/// What is put in front of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Amazon `CloudFront`, as a `CloudFormation` template.
    CloudFront,
    /// nginx, as a whole configuration that listens here.
    Nginx(SocketAddr),
    /// Varnish, in VCL; the address is for the command that starts it.
    Varnish(SocketAddr),
}

/// The configuration for a store that is reached at `origin`.
///
/// # Errors
/// [`OriginError`] where the product cannot reach such an address.
pub fn configuration(edge: Edge, origin: &Origin) -> Result<String, OriginError> {
    let (template, more) = match edge {
        Edge::CloudFront => (CLOUDFRONT, cloudfront(origin)?),
        Edge::Nginx(listen) => (NGINX, nginx(origin, listen)),
        Edge::Varnish(listen) => (VARNISH, varnish(origin, listen)?),
    };
    let usual = [
        ("ORIGIN", origin.to_string()),
        ("SCHEME", origin.scheme().to_owned()),
        ("AUTHORITY", origin.authority()),
        ("HOST", origin.host().to_owned()),
        ("PORT", origin.port().to_string()),
        ("DEFAULT", Density::DEFAULT.to_string()),
    ];
    Ok(filled(template, usual.into_iter().chain(more)))
}

type Places = Vec<(&'static str, String)>;

fn nginx(origin: &Origin, listen: SocketAddr) -> Places {
    let densities = rungs()
        .map(|rung| format!("        \"~(?:^|&)density=0*(?:{})(?:&|$)\" {};", rung.numbers(), rung.density));
    let widths = WIDTHS.map(|width| format!("        \"~(?:^|&)width={width}(?:&|$)\" \"?width={width}\";"));
    let tls = format!(
        "    proxy_ssl_server_name on;\n    proxy_ssl_name {};\n    proxy_ssl_verify on;\n    proxy_ssl_verify_depth 3;\n    \
         proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;\n",
        origin.host()
    );
    vec![
        ("LISTEN", listen.to_string()),
        ("DENSITIES", lines(densities)),
        ("WIDTHS", lines(widths)),
        ("TLS", if origin.is_encrypted() { tls } else { String::new() }),
    ]
}

fn varnish(origin: &Origin, listen: SocketAddr) -> Result<Places, OriginError> {
    if origin.is_encrypted() {
        return Err(OriginError::NoTls);
    }
    let densities = rungs().map(|rung| {
        format!(
            "    }} elseif (req.http.X-Sticker-Args ~ \"(?:^|&)density=0*(?:{})(?:&|$)\") {{\n        \
             set req.http.X-Sticker-Density = \"{}\";",
            rung.numbers(),
            rung.density
        )
    });
    let widths = WIDTHS.map(|width| {
        format!(
            "    }} elseif (req.http.X-Sticker-Args ~ \"(?:^|&)width={width}(?:&|$)\") {{\n        \
             set req.http.X-Sticker-Width = \"?width={width}\";"
        )
    });
    Ok(vec![("LISTEN", listen.to_string()), ("DENSITIES", lines(densities)), ("WIDTHS", lines(widths))])
}

fn cloudfront(origin: &Origin) -> Result<Places, OriginError> {
    if !origin.is_public_name() {
        return Err(OriginError::NoName);
    }
    let listed = |numbers: &[u32]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        numbers.join(", ")
    };
    let function = filled(
        CLOUDFRONT_FUNCTION,
        [
            ("LADDER", listed(&LADDER.map(u32::from))),
            ("WIDTHS", listed(&WIDTHS)),
            ("DEFAULT", Density::DEFAULT.to_string()),
            ("MOST", Density::MAX.to_string()),
        ],
    );
    let indented = function.lines().map(|line| match line {
        "" => String::new(),
        line => format!("        {line}"),
    });
    let port = |encrypted, usual: u16| {
        if origin.is_encrypted() == encrypted { origin.port() } else { usual }.to_string()
    };
    Ok(vec![("FUNCTION", lines(indented)), ("HTTP_PORT", port(false, 80)), ("HTTPS_PORT", port(true, 443))])
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// Puts each value where the template has `@ITS_NAME@`.
fn filled(template: &str, places: impl IntoIterator<Item = (&'static str, String)>) -> String {
    places
        .into_iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), &value))
}

const NGINX: &str = include_str!("edge/nginx.conf");
const VARNISH: &str = include_str!("edge/varnish.vcl");
const CLOUDFRONT: &str = include_str!("edge/cloudfront.yaml");
const CLOUDFRONT_FUNCTION: &str = include_str!("edge/cloudfront.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_template_is_filled() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        for (edge, origin) in [
            (Edge::CloudFront, "https://origin.example.com:8443"),
            (Edge::Nginx(listen), "https://origin.example.com"),
            (Edge::Nginx(listen), "http://[2001:db8::1]:8080"),
            (Edge::Varnish(listen), "http://127.0.0.1:8080"),
        ] {
            let written = configuration(edge, &origin.parse().unwrap()).unwrap();
            let is_place = |word: &str| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            };
            assert!(!written.split('@').skip(1).any(is_place), "{edge:?}:\n{written}");
            assert!(written.contains(origin), "{edge:?}");
        }
    }

    #[test]
    fn an_origin_that_a_product_cannot_reach_is_refused() {
        let listen = "127.0.0.1:8080".parse().unwrap();
        let refused =
            |edge, origin: &str| configuration(edge, &origin.parse().unwrap()).map(drop).unwrap_err();
        assert_eq!(refused(Edge::Varnish(listen), "https://origin.example.com"), OriginError::NoTls);
        for origin in ["https://192.0.2.1", "https://[2001:db8::1]", "https://localhost", "https://origin"] {
            assert_eq!(refused(Edge::CloudFront, origin), OriginError::NoName, "{origin}");
        }
    }
}
