//! Section `objects`.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Where the files are. Credentials for S3 come from the usual AWS environment or files.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Objects {
    pub kind: ObjectsKind,
    pub bucket: String,
    pub region: String,
    pub endpoint: String,
    pub path_style: bool,
    pub checksums: Checksums,
    pub timeout_seconds: u32,
    pub attempts: u32,
}

/// Where objects are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectsKind {
    /// A folder in the data folder.
    Local,
    /// A bucket.
    S3,
}

/// When uploads to S3 carry the newer checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Checksums {
    /// Where the operation needs one.
    WhenRequired,
    /// Always.
    WhenSupported,
}

impl Objects {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refused = |key, message| Err(ConfigError::Refused { key, message });
        // It is shown to whoever asks for the settings.
        if self.endpoint.contains('@') {
            return refused(
                "objects.endpoint",
                "it has no @ in it; credentials come from the usual AWS environment or files",
            );
        }
        if self.kind == ObjectsKind::S3 && self.bucket.is_empty() {
            return refused("objects.bucket", "S3 needs the name of a bucket");
        }
        if !(1..=3_600).contains(&self.timeout_seconds) || !(1..=10).contains(&self.attempts) {
            return refused("objects.timeout_seconds", "it is 1 to 3600, and objects.attempts 1 to 10");
        }
        Ok(())
    }
}
