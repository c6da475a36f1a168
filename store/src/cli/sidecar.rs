//! `sticker-store sidecar`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct SidecarArguments {
    /// The store's address, such as <https://stickers.example.com>.
    #[arg(long, value_name = "URL", required_unless_present = "keys", conflicts_with = "keys")]
    pub(crate) store: Option<String>,
    /// Certificates, as PEM, of the authorities that vouch for the store, instead of the usual ones.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) store_ca: Option<PathBuf>,
    /// File, for its owner alone, in which keys and deny feed are remembered over a restart.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) state: Option<PathBuf>,
    /// Key file, read again when it changes; there is no deny feed then.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Listen on an address that other machines reach too: whoever reaches it may ask.
    #[arg(long)]
    pub(crate) listen_anywhere: bool,
}
