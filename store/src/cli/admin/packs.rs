//! `sticker-store admin packs`

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum PacksCommand {
    /// List the packs.
    List,
    /// Say whether couples share a pack: who buys it shares it with the partner whom the messenger named.
    Share {
        /// Pack's id or slug.
        #[arg(value_name = "PACK_ID|SLUG")]
        pack: String,
        /// `on` or `off`, for orders from now on.
        #[arg(value_name = "on|off", value_parser = switch, action = clap::ArgAction::Set)]
        on: bool,
    },
    /// Take a pack out of the store and have its tokens refused for every user.
    Takedown {
        /// Pack's id or slug.
        #[arg(value_name = "PACK_ID|SLUG")]
        pack: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put a pack back.
    Reinstate {
        /// Pack's id or slug.
        #[arg(value_name = "PACK_ID|SLUG")]
        pack: String,
        /// Why, for who reads the trace later.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

fn switch(name: &str) -> Result<bool, &'static str> {
    match name {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it is on or off"),
    }
}
