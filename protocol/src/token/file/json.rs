//! The JSON of a key file, read with the line of each key.

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::json::{Object, present, too_deep_at};
use crate::token::Algorithm;
use crate::token::error::{Fault, KeyFileError};
use crate::token::key::{KeyId, KeyMaterial, KeyRecord, KeyState, PublicKey, Secret};

/// The keys of known algorithms, each with the line of its id.
pub(super) fn read(text: &str) -> Result<Vec<(KeyRecord, usize)>, KeyFileError> {
    let too_deep = too_deep_at(text);
    let text = Text { text, breaks: text.match_indices('\n').map(|(at, _)| at).collect() };
    if let Some(at) = too_deep {
        return Err(KeyFileError::new(Some(text.line_at(at)), Fault::NoKeys));
    }
    let file: Object<FileJson<'_>> = serde_json::from_str(text.text).map_err(|error| {
        let fault = if error.is_data() { Fault::NoKeys } else { Fault::NotJson { column: error.column() } };
        KeyFileError::new(Some(error.line().max(1)), fault)
    })?;
    file.0.keys.into_iter().filter_map(|key| text.key(key).transpose()).collect()
}

/// One key on a line, so that a fault has a line of its own. HMAC keys are written without `algorithm`, as the first readers want.
pub(super) fn write(keys: &[KeyRecord]) -> String {
    let keys: Vec<_> = keys.iter().map(line).collect();
    // Hexadecimal digits and fixed words: there is nothing to escape.
    if keys.is_empty() {
        "{\"keys\":[]}\n".to_owned()
    } else {
        format!("{{\"keys\":[\n  {}]}}\n", keys.join(",\n  "))
    }
}

fn line(KeyRecord { id, key, state }: &KeyRecord) -> String {
    let state = state.name();
    match key {
        KeyMaterial::Hmac(secret) => {
            format!(r#"{{"id":{id},"secret":"{}","state":"{state}"}}"#, crate::hex::encode(secret.expose()))
        }
        KeyMaterial::Ed25519 { public, seed } => {
            let seed = seed.as_ref().map_or_else(String::new, |seed| {
                format!(r#""secret":"{}","#, crate::hex::encode(seed.expose()))
            });
            let (name, public) = (Algorithm::Ed25519.name(), public.to_hex());
            format!(r#"{{"id":{id},"algorithm":"{name}",{seed}"public":"{public}","state":"{state}"}}"#)
        }
    }
}

#[derive(Deserialize)]
struct FileJson<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The fields as they stand, so that each has its place and its own fault.
#[derive(Deserialize)]
struct KeyJson<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    algorithm: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    secret: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    public: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    state: Option<&'a RawValue>,
}

struct Text<'a> {
    text: &'a str,
    /// Where lines end.
    breaks: Vec<usize>,
}

impl<'a> Text<'a> {
    /// The key, `None` where its algorithm is unknown: then nothing else of it is looked at.
    fn key(&self, raw: &'a RawValue) -> Result<Option<(KeyRecord, usize)>, KeyFileError> {
        let refused =
            |at: Option<&RawValue>, fault| KeyFileError::new(Some(self.line(at.unwrap_or(raw))), fault);
        let Object(key): Object<KeyJson<'_>> =
            serde_json::from_str(raw.get()).ok().ok_or_else(|| refused(None, Fault::NoObject))?;

        let Some(algorithm) = key.algorithm.map_or(Some(Algorithm::HmacSha256), algorithm) else {
            return Ok(None);
        };
        let id = key.id.and_then(value).ok_or_else(|| refused(key.id, Fault::Id))?;
        let state = key.state.and_then(state).ok_or_else(|| refused(key.state, Fault::State))?;
        let secret =
            || key.secret.and_then(hex).map(Secret::new).ok_or_else(|| refused(key.secret, Fault::Secret));
        let material = match algorithm {
            Algorithm::HmacSha256 => KeyMaterial::Hmac(secret()?),
            Algorithm::Ed25519 => KeyMaterial::Ed25519 {
                public: PublicKey::new(
                    key.public.and_then(hex).ok_or_else(|| refused(key.public, Fault::Public))?,
                ),
                seed: key.secret.map(|_| secret()).transpose()?,
            },
        };
        let line = self.line(key.id.unwrap_or(raw));
        Ok(Some((KeyRecord { id: KeyId(id), key: material, state }, line)))
    }

    /// The line of a part of the text, from 1.
    fn line(&self, part: &RawValue) -> usize {
        let at = part.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        self.line_at(at)
    }

    fn line_at(&self, at: usize) -> usize {
        self.breaks.partition_point(|&end| end < at) + 1
    }
}

fn algorithm(raw: &RawValue) -> Option<Algorithm> {
    Algorithm::parse(&value::<String>(raw)?)
}

fn state(raw: &RawValue) -> Option<KeyState> {
    KeyState::parse(&value::<String>(raw)?)
}

fn value<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn hex(raw: &RawValue) -> Option<[u8; 32]> {
    crate::hex::decode_array(&Zeroizing::new(value::<String>(raw)?))
}
