//! `sticker-store edge-config`

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct EdgeConfigArguments {
    /// What is put in front of the store.
    #[arg(long = "for", value_name = "PRODUCT")]
    pub(crate) product: Product,
    /// Where it reaches the store, such as <https://origin.example.com> or <http://10.0.0.5:8080>.
    #[arg(long, value_name = "URL")]
    pub(crate) origin: String,
    /// Address that nginx or Varnish listens on; 0.0.0.0:80 by default.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Product {
    /// Amazon `CloudFront`: a template for `CloudFormation`.
    Cloudfront,
    /// nginx: a whole configuration.
    Nginx,
    /// Varnish: a file in VCL.
    Varnish,
}
