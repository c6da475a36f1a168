//! `sticker-store edge-config`

use std::net::{Ipv4Addr, SocketAddr};

use sticker_store::edge::{Edge, Origin, OriginError, configuration};

use super::{Status, failed, say};
use crate::cli::{EdgeConfigArguments, Product};

/// Needs no configuration of the store.
pub(super) fn run(arguments: &EdgeConfigArguments) -> Status {
    let EdgeConfigArguments { product, origin, listen } = arguments;
    let address = listen.unwrap_or(EVERYWHERE);
    let edge = match product {
        Product::Cloudfront if listen.is_some() => {
            let error = std::io::Error::other("CloudFront listens where AWS decides");
            failed("listen", &error, "leave out --listen");
            return Status::Usage;
        }
        Product::Cloudfront => Edge::CloudFront,
        Product::Nginx => Edge::Nginx(address),
        Product::Varnish => Edge::Varnish(address),
    };
    match origin.parse::<Origin>().and_then(|origin| configuration(edge, &origin)) {
        Ok(written) => {
            say(written.trim_end());
            Status::Done
        }
        Err(error) => refused(error),
    }
}

fn refused(error: OriginError) -> Status {
    failed(error.code(), &error, error.hint());
    Status::Refused
}

const EVERYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 80);
