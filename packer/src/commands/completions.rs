//! `sticker-packer completions SHELL`

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Status;
use crate::cli::Cli;
use crate::printer::Printer;

pub(super) fn run(shell: Shell) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sticker-packer", &mut script);
    if shell == Shell::Bash {
        script = String::from_utf8_lossy(&script).replace(CASE, COMMAND).into_bytes();
    }
    Printer::file(&script);
    Status::Done
}

/// `clap_complete` writes a hyphen of the program's name in two ways, this one where bash looks for the subcommand that it has set
/// as the other, so that it would find none.
const CASE: &str = "sticker__subcmd__packer__subcmd__";
const COMMAND: &str = "sticker__packer__subcmd__";
