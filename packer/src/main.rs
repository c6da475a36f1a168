//! The designers' command line: parse, run, exit.

mod cli;
mod commands;
mod printer;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(cli::Cli::read()).into()
}
