//! Thrift compact protocol with the bounds that outside bytes need.

use std::io;

use thrift::TConfiguration;
use thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol, TSerializable};

use crate::limits::MAX_METADATA;

/// Reads one struct that fills `bytes` to the end.
pub(crate) fn read<T: TSerializable>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > MAX_METADATA {
        return Err(CodecError::TooLong);
    }
    // Without these a few bytes that claim millions of elements reserve gigabytes.
    let configuration = TConfiguration::builder()
        .max_message_size(Some(MAX_METADATA))
        .max_frame_size(Some(MAX_METADATA))
        .max_container_size(Some(MAX_ELEMENTS))
        .max_string_size(Some(MAX_METADATA))
        .max_recursion_depth(Some(MAX_DEPTH))
        .build()
        .map_err(CodecError::Thrift)?;
    let mut rest = io::Cursor::new(bytes);
    let value = T::read_from_in_protocol(&mut TCompactInputProtocol::with_config(&mut rest, configuration))
        .map_err(CodecError::Thrift)?;
    if rest.position() == bytes.len() as u64 { Ok(value) } else { Err(CodecError::TrailingBytes) }
}

/// Writes one struct.
pub(crate) fn write(value: &impl TSerializable) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    value.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes)).map_err(CodecError::Thrift)?;
    if bytes.len() > MAX_METADATA { Err(CodecError::TooLong) } else { Ok(bytes) }
}

/// Elements of any list or map: the files of a full release are the longest list there is.
const MAX_ELEMENTS: usize = crate::limits::MAX_RELEASE_FILES;
/// Structs within structs; ours are three deep, unknown fields of later versions may be more.
const MAX_DEPTH: usize = 16;

/// Why bytes are not the Thrift struct that they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// More than [`MAX_METADATA`] bytes.
    #[error("it is longer than {MAX_METADATA} bytes")]
    TooLong,
    /// A whole struct, and something after it.
    #[error("bytes follow the end of the Thrift struct")]
    TrailingBytes,
    /// What the Thrift reader found.
    #[error("it is not valid Thrift compact protocol")]
    Thrift(#[source] thrift::Error),
}
