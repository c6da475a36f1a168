//! The one shape of zip that a bundle has: stored entries in sorted order, no gaps, no extras.
//!
//! Zip readers disagree about archives whose local headers, central directory and contents contradict each other, and that
//! is what attacks are made of. So this reader takes only what [`write`] can have written, field by field (APPNOTE.TXT 6.3.10,
//! sections 4.3.7, 4.3.12 and 4.3.16), and hands out slices of the file itself.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::bytes::{le_u16, le_u32};

/// Why a zip is not one that a bundle may be. Offsets are in bytes from the start of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZipError {
    /// No end-of-central-directory record in the last 22 bytes: cut, with a comment, or no zip at all.
    #[error("it does not end with a zip directory")]
    NoEnd,
    /// More entries than a bundle may have.
    #[error("it has {0} entries; at most {1} are allowed")]
    TooManyEntries(usize, usize),
    /// A header or its place is not what this format allows.
    #[error("the {field} at byte {at} is not what a bundle has there")]
    Field {
        /// Which part of the zip.
        field: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// Names are not in strictly ascending order.
    #[error("the entry at byte {at} is not in sorted order, or stands twice")]
    Order {
        /// Where its directory record stands.
        at: usize,
    },
    /// The content does not have the checksum that the header says.
    #[error("the content at byte {at} does not have its checksum")]
    Checksum {
        /// Where the content begins.
        at: usize,
    },
    /// The zip writer refused.
    #[error("it cannot be written")]
    Write(#[source] zip::result::ZipError),
}

/// Writes stored entries in the order of their names, dated 1980-01-01 00:00.
pub(super) fn write(entries: &BTreeMap<String, &[u8]>) -> Result<Vec<u8>, ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(name.as_str(), options).map_err(ZipError::Write)?;
        writer.write_all(content).map_err(|error| ZipError::Write(error.into()))?;
    }
    Ok(writer.finish().map_err(ZipError::Write)?.into_inner())
}

/// A name and its content.
type Entry<'a> = (&'a str, &'a [u8]);

/// The entries in order.
pub(super) fn read(file: &[u8], max_entries: usize) -> Result<Vec<Entry<'_>>, ZipError> {
    let end = file.len().checked_sub(END_LENGTH).ok_or(ZipError::NoEnd)?;
    let count = usize::from(le_u16(file, end + 10).unwrap_or_default());
    let directory_length = le_u32(file, end + 12).unwrap_or_default() as usize;
    let directory = le_u32(file, end + 16).unwrap_or_default() as usize;
    if le_u32(file, end) != Some(END_MAGIC) || le_u16(file, end + 20) != Some(0) {
        return Err(ZipError::NoEnd);
    }
    if count > max_entries {
        return Err(ZipError::TooManyEntries(count, max_entries));
    }
    require("number of disks", end, le_u32(file, end + 4) == Some(0))?;
    require("number of entries", end, le_u16(file, end + 8).map(usize::from) == Some(count))?;
    require("directory's place", end, directory.checked_add(directory_length) == Some(end))?;

    let mut entries: Vec<Entry<'_>> = Vec::with_capacity(count);
    let (mut record, mut local) = (directory, 0);
    for _ in 0..count {
        let (entry, next_record, next_local) = read_entry(file, record, local, directory)?;
        if entries.last().is_some_and(|(before, _)| *before >= entry.0) {
            return Err(ZipError::Order { at: record });
        }
        entries.push(entry);
        (record, local) = (next_record, next_local);
    }
    require("directory's end", record, record == end)?;
    require("contents' end", local, local == directory)?;
    Ok(entries)
}

/// The entry whose directory record stands at `record` and whose local header must stand at `local`.
fn read_entry(
    file: &[u8],
    record: usize,
    local: usize,
    directory: usize,
) -> Result<(Entry<'_>, usize, usize), ZipError> {
    let u16_at = |at: usize| le_u16(file, at).map(usize::from);
    let u32_at = |at: usize| le_u32(file, at).map(|value| value as usize);

    require("directory record", record, le_u32(file, record) == Some(RECORD_MAGIC))?;
    require("local header", local, le_u32(file, local) == Some(LOCAL_MAGIC))?;
    // Version needed, flags, method, time, date, checksum, both sizes and the name's length stand in both.
    let shared = |at: usize| file.get(at..at + SHARED_LENGTH);
    require("local header", local, shared(local + 4).is_some() && shared(local + 4) == shared(record + 6))?;
    require("flags", record, u16_at(record + 8) == Some(0))?;
    require("compression method", record, u16_at(record + 10) == Some(0))?;
    require("time stamp", record, le_u32(file, record + 12) == Some(TIME_STAMP))?;
    require("extra field", local, u16_at(local + 28) == Some(0))?;
    // Lengths of extra field and comment, disk, internal attributes.
    require(
        "extra field",
        record,
        le_u32(file, record + 30) == Some(0) && le_u32(file, record + 34) == Some(0),
    )?;
    require("offset", record, u32_at(record + 42) == Some(local))?;

    let field = |field| ZipError::Field { field, at: record };
    let size = u32_at(record + 20).ok_or_else(|| field("size"))?;
    require("size", record, u32_at(record + 24) == Some(size))?;
    let name_length = u16_at(record + 28).ok_or_else(|| field("name"))?;
    let name = |at: usize| file.get(at..at + name_length);
    let text = name(record + RECORD_LENGTH).and_then(|name| std::str::from_utf8(name).ok());
    let text = text.ok_or_else(|| field("name"))?;
    require("name", local, name(local + LOCAL_LENGTH) == Some(text.as_bytes()))?;

    let start = local + LOCAL_LENGTH + name_length;
    let content =
        start.checked_add(size).filter(|&end| end <= directory).and_then(|end| file.get(start..end));
    let content = content.ok_or_else(|| field("size"))?;
    if le_u32(file, record + 16) != Some(crc32fast::hash(content)) {
        return Err(ZipError::Checksum { at: start });
    }
    Ok(((text, content), record + RECORD_LENGTH + name_length, start + size))
}

fn require(field: &'static str, at: usize, holds: bool) -> Result<(), ZipError> {
    if holds { Ok(()) } else { Err(ZipError::Field { field, at }) }
}

const LOCAL_MAGIC: u32 = 0x0403_4b50;
const LOCAL_LENGTH: usize = 30;
const RECORD_MAGIC: u32 = 0x0201_4b50;
const RECORD_LENGTH: usize = 46;
const END_MAGIC: u32 = 0x0605_4b50;
const END_LENGTH: usize = 22;
const SHARED_LENGTH: usize = 24;
/// 1980-01-01 00:00 in DOS form: the time in the low half, the date in the high half.
const TIME_STAMP: u32 = 0x0021_0000;
