//! `sticker-packer man [--out DIR]`

use std::io;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;
use serde_json::json;
use sticker_packer::Error;
use sticker_packer::out::write_atomically;

use super::{Status, failed};
use crate::cli::Cli;
use crate::printer::{Printer, json_path};

pub(super) fn run(out: Option<&Path>, printer: Printer) -> Status {
    let written = match (pages(), out) {
        (Ok(pages), Some(out)) => write(&pages, out),
        (Ok(pages), None) => {
            if let Some((_, page)) = pages.first() {
                Printer::file(page);
            }
            return Status::Done;
        }
        (Err(error), _) => Err(Error::Internal(Box::new(error))),
    };
    match written {
        Ok(names) => {
            let count = names.len();
            printer.result(&json!({ "out": out.map(json_path), "files": names }), &format!("{count} pages"));
            Status::Done
        }
        Err(error) => failed(&error, printer),
    }
}

/// Each page on its own is replaced whole; the folder may hold the pages of other programs.
fn write(pages: &[(String, Vec<u8>)], out: &Path) -> Result<Vec<String>, Error> {
    std::fs::create_dir_all(out).map_err(|source| Error::Io {
        action: "create",
        path: out.to_owned(),
        source,
    })?;
    pages.iter().map(|(name, page)| write_atomically(&out.join(name), page).map(|()| name.clone())).collect()
}

/// The program's page, then one for each command.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = Cli::command();
    program.build();
    let commands: Vec<_> = program.get_subcommands().filter(|it| it.get_name() != "help").cloned().collect();
    let all = std::iter::once(program).chain(commands);
    all.map(|command| {
        let man = Man::new(command).source(concat!("sticker-packer ", env!("CARGO_PKG_VERSION")));
        let mut page = Vec::new();
        man.render(&mut page)?;
        Ok((man.get_filename(), page))
    })
    .collect()
}
