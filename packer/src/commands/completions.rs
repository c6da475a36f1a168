//! `sticker-packer completions SHELL`

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Status;
use crate::cli::Cli;
use crate::printer::Printer;

pub(super) fn run(shell: Shell) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sticker-packer", &mut script);
    Printer::file(&script);
    Status::Done
}
