//! The designers' command line: parse, run, exit.

mod cli;
mod commands;
mod printer;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    commands::run(cli::Cli::parse()).into()
}
