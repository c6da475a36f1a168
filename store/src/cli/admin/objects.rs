//! `sticker-store admin objects`

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ObjectsCommand {
    /// Remove what no release names, and uploads that were not published. The store may go on meanwhile.
    Gc {
        /// Remove nothing, and say what would be removed.
        #[arg(long)]
        dry_run: bool,
        /// What is younger stays.
        #[arg(long, default_value_t = 72, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(0..=87_600))]
        grace: u32,
    },
    /// Read and hash every object that the catalogue names. Ends with 1 where one is missing or damaged.
    ///
    /// Publishing the release again puts it back.
    Verify,
}
