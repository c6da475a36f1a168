//! The designers' command line: parse, run, exit.

mod cli;
mod commands;
mod interrupt;
mod printer;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    interrupt::ends_with(if cli.command.ends_by_interrupt() { 0 } else { interrupt::INTERRUPTED });
    commands::run(cli).into()
}
