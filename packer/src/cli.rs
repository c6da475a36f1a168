//! What the command line understands; what it does is in [`crate::commands`].

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sticker_packer::export::Messenger;
use sticker_packer::{Effort, PlatformId, Quality};

/// Turns artwork into sticker packs: one bundle per screen density, ready for a store and a CDN.
#[derive(Debug, Parser)]
#[command(
    name = "sticker-packer",
    version,
    after_help = "Exit codes: 0 done, 1 the input is bad, 2 wrong usage, 3 cannot read, write or reach."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Cli {
    /// The command line, or clap's words and exit code.
    pub(crate) fn read() -> Self {
        let mut command = Self::command();
        let matches = command.get_matches_mut();
        let publish = matches.subcommand_matches("publish");
        if publish.is_some_and(|it| it.value_source("secret") == Some(ValueSource::CommandLine)) {
            // Everybody on the machine can read a process's arguments, and the shell keeps them.
            let message =
                "a secret does not belong on the command line: set STICKER_STORE_SECRET or use --secret-file";
            command.error(ErrorKind::ArgumentConflict, message).exit();
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// What gives the right to publish; not shown by `Debug`.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Common {
    /// One JSON document on the standard output instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Threads; as many as there are cores by default. Never changes the result.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Say nothing but errors.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// How a release is built.
#[derive(Clone, Debug, Args)]
pub(crate) struct How {
    /// What the pictures must look like: draft (a score of 65), standard (80), high (88), lossless, or another score;
    /// pack.toml's `build.quality`, else `standard`.
    #[arg(long, value_name = "QUALITY")]
    pub(crate) quality: Option<Quality>,
    /// How long to look for smaller files of that quality.
    #[arg(long, value_enum, value_name = "EFFORT", default_value = "default")]
    pub(crate) effort: EffortName,
    /// Render every sticker anew, and remember nothing.
    #[arg(long)]
    pub(crate) no_cache: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EffortName {
    /// Fixed choices; nothing is measured.
    Fast,
    /// A search for each sticker.
    Default,
    /// Minutes, for a release.
    Max,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Self {
        match name {
            EffortName::Fast => Self::Fast,
            EffortName::Default => Self::Default,
            EffortName::Max => Self::Max,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a pack.toml for a folder of artwork.
    Init {
        /// Folder with PNG files and folders of numbered PNG frames, or with a folder `stickers` that holds them.
        dir: PathBuf,
    },
    /// Make a project of a folder of artwork, or of a pack of a WhatsApp sticker app.
    Import {
        /// Folder of artwork, or with contents.json as WhatsApp's sample app has it. It stays as it is.
        source: PathBuf,
        /// Folder to make; it must not exist or be empty.
        dir: PathBuf,
        /// Which of several packs.
        #[arg(long, value_name = "IDENTIFIER")]
        pack: Option<String>,
    },
    /// Report everything that is wrong with a project or doubtful.
    Check {
        /// Folder with pack.toml.
        dir: PathBuf,
        /// Look at what this messenger publishes about stickers too; may be given several times.
        #[arg(long = "for", value_name = "PLATFORM", value_parser = platform())]
        platforms: Vec<PlatformId>,
    },
    /// Build a release from a project.
    Build {
        /// Folder with pack.toml.
        dir: PathBuf,
        /// Folder for the release; an earlier build there is replaced as a whole.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        how: How,
        /// Build again after each change, until Ctrl-C, and serve the preview on this machine; with --json, one line for each build.
        #[arg(long)]
        watch: bool,
        /// Where the preview is served while watching; the system chooses by default.
        #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
    },
    /// Write a built release as one page that shows every sticker at every density, beside its artwork, without a network.
    Preview {
        /// Folder with release.thrift, as `build` made it.
        out: PathBuf,
        /// The page; `<OUT>-preview.html` beside the folder by default, never inside it.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Do not score the stickers against their artwork, which takes most of the time.
        #[arg(long)]
        no_scores: bool,
    },
    /// Draw a project anew for another messenger, within the limits that it publishes.
    Export {
        /// Folder with pack.toml.
        dir: PathBuf,
        /// The messenger.
        #[arg(long, value_name = "MESSENGER", value_parser = messenger())]
        to: Messenger,
        /// Folder for the files; an earlier export there is replaced as a whole.
        #[arg(long)]
        out: PathBuf,
        /// Language of the title and the alternative texts; English by default, else the first.
        #[arg(long, value_name = "LOCALE")]
        locale: Option<String>,
    },
    /// Show what is in a sticker file, a bundle or a release.thrift.
    Inspect {
        /// The file.
        file: PathBuf,
    },
    /// Write the images of a sticker file, or the sticker files of a bundle, into a new folder.
    Extract {
        /// The sticker file or bundle.
        file: PathBuf,
        /// Folder to make; it must not exist or be empty.
        #[arg(long)]
        out: PathBuf,
    },
    /// Bring a built release to a store. The secret comes from `STICKER_STORE_SECRET` or a file, never from the command line.
    Publish {
        /// Folder with release.thrift, as `build` made it.
        out: PathBuf,
        /// The store's address, such as <https://stickers.example.com>.
        #[arg(long, value_name = "URL")]
        store: String,
        /// File that holds the secret.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// The secret, from the environment alone: [`Cli::read`] refuses it as an argument.
        #[arg(long, hide = true, env = "STICKER_STORE_SECRET", hide_env_values = true)]
        secret: Option<Secret>,
    },
    /// Write the completions of a shell to the standard output.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual page to the standard output, or a page for each command into a folder.
    Man {
        /// Folder for the pages, such as ~/.local/share/man/man1.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Whether an interrupt is how it is meant to end.
    pub(crate) fn ends_by_interrupt(&self) -> bool {
        matches!(self, Self::Build { watch: true, .. })
    }
}

/// A platform by its name, with all of them in the help.
fn platform() -> impl TypedValueParser<Value = PlatformId> {
    PossibleValuesParser::new(PlatformId::ALL.map(PlatformId::name))
        .try_map(|name| name.parse::<PlatformId>())
}

/// A messenger by its name, with all of them in the help.
fn messenger() -> impl TypedValueParser<Value = Messenger> {
    PossibleValuesParser::new(Messenger::ALL.map(|messenger| messenger.platform().name()))
        .try_map(|name| name.parse::<Messenger>())
}
